/*
 * body: the JSON of a delivery, read by path.
 *
 * Strict where money is at stake: duplicate keys, NULs, bad UTF-8 and deep nesting
 * are refused, and numbers keep the text in which they were written, so that no
 * amount ever passes through a double; a number reads like a string of its text.
 *
 * Functions that return bool say what was wrong to the delivery (bad_body, with
 * the field's name, never its value) before they return false.  Strings live as long
 * as the delivery.  Internal to src/provider.
 */
#ifndef RPVD_PROVIDER_BODY_H
#define RPVD_PROVIDER_BODY_H

#include "provider/delivery.h"

#define BODY_DEPTH_MAX 64

/* One object of the body, and where complaints about it go. */
struct body {
	struct delivery *out;
	json_t *json;
	const char *name;		/* for complaints: "order"; "" is the whole */
};

/* The whole of it; has to be an object. */
bool body_parse(struct slice text, struct delivery *, struct body *);

/* What follows takes a path such as "data.object"; null counts as absent. */

/* NULL where absent. */
json_t *body_at(const struct body *, const char *path);
/* The key is there, null or not: tells shapes apart. */
bool body_has(const struct body *, const char *key);
/* A string or number; empty where absent or of another type. */
struct slice body_text(const struct body *, const char *path);
/* Likewise, by a key from the configuration, in the object at path. */
struct slice body_text_of(const struct body *, const char *path, struct slice key);
bool body_is_true(const struct body *, const char *path);
/* An array's length and objects; none where it is no array. */
size_t body_count(const struct body *, const char *path);
struct body body_item(const struct body *, const char *path, size_t i);

/* Required from here on. */
bool body_object(const struct body *, const char *path, struct body *);
bool body_id(const struct body *, const char *path, struct slice *id);	/* 1 to ORDER_ID_MAX bytes */
bool body_currency(const struct body *, const char *path, struct currency *);
/* Decimal text without sign and exponent; more digits than the currency has: half to even. */
bool body_amount(const struct body *, const char *path, struct currency, int64_t *minor);
/* Likewise with a sign or without, which is dropped: refunds are negative at some. */
bool body_amount_unsigned(const struct body *, const char *path, struct currency, int64_t *minor);
/* Digits alone. */
bool body_integer(const struct body *, const char *path, int64_t *n);
/* Such an integer in units of 10^-exponent. */
bool body_units(const struct body *, const char *path, int exponent, struct currency, int64_t *minor);

enum time_form {
	TIME_RFC3339,			/* 2026-03-02T10:00:00.5+01:00; a zone is required */
	TIME_GMT,			/* 2026-03-02T10:00:00, without zone */
	TIME_UNIX,			/* seconds */
	TIME_UNIX_MS			/* milliseconds */
};
/* Finer than milliseconds is cut. */
bool body_time(const struct body *, const char *path, enum time_form, int64_t *ms);

bool body_bool(const struct body *, const char *path, bool *value);

/* Absent is 0 or false; there but wrong is a bad body. */
bool body_amount_or_0(const struct body *, const char *path, struct currency, int64_t *minor);
bool body_units_or_0(const struct body *, const char *path, int exponent, struct currency, int64_t *minor);
bool body_bool_or_false(const struct body *, const char *path, bool *value);

/* For other complaints about the field at path.  Returns false. */
bool body_complain(const struct body *, const char *path, const char *what);

/* The rules behind, for texts from elsewhere. */
bool time_parse(struct slice text, enum time_form, int64_t *ms);
bool unix_seconds(struct slice text, int64_t *seconds);		/* digits only */

#endif
