/*
 * provider: the table of modules.
 */
#include "provider/provider.h"

#include "provider/modules.h"

static const struct provider *const table[] = {
	&provider_adyen,
	&provider_bigcommerce,
	&provider_creem,
	&provider_dodo,
	&provider_generic,
	&provider_gumroad,
	&provider_lemonsqueezy,
	&provider_paddle,
	&provider_paypal,
	&provider_paystack,
	&provider_polar,
	&provider_razorpay,
	&provider_shopify,
	&provider_square,
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
