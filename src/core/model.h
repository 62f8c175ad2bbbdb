/*
 * model: the attribution models, in the order in which their figures are stored, and
 * the bases of revenue.
 */
#ifndef RPVD_MODEL_H
#define RPVD_MODEL_H

enum conf_model {
	MODEL_LAST_NON_DIRECT,
	MODEL_LAST,
	MODEL_FIRST,
	MODEL_LINEAR,
	MODEL_POSITION,
	MODEL_TIME_DECAY,
	CONF_MODELS
};

/* What of an order counts as revenue. */
enum conf_basis { BASIS_TOTAL, BASIS_NET_OF_TAX, BASIS_NET };
enum conf_bots { BOTS_LENIENT, BOTS_STRICT };

#endif
