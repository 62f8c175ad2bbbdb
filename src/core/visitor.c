/*
 * visitor: see visitor.h.
 */
#include "core/visitor.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define UID_BYTES 16

int64_t
day_of(int64_t time_ms)
{
	return (time_ms >= 0 ? time_ms / DAY_MS : -1);
}

/* ---- keys ---------------------------------------------------------------- */

const struct hash_key *
keyring_day(struct keyring *ring, int64_t day)
{
	size_t i = ring->n_days;

	while (i > 0 && ring->days[i - 1].day > day)
		i--;
	if (i > 0 && ring->days[i - 1].day == day)
		return (&ring->days[i - 1].key);
	if (day < ring->first_day || ring->make == NULL)
		return (NULL);
	mem_grow(&ring->days, &ring->cap, ring->n_days + 1, sizeof(*ring->days));
	memmove(ring->days + i + 1, ring->days + i, (ring->n_days - i) * sizeof(*ring->days));
	ring->n_days++;
	ring->days[i].day = day;
	ring->make(ring->arg, day, &ring->days[i].key);
	return (&ring->days[i].key);
}

bool
keyring_forget(struct keyring *ring, int64_t first_day)
{
	size_t n = 0;

	if (first_day <= ring->first_day)
		return (false);
	ring->first_day = first_day;
	while (n < ring->n_days && ring->days[n].day < first_day)
		n++;
	if (n == 0)
		return (false);
	memmove(ring->days, ring->days + n, (ring->n_days - n) * sizeof(*ring->days));
	explicit_bzero(ring->days + ring->n_days - n, n * sizeof(*ring->days));
	ring->n_days -= n;
	return (true);
}

bool
keyring_copy(struct keyring *to, const struct keyring *from)
{
	if (to->n_days == from->n_days && to->first_day == from->first_day &&
	    memcmp(&to->site, &from->site, sizeof(to->site)) == 0 &&
	    (to->n_days == 0 || memcmp(to->days, from->days, to->n_days * sizeof(*to->days)) == 0))
		return (false);
	keyring_clear(to);
	*to = (struct keyring){ .site = from->site, .first_day = from->first_day, .n_days = from->n_days };
	mem_grow(&to->days, &to->cap, from->n_days, sizeof(*to->days));
	if (from->n_days > 0)
		memcpy(to->days, from->days, from->n_days * sizeof(*to->days));
	return (true);
}

void
keyring_clear(struct keyring *ring)
{
	if (ring->days != NULL)
		explicit_bzero(ring->days, ring->cap * sizeof(*ring->days));
	free(ring->days);
	explicit_bzero(ring, sizeof(*ring));
}

/* ---- hashes -------------------------------------------------------------- */

/* What is hashed begins with a letter of its kind, so that a cookie and a token with the
 * same bytes stay different numbers. */
static uint64_t
hash_kind(const struct hash_key *key, char kind, const void *p, size_t len)
{
	SCRATCH char small[512];
	char *text = len < sizeof(small) ? small : mem_alloc(len + 1);
	uint64_t h;

	text[0] = kind;
	if (len > 0)
		memcpy(text + 1, p, len);
	h = hash_bytes(key, slice_make(text, len + 1));
	if (text != small)
		free(text);
	return (h != 0 ? h : 1);
}

uint64_t
hash_cookie(const struct keyring *ring, struct slice value)
{
	return (hash_kind(&ring->site, 'c', value.p, value.len));
}

uint64_t
hash_token(const struct keyring *ring, struct slice token)
{
	return (hash_kind(&ring->site, 't', token.p, token.len));
}

uint64_t
hash_user_agent(const struct keyring *ring, struct slice agent)
{
	return (hash_kind(&ring->site, 'u', agent.p, agent.len));
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	return (c == '+' ? 62 : c == '/' ? 63 : -1);
}

/* 22 base64 digits and "==" are the 16 bytes of a uid cookie. */
static bool
uid_from_base64(struct slice text, unsigned char out[UID_BYTES])
{
	uint32_t bits = 0;
	size_t n = 0;

	if (text.len != 24 || text.p[22] != '=' || text.p[23] != '=')
		return (false);
	for (size_t i = 0; i < 22; i++) {
		int v = base64_value(text.p[i]);

		if (v < 0)
			return (false);
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 != 0 && n < UID_BYTES)
			out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return (n == UID_BYTES);
}

/* NAME= of "NAME=HEX"; a base64 value may end in '=' but never has one followed by another byte. */
static struct slice
uid_without_name(struct slice text)
{
	size_t i = 0;

	while (i < text.len && (text.p[i] == '_' || (text.p[i] >= '0' && text.p[i] <= '9') ||
	    (ascii_lower(text.p[i]) >= 'a' && ascii_lower(text.p[i]) <= 'z')))
		i++;
	if (i > 0 && i + 1 < text.len && text.p[i] == '=' && text.p[i + 1] != '=')
		return (slice_skip(text, i + 1));
	return (text);
}

/* nginx logs four 32-bit words in hexadecimal; the cookie is base64 of the same words, least
 * significant byte first (ngx_http_userid_filter_module). */
