/*
 * What strangers write around a line: the header of a syslog message, and lists of addresses.
 *
 * The input's first line is a list that was forwarded, its second the address as it was logged; the
 * rest is a datagram.  What must hold: what is found lies in what was given, the client is trusted only
 * where nobody to the left of it is left, and a header is understood whatever follows it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/address.h"
#include "core/visitor.h"
#include "io/syslog_header.h"

static bool
lies_in(struct slice part, struct slice whole)
{
	return (part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len));
}

static struct slice
copy_of(struct slice s)
{
	return (slice_make(mem_dup(s.p, s.len), s.len));
}

static void
address_check(const struct engine_rules *rules, const struct hit *hit)
{
	struct slice client = client_address(rules, hit);
	unsigned char bytes[16];

	must(lies_in(client, hit->addr) || lies_in(client, hit->forwarded));
	must(memchr(client.p != NULL ? client.p : "", ',', client.len) == NULL);
	if (rules->n_trusted_proxies > 0 && slice_find(hit->addr, ',') < 0 && address_parse(hit->addr, bytes) &&
	    !networks_have(rules->trusted_proxies, rules->n_trusted_proxies, bytes))
		must(slice_equal(client, hit->addr));
}

static void
addresses_check(struct slice forwarded, struct slice addr)
{
	static const struct network ours[] = {
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10 }, 104 }, { { 0x20, 0x01, 0x0d, 0xb8 }, 33 }
	};
	const struct engine_rules nobody = { .session_timeout_ms = 1 };
	const struct engine_rules proxies = { .trusted_proxies = ours, .n_trusted_proxies = N_ELEM(ours), .trusts_unix = true };
	struct hit hit = { .addr = copy_of(addr), .forwarded = copy_of(forwarded) };

	address_check(&nobody, &hit);
	address_check(&proxies, &hit);
	free((void *)(uintptr_t)hit.addr.p);
	free((void *)(uintptr_t)hit.forwarded.p);
}

static void
datagram_check(struct slice datagram)
{
	struct slice copy = copy_of(datagram), message, longer, again;

	if (syslog_message(copy, &message)) {
		must(lies_in(message, copy) && message.len + 3 <= copy.len);
		/* One more byte of the message is one more byte. */
		longer.p = mem_alloc(copy.len + 1);
		longer.len = (size_t)(message.len > 0 ? message.p + message.len - copy.p : 0);
		if (message.len > 0) {
			memcpy((char *)(uintptr_t)longer.p, copy.p, longer.len);
			((char *)(uintptr_t)longer.p)[longer.len++] = 'x';
			must(syslog_message(longer, &again) && again.len == message.len + 1);
		}
		free((void *)(uintptr_t)longer.p);
	}
	free((void *)(uintptr_t)copy.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size);
	struct slice forwarded = slice_cut(&rest, '\n'), addr = slice_cut(&rest, '\n');

	addresses_check(forwarded, addr);
	datagram_check(rest);
	return (0);
}
