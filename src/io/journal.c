/*
 * journal: see journal.h.
 *
 * DIR/journal/00000000000000000001.log is named by the number of its first record:
 *
 *	magic     4 bytes
 *	length    4, little-endian, of what follows the header
 *	crc       4, CRC-32 over the record's place, magic, length and what follows
 *	number 8 | kind 1 | received 8 | site: varint, bytes | the record's bytes
 *
 * The place (file number and offset) is part of the checksum, so that a record is only
 * one where it was written: looking for the next one behind damage cannot be fooled by
 * journal-like bytes inside a quarantined body.
 *
 * The length of each file that counts is kept in memory; whatever lies behind it (a
 * failed write) is cut off before the next write.  Checksums are made at the sync,
 * when file and offset are certain.
 */
#include "io/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#define MAGIC "\x89rpj"
#define MAGIC_LEN 4
#define HEADER_LEN 12
#define RECORD_MAX (4 * 1024 * 1024)	/* behind the header; twice the largest webhook */
#define READ_STEP (64 * 1024)
#define PROBE_BYTES (16 * 1024)
#define ROTATE_BYTES (16 * 1024 * 1024)
#define ROTATE_MS (INT64_C(24) * 3600 * 1000)
#define FUTURE_MS (INT64_C(3600) * 1000)	/* no clock is set back further in earnest */
#define NUMBER_MAX (UINT64_C(1) << 62)
#define NAME_LEN 24			/* 20 digits, ".log" */

struct file {
	uint64_t number;		/* of its first record */
	uint64_t size;			/* bytes that count */
	uint64_t damaged;
	int64_t oldest_ms, newest_ms;	/* receipt of its records */
	bool has_bodies;		/* of before there was a quarantine */
};

struct journal {
	char *dir;			/* for messages */
	const char *name;		/* of its directory in that: "journal" */
	int64_t file_ms;		/* a file is closed after this time */
	bool is_brief, is_looking;	/* opened beside another one; opened to look */
	int lock_fd, dir_fd;
	struct file *files;		/* in order; the last is written to and need not exist yet */
	size_t n_files, cap_files;
	int fd;				/* of the last file, or -1 */
	bool dir_changed;		/* the directory is to be synced before a record counts */
	bool reading;
	uint64_t last, cut_bytes;
	struct err problem;		/* of the last sync; empty where it succeeded */
	struct buf pending;		/* appended, not synced; the crc still missing */
	uint64_t n_pending;
	int64_t pending_oldest_ms, pending_newest_ms;
	struct {			/* where the last walk came to: the next one goes on there */
		uint64_t file, seq, offset;
	} reached;
};

/* ---- records -------------------------------------------------------------- */

static void
put_u32(char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (char)(v >> (8 * i));
}

static uint32_t
get_u32(const char *p)
{
	uint32_t v = 0;

	for (int i = 4; i-- > 0;)
		v = v << 8 | (uint8_t)p[i];
	return (v);
}

/* Of the record at p, whose length field is within bounds. */
static uint32_t
record_crc(uint64_t file, uint64_t offset, const char *p)
{
	unsigned char place[16];
	uLong crc;

	for (int i = 0; i < 8; i++) {
		place[i] = (unsigned char)(file >> (8 * i));
		place[8 + i] = (unsigned char)(offset >> (8 * i));
	}
	crc = crc32(crc32(0, NULL, 0), place, sizeof(place));
	crc = crc32(crc, (const Bytef *)p, MAGIC_LEN + 4);
	return ((uint32_t)crc32(crc, (const Bytef *)p + HEADER_LEN, get_u32(p + MAGIC_LEN)));
}

static bool
record_decode(struct slice payload, struct journal_record *rec)
{
	struct reader r = reader_of(payload);
	uint8_t kind;

	rec->seq = reader_u64(&r);
	kind = reader_u8(&r);
	rec->received_ms = (int64_t)reader_u64(&r);
	rec->site = reader_slice(&r);
	rec->bytes = reader_bytes(&r, r.bad ? 0 : (size_t)(r.end - r.p));
	if (r.bad || kind < JOURNAL_EVENT || kind > JOURNAL_FORGET)
		return (false);
	rec->kind = (enum journal_kind)kind;
	return (true);
}

