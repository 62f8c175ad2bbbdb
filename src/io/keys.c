/*
 * keys: see keys.h.
 */
#include "io/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define KEYS_FILE_MAX (1024 * 1024)

struct keys {
	struct keyring ring;
	char *path;
	char failed[256];
};

/* ---- files --------------------------------------------------------------- */

/* Of an open one, which is closed; path: for messages. */
static char *
read_whole(int fd, const char *path, size_t max, size_t *len, struct err *err)
{
	struct buf b = { 0 };
	struct stat st;
	ssize_t n = 0;

	/* Of a file that stays as it is nothing moves, so that no copy of a secret is left behind. */
	buf_reserve(&b, fstat(fd, &st) == 0 && st.st_size >= 0 && (size_t)st.st_size < max ? (size_t)st.st_size + 2 : 65536);
	do {
		buf_reserve(&b, 2);
		n = read(fd, b.p + b.len, b.cap - b.len - 1);
		if (n > 0)
			b.len += (size_t)n;
	} while ((n > 0 && b.len <= max) || (n < 0 && errno == EINTR));
	if (n < 0)
		err_set(err, "%s: %s", path, strerror(errno));
	else if (b.len > max)
		err_set(err, "%s: larger than %zu bytes", path, max);
	close(fd);
	if (n < 0 || b.len > max) {
		buf_free(&b);
		return (NULL);
	}
	*len = b.len;
	buf_putc(&b, '\0');
	return (b.p);
}

char *
file_read(const char *path, size_t max, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		return (read_whole(fd, path, max, len, err));
	err_set(err, "%s: %s", path, strerror(errno));
	return (NULL);
}

/* A file of ours: what else lies there under its name was put there by somebody else. */
char *
file_read_own(const char *path, size_t max, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return (read_whole(fd, path, max, len, err));
	err_set(err, "%s: %s", path, fd >= 0 || errno == ELOOP ? "is no regular file: remove it, or put back a copy of what was there" :
	    strerror(errno));
	if (fd >= 0)
		close(fd);
	return (NULL);
}

static int
sync_dir(const char *path)
{
	char *dir = mem_strdup(path), *slash = strrchr(dir, '/');
	int fd, rc;

	if (slash != NULL)
		*slash = '\0';
	fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return (-1);
	rc = fsync(fd);
	close(fd);
	return (rc);
}

static int
write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno != EINTR)
			return (-1);
		if (n > 0)
			bytes = slice_skip(bytes, (size_t)n);
	}
	return (0);
}

