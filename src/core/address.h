/*
 * address: which of the addresses that a hit names is the client's.
 *
 * Behind a proxy the web server sees the proxy's address.  Whom it speaks for stands in a
 * list to which each proxy adds, on the right, the address that it saw; what is on the left
 * of that anybody may have made up.  So the list is read from the right, over the proxies that
 * the owner trusts: the first other one is the client.  Pure.
 */
#ifndef RPVD_ADDRESS_H
#define RPVD_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "core/engine_rules.h"
#include "core/hit.h"

bool networks_have(const struct network *, size_t n, const unsigned char addr[16]);

/* Borrowed from the hit, and without its port: 1.2.3.4:5678, [2001:db8::1]:80, and for= of RFC 7239 are
 * understood.  What is no address (unknown, a name) ends the list: then it is the address to the right of
 * it, and of a hit that has none, what was logged. */
struct slice client_address(const struct engine_rules *, const struct hit *);

#endif