uint64_t
journal_append(struct journal *j, enum journal_kind kind, int64_t received_ms, struct slice site, struct slice bytes)
{
	static const char no_crc[4];
	uint64_t seq = j->last + ++j->n_pending;
	size_t at = j->pending.len;

	must(site.len + bytes.len <= RECORD_MAX - 64);
	buf_put(&j->pending, MAGIC, MAGIC_LEN);
	buf_put(&j->pending, no_crc, 4);		/* the length, below */
	buf_put(&j->pending, no_crc, 4);
	buf_u64(&j->pending, seq);
	buf_putc(&j->pending, (char)kind);
	buf_u64(&j->pending, (uint64_t)received_ms);
	buf_slice(&j->pending, site);
	buf_put(&j->pending, bytes.p, bytes.len);
	put_u32(j->pending.p + at + MAGIC_LEN, (uint32_t)(j->pending.len - at - HEADER_LEN));
	if (j->n_pending == 1)
		j->pending_oldest_ms = j->pending_newest_ms = received_ms;
	if (received_ms < j->pending_oldest_ms)
		j->pending_oldest_ms = received_ms;
	if (received_ms > j->pending_newest_ms)
		j->pending_newest_ms = received_ms;
	return (seq);
}

/* ---- walking over a file -------------------------------------------------- */

struct walk {
	int fd;
	uint64_t file, limit;		/* numbers in it are >= file and < limit */
	uint64_t expected;		/* the next number, if nothing is missing */
	uint64_t offset, end;		/* in the file: of buf, and where to stop */
	uint64_t record;		/* where the last one that was found begins */
	struct buf buf;
	size_t at;			/* in buf */
	bool skipped;			/* bytes since the last good record */
	uint64_t damaged;
	int error;			/* errno of a failed read */
};

