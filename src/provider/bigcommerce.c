/*
 * bigcommerce: https://developer.bigcommerce.com/docs/integrations/webhooks
 *
 * Standard Webhooks with the app's client secret as it is written.  A body says
 * that an order changed, not what it costs: amounts have to be asked from the
 * store's API.  What would have to be asked for is counted as such.
 */
#include "base/mem.h"
#include "provider/modules.h"
#include "provider/report.h"
#include "provider/signature.h"

static const struct amounts amounts = { UNITS_TEXT, NULL };

/* Shipped, completed, waiting to be packed: it is paid. */
static bool
on_status(struct report *r)
{
	struct slice status;

	if (!report_id(r, "status.new_status_id", &status))
		return (false);
	return (delivery_ignore(r->out, slice_is(status, "2") || slice_is(status, "10") || slice_is(status, "11") ? "needs_api" : "not_paid"));
}

static bool
on_refund(struct report *r)
{
	return (delivery_ignore(r->out, "needs_api"));
}

static const struct report_type types[] = {
	{ "store/order/statusUpdated", on_status },
	{ "store/order/refund/created", on_refund },
};

static void
bigcommerce_read(const struct provider_conf *conf, const struct request *req, struct delivery *out)
{
	struct report r;
	report_reader *read;
	struct slice id;

	if (!report_begin(&r, &provider_bigcommerce, &amounts, conf, req, out) ||
	    !signed_standard(conf, req, KEYS_LITERAL, &id, out) || !report_parse(&r))
		return;
	read = report_reader_of(&r, "scope", types, N_ELEM(types));
	if (read != NULL && body_object(&r.body, "data", &r.object))
		read(&r);
}

static const char *const tokens[] = { NULL };
static const char *const pages[] = { "mybigcommerce.com", NULL };

const struct provider provider_bigcommerce = { .name = "bigcommerce", .read = bigcommerce_read, .token_params = tokens,
    .payment_pages = pages, .needs = NEEDS_SECRET };
