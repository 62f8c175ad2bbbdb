/*
 * mismatch: why a signature does not fit, where that can be found out.
 *
 * The usual reasons are not forgers but a proxy that changed the body on its way, and a secret file
 * that an editor has touched.  Such changes are undone one after the other; where the signature fits
 * then, the owner can be told what to mend.  For a hint only: nothing is accepted by it.  Pure.
 */
#ifndef RPVD_PROVIDER_MISMATCH_H
#define RPVD_PROVIDER_MISMATCH_H

#include "provider/provider.h"

#define MISMATCH_BODY_MAX (64 * 1024)	/* larger bodies are not tried: it costs a dozen signatures a secret */

/* For a request that was rejected as bad_signature.  A sentence, a constant; NULL where no change explains it. */
const char *mismatch_hint(const struct provider *, const struct provider_conf *, const struct request *);

#endif
