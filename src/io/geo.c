/*
 * geo: see geo.h.
 *
 * libmaxminddb maps the file that it opens; a file that is cut while it is mapped ends
 * the process by SIGBUS, and one that is overwritten in place answers with nonsense.  So
 * the file goes into anonymous memory first, and the library opens that.
 *
 * A visitor's hits come in bursts: a small direct-mapped cache by the address as it
 * was logged saves parsing it and walking the tree.
 */
#include "io/geo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define FILE_MAX_BYTES ((off_t)1 << 30)
#define CACHE_SLOTS 1024		/* a power of two */

struct answer {
	char addr[INET6_ADDRSTRLEN];	/* as logged, no NUL; len 0: free */
	uint8_t len;
	bool has_country;
	char country[2];
	uint32_t as_number;		/* 0: none */
};

struct geo {
	MMDB_s db;
	struct answer cache[CACHE_SLOTS];
};

/* 0, or -1 with errno. */
static int
copy_file(int from, int to)
{
	static const size_t chunk = 1 << 20;
	char *p = mem_alloc(chunk);
	ssize_t n = 0;
	off_t total = 0;

	while ((n = read(from, p, chunk)) > 0 && (total += n) <= FILE_MAX_BYTES)
		for (ssize_t done = 0, w; done < n; done += w)
			if ((w = write(to, p + done, (size_t)(n - done))) < 0) {
				n = -1;
				goto out;
			}
	if (n > 0)
		errno = EFBIG;
out:
	free(p);
	return (n == 0 ? 0 : -1);
}

/* A descriptor of a copy of the file, or -1 with err. */
static int
copy_of(const char *path, struct err *err)
{
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), to = -1, rc = -1;
	struct stat st;

	if (from < 0)
		return (err_set(err, "%s: %s", path, strerror(errno)));
	if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode)) {
		err_set(err, "%s: is no regular file", path);
		goto out;
	}
	to = memfd_create("geo", MFD_CLOEXEC);
	if (to < 0 || copy_file(from, to) != 0)
		err_set(err, "%s: cannot be read into memory: %s", path, strerror(errno));
	else
		rc = 0;
out:
	close(from);
	if (rc != 0 && to >= 0)
		close(to);
	return (rc == 0 ? to : -1);
}

struct geo *
geo_open(const char *path, struct err *err)
{
	struct geo *geo;
	char name[32];
	int fd = copy_of(path, err), rc;

	if (fd < 0)
		return (NULL);
	geo = mem_calloc(1, sizeof(*geo));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	rc = MMDB_open(name, MMDB_MODE_MMAP, &geo->db);
	close(fd);
	if (rc == MMDB_SUCCESS)
		return (geo);
	err_set(err, "%s: no usable database: %s", path, MMDB_strerror(rc));
	free(geo);
	return (NULL);
}

void
geo_free(struct geo **gp)
{
	if (*gp == NULL)
		return;
	MMDB_close(&(*gp)->db);
	free(*gp);
	*gp = NULL;
}

/* An IPv4 address inside of an IPv6 one (a listener for both logs so) is looked up as what it
 * is: not every database has that range. */
static bool
parse_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	struct in6_addr address;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		return (true);
	}
	if (inet_pton(AF_INET6, text, &address) != 1)
		return (false);
	if (IN6_IS_ADDR_V4MAPPED(&address)) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, address.s6_addr + 12, 4);
	} else {
		v6->sin6_family = AF_INET6;
		v6->sin6_addr = address;
	}
	return (true);
}

static bool
country_at(MMDB_entry_s *entry, const char *const *keys, char out[2])
{
	MMDB_entry_data_s found;

	if (MMDB_aget_value(entry, &found, keys) != MMDB_SUCCESS || !found.has_data)
		return (false);
	if (found.type != MMDB_DATA_TYPE_UTF8_STRING || found.data_size != 2)
		return (false);
	for (size_t i = 0; i < 2; i++)
		if (found.utf8_string[i] < 'A' || found.utf8_string[i] > 'Z')
			return (false);
	memcpy(out, found.utf8_string, 2);
	return (true);
}

/* "AS64500"; 0 where it is none. */
static uint32_t
as_number_of(const char *text, size_t len)
{
	uint64_t n = 0;

	if (len < 3 || len > 12 || memcmp(text, "AS", 2) != 0)
		return (0);
	for (size_t i = 2; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return (0);
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	return (n <= UINT32_MAX ? (uint32_t)n : 0);
}

static uint32_t
as_number_at(MMDB_entry_s *entry)
{
	static const char *const number[] = { "autonomous_system_number", NULL }, *const text[] = { "asn", NULL };
	MMDB_entry_data_s found;

	if (MMDB_aget_value(entry, &found, number) == MMDB_SUCCESS && found.has_data && found.type == MMDB_DATA_TYPE_UINT32)
		return (found.uint32);
	if (MMDB_aget_value(entry, &found, text) == MMDB_SUCCESS && found.has_data && found.type == MMDB_DATA_TYPE_UTF8_STRING)
		return (as_number_of(found.utf8_string, found.data_size));
	return (0);
}

static void
look_up(const MMDB_s *db, const char *text, struct answer *a)
{
	static const char *const nested[] = { "country", "iso_code", NULL }, *const flat[] = { "country_code", NULL };
	struct sockaddr_storage address;
	MMDB_lookup_result_s found;
	int rc;

	a->has_country = false;
	a->as_number = 0;
	if (!parse_address(text, &address))
		return;
	found = MMDB_lookup_sockaddr(db, (struct sockaddr *)&address, &rc);
	if (rc != MMDB_SUCCESS || !found.found_entry)
		return;
	a->has_country = country_at(&found.entry, nested, a->country) || country_at(&found.entry, flat, a->country);
	a->as_number = as_number_at(&found.entry);
}

/* FNV-1a.  A stranger who makes addresses collide only makes the cache useless. */
static size_t
slot_of(struct slice addr)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < addr.len; i++)
		h = (h ^ (unsigned char)addr.p[i]) * 16777619U;
	return ((h ^ h >> 16) % CACHE_SLOTS);
}

/* What is known of it, or NULL. */
static const struct answer *
answer_of(struct geo *geo, struct slice addr)
{
	struct answer *a = &geo->cache[slot_of(addr)];
	char text[INET6_ADDRSTRLEN];

	if (addr.len == 0 || addr.len >= sizeof(text) || memchr(addr.p, '\0', addr.len) != NULL)
		return (NULL);
	if (slice_equal(slice_make(a->addr, a->len), addr))
		return (a);
	memcpy(text, addr.p, addr.len);
	text[addr.len] = '\0';
	memcpy(a->addr, addr.p, addr.len);
	a->len = (uint8_t)addr.len;
	look_up(&geo->db, text, a);
	return (a);
}

bool
geo_country(struct geo *geo, struct slice addr, char out[2])
{
	const struct answer *a = answer_of(geo, addr);

	if (a == NULL || !a->has_country)
		return (false);
	memcpy(out, a->country, 2);
	return (true);
}

bool
geo_as_number(struct geo *geo, struct slice addr, uint32_t *out)
{
	const struct answer *a = answer_of(geo, addr);

	if (a == NULL || a->as_number == 0)
		return (false);
	*out = a->as_number;
	return (true);
}
