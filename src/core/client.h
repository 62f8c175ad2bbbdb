/*
 * client: user agent -> bot or not, and device.
 *
 * The bot rules are a data file (data/bots.txt), handed in as bytes; matching takes
 * time linear in the user agent, whatever the rules and the input are.  Pure.
 */
#ifndef RPVD_CLIENT_H
#define RPVD_CLIENT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum device { DEVICE_DESKTOP, DEVICE_MOBILE, DEVICE_TABLET };

/* "desktop", "mobile", "tablet". */
const char *device_name(enum device);
enum device device_of(struct slice agent);

struct bots;

/* text: the data file's bytes; name: for messages, which say name:line.  NULL with err set. */
struct bots *bots_parse(struct slice text, const char *name, struct err *);
void bots_free(struct bots **);
/* An empty agent or `-` is a bot. */
bool bots_match(const struct bots *, struct slice agent);

#endif
