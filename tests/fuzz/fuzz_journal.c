/*
 * Arbitrary bytes as a journal file: opening and reading never crash, numbers grow,
 * and what is appended behind them is there after the next open.
 *
 * An odd first byte asks for the checksums to be mended, so that the decoder behind
 * them is reached too; the second one splits the bytes into two files.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/journal.h"
#include "io/quarantine.h"

#define SECOND_FILE 7

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char dir[64];

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return (remove(path));
}

static void
dir_remove(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
dir_make(void)
{
	snprintf(dir, sizeof(dir), "%s/fuzz_journal.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(dir) != NULL);
	log_init(0);
	atexit(dir_remove);
}

static void
mend(uint8_t *p, size_t size, uint64_t number)
{
	for (size_t at = 0; at + 12 <= size;) {
		size_t len = (size_t)p[at + 4] | (size_t)p[at + 5] << 8;
		unsigned char place[16] = { (unsigned char)number };
		uLong crc;

		if (len > size - at - 12)
			break;
		memcpy(p + at, "\x89rpj", 4);
		p[at + 6] = p[at + 7] = 0;
		for (int i = 0; i < 8; i++)
			place[8 + i] = (unsigned char)((uint64_t)at >> (8 * i));
		crc = crc32(crc32(0, NULL, 0), place, sizeof(place));
		crc = crc32(crc, p + at, 8);
		crc = crc32(crc, p + at + 12, (uInt)len);
		for (int i = 0; i < 4; i++)
			p[at + 8 + (size_t)i] = (uint8_t)(crc >> (8 * i));
		at += 12 + len;
	}
}

static void
file_make(uint64_t number, const uint8_t *data, size_t size, bool mended)
{
	uint8_t *copy = mem_alloc(size + 1);
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/journal/%020u.log", dir, (unsigned)number);
	memcpy(copy, data, size);
	if (mended)
		mend(copy, size, number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, copy, size) == (ssize_t)size);
	close(fd);
	free(copy);
}

struct seen {
	uint64_t n, last, bytes;
};

static int
see(const struct journal_record *rec, void *arg)
{
	struct seen *seen = arg;

	struct quarantined kept;

	must(rec->seq > seen->last);
	if (quarantined_decode(rec->bytes, &kept) == 0)
		must(kept.body.len <= rec->bytes.len && kept.detail.len <= rec->bytes.len);
	seen->last = rec->seq;
	seen->n++;
	for (size_t i = 0; i < rec->bytes.len; i++)
		seen->bytes += (uint8_t)rec->bytes.p[i];
	for (size_t i = 0; i < rec->site.len; i++)
		seen->bytes += (uint8_t)rec->site.p[i];
	return (0);
}

/* What is there, after one record more was appended. */
static struct seen
open_read_append(void)
{
	struct err err = { "" };
	struct journal *j = journal_open(dir, &err);
	struct seen seen = { 0 };
	uint64_t last;

	must(j != NULL);
	must(journal_read(j, 0, see, &seen, NULL) == 0);
	last = journal_last(j);
	must(seen.last <= last && journal_first(j) <= last + 1);
	must(journal_append(j, JOURNAL_EVENT, 1, SLICE("shop"), SLICE("x")) == last + 1);
	must(journal_sync(j, NULL) == 0 && journal_last(j) == last + 1);
	must(journal_read(j, last, see, &seen, NULL) == 0 && seen.last == last + 1);
	must(journal_rotate(j, INT64_C(1) << 40, 1, last, NULL) == 0);
	journal_close(&j);
	return (seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen first, second;
	size_t split;
	char path[160];

	if (size < 2)
		return (0);
	if (dir[0] == '\0')
		dir_make();
	snprintf(path, sizeof(path), "%s/journal", dir);
	mkdir(dir, 0700);
	mkdir(path, 0700);
	split = (size - 2) * data[1] / 255;
	file_make(1, data + 2, split, (data[0] & 1) != 0);
	if (split < size - 2)
		file_make(SECOND_FILE, data + 2 + split, size - 2 - split, (data[0] & 1) != 0);
	first = open_read_append();
	second = open_read_append();
	must(second.last == first.last + 1 && second.n <= first.n + 1);
	dir_remove();
	return (0);
}
