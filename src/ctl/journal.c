/*
 * journal: the webhook journal on this machine's disk: its latest records, one in full, or
 * whether all of it is whole; the same for the quarantine.
 *
 * The only command that needs no Redis.  It looks at the files under a running daemon, which is
 * not disturbed: a record that is being written just then is not yet one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "ctl/journal_view.h"
#include "ctl/json.h"
#include "ctl/table.h"

#define LIMIT_DEFAULT 20
#define DEFAULT_DIR "/var/lib/rpvd"

/* A record that is to be shown: the journal's own lives for a callback only. */
struct copy {
	struct journal_record rec;
	char *bytes;			/* of site and record */
};

struct look {
	struct ctl *ctl;
	struct journal *journal;
	const char *name;		/* "journal", "quarantine" */
	int64_t since_ms;
	uint64_t number;		/* of the one that is asked for, or 0 */
	size_t limit;			/* so many of the latest; 0: all */
	struct copy *copies;
	size_t n, cap, next;		/* next: in a full ring, the oldest */
	uint64_t *released;
	size_t n_released, released_cap;
	uint64_t records, unreadable;
};

/* ---- which ------------------------------------------------------------------- */

static bool
is_order(const struct order_event *e, struct slice wanted)
{
	struct slice id = wanted;

	if (slice_equal(wanted, e->order_id))
		return (true);
	for (size_t i = 0; i < e->n_aliases; i++)
		if (slice_equal(wanted, e->aliases[i]))
			return (true);
	return (slice_equal(slice_cut(&id, ':'), e->provider) && slice_equal(id, e->order_id));
}

static bool
fits(const struct look *l, const struct journal_entry *e)
{
	const struct ctl_options *o = &l->ctl->opt;
	struct slice provider = e->is_kept ? e->kept.provider : e->event.provider;

	if (l->number != 0)
		return (e->number == l->number);
	if (e->received_ms < l->since_ms || (o->site != NULL && !slice_is(e->site, o->site)))
		return (false);
	if (o->provider != NULL && (e->is_damaged || !slice_is(provider, o->provider)))
		return (false);
	if (e->is_kept)
		return (true);
	if (o->kind != NULL && (e->is_damaged || strcmp(order_kind_name(e->event.kind) + strlen("order."), o->kind) != 0))
		return (false);
	return (o->order == NULL || (!e->is_damaged && is_order(&e->event, slice_of(o->order))));
}

static void
keep(struct look *l, const struct journal_record *rec)
{
	struct copy c = { *rec, mem_alloc(rec->site.len + rec->bytes.len + 1) };
	struct copy *to;

	memcpy(c.bytes, rec->site.p, rec->site.len);
	if (rec->bytes.len > 0)
		memcpy(c.bytes + rec->site.len, rec->bytes.p, rec->bytes.len);
	c.rec.site.p = c.bytes;
	c.rec.bytes.p = c.bytes + rec->site.len;
	if (l->limit == 0 || l->n < l->limit) {
		mem_grow(&l->copies, &l->cap, l->n + 1, sizeof(*l->copies));
		l->copies[l->n++] = c;
		return;
	}
	to = &l->copies[l->next];
	l->next = (l->next + 1) % l->limit;
	free(to->bytes);
	*to = c;
}

static int
look_at(const struct journal_record *rec, void *arg)
{
	struct look *l = arg;
	struct reader r = reader_of(rec->bytes);
	struct journal_entry e;

	l->records++;
	if (rec->kind == JOURNAL_RELEASED) {
		mem_grow(&l->released, &l->released_cap, l->n_released + 1, sizeof(*l->released));
		l->released[l->n_released++] = reader_u64(&r);
	}
	if (!journal_entry_read(rec, &e))
		return (0);
	l->unreadable += e.is_damaged;
	if (fits(l, &e))
		keep(l, rec);
	return (0);
}

static bool
read_copy(const struct look *l, size_t i, struct journal_entry *e)
{
	bool ok = journal_entry_read(&l->copies[(l->next + i) % l->n].rec, e);

	for (size_t k = 0; k < l->n_released; k++)
		e->was_released |= e->is_kept && l->released[k] == e->number;
	return (ok);
}

/* ---- telling ------------------------------------------------------------------- */

/* No record at all: nothing was asked for in vain. */
static bool
is_empty(const struct look *l)
{
	struct journal_status s;

	journal_status(l->journal, &s);
	return (l->records == 0 && s.damaged == 0 && l->number == 0);
}

static enum ctl_exit
nothing(struct look *l)
{
	if (l->number != 0)
		err_set(&l->ctl->err, "the %s has no record %" PRIu64, l->name, l->number);
	else
		err_set(&l->ctl->err, "the %s has no such record", l->name);
	return (CTL_NOTHING);
}

static enum ctl_exit
write_list(struct look *l, struct buf *out)
{
	struct table *table;
	json_t *array = json_array();
	struct journal_entry e;

	table = journal_table(l->ctl->opt.quarantine);
	for (size_t i = 0; i < l->n; i++) {
		if (!read_copy(l, i, &e))
			continue;
		journal_row(table, &e);
		json_array_append_new(array, journal_json(&e));
	}
	if (l->ctl->opt.json)
		json_write(json_pack("{s:o}", "records", array), out);
	else {
		json_decref(array);
		if (l->n == 0)
			buf_printf(out, "the %s is empty\n", l->name);
		else
			table_write(table, ctl_width(), out);
	}
	table_free(&table);
	return (CTL_OK);
}

