/*
 * provider: the table of modules.
 */
#include "provider/provider.h"

#include "provider/modules.h"

static const struct provider *const table[] = {
	&provider_generic,
	&provider_shopify,
	&provider_stripe,
	&provider_woocommerce,
	NULL
};

const struct provider *const *
providers(void)
{
	return (table);
}

const struct provider *
provider_find(const char *name)
{
	for (size_t i = 0; table[i] != NULL; i++)
		if (strcmp(table[i]->name, name) == 0)
			return (table[i]);
	return (NULL);
}