/* Written beside, synced, renamed. */
int
file_replace(const char *path, struct slice bytes)
{
	struct buf temp = { 0 };
	struct stat st;
	int fd, rc;

	buf_printf(&temp, "%s.new", path);
	buf_putc(&temp, '\0');
	fd = open(temp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* Where root does the daemon's work by hand the daemon must be able to read it. */
	rc = fd >= 0 && geteuid() == 0 && stat(path, &st) == 0 && st.st_uid != 0 ? fchown(fd, st.st_uid, st.st_gid) : 0;
	rc = rc == 0 && fd >= 0 && write_all(fd, bytes) == 0 && fsync(fd) == 0 ? 0 : -1;
	if (fd >= 0 && close(fd) != 0)
		rc = -1;
	if (rc == 0)
		rc = rename(temp.p, path);
	buf_free(&temp);
	return (rc == 0 ? sync_dir(path) : -1);
}

/* ---- the file ------------------------------------------------------------ */

static void
put_key(struct buf *out, const struct hash_key *key)
{
	char hex[2 * HASH_KEY_LEN + 1];

	sodium_bin2hex(hex, sizeof(hex), key->bytes, HASH_KEY_LEN);
	buf_puts(out, hex);
	buf_putc(out, '\n');
	sodium_memzero(hex, sizeof(hex));
}

static void
keys_write(struct keys *k)
{
	struct buf out = { 0 };

	buf_reserve(&out, 256 + k->ring.n_days * 128);	/* at once: what is moved leaves a copy */
	buf_printf(&out, "first %lld\nsite ", (long long)k->ring.first_day);
	put_key(&out, &k->ring.site);
	for (size_t i = 0; i < k->ring.n_days; i++) {
		buf_printf(&out, "day %lld ", (long long)k->ring.days[i].day);
		put_key(&out, &k->ring.days[i].key);
	}
	k->failed[0] = '\0';
	if (file_replace(k->path, buf_view(&out)) != 0)
		snprintf(k->failed, sizeof(k->failed), "%.150s: %s; visitors by address will not be known again after a restart",
		    k->path, strerror(errno));
	sodium_memzero(out.p, out.len);
	buf_free(&out);
}

static void
make_day(void *arg, int64_t day, struct hash_key *out)
{
	struct keys *k = arg;

	(void)day;
	randombytes_buf(out->bytes, HASH_KEY_LEN);
	keys_write(k);
}

static bool
take_key(struct slice hex, struct hash_key *key)
{
	size_t len;

	return (sodium_hex2bin(key->bytes, HASH_KEY_LEN, hex.p, hex.len, NULL, &len, NULL) == 0 && len == HASH_KEY_LEN);
}

static bool
take_line(struct keys *k, struct slice line)
{
	struct slice word = slice_cut(&line, ' ');
	struct day_key *d;

	if (slice_is(word, "first")) {
		k->ring.first_day = strtoll(line.p, NULL, 10);
		return (true);
	}
	if (slice_is(word, "site"))
		return (take_key(line, &k->ring.site));
	if (!slice_is(word, "day"))
		return (false);
	mem_grow(&k->ring.days, &k->ring.cap, k->ring.n_days + 1, sizeof(*k->ring.days));
	d = &k->ring.days[k->ring.n_days];
	d->day = strtoll(slice_cut(&line, ' ').p, NULL, 10);
	if (!take_key(line, &d->key) || (k->ring.n_days > 0 && d[-1].day >= d->day))
		return (false);
	k->ring.n_days++;
	return (true);
}

static int
keys_read(struct keys *k, struct err *err)
{
	size_t len, line_no = 0;
	char *text = file_read_own(k->path, KEYS_FILE_MAX, &len, err);
	struct slice rest = slice_make(text, text != NULL ? len : 0);
	int rc = text != NULL ? 0 : -1;
	bool has_site = false;

	while (rc == 0 && rest.len > 0) {
		line_no++;
		has_site |= slice_starts(rest, SLICE("site "));
		if (!take_line(k, slice_cut(&rest, '\n')))
			rc = err_set(err, "%s:%zu: damaged; put back a copy, or remove the file (visitors then count as new once)",
			    k->path, line_no);
	}
	if (rc == 0 && !has_site)	/* cut short: without it everybody could compute the hashes */
		rc = err_set(err, "%s: has no key; put back a copy, or remove the file (visitors then count as new once)", k->path);
	if (text != NULL)
		sodium_memzero(text, len);
	free(text);
	return (rc);
}

static struct keys *
keys_new(const char *dir, const char *site)
{
	struct keys *k = mem_calloc(1, sizeof(*k));
	struct buf path = { 0 };

	buf_printf(&path, "%s/keys-%s", dir, site);
	k->path = mem_strndup(path.p, path.len);
	buf_free(&path);
	k->ring.make = make_day;
	k->ring.arg = k;
	return (k);
}

struct keys *
keys_open(const char *dir, const char *site, bool *found, struct err *err)
{
	struct keys *k = keys_new(dir, site);
	struct stat st;

	*found = lstat(k->path, &st) == 0;
	if (*found) {
		if (keys_read(k, err) != 0)
			keys_close(&k);
		return (k);
	}
	randombytes_buf(k->ring.site.bytes, HASH_KEY_LEN);
	keys_write(k);
	if (k->failed[0] != '\0') {
		err_set(err, "%s", k->failed);
		keys_close(&k);
	}
	return (k);
}

int
keys_look(const char *dir, const char *site, struct hash_key *key, struct err *err)
{
	struct keys *k = keys_new(dir, site);
	int rc = keys_read(k, err);

	if (rc == 0)
		*key = k->ring.site;
	keys_close(&k);
	return (rc);
}

void
keys_close(struct keys **kp)
{
	struct keys *k = *kp;

	if (k == NULL)
		return;
	keyring_clear(&k->ring);
	free(k->path);
	free(k);
	*kp = NULL;
}

void
keys_refresh(struct keys *k)
{
	struct keyring before = k->ring;
	struct err err;

	k->ring = (struct keyring){ .make = make_day, .arg = k };
	if (keys_read(k, &err) == 0) {
		keyring_clear(&before);
		return;
	}
	keyring_clear(&k->ring);
	k->ring = before;
	snprintf(k->failed, sizeof(k->failed), "%.250s", err.msg);
}

struct keyring *
keys_ring(struct keys *k)
{
	return (&k->ring);
}

bool
keys_forget(struct keys *k, int64_t first_day)
{
	if (!keyring_forget(&k->ring, first_day))
		return (false);
	keys_write(k);
	return (true);
}

void
keys_reset_days(struct keys *k)
{
	if (k->ring.first_day == 0)
		return;
	k->ring.first_day = 0;
	keys_write(k);			/* a new state that is begun, left and gone on with still may */
}

void
keys_name(const struct keys *k, char out[KEYS_NAME_LEN + 1])
{
	static const unsigned char what[] = "rpvd: name of these keys";
	unsigned char name[crypto_generichash_BYTES_MIN];

	_Static_assert(sizeof(k->ring.site) == crypto_generichash_KEYBYTES_MIN, "a key of libsodium's size");
	crypto_generichash(name, sizeof(name), what, sizeof(what), (const unsigned char *)&k->ring.site, sizeof(k->ring.site));
	sodium_bin2hex(out, KEYS_NAME_LEN + 1, name, KEYS_NAME_LEN / 2);
}

const char *
keys_failed(const struct keys *k)
{
	return (k->failed[0] != '\0' ? k->failed : NULL);
}

char *
keys_owner(const char *dir, struct err *err)
{
	struct buf path = { 0 }, text = { 0 };
	char host[128] = "host", *old;
	size_t len;

	buf_printf(&path, "%s/id", dir);
	buf_putc(&path, '\0');
	old = file_read_own(path.p, 1024, &len, err);
	if (old == NULL) {
		gethostname(host, sizeof(host) - 1);
		buf_printf(&text, "%s-%08x", host, randombytes_random());
		if (file_replace(path.p, buf_view(&text)) == 0)
			old = mem_strndup(text.p, text.len);
		else
			err_set(err, "%s: %s", path.p, strerror(errno));
	}
	buf_free(&path);
	buf_free(&text);
	return (old);
}
