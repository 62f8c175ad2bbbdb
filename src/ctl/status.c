/*
 * status: how rpvd is getting on.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
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

/* How many names of a dimension tell who somebody is. */
static enum ctl_exit
count_emails(struct ctl *ctl, const char *series, size_t *n)
{
	char cursor[32] = "0";
	struct buf key = { 0 };
	redisReply *reply = NULL;

	ctl_key(ctl, slice_of(series), &key);
	do {
		ctl_send(ctl, 5, (struct slice[]){ SLICE("ZSCAN"), buf_view(&key), slice_of(cursor), SLICE("COUNT"), SLICE("2000") });
		if ((reply = ctl_receive(ctl)) == NULL)
			break;
		must(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->len < sizeof(cursor));
		strcpy(cursor, reply->element[0]->str);
		for (size_t i = 0; i < reply->element[1]->elements; i += 2)
			*n += status_is_email(slice_make(reply->element[1]->element[i]->str, reply->element[1]->element[i]->len));
		freeReplyObject(reply);
	} while (strcmp(cursor, "0") != 0);
	buf_free(&key);
	return (reply != NULL ? CTL_OK : CTL_REDIS);
}

/* The longest of the usual windows; landing pages are pages.  What cannot be read (another program's
 * key) is no reason to tell nothing. */
static void
find_emails(struct ctl *ctl, char text[24])
{
	static const char *const series[] = { "30d:page@visits", "30d:campaign@visits", "30d:source@visits" };
	size_t n = 0;

	for (size_t i = 0; i < N_ELEM(series); i++)
		if (count_emails(ctl, series[i], &n) != CTL_OK)
			break;
	snprintf(text, 24, "%zu", n);
}

static void
write_text(const struct ctl *ctl, const redisReply *hash, const char *emails, struct buf *out)
{
	size_t n = hash->elements / 2;
	struct status_field *fields = mem_calloc(n + 1, sizeof(*fields));

	fields[n] = (struct status_field){ SLICE("email_names"), slice_of(emails) };
	for (size_t i = 0; i < n; i++)
		fields[i] = (struct status_field){
			{ hash->element[2 * i]->str, hash->element[2 * i]->len },
			{ hash->element[2 * i + 1]->str, hash->element[2 * i + 1]->len },
		};
	n++;
	qsort(fields, n, sizeof(*fields), compare_fields);
	status_write(&(struct status){ fields, n }, ctl->site, (int64_t)time(NULL) * 1000, out);
	free(fields);
}

enum ctl_exit
ctl_status(struct ctl *ctl, struct buf *out)
{
	enum ctl_exit status;
	redisReply *hash = ctl_hash(ctl, SLICE("status"), &status);
	char emails[24];
	json_t *object;

	if (hash == NULL)
		return (status);
	find_emails(ctl, emails);
	if (ctl->opt.json) {
		object = json_object();
		json_fields(object, hash);
		json_object_set_new(object, "email_names", json_integer(atoll(emails)));
		json_write(object, out);
	} else
		write_text(ctl, hash, emails, out);
	freeReplyObject(hash);
	return (CTL_OK);
}
