/*
 * report: what the modules share whose bodies name a type of event: the look-up of the
 * type, amounts in the provider's own units, and the message that is filled in on
 * the way.
 *
 * As in body.h a function that returns false has said why to the delivery.
 * Internal to src/provider.
 */
#ifndef RPVD_PROVIDER_REPORT_H
#define RPVD_PROVIDER_REPORT_H

#include "provider/body.h"
#include "provider/signature.h"

/* How a provider writes amounts. */
#define UNITS_ISO (-1)			/* integers, in the currency's own minor units */
#define UNITS_TEXT (-2)			/* decimal text: "45.20" */
struct own_unit {
	const char *currency;
	int exponent;
};
struct amounts {
	int exponent;			/* of integers, as in 10^-exponent; or one of the above */
	const struct own_unit *except;	/* currencies in which it differs; ends with NULL; or NULL */
};

struct report {
	const struct provider_conf *conf;
	const struct request *request;
	struct delivery *out;
	const struct amounts *amounts;
	struct body body, object;	/* the whole; the part that it is about */
	struct order_message message;	/* filled in as far as known */
};

typedef bool report_reader(struct report *);
struct report_type {
	const char *type;
	report_reader *read;
};

/* The beginning of a module: an empty answer; false where the request is no POST. */
bool report_begin(struct report *, const struct provider *, const struct amounts *, const struct provider_conf *,
    const struct request *, struct delivery *);
/* After the signature: body and object are the whole of it. */
bool report_parse(struct report *);
/* The reader of the type that the body has at path; the type is noted.  NULL, and ignored,
 * where the table has none: no money, or the same money again. */
report_reader *report_reader_of(struct report *, const char *path, const struct report_type *, size_t n);
/* All of a module whose deliveries are Standard Webhooks with `type`, `timestamp` and `data`. */
void report_read_standard(const struct provider *, const struct amounts *, enum standard_keys, const struct report_type *, size_t n,
    const struct provider_conf *, const struct request *, struct delivery *);
/* Its mode, test or live, is not the site's. */
bool report_is_of_other_mode(struct report *, bool is_test);

/* ---- of the object ---- */

struct slice report_text(const struct report *, const char *path);
/* The first of the two that is there. */
struct slice report_either(const struct report *, const char *path, const char *other);
/* Under the visitor key, in the object at path. */
struct slice report_visitor(const struct report *, const char *path);
/* The id, else the e-mail address. */
struct slice report_customer(const struct report *, const char *id, const char *email);

/* In the message's currency. */
bool report_amount(const struct report *, const char *path, int64_t *minor);
bool report_amount_or_0(const struct report *, const char *path, int64_t *minor);
/* The sum of two, the second of which may be absent; rounded once. */
bool report_amount_of_both(const struct report *, const char *path, const char *other, int64_t *minor);
/* The message's amount with its currency. */
bool report_money(struct report *, const char *currency, const char *amount);
bool report_id(const struct report *, const char *path, struct slice *id);
bool report_time(struct report *, const char *path, enum time_form);

/* ---- the message ---- */

/* A trial, a full discount: no order, and ignored. */
bool report_is_zero(struct report *);
/* The message as it is.  Without an event id it has that of its content: "paid:ORDER". */
bool report_add(struct report *, enum order_kind);
/* A refund or dispute: its id (NULL: the message has it), whose it is, how much. */
struct part_paths {
	const char *id, *order, *currency, *amount;
};
bool report_add_part(struct report *, enum order_kind, const struct part_paths *);

#endif
