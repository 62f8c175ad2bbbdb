/*
 * address: see address.h.
 *
 *	                 $http_x_forwarded_for      $remote_addr
 *	made up by the client, client, proxy        nearest proxy     read from here to the left
 *
 * Some logs have the list in place of the address; then its last one is the nearest.
 */
#include "core/address.h"

#include "base/mem.h"
#include "core/visitor.h"

static bool
has(const struct network *net, const unsigned char addr[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->addr, addr, whole) != 0)
		return (false);
	return (rest == 0 || (net->addr[whole] ^ addr[whole]) >> (8 - rest) == 0);
}

bool
networks_have(const struct network *nets, size_t n, const unsigned char addr[16])
{
	for (size_t i = 0; i < n; i++)
		if (has(&nets[i], addr))
			return (true);
	return (false);
}

/* ---- one of the list ------------------------------------------------------- */

static struct slice
trimmed(struct slice s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '"'))
		s = slice_skip(s, 1);
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t' || s.p[s.len - 1] == '"'))
		s.len--;
	return (s);
}

/* Of proto=https;for="[2001:db8::1]:80" what stands behind for=. */
static struct slice
forwarded_for(struct slice element)
{
	while (element.len > 0) {
		struct slice pair = trimmed(slice_cut(&element, ';'));

		if (pair.len > 4 && slice_equal_nocase(slice_make(pair.p, 4), SLICE("for=")))
			return (trimmed(slice_skip(pair, 4)));
	}
	return (element);
}

/* An address of IPv6 has colons of its own: its port stands behind a bracket. */
static struct slice
without_port(struct slice s)
{
	ptrdiff_t end;

	if (s.len > 0 && s.p[0] == '[') {
		s = slice_skip(s, 1);
		end = slice_find(s, ']');
		return (end < 0 ? s : slice_make(s.p, (size_t)end));
	}
	end = slice_find(s, ':');
	if (end > 0 && slice_find(slice_skip(s, (size_t)end + 1), ':') < 0 && s.p[end - 1] >= '0' && s.p[end - 1] <= '9')
		s.len = (size_t)end;
	return (s);
}

static struct slice
address_in(struct slice item)
{
	if (slice_find(item, '=') >= 0)
		item = forwarded_for(item);
	return (without_port(item));
}

/* Takes the last one off a list; false where there is none. */
static bool
take_last(struct slice *list, struct slice *item)
{
	*item = slice_make(list->p, 0);
	while (item->len == 0 && list->len > 0) {
		const char *comma = memrchr(list->p, ',', list->len);
		size_t at = comma != NULL ? (size_t)(comma - list->p) : 0;

		*item = trimmed(comma != NULL ? slice_skip(*list, at + 1) : *list);
		list->len = at;
	}
	return (item->len > 0);
}

/* ---- the list ----------------------------------------------------------------- */

/* Digits and dots: nothing to be taken off. */
static bool
is_plain(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '.' || s.p[i] > '9')
			return (false);
	return (s.len > 0);
}

/* Where nobody is trusted the nearest is the client, whatever it looks like. */
static struct slice
nearest(const struct hit *hit)
{
	struct slice list = hit->addr, item;

	if (is_plain(list))
		return (list);
	if (!take_last(&list, &item)) {
		list = hit->forwarded;
		(void)take_last(&list, &item);
	}
	return (address_in(item));
}

static bool
is_trusted(const struct engine_rules *rules, struct slice address, bool *is_address)
{
	unsigned char bytes[16];

	*is_address = address_parse(address, bytes);
	if (*is_address)
		return (networks_have(rules->trusted_proxies, rules->n_trusted_proxies, bytes));
	return (rules->trusts_unix && slice_is(address, "unix:"));
}

struct slice
client_address(const struct engine_rules *rules, const struct hit *hit)
{
	struct slice lists[2] = { hit->addr, hit->forwarded }, found = { NULL, 0 }, item;

	if (rules->n_trusted_proxies == 0 && !rules->trusts_unix)
		return (nearest(hit));
	for (size_t i = 0; i < N_ELEM(lists); i++)
		while (take_last(&lists[i], &item)) {
			struct slice address = address_in(item);
			bool is_address, trusted = is_trusted(rules, address, &is_address);

			if (is_address || found.len == 0)
				found = address;
			if (!trusted)
				return (found);
		}
	return (found);
}
