/*
 * modules: one declaration per provider module; provider.c has the table.  Internal to
 * src/provider.
 */
#ifndef RPVD_PROVIDER_MODULES_H
#define RPVD_PROVIDER_MODULES_H

#include "provider/provider.h"

extern const struct provider provider_generic;
extern const struct provider provider_shopify;
extern const struct provider provider_stripe;
extern const struct provider provider_woocommerce;

#endif
