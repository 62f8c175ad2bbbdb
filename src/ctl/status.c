/*
 * status: how rpvd is getting on.
 */
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/status_view.h"

static int
compare_fields(const void *a, const void *b)
{
	struct slice x = ((const struct status_field *)a)->name, y = ((const struct status_field *)b)->name;
	int order = memcmp(x.p, y.p, x.len < y.len ? x.len : y.len);

	return (order != 0 ? order : (x.len > y.len) - (x.len < y.len));
}

static void
write_text(const struct ctl *ctl, const redisReply *hash, struct buf *out)
{
	size_t n = hash->elements / 2;
	struct status_field *fields = mem_calloc(n, sizeof(*fields));

	for (size_t i = 0; i < n; i++)
		fields[i] = (struct status_field){
			{ hash->element[2 * i]->str, hash->element[2 * i]->len },
			{ hash->element[2 * i + 1]->str, hash->element[2 * i + 1]->len },
		};
	qsort(fields, n, sizeof(*fields), compare_fields);
	status_write(&(struct status){ fields, n }, ctl->site, (int64_t)time(NULL) * 1000, out);
	free(fields);
}

enum ctl_exit
ctl_status(struct ctl *ctl, struct buf *out)
{
	enum ctl_exit status;
	redisReply *hash = ctl_hash(ctl, SLICE("status"), &status);
	json_t *object;

	if (hash == NULL)
		return (status);
	if (ctl->opt.json) {
		object = json_object();
		json_fields(object, hash);
		json_write(object, out);
	} else
		write_text(ctl, hash, out);
	freeReplyObject(hash);
	return (CTL_OK);
}