static enum ctl_exit
write_one(struct look *l, struct buf *out)
{
	struct journal_entry e;

	read_copy(l, 0, &e);
	if (l->ctl->opt.json)
		json_write(journal_json(&e), out);
	else
		journal_write(&e, out);
	return (CTL_OK);
}

/* Damage is what an owner can do something about; a write that is not finished goes by itself. */
static enum ctl_exit
write_verified(struct look *l, struct buf *out)
{
	struct journal_status s;
	bool bad;

	journal_status(l->journal, &s);
	bad = s.damaged > 0 || l->unreadable > 0;
	if (l->ctl->opt.json)
		json_write(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "log", l->name, "records", (json_int_t)l->records,
		    "first", (json_int_t)s.first, "last", (json_int_t)s.last, "files", (json_int_t)s.files, "bytes", (json_int_t)s.bytes,
		    "damaged", (json_int_t)s.damaged, "unreadable", (json_int_t)l->unreadable, "unfinished_bytes", (json_int_t)s.cut_bytes,
		    "whole", !bad), out);
	else {
		buf_printf(out, "%s: ", l->name);
		table_count(out, l->records, "record in ", "records in ");
		table_count(out, s.files, "file", "files");
		buf_printf(out, ", %" PRIu64 " bytes; ", s.bytes);
		if (s.damaged > 0) {
			table_count(out, s.damaged, "is", "are");
			buf_printf(out, " damaged or missing between numbers %" PRIu64 " and %" PRIu64
			    ": send again from the provider's page what is missing\n", s.first, s.last);
		} else if (l->unreadable > 0) {
			table_count(out, l->unreadable, "is", "are");
			buf_puts(out, " not readable by this version\n");
		} else
			buf_puts(out, "all of it is whole\n");
		if (s.cut_bytes > 0)
			buf_printf(out, "%s: %" PRIu64 " bytes at its end are of a write that is not finished\n", l->name, s.cut_bytes);
	}
	if (bad)
		err_set(&l->ctl->err, "the %s is damaged", l->name);
	return (bad ? CTL_NOTHING : CTL_OK);
}

/* ---- asking --------------------------------------------------------------------- */

static bool
kind_is_known(const char *kind)
{
	for (unsigned k = 0; k < ORDER_KINDS; k++)
		if (strcmp(order_kind_name((enum order_kind)k) + strlen("order."), kind) == 0)
			return (true);
	return (false);
}

static enum ctl_exit
set_filters(struct look *l, bool *verify)
{
	const struct ctl_options *o = &l->ctl->opt;
	int64_t ago;
	char *end;

	l->limit = o->all ? 0 : o->limit > 0 ? (size_t)o->limit : LIMIT_DEFAULT;
	if (o->kind != NULL && !kind_is_known(o->kind)) {
		err_set(&l->ctl->err, "--kind is paid, refunded, disputed, dispute_won or alias");
		return (CTL_USAGE);
	}
	if (o->since != NULL) {
		if (!duration_parse(o->since, &ago)) {
			err_set(&l->ctl->err, "--since is a duration, such as 30m, 24h or 7d");
			return (CTL_USAGE);
		}
		l->since_ms = (int64_t)time(NULL) * 1000 - ago;
	}
	*verify = o->operand != NULL && strcmp(o->operand, "verify") == 0;
	if (o->operand == NULL || *verify)
		return (CTL_OK);
	errno = 0;
	l->number = strtoull(o->operand, &end, 10);
	if (errno == 0 && *end == '\0' && o->operand[0] >= '0' && o->operand[0] <= '9' && l->number > 0)
		return (CTL_OK);
	err_set(&l->ctl->err, "a record is a number; or it is `verify`");
	return (CTL_USAGE);
}

static enum ctl_exit
look_through(struct look *l)
{
	const char *dir = l->ctl->state_dir != NULL ? l->ctl->state_dir : DEFAULT_DIR;

	l->journal = journal_open_to_look(dir, l->name, &l->ctl->err);
	if (l->journal == NULL || journal_read(l->journal, 0, look_at, l, &l->ctl->err) != 0)
		return (CTL_NOTHING);
	return (CTL_OK);
}

enum ctl_exit
ctl_journal(struct ctl *ctl, struct buf *out)
{
	struct look l = { .ctl = ctl, .name = ctl->opt.quarantine ? "quarantine" : "journal" };
	bool verify;
	enum ctl_exit status = set_filters(&l, &verify);

	if (status == CTL_OK)
		status = look_through(&l);
	if (status == CTL_OK && verify)
		status = write_verified(&l, out);
	else if (status == CTL_OK && l.n == 0 && (!ctl->opt.json || l.number != 0) && !is_empty(&l))
		status = nothing(&l);
	else if (status == CTL_OK)
		status = l.number != 0 ? write_one(&l, out) : write_list(&l, out);
	for (size_t i = 0; i < l.n; i++)
		free(l.copies[i].bytes);
	free(l.copies);
	free(l.released);
	journal_close(&l.journal);
	return (status);
}
