/*
 * hit_auto: lines of any of the known formats, told apart by how each line begins.
 *
 * What a line is depends on that line alone (and for the W3C's on the header above it), so
 * a restart, a rotation, or a server that was set up anew in the middle of a file changes
 * nothing, and nothing has to be remembered.  The ways to begin exclude each other; the first
 * byte mostly decides.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit_impl.h"
#include "core/hit_time.h"

/* Those that are formats of their own, made when a line asks for one; the others need nothing to be kept. */
enum part { PART_JSON, PART_LTSV, PART_HAPROXY, PART_ENVOY, PART_ALB, PART_ELB, PART_S3, PART_CLOUDSTORAGE, PART_BUNNY,
	PART_ISTIO, PARTS };

struct detector {
	struct format *parts[PARTS];
	unsigned found;			/* bits by enum found */
};

static const char *const part_specs[PARTS] = { "json", "ltsv", "haproxy", "envoy", "alb", "elb", "s3", "cloudstorage", "bunny", "istio" };

enum found {
	FOUND_COMMON, FOUND_COMBINED, FOUND_MORE, FOUND_HOST, FOUND_LIGHTTPD,	/* as enum clf_kind */
	FOUND_JSON, FOUND_LTSV, FOUND_HAPROXY, FOUND_ENVOY, FOUND_ALB, FOUND_ELB,	/* as enum part */
	FOUND_S3, FOUND_CLOUDSTORAGE, FOUND_BUNNY, FOUND_ISTIO,
	FOUND_W3C,
	FOUNDS
};

_Static_assert(FOUND_JSON == (int)CLF_KINDS && FOUND_W3C == (int)CLF_KINDS + (int)PARTS, "found");

static const struct { const char *name; bool has_agent, has_cookies; } founds[FOUNDS] = {
	[FOUND_COMMON] = { "common", false, false },
	[FOUND_COMBINED] = { "combined", true, false },
	[FOUND_MORE] = { "combined with more behind it", true, false },
	[FOUND_HOST] = { "combined with the host in front", true, false },
	[FOUND_LIGHTTPD] = { "lighttpd", true, false },
	[FOUND_JSON] = { "JSON", true, true },
	[FOUND_LTSV] = { "LTSV", true, true },
	[FOUND_HAPROXY] = { "HAProxy", true, true },
	[FOUND_ENVOY] = { "Envoy", true, false },
	[FOUND_ALB] = { "AWS ALB", true, false },
	[FOUND_ELB] = { "AWS ELB", true, false },
	[FOUND_S3] = { "Amazon S3", true, false },
	[FOUND_CLOUDSTORAGE] = { "Google Cloud Storage", true, false },
	[FOUND_BUNNY] = { "Bunny CDN", true, false },
	[FOUND_ISTIO] = { "Istio", true, false },
	[FOUND_W3C] = { "W3C", true, true },
};

const char *
format_found_name(unsigned i)
{
	return (i < FOUNDS ? founds[i].name : NULL);
}

bool
format_found_has_agent(unsigned i)
{
	return (i < FOUNDS && founds[i].has_agent);
}

bool
format_found_has_cookies(unsigned i)
{
	return (i < FOUNDS && founds[i].has_cookies);
}

unsigned
format_found(const struct format *f)
{
	return (f->detector != NULL ? f->detector->found : 0);
}

/* ---- how lines begin ------------------------------------------------------------- */

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

/* 2026-11-22T03:20:55 */
static bool
is_iso_time(const char *p, const char *end)
{
	return (end - p > 20 && is_digit(p[0]) && p[4] == '-' && p[7] == '-' && p[10] == 'T' && p[13] == ':');
}

/* "https 2018-07-02T22:23:00.186641Z ": what kind of connection, then the time. */
static bool
is_alb(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len < 8 ? len : 8);

	return (space != NULL && space > line && (line[0] == 'h' || line[0] == 'w' || line[0] == 'g') &&
	    is_iso_time(space + 1, line + len));
}

/* "time:": a label, and a tab somewhere behind it. */
static bool
is_ltsv(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && n < 32 && ((ascii_lower(line[n]) >= 'a' && ascii_lower(line[n]) <= 'z') || line[n] == '_' || line[n] == '-'))
		n++;
	return (n > 0 && n < len && line[n] == ':' && memchr(line, '\t', len) != NULL);
}

static size_t
digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && is_digit(p[n]))
		n++;
	return (n);
}

/* "1795317655459876","1.2.3.4": microseconds first. */
static bool
is_cloudstorage(const char *line, const char *end)
{
	size_t n = line[0] == '"' ? digits(line + 1, end) : 0;

	return (n == 16 && end - line > 19 && line[17] == '"' && line[18] == ',');
}