uint64_t
hash_uid(const struct keyring *ring, struct slice value)
{
	static const char digits[] = "0123456789ABCDEF";
	struct slice text = uid_without_name(value);
	unsigned char raw[UID_BYTES];
	char hex[256];

	if (uid_from_base64(text, raw)) {
		for (size_t i = 0; i < UID_BYTES; i++) {
			unsigned char byte = raw[i / 4 * 4 + 3 - i % 4];

			hex[2 * i] = digits[byte >> 4];
			hex[2 * i + 1] = digits[byte & 15];
		}
		return (hash_kind(&ring->site, 'i', hex, 2 * UID_BYTES));
	}
	if (text.len > sizeof(hex))
		text.len = sizeof(hex);
	for (size_t i = 0; i < text.len; i++)
		hex[i] = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] - 32) : text.p[i];
	return (hash_kind(&ring->site, 'i', hex, text.len));
}

/* "1.2.3.4" -> true with the four bytes. */
static bool
parse_ipv4(struct slice text, unsigned char out[4])
{
	unsigned v = 0, digits = 0, n = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i == text.len || text.p[i] == '.') {
			if (digits == 0 || v > 255 || n == 4)
				return (false);
			out[n++] = (unsigned char)v;
			v = digits = 0;
		} else if (text.p[i] >= '0' && text.p[i] <= '9' && digits < 3) {
			v = v * 10 + (unsigned)(text.p[i] - '0');
			digits++;
		} else
			return (false);
	}
	return (n == 4);
}

static int
hex_value(char c)
{
	c = ascii_lower(c);
	return (c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* RFC 4291 section 2.2: up to eight groups, "::" once for a run of zeros. */
static bool
parse_ipv6(struct slice text, unsigned char out[16])
{
	unsigned char groups[16];
	size_t n = 0, gap = SIZE_MAX, i = 0;

	if (text.len >= 2 && text.p[0] == ':' && text.p[1] == ':') {
		gap = 0;
		i = 2;
	}
	while (i < text.len) {
		unsigned v = 0, digits = 0;

		for (; i < text.len && hex_value(text.p[i]) >= 0; i++, digits++)
			v = v << 4 | (unsigned)hex_value(text.p[i]);
		if (digits == 0 || digits > 4 || n == 16)
			return (false);
		groups[n++] = (unsigned char)(v >> 8);
		groups[n++] = (unsigned char)v;
		if (i == text.len)
			break;
		if (text.p[i++] != ':' || i == text.len)
			return (false);
		if (text.p[i] == ':') {
			if (gap != SIZE_MAX)
				return (false);
			gap = n;
			i++;
		}
	}
	if (gap == SIZE_MAX ? n != 16 : n > 14)
		return (false);
	gap = gap == SIZE_MAX ? n : gap;
	memset(out, 0, 16);
	memcpy(out, groups, gap);
	memcpy(out + 16 - (n - gap), groups + gap, n - gap);
	return (true);
}

bool
address_parse(struct slice text, unsigned char out[16])
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (parse_ipv4(text, out + 12)) {
		memcpy(out, mapped, sizeof(mapped));
		return (true);
	}
	return (parse_ipv6(text, out));
}

uint64_t
hash_agent(struct keyring *ring, int64_t day, struct slice addr, uint64_t user_agent)
{
	const struct hash_key *key = keyring_day(ring, day);
	SCRATCH unsigned char text[8 + 16 + 200];
	size_t len = 8 + 16;

	if (key == NULL)
		return (0);
	memcpy(text, &user_agent, 8);
	if (!address_parse(addr, text + 8)) {
		size_t n = addr.len < 200 ? addr.len : 200;

		memset(text + 8, 0xff, 16);	/* no parsed address */
		if (n > 0)
			memcpy(text + 8 + 16, addr.p, n);
		len += n;
	}
	return (hash_kind(key, 'a', text, len));
}

/* ---- order events -------------------------------------------------------- */

static uint64_t
hash_customer(const struct keyring *ring, const struct order_message *m, bool is_email)
{
	struct buf text = { 0 };
	uint64_t h;

	if (!is_email)
		buf_slice(&text, m->provider);
	buf_slice(&text, m->customer);
	h = hash_kind(&ring->site, is_email ? 'e' : 'k', text.p, text.len);
	buf_free(&text);
	return (h);
}

void
order_event_hash(struct keyring *ring, const struct order_message *m, struct order_event *e)
{
	*e = (struct order_event){
		.kind = m->kind, .event_id = m->event_id, .provider = m->provider, .order_id = m->order_id,
		.part_id = m->part_id, .time_ms = m->time_ms, .currency = m->currency, .amount = m->amount,
		.tax = m->tax, .shipping = m->shipping, .recurring = m->recurring, .cumulative = m->cumulative,
		.n_tokens = m->n_tokens, .n_aliases = m->n_aliases,
	};
	memcpy(e->aliases, m->aliases, m->n_aliases * sizeof(*m->aliases));
	for (size_t i = 0; i < m->n_tokens; i++)
		e->tokens[i] = hash_token(ring, m->tokens[i]);
	if (m->customer.len > 0) {
		e->customer_is_email = slice_starts(m->customer, SLICE("email:"));
		e->customer = hash_customer(ring, m, e->customer_is_email);
	}
	if (m->visitor.len > 0) {
		e->visitors[0] = hash_cookie(ring, m->visitor);
		e->visitors[1] = hash_uid(ring, m->visitor);
	}
	if (m->ip.len > 0 && m->user_agent.len > 0) {
		uint64_t agent = hash_user_agent(ring, m->user_agent);

		e->agents[0] = hash_agent(ring, day_of(m->time_ms), m->ip, agent);
		e->agents[1] = hash_agent(ring, day_of(m->time_ms) - 1, m->ip, agent);
	}
}
