/*
 * get: one series, field by field.
 */
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"

struct pair {
	struct slice name, value;
};

static void
write_aligned(const struct pair *pairs, size_t count, struct buf *out)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++)
		if (pairs[i].name.len > width)
			width = pairs[i].name.len;
	for (size_t i = 0; i < count; i++) {
		table_safe(out, pairs[i].name);
		buf_putc(out, ':');
		for (size_t n = pairs[i].name.len; n <= width; n++)
			buf_putc(out, ' ');
		table_safe(out, pairs[i].value);
		buf_putc(out, '\n');
	}
}

static void
write_hash(const struct ctl *ctl, const redisReply *hash, struct buf *out)
{
	size_t count = hash->elements / 2;
	struct pair *pairs;

	if (ctl->opt.json) {
		json_t *object = json_object();

		json_fields(object, hash);
		json_write(object, out);
		return;
	}
	pairs = mem_calloc(count, sizeof(*pairs));
	for (size_t i = 0; i < count; i++)
		pairs[i] = (struct pair){
			{ hash->element[2 * i]->str, hash->element[2 * i]->len },
			{ hash->element[2 * i + 1]->str, hash->element[2 * i + 1]->len },
		};
	write_aligned(pairs, count, out);
	free(pairs);
}

static enum ctl_exit
show_hash(struct ctl *ctl, struct slice series, struct buf *out)
{
	enum ctl_exit status;
	redisReply *hash = ctl_hash(ctl, series, &status);

	if (hash == NULL)
		return (status);
	write_hash(ctl, hash, out);
	freeReplyObject(hash);
	return (CTL_OK);
}

/* "24h:total", and as well the whole key as redis-cli shows it. */
static struct slice
series_of(const struct ctl *ctl, const char *operand)
{
	struct buf prefix = { 0 };
	struct slice series = slice_of(operand);

	ctl_key(ctl, SLICE(""), &prefix);
	if (slice_starts(series, buf_view(&prefix)))
		series = slice_skip(series, prefix.len);
	buf_free(&prefix);
	return (series);
}

enum ctl_exit
ctl_get(struct ctl *ctl, struct buf *out)
{
	struct slice series = series_of(ctl, ctl->opt.operand);
	redisReply *type = ctl_ask(ctl, "TYPE", series);
	bool list;

	if (type == NULL)
		return (CTL_REDIS);
	list = strcmp(type->str, "hash") != 0 && strcmp(type->str, "none") != 0;
	if (list)
		err_set(&ctl->err, "%.*s is no series but a %s; for a list of series: rpvctl top", SLICE_FMT(series), type->str);
	freeReplyObject(type);
	return (list ? CTL_NOTHING : show_hash(ctl, series, out));
}