/* HIT|200|1795317655459|: what the cache did, status, milliseconds. */
static bool
is_bunny(const char *line, const char *end)
{
	const char *p = line;

	while (p < end && *p >= 'A' && *p <= 'Z')
		p++;
	if (p == line || end - p < 20 || p[0] != '|' || digits(p + 1, end) != 3 || p[4] != '|')
		return (false);
	return (digits(p + 5, end) == 13 && p[18] == '|');
}

static bool
is_header(const char *line, size_t len)
{
	return (len > 2 && line[0] == '#' && line[1] >= 'A' && line[1] <= 'Z' && memchr(line, ':', len) != NULL);
}

/* ---- lines ------------------------------------------------------------------------- */

static void
cut_clear(struct cut *cut, char *line)
{
	for (size_t i = 0; i < FIELDS; i++)
		cut->field[i] = slice_make(line, 0);
	cut->how = 0;
	cut->time = NULL;
}

static struct format *
part_of(struct format *f, enum part part)
{
	struct format **p = &f->detector->parts[part];
	const char *cookies[HIT_COOKIES_MAX];
	struct err err;

	if (*p != NULL)
		return (*p);
	for (size_t i = 0; i < f->n_cookies; i++)
		cookies[i] = f->cookies[i];
	*p = format_compile(part_specs[part], cookies, f->n_cookies, &err);
	must(*p != NULL);
	return (*p);
}

static enum hit_drop
by_part(struct format *f, enum part part, char *line, size_t len, struct cut *cut)
{
	struct format *p = part_of(f, part);
	enum hit_drop drop = p->read(p, line, len, cut);

	if (drop == HIT_OK)
		f->detector->found |= 1U << (FOUND_JSON + part);
	return (drop);
}

/* Of a W3C log below its header, or labelled: only where its time says so, too. */
static bool
is_of(struct format *f, read_fn read, char *line, size_t len, struct cut *cut)
{
	int64_t ms;

	if (read(f, line, len, cut) == HIT_OK && cut->time(cut->field[FIELD_TIME], &ms))
		return (true);
	cut_clear(cut, line);
	return (false);
}

static enum hit_drop
by_time(struct format *f, const char *bracket, char *line, size_t len, struct cut *cut)
{
	enum clf_kind kind;
	enum hit_drop drop;

	if (bracket[21] == '.')
		return (by_part(f, PART_HAPROXY, line, len, cut));
	if (line + len - bracket > 30 && bracket[28] == ' ' && bracket[29] != '"')	/* no request behind the time: an address */
		return (by_part(f, PART_S3, line, len, cut));
	drop = clf_read(line, len, bracket, cut, &kind);
	if (drop == HIT_OK)
		f->detector->found |= 1U << kind;
	return (drop);
}

static enum hit_drop
auto_line(struct format *f, char *line, size_t len, struct cut *cut)
{
	struct detector *d = f->detector;
	const char *bracket;

	if (line[0] == '{')
		return (by_part(f, PART_JSON, line, len, cut));
	if (is_header(line, len))
		return (w3c_line(f, line, len, cut));
	if (format_header(f).len > 0 && is_of(f, w3c_line, line, len, cut)) {
		d->found |= 1U << FOUND_W3C;
		return (HIT_OK);
	}
	if (line[0] == '[' && is_iso_time(line + 1, line + len)) {
		if (by_part(f, PART_ENVOY, line, len, cut) == HIT_OK)
			return (HIT_OK);
		cut_clear(cut, line);
		return (by_part(f, PART_ISTIO, line, len, cut));
	}
	if (is_ltsv(line, len) && is_of(part_of(f, PART_LTSV), ltsv_line, line, len, cut)) {
		d->found |= 1U << FOUND_LTSV;
		return (HIT_OK);
	}
	if (is_cloudstorage(line, line + len))
		return (by_part(f, PART_CLOUDSTORAGE, line, len, cut));
	if (is_bunny(line, line + len))
		return (by_part(f, PART_BUNNY, line, len, cut));
	bracket = clf_time_find(line, line + len);
	if (bracket != NULL)
		return (by_time(f, bracket, line, len, cut));
	if (is_iso_time(line, line + len))
		return (by_part(f, PART_ELB, line, len, cut));
	return (is_alb(line, len) ? by_part(f, PART_ALB, line, len, cut) : HIT_MALFORMED);
}

void
auto_compile(struct format *f)
{
	w3c_compile(f);
	f->read = auto_line;
	f->detector = mem_calloc(1, sizeof(*f->detector));
}

void
detector_free(struct detector **dp)
{
	if (*dp == NULL)
		return;
	for (size_t i = 0; i < PARTS; i++)
		format_free(&(*dp)->parts[i]);
	free(*dp);
	*dp = NULL;
}
