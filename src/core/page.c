/*
 * page: see page.h.
 *
 * One pass, one byte at a time, into a buffer a little longer than a page.  What
 * is removed at the end (index.html and a slash) is at most TAIL_MAX bytes, so
 * where the buffer fills up the rest of the path cannot show in the first
 * PAGE_MAX bytes, and a path of 30,000 bytes costs as much as one of 300.
 */
#include "core/page.h"

#include "base/mem.h"

#define TAIL_MAX 12		/* "/index.html", and the byte that shows there is more */
#define ESCAPE_LEN 3

/* What stands for itself in a path, and may be the next byte of any run. */
static const bool is_plain[256] = {
	['!' ... '"'] = true, ['$'] = true, ['&' ... '.'] = true,
	['0' ... '>'] = true, ['@' ... '~'] = true,
};

/* RFC 3986, section 2.3: an escape of these means the byte itself. */
static const bool is_unreserved[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true,
};

static const char *const asset_extensions[] = {
	"css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "avif",
	"bmp", "woff", "woff2", "ttf", "otf", "eot", "mp4", "webm", "mp3", "pdf", "zip", "gz",
	"xml", "txt", "json", "webmanifest", "wasm", NULL
};

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* The byte that the escape at the front of text stands for, or -1. */
static int
escape_value(struct slice text)
{
	int high, low;

	if (text.len < ESCAPE_LEN || text.p[0] != '%')
		return (-1);
	high = hex_value(text.p[1]);
	low = hex_value(text.p[2]);
	return (high < 0 || low < 0 ? -1 : high * 16 + low);
}

static size_t
put_escape(char *out, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";

	out[0] = '%';
	out[1] = digits[byte >> 4];
	out[2] = digits[byte & 15];
	return (ESCAPE_LEN);
}

static bool
is_scheme_byte(char c)
{
	c = ascii_lower(c);
	return ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-');
}

/* GET http://host/path HTTP/1.1: what follows the host, or nothing. */
static struct slice
absolute_path(struct slice target)
{
	size_t i = 0;
	char first = target.len > 0 ? ascii_lower(target.p[0]) : '\0';

	if (first < 'a' || first > 'z')
		return (SLICE(""));
	while (i < target.len && is_scheme_byte(target.p[i]))
		i++;
	target = slice_skip(target, i);
	if (!slice_starts(target, SLICE("://")))
		return (SLICE(""));
	target = slice_skip(target, 3);
	for (i = 0; i < target.len; i++) {
		if (target.p[i] == '/')
			return (slice_skip(target, i));
		if (target.p[i] == '?' || target.p[i] == '#')
			break;
	}
	return (SLICE(""));
}

/* One step of normalise() for a byte that is not plain. */
static size_t
put_special(struct slice *path, char *out, size_t len)
{
	unsigned char c = (unsigned char)path->p[0];
	int byte = escape_value(*path);

	if (byte >= 0) {
		*path = slice_skip(*path, ESCAPE_LEN);
		if (!is_unreserved[byte])
			return (put_escape(out + len, (unsigned char)byte));
		out[len] = (char)byte;
		return (1);
	}
	*path = slice_skip(*path, 1);
	if (c == '/' && len > 0 && out[len - 1] == '/')
		return (0);
	if (c != '/' && c != '%')
		return (put_escape(out + len, c));
	out[len] = (char)c;
	return (1);
}

/* Escapes and slashes in their one form, up to the query.  out has room for max bytes
 * and one escape; where max is reached, there may be more. */
static size_t
normalise(struct slice path, char *out, size_t max)
{
	size_t len = 0, run, room;

	while (path.len > 0 && len < max) {
		room = path.len < max - len ? path.len : max - len;
		for (run = 0; run < room && is_plain[(unsigned char)path.p[run]]; run++)
			out[len + run] = path.p[run];
		len += run;
		path = slice_skip(path, run);
		if (run == room)
			continue;
		if (path.p[0] == '?' || path.p[0] == '#')
			break;
		len += put_special(&path, out, len);
	}
	return (len);
}

static size_t
without_index(const char *page, size_t len)
{
	static const struct slice index[] = { SLICE("/index.html"), SLICE("/index.htm"), SLICE("/index.php") };

	if (len > 0 && (page[len - 1] == 'l' || page[len - 1] == 'm' || page[len - 1] == 'p'))
		for (size_t i = 0; i < N_ELEM(index); i++)
			if (slice_ends(slice_make(page, len), index[i]))
				return (len - index[i].len + 1);
	return (len);
}

size_t
page_of(struct slice target, char out[PAGE_MAX])
{
	SCRATCH char page[PAGE_MAX + TAIL_MAX + ESCAPE_LEN];
	size_t len;

	if (target.len == 0 || target.p[0] != '/')
		target = absolute_path(target);
	if (target.len == 0)
		target = SLICE("/");
	len = normalise(target, page, PAGE_MAX + TAIL_MAX);
	len = without_index(page, len);
	if (len > 1 && page[len - 1] == '/')
		len--;
	if (len > PAGE_MAX)
		len = PAGE_MAX;
	memcpy(out, page, len);
	return (len);
}

bool
page_is_asset(struct slice page, const char *const *extensions)
{
	size_t at = page.len;
	struct slice extension;

	while (at > 0 && page.p[at - 1] != '.' && page.p[at - 1] != '/')
		at--;
	if (at == 0 || page.p[at - 1] == '/')
		return (false);
	extension = slice_skip(page, at);
	if (extensions == NULL)
		extensions = asset_extensions;
	for (; *extensions != NULL; extensions++)
		if (slice_equal_nocase(extension, slice_of(*extensions)))
			return (true);
	return (false);
}

struct slice
target_query(struct slice target)
{
	ptrdiff_t at = slice_find(target, '?');
	struct slice query;

	if (at < 0)
		return (SLICE(""));
	query = slice_skip(target, (size_t)at + 1);
	return (slice_cut(&query, '#'));
}

bool
query_param(struct slice query, struct slice name, struct slice *value)
{
	struct slice rest;

	while (query.len > 0) {
		rest = slice_cut(&query, '&');
		if (slice_equal(slice_cut(&rest, '='), name)) {
			*value = rest;
			return (true);
		}
	}
	return (false);
}

char
percent_next(struct slice *text, bool plus)
{
	char c = text->p[0];
	int byte = c == '%' ? escape_value(*text) : -1;

	if (byte >= 0) {
		*text = slice_skip(*text, ESCAPE_LEN);
		return ((char)byte);
	}
	*text = slice_skip(*text, 1);
	return (plus && c == '+' ? ' ' : c);
}

size_t
percent_decode(struct slice text, bool plus, char *out)
{
	size_t len = 0;

	while (text.len > 0)
		out[len++] = percent_next(&text, plus);
	return (len);
}
