/*
 * modules: one declaration per provider module; provider.c has the table.  Internal to
 * src/provider.
 */
#ifndef RPVD_PROVIDER_MODULES_H
#define RPVD_PROVIDER_MODULES_H

#include "provider/provider.h"

extern const struct provider provider_adyen;
extern const struct provider provider_bigcommerce;
extern const struct provider provider_creem;
extern const struct provider provider_dodo;
extern const struct provider provider_generic;
extern const struct provider provider_gumroad;
extern const struct provider provider_lemonsqueezy;
extern const struct provider provider_paddle;
extern const struct provider provider_paypal;
extern const struct provider provider_paystack;
extern const struct provider provider_polar;
extern const struct provider provider_razorpay;
extern const struct provider provider_shopify;
extern const struct provider provider_square;
extern const struct provider provider_stripe;
extern const struct provider provider_woocommerce;

#endif
