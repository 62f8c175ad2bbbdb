/*
 * resolve: host names to addresses without stopping the event loop.
 *
 * getaddrinfo() in a thread of its own, since only that follows nsswitch.conf (hosts
 * file, mDNS, systemd-resolved) as every other program on the machine does.
 */
#ifndef RPVD_RESOLVE_H
#define RPVD_RESOLVE_H

struct addrinfo;
struct event_base;
struct resolve;

/* list is NULL where nothing was found, why (static) then says so.  Lent until resolve_free(). */
typedef void resolve_fn(const struct addrinfo *list, const char *why, void *arg);

/* Calls fn once, from the loop, unless resolve_free() comes first.  NULL: no thread could be made. */
struct resolve *resolve_start(struct event_base *, const char *host, const char *port, resolve_fn *, void *arg);
/* Gives the look-up up (its thread ends by itself later), or frees one that is done, also
 * from within fn.  Sets *rp to NULL. */
void resolve_free(struct resolve **rp);

#endif
