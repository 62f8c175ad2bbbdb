/*
 * form: a body of application/x-www-form-urlencoded, as the JSON that it could have been.
 *
 * a=1&b[c]=2 is {"a": "1", "b": {"c": "2"}}: all values are texts.  The same name twice
 * is refused, as in JSON; of b[c] the first counts, and what is nested deeper is left
 * out.  Internal to src/provider.
 */
#ifndef RPVD_PROVIDER_FORM_H
#define RPVD_PROVIDER_FORM_H

#include "provider/body.h"

/* As body_parse(). */
bool form_parse(struct slice text, struct delivery *, struct body *);

#endif
