/*
 * Fuzzer: a country database that is damaged, or somebody's.
 *
 * A small sound one is made first: one node, whose two records lead to one entry with a country
 * each.  The input damages it (where, how many bytes, the bytes), or replaces it as a whole.
 * It may be refused or answer anything of two capitals; it may read nothing beyond itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
put_string(struct buf *b, const char *s)
{
	buf_putc(b, (char)(0x40 | (int)strlen(s)));
	buf_puts(b, s);
}

static void
put_number(struct buf *b, const char *name, int type, unsigned value)
{
	put_string(b, name);
	if (type < 8)
		buf_putc(b, (char)(type << 5 | 1));
	else {
		buf_putc(b, 1);
		buf_putc(b, (char)(type - 7));
	}
	buf_putc(b, (char)value);
}

static void
put_country(struct buf *b, const char *code)
{
	buf_putc(b, (char)0xe1);
	put_string(b, "country");
	buf_putc(b, (char)0xe1);
	put_string(b, "iso_code");
	put_string(b, code);
}

/* MaxMind DB, format 2.0: records of 24 bits, IPv4. */
static void
make_database(struct buf *b)
{
	static const char zeros[16];
	struct buf data = { 0 };
	size_t second;

	put_country(&data, "DE");
	second = data.len;
	put_country(&data, "SE");
	buf_put(b, "\0\0\x11", 3);			/* node count 1 + 16: the first entry */
	buf_put(b, "\0\0", 2);
	buf_putc(b, (char)(17 + second));
	buf_put(b, zeros, sizeof(zeros));
	buf_put(b, data.p, data.len);
	buf_put(b, "\xab\xcd\xefMaxMind.com", 14);
	buf_putc(b, (char)0xe9);
	put_number(b, "node_count", 6, 1);
	put_number(b, "record_size", 5, 24);
	put_number(b, "ip_version", 5, 4);
	put_string(b, "database_type");
	put_string(b, "x");
	put_string(b, "languages");
	buf_put(b, "\0\x04", 2);			/* an empty array */
	put_number(b, "binary_format_major_version", 5, 2);
	put_number(b, "binary_format_minor_version", 5, 0);
	put_number(b, "build_epoch", 9, 1);
	put_string(b, "description");
	buf_putc(b, (char)0xe0);
	buf_free(&data);
}

static void
damage(struct buf *b, const uint8_t *p, size_t len)
{
	while (len >= 2) {
		size_t at = p[0], n = p[1] & 15;

		if ((p[1] & 16) != 0 && at < b->len)
			b->len = at;
		p += 2;
		len -= 2;
		n = n < len ? n : len;
		if (at + n <= b->len)
			memcpy(b->p + at, p, n);
		p += n;
		len -= n;
	}
}

static void
look_up(struct geo *geo)
{
	static const char *const addresses[] = { "0.0.0.1", "255.1.2.3", "2001:db8::1", "::ffff:192.0.2.1", "::", "x" };
	char country[2];
	uint32_t number;

	for (size_t i = 0; i < N_ELEM(addresses); i++)
		if (geo_as_number(geo, slice_of(addresses[i]), &number))
			must(number > 0);
	for (size_t i = 0; i < N_ELEM(addresses); i++)
		if (geo_country(geo, slice_of(addresses[i]), country))
			must(country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z');
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static int fd = -1;
	char path[40];
	struct buf b = { 0 };
	struct geo *geo;
	struct err err;

	if (fd < 0)
		must((fd = memfd_create("fuzz", 0)) >= 0);
	if (len > 0 && (p[0] & 1) != 0)
		buf_put(&b, p + 1, len - 1);
	else {
		make_database(&b);
		if (len > 0)
			damage(&b, p + 1, len - 1);
	}
	must(ftruncate(fd, 0) == 0 && pwrite(fd, b.p != NULL ? b.p : "", b.len, 0) == (ssize_t)b.len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	geo = geo_open(path, &err);
	must(len > 0 || geo != NULL);
	if (geo != NULL)
		look_up(geo);
	geo_free(&geo);
	buf_free(&b);
	return (0);
}