/* Makes up to `need` bytes available at w->at; false where the file has fewer. */
static bool
walk_fill(struct walk *w, size_t need)
{
	if (w->buf.len - w->at >= need)
		return (true);
	if (w->at > 0)
		memmove(w->buf.p, w->buf.p + w->at, w->buf.len - w->at);
	w->offset += w->at;
	w->buf.len -= w->at;
	w->at = 0;
	buf_reserve(&w->buf, need + READ_STEP);
	while (w->buf.len < need && w->error == 0) {
		uint64_t from = w->offset + w->buf.len, want = w->end - from;
		ssize_t n;

		if (want > w->buf.cap - w->buf.len)
			want = w->buf.cap - w->buf.len;
		n = want == 0 ? 0 : pread(w->fd, w->buf.p + w->buf.len, (size_t)want, (off_t)from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			w->error = errno;
		if (n <= 0)
			return (false);
		w->buf.len += (size_t)n;
	}
	return (w->error == 0);
}

/* The record at w->at, if there is one. */
static bool
walk_record(struct walk *w, struct journal_record *rec)
{
	const char *p;
	uint32_t len;

	if (!walk_fill(w, HEADER_LEN) || memcmp(w->buf.p + w->at, MAGIC, MAGIC_LEN) != 0)
		return (false);
	len = get_u32(w->buf.p + w->at + MAGIC_LEN);
	if (len > RECORD_MAX || len > w->end - (w->offset + w->at) || !walk_fill(w, HEADER_LEN + (size_t)len))
		return (false);
	p = w->buf.p + w->at;
	if (get_u32(p + 8) != record_crc(w->file, w->offset + w->at, p))
		return (false);
	if (!record_decode(slice_make(p + HEADER_LEN, len), rec) || rec->seq < w->expected || rec->seq >= w->limit)
		return (false);
	w->record = w->offset + w->at;
	w->at += HEADER_LEN + len;
	return (true);
}

/* To the next place where a record may begin; false at the end of the file. */
static bool
walk_resync(struct walk *w)
{
	const char *hit;

	w->at++;
	w->skipped = true;
	while (walk_fill(w, MAGIC_LEN)) {
		hit = memmem(w->buf.p + w->at, w->buf.len - w->at, MAGIC, MAGIC_LEN);
		if (hit != NULL) {
			w->at = (size_t)(hit - w->buf.p);
			return (true);
		}
		w->at = w->buf.len - (MAGIC_LEN - 1);
	}
	return (false);
}

static void
walk_count_damage(struct walk *w, uint64_t next)
{
	if (next > w->expected)
		w->damaged += next - w->expected;
	else if (w->skipped)
		w->damaged++;
	w->expected = next;
	w->skipped = false;
}

/* The next good record; it lives until the next call.  False at the end or at w->error. */
static bool
walk_next(struct walk *w, struct journal_record *rec)
{
	while (w->error == 0 && walk_fill(w, 1)) {
		if (walk_record(w, rec)) {
			walk_count_damage(w, rec->seq);
			w->expected = rec->seq + 1;
			return (true);
		}
		if (w->error != 0 || !walk_resync(w))
			break;
	}
	return (false);
}

static uint64_t
walk_place(const struct walk *w)
{
	return (w->offset + w->at);
}

/* ---- files ---------------------------------------------------------------- */

static void
file_name(uint64_t number, char name[NAME_LEN + 1])
{
	snprintf(name, NAME_LEN + 1, "%020" PRIu64 ".log", number);
}

/* 0 where it is not the name of a journal file. */
static uint64_t
file_number(const char *name)
{
	uint64_t n = 0;

	if (strlen(name) != NAME_LEN || strcmp(name + 20, ".log") != 0)
		return (0);
	for (int i = 0; i < 20; i++) {
		if (name[i] < '0' || name[i] > '9' || n > NUMBER_MAX / 10)
			return (0);
		n = n * 10 + (uint64_t)(name[i] - '0');
	}
	return (n < NUMBER_MAX ? n : 0);
}

static struct file *
file_current(struct journal *j)
{
	return (&j->files[j->n_files - 1]);
}

static void
file_push(struct journal *j, uint64_t number)
{
	mem_grow(&j->files, &j->cap_files, j->n_files + 1, sizeof(*j->files));
	j->files[j->n_files++] = (struct file){ .number = number };
}

static int
file_fail(const struct journal *j, uint64_t number, const char *what, struct err *err)
{
	int error = errno;

	return (err_set(err, "%s/%s/%020" PRIu64 ".log: %s: %s", j->dir, j->name, number, what, strerror(error)));
}

/* A descriptor, or -1 with err set.  O_NONBLOCK: something that is no file must not block us. */
static int
file_open(struct journal *j, uint64_t number, int flags, struct err *err)
{
	char name[NAME_LEN + 1];
	struct stat st;
	int fd;

	file_name(number, name);
	fd = openat(j->dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return (file_fail(j, number, "cannot open", err));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return (fd);
	close(fd);
	return (err_set(err, "%s/%s/%s: not a regular file", j->dir, j->name, name));
}

static void
file_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* The last file open, existing, and exactly as long as what counts of it. */
static int
file_ready(struct journal *j, struct err *err)
{
	struct stat st;

	if (j->fd >= 0 && fstat(j->fd, &st) == 0 && st.st_nlink == 0) {
		/* Somebody removed it: what we write would go nowhere. */
		file_close(j);
		*file_current(j) = (struct file){ .number = j->last + 1 };
	}
	if (j->fd < 0) {
		j->fd = file_open(j, file_current(j)->number, O_RDWR | O_APPEND | O_CREAT, err);
		if (j->fd < 0)
			return (-1);
		j->dir_changed = true;
	}
	if (fstat(j->fd, &st) != 0)
		return (file_fail(j, file_current(j)->number, "cannot stat", err));
	if ((uint64_t)st.st_size != file_current(j)->size && ftruncate(j->fd, (off_t)file_current(j)->size) != 0)
		return (file_fail(j, file_current(j)->number, "cannot cut off a failed write", err));
	return (0);
}

/* ---- opening -------------------------------------------------------------- */

static int
mkdir_synced(const char *path, struct err *err)
{
	char *parent, *slash;
	int fd;

	if (mkdir(path, 0700) != 0)
		return (errno == EEXIST ? 0 : err_set(err, "%s: cannot create the directory: %s", path, strerror(errno)));
	parent = mem_strdup(path);
	slash = strrchr(parent, '/');
	if (slash != NULL)
		slash[slash == parent] = '\0';
	fd = open(slash != NULL ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return (0);
}

static int
mkdir_all(const char *dir, struct err *err)
{
	char *path = mem_strdup(dir);
	int rc = 0;

	for (char *p = path + 1; rc == 0 && *path != '\0' && *p != '\0'; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		rc = mkdir_synced(path, err);
		*p = '/';
	}
	if (rc == 0)
		rc = mkdir_synced(path, err);
	free(path);
	return (rc);
}

static int
lock_refused(const struct journal *j, struct err *err)
{
	char pid[24];
	ssize_t n = pread(j->lock_fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return (err_set(err, "%s: in use by another rpvd, process %s: stop that one, or give this one a state_dir of its own", j->dir, pid[0] != '\0' ? pid : "unknown"));
}

static int
lock_take(struct journal *j, int state_fd, struct err *err)
{
	j->lock_fd = openat(state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (j->lock_fd < 0)
		return (err_set(err, "%s/lock: cannot open: %s", j->dir, strerror(errno)));
	if (flock(j->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return (lock_refused(j, err));
		return (err_set(err, "%s/lock: cannot lock: %s", j->dir, strerror(errno)));
	}
	/* The pid is for the message only: on a full disk the lock holds without it. */
	if (ftruncate(j->lock_fd, 0) == 0)
		(void)!dprintf(j->lock_fd, "%ld\n", (long)getpid());
	return (0);
}

static int
dirs_open(struct journal *j, struct err *err)
{
	int state_fd, rc = -1;

	if (!j->is_looking && mkdir_all(j->dir, err) != 0)
		return (-1);
	state_fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0)
		return (err_set(err, "%s: cannot open: %s", j->dir, strerror(errno)));
	if (!j->is_looking && !j->is_brief && lock_take(j, state_fd, err) != 0)
		goto out;
	if (!j->is_looking && mkdirat(state_fd, j->name, 0700) == 0)
		fsync(state_fd);
	j->dir_fd = openat(state_fd, j->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (j->dir_fd < 0)
		err_set(err, "%s/%s: cannot open: %s", j->dir, j->name, strerror(errno));
	else
		rc = 0;
out:
	close(state_fd);
	return (rc);
}

static int
file_compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return ((x->number > y->number) - (x->number < y->number));
}

static int
files_list(struct journal *j, struct err *err)
{
	int fd = openat(j->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (d == NULL) {
		err_set(err, "%s/%s: cannot list: %s", j->dir, j->name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return (-1);
	}
	while ((entry = readdir(d)) != NULL)
		if (file_number(entry->d_name) != 0)
			file_push(j, file_number(entry->d_name));
	closedir(d);
	if (j->n_files > 0)
		qsort(j->files, j->n_files, sizeof(*j->files), file_compare);
	return (0);
}

/* A body that was not understood, of before such had a log of their own: with a customer's data in it, for as
 * long as the journal is kept. */
static bool
is_body(const struct journal *j, const struct journal_record *rec)
{
	if (j->is_brief || j->is_looking || rec->kind != JOURNAL_QUARANTINE)
		return (false);
	for (size_t i = 0; i < rec->bytes.len; i++)
		if (rec->bytes.p[i] != '\0')
			return (true);
	return (false);
}

/* The record that was just found, with zeros for its bytes and a checksum of these, over itself. */
static int
body_blank(struct walk *w, const struct journal_record *rec)
{
	char *p = w->buf.p + (w->record - w->offset);
	size_t len = (size_t)(walk_place(w) - w->record);

	memset(w->buf.p + (rec->bytes.p - w->buf.p), 0, rec->bytes.len);
	put_u32(p + 8, record_crc(w->file, w->record, p));
	return (pwrite(w->fd, p, len, (off_t)w->record) == (ssize_t)len ? 0 : -1);
}

static int
bodies_blank(struct journal *j, const struct file *f, struct err *err)
{
	struct walk w = { .file = f->number, .expected = f->number, .limit = NUMBER_MAX, .end = f->size };
	struct journal_record rec;
	int rc = 0;

	w.fd = file_open(j, f->number, O_RDWR, err);
	if (w.fd < 0)
		return (-1);
	while (rc == 0 && walk_next(&w, &rec))
		if (is_body(j, &rec))
			rc = body_blank(&w, &rec);
	if (rc == 0)
		rc = fdatasync(w.fd);
	if (rc != 0)
		file_fail(j, f->number, "cannot blank what was not understood", err);
	close(w.fd);
	buf_free(&w.buf);
	return (rc);
}

/* Reads all of file i, whose descriptor this is; size becomes the end of its last good record. */
static int
file_scan(struct journal *j, size_t i, int fd, struct err *err)
{
	struct file *f = &j->files[i];
	bool is_last = i + 1 == j->n_files;
	struct walk w = { .fd = fd, .file = f->number, .expected = f->number };
	struct journal_record rec;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return (file_fail(j, f->number, "cannot stat", err));
	w.limit = is_last ? NUMBER_MAX : j->files[i + 1].number;
	w.end = (uint64_t)st.st_size;
	f->oldest_ms = f->newest_ms = (int64_t)st.st_mtime * 1000;	/* where no record says */
	for (bool first = true; walk_next(&w, &rec); first = false) {
		f->size = walk_place(&w);
		if (first)
			f->oldest_ms = f->newest_ms = rec.received_ms;
		if (rec.received_ms > f->newest_ms)
			f->newest_ms = rec.received_ms;
		if (rec.received_ms < f->oldest_ms)
			f->oldest_ms = rec.received_ms;
		f->has_bodies |= is_body(j, &rec);
	}
	j->last = w.expected - 1;
	if (!is_last) {
		walk_count_damage(&w, w.limit);
		f->size = w.end;
	}
	f->damaged = w.damaged;
	buf_free(&w.buf);
	errno = w.error;
	return (w.error == 0 ? 0 : file_fail(j, f->number, "cannot read", err));
}

static int
tail_cut(struct journal *j, int fd, struct err *err)
{
	struct file *f = file_current(j);
	struct stat st;

	if (fstat(fd, &st) != 0)
		return (file_fail(j, f->number, "cannot stat", err));
	if ((uint64_t)st.st_size <= f->size)
		return (0);
	j->cut_bytes = (uint64_t)st.st_size - f->size;
	if (j->is_looking)
		return (0);
	log_warning("%s: the last write was not finished, %" PRIu64 " bytes cut off file=%s/%s/%020" PRIu64 ".log", j->name,
	    j->cut_bytes, j->dir, j->name, f->number);
	if (ftruncate(fd, (off_t)f->size) != 0 || fdatasync(fd) != 0)
		return (file_fail(j, f->number, "cannot cut off its torn end", err));
	return (0);
}

static void
say_damage(const struct journal *j, const struct file *f)
{
	if (f->damaged > 0 && !j->is_looking)
		log_error("%s: records are damaged or missing (%" PRIu64 "), and skipped; send these webhooks again "
		    "from the provider's page file=%s/%s/%020" PRIu64 ".log", j->name, f->damaged, j->dir, j->name, f->number);
}

static int
files_scan(struct journal *j, struct err *err)
{
	for (size_t i = 0; i < j->n_files; i++) {
		bool is_last = i + 1 == j->n_files;
		int fd = file_open(j, j->files[i].number, is_last && !j->is_looking ? O_RDWR | O_APPEND : O_RDONLY, err);
		int rc = fd < 0 ? -1 : file_scan(j, i, fd, err);

		if (rc == 0 && is_last)
			rc = tail_cut(j, fd, err);
		if (rc == 0 && j->files[i].has_bodies)
			rc = bodies_blank(j, &j->files[i], err);
		if (rc == 0)
			say_damage(j, &j->files[i]);
		if (rc == 0 && is_last)
			j->fd = fd;
		else if (fd >= 0)
			close(fd);
		if (rc != 0)
			return (-1);
	}
	if (j->n_files == 0)
		file_push(j, 1);
	return (0);
}

static struct journal *
open_as(struct journal as, struct err *err)
{
	struct journal *j = mem_dup(&as, sizeof(as));

	j->dir = mem_strdup(as.dir);
	j->lock_fd = j->dir_fd = j->fd = -1;
	if (dirs_open(j, err) != 0 || files_list(j, err) != 0 || files_scan(j, err) != 0)
		journal_close(&j);
	return (j);
}

struct journal *
journal_open(const char *dir, struct err *err)
{
	return (open_as((struct journal){ .dir = (char *)dir, .name = "journal", .file_ms = ROTATE_MS }, err));
}

struct journal *
journal_open_beside(const struct journal *j, const char *name, int64_t file_ms, struct err *err)
{
	return (open_as((struct journal){ .dir = j->dir, .name = name, .file_ms = file_ms, .is_brief = true }, err));
}

struct journal *
journal_open_to_look(const char *dir, const char *name, struct err *err)
{
	return (open_as((struct journal){ .dir = (char *)dir, .name = name, .is_looking = true }, err));
}

void
journal_close(struct journal **jp)
{
	struct journal *j = *jp;

	if (j == NULL)
		return;
	file_close(j);
	if (j->dir_fd >= 0)
		close(j->dir_fd);
	if (j->lock_fd >= 0)
		close(j->lock_fd);	/* gives the lock back */
	buf_free(&j->pending);
	free(j->files);
	free(j->dir);
	free(j);
	*jp = NULL;
}

void
journal_skip(struct journal *j, uint64_t last)
{
	must(j->n_pending == 0 && last < NUMBER_MAX);
	if (last <= j->last)
		return;
	log_warning("%s: it ends at record %" PRIu64 ", but %" PRIu64 " was reached before; numbers go on there dir=%s/%s",
	    j->name, j->last, last, j->dir, j->name);
	if (j->fd < 0)			/* planned, not yet there */
		j->n_files--;
	file_close(j);
	j->last = last;
	file_push(j, last + 1);
}

/* ---- writing -------------------------------------------------------------- */

static void
pending_seal(struct journal *j)
{
	const struct file *f = file_current(j);
	size_t len;

	for (size_t at = 0; at < j->pending.len; at += len) {
		char *p = j->pending.p + at;

		len = HEADER_LEN + get_u32(p + MAGIC_LEN);
		put_u32(p + 8, record_crc(f->number, f->size + at, p));
	}
}

static int
write_all(int fd, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.p, s.len);

		if (n < 0 && errno != EINTR)
			return (-1);
		if (n > 0)
			s = slice_skip(s, (size_t)n);
	}
	return (0);
}

static int
pending_write(struct journal *j, struct err *err)
{
	if (file_ready(j, err) != 0)
		return (-1);
	pending_seal(j);
	if (write_all(j->fd, buf_view(&j->pending)) != 0)
		return (file_fail(j, file_current(j)->number, "cannot write", err));
	if (fdatasync(j->fd) != 0)
		return (file_fail(j, file_current(j)->number, "cannot sync", err));
	if (j->dir_changed && fsync(j->dir_fd) != 0)
		return (file_fail(j, file_current(j)->number, "cannot sync its directory", err));
	j->dir_changed = false;
	return (0);
}

static void
pending_drop(struct journal *j)
{
	j->n_pending = 0;
	j->pending.len = 0;
	if (j->pending.cap > 16 * READ_STEP)
		buf_free(&j->pending);
}

static void
pending_counts(struct journal *j)
{
	struct file *f = file_current(j);

	if (f->size == 0)
		f->oldest_ms = f->newest_ms = j->pending_oldest_ms;
	if (j->pending_oldest_ms < f->oldest_ms)
		f->oldest_ms = j->pending_oldest_ms;
	if (j->pending_newest_ms > f->newest_ms)
		f->newest_ms = j->pending_newest_ms;
	f->size += j->pending.len;
	j->last += j->n_pending;
}

int
journal_sync(struct journal *j, struct err *err)
{
	int rc;

	must(!j->is_looking);
	if (j->n_pending == 0)
		return (0);
	rc = pending_write(j, &j->problem);
	if (rc == 0) {
		pending_counts(j);
		j->problem.msg[0] = '\0';
	} else {
		if (err != NULL)
			*err = j->problem;
		/* If this fails too, file_ready() does it before the next write. */
		if (j->fd >= 0)
			(void)!ftruncate(j->fd, (off_t)file_current(j)->size);
	}
	pending_drop(j);
	return (rc);
}

void
journal_probe(struct journal *j)
{
	if (j->problem.msg[0] == '\0' || j->n_pending > 0 || file_ready(j, NULL) != 0)
		return;
	if (posix_fallocate(j->fd, (off_t)file_current(j)->size, PROBE_BYTES) == 0)
		j->problem.msg[0] = '\0';
	/* If this fails, file_ready() does it before the next write. */
	(void)!ftruncate(j->fd, (off_t)file_current(j)->size);
}

static bool
file_is_full(const struct journal *j, const struct file *f, int64_t now_ms)
{
	if (f->size == 0)
		return (false);
	return (f->size > ROTATE_BYTES || now_ms - f->oldest_ms > j->file_ms ||
	    (j->is_brief && f->newest_ms > now_ms + FUTURE_MS));
}

/* The new file exists before an old one goes: its name keeps the count. */
static int
file_start(struct journal *j, struct err *err)
{
	int fd = file_open(j, j->last + 1, O_RDWR | O_APPEND | O_CREAT, err);

	if (fd < 0)
		return (-1);
	file_close(j);
	file_push(j, j->last + 1);
	j->fd = fd;
	j->dir_changed = true;
	return (0);
}

static bool
file_is_spent(const struct journal *j, int64_t now_ms, int64_t keep_ms, uint64_t committed)
{
	const struct file *f = &j->files[0];

	if (j->n_files < 2 || j->files[1].number - 1 > committed)
		return (false);
	if (j->is_brief)
		return (f->oldest_ms < now_ms - keep_ms || f->newest_ms > now_ms + FUTURE_MS);
	return (f->newest_ms < now_ms - keep_ms);
}

static int
file_remove_first(struct journal *j, struct err *err)
{
	char name[NAME_LEN + 1];

	file_name(j->files[0].number, name);
	if (unlinkat(j->dir_fd, name, 0) != 0 && errno != ENOENT)
		return (file_fail(j, j->files[0].number, "cannot remove", err));
	j->n_files--;
	memmove(j->files, j->files + 1, j->n_files * sizeof(*j->files));
	j->dir_changed = true;
	return (0);
}

int
journal_rotate(struct journal *j, int64_t now_ms, int64_t keep_ms, uint64_t committed, struct err *err)
{
	int rc = 0;

	must(!j->reading);
	if (file_is_full(j, file_current(j), now_ms))
		rc = file_start(j, err);
	if (rc == 0 && j->dir_changed && fsync(j->dir_fd) == 0)
		j->dir_changed = false;
	/* Also where starting a file failed: on a full disk this makes room. */
	while (file_is_spent(j, now_ms, keep_ms, committed))
		if (file_remove_first(j, err) != 0)
			return (-1);
	if (rc == 0 && j->dir_changed) {
		if (fsync(j->dir_fd) != 0)
			return (err_set(err, "%s/%s: cannot sync: %s", j->dir, j->name, strerror(errno)));
		j->dir_changed = false;
	}
	return (rc);
}

bool
journal_drop_oldest(struct journal *j)
{
	must(!j->reading);
	return (j->n_files > 1 && file_remove_first(j, NULL) == 0);
}

/* ---- reading -------------------------------------------------------------- */

/* 0: the whole file was read; 1: the callback ended it; -1 with err set. */
static int
file_read(struct journal *j, size_t i, uint64_t after, int (*cb)(const struct journal_record *, void *), void *arg, struct err *err)
{
	const struct file *f = &j->files[i];
	bool is_last = i + 1 == j->n_files;
	struct walk w = { .file = f->number, .expected = f->number, .end = f->size };
	struct journal_record rec;
	int rc = 0;

	w.limit = is_last ? j->last + 1 : j->files[i + 1].number;
	if (j->reached.file == f->number && j->reached.seq <= after) {
		w.offset = j->reached.offset;
		w.expected = j->reached.seq + 1;
	}
	w.fd = file_open(j, f->number, O_RDONLY, err);
	if (w.fd < 0)
		return (-1);
	while (rc == 0 && walk_next(&w, &rec)) {
		j->reached.file = w.file;
		j->reached.seq = rec.seq;
		j->reached.offset = walk_place(&w);
		if (rec.seq > after)
			rc = cb(&rec, arg) != 0;
	}
	close(w.fd);
	buf_free(&w.buf);
	if (rc == 0)
		walk_count_damage(&w, w.limit);
	if (w.damaged > j->files[i].damaged)
		j->files[i].damaged = w.damaged;
	errno = w.error;
	return (w.error == 0 ? rc : file_fail(j, w.file, "cannot read", err));
}

int
journal_read(struct journal *j, uint64_t after, int (*cb)(const struct journal_record *, void *), void *arg, struct err *err)
{
	int rc = 0;

	must(!j->reading);
	j->reading = true;
	for (size_t i = 0; rc == 0 && i < j->n_files; i++) {
		if (j->files[i].size == 0 || (i + 1 < j->n_files && j->files[i + 1].number <= after + 1))
			continue;
		if (j->last <= after)
			break;
		rc = file_read(j, i, after, cb, arg, err);
	}
	j->reading = false;
	return (rc < 0 ? -1 : 0);
}

/* ---- what there is -------------------------------------------------------- */

bool
journal_is_synced(const struct journal *j)
{
	return (j->n_pending == 0);
}

uint64_t
journal_last(const struct journal *j)
{
	return (j->last);
}

uint64_t
journal_first(const struct journal *j)
{
	for (size_t i = 0; i < j->n_files; i++)
		if (j->files[i].size > 0)
			return (j->files[i].number);
	return (0);
}

void
journal_status(const struct journal *j, struct journal_status *status)
{
	*status = (struct journal_status){ .first = journal_first(j), .last = j->last, .cut_bytes = j->cut_bytes,
	    .problem = j->problem.msg[0] != '\0' ? j->problem.msg : NULL };
	status->files = (unsigned)(j->n_files - (j->fd < 0));	/* the last one may only be planned */
	for (size_t i = 0; i < j->n_files; i++) {
		status->damaged += j->files[i].damaged;
		status->bytes += j->files[i].size;
		if (j->files[i].size > 0 && j->files[i].newest_ms > status->newest_ms)
			status->newest_ms = j->files[i].newest_ms;
	}
}
