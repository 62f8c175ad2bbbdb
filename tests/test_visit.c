/*
 * Tests of core/visit: which visits are in memory, where the others are, and that they
 * come back as they were.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/names.h"
#include "core/visit.h"
#include "engine_world.h"

#define AGENT 77

static struct visits all;

static struct visit *
begin(uint64_t visitor, uint64_t id, int64_t start_ms)
{
	struct visit v = { .id = id, .place = id, .visitor = visitor, .agent = AGENT, .start_ms = start_ms, .last_ms = start_ms + 5,
	    .born_ms = start_ms + 1, .since_ms = start_ms + 2, .source_key = 9, .landing = 1, .source = 2, .channel = 3, .campaign = 4,
	    .country = 5, .device = 6, .views = 7, .is_direct = true, .credit = { 1, -2, 3, 0 } };
	struct visit *made = visits_add(&all, &v, start_ms);

	visits_dirty(&all, made);
	return (made);
}

/* The value of the last change of that kind to such a record; empty where there is none. */
static struct slice
changed(const struct changes *c, enum change_op op, const char *key)
{
	struct slice value = SLICE("");

	for (size_t i = 0; i < c->count; i++)
		if (c->list[i].op == op && slice_starts(change_key(c, &c->list[i]), slice_of(key)))
			value = change_value(c, &c->list[i]);
	return (value);
}

static size_t
count(const struct changes *c, enum change_op op, const char *key)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->list[i].op == op && slice_starts(change_key(c, &c->list[i]), slice_of(key));
	return (n);
}

static void
expect_equal(const struct visit *a, const struct visit *b)
{
	ck_assert(a->id == b->id && a->place == b->place && a->visitor == b->visitor && a->start_ms == b->start_ms && a->last_ms == b->last_ms);
	ck_assert(a->born_ms == b->born_ms && a->since_ms == b->since_ms && a->landing == b->landing && a->source == b->source);
	ck_assert(a->channel == b->channel && a->campaign == b->campaign && a->country == b->country && a->device == b->device);
	ck_assert(a->views == b->views && a->is_direct == b->is_direct && a->moved_to == b->moved_to && a->referred == b->referred);
	ck_assert(a->n_pages == b->n_pages && memcmp(a->credit, b->credit, sizeof(a->credit)) == 0);
	for (uint32_t i = 0; i < a->n_pages; i++)
		ck_assert_uint_eq(a->pages[i], b->pages[i]);
}

START_TEST(an_open_visit_comes_back)
{
	struct changes c = { 0 };
	struct visit *v = begin(1, 10, WORLD_DAY), copy;
	uint32_t pages[20];

	for (uint32_t i = 0; i < 20; i++) {		/* more than fit in beside it */
		ck_assert(visits_add_page(&all, v, i * 1000));
		ck_assert(!visits_add_page(&all, v, i * 1000));
		pages[i] = i * 1000;
	}
	copy = *v;
	copy.pages = pages;
	visits_changes(&all, WORLD_DAY - 1, WORLD_DAY, &c);
	ck_assert_uint_eq(count(&c, CHANGE_HSET, "open"), 1);
	ck_assert_uint_eq(c.count, 1);
	visits_clear(&all);
	ck_assert_int_eq(visits_load_open(&all, changed(&c, CHANGE_HSET, "open"), WORLD_DAY), 0);
	v = visitor_latest(visits_find(&all, 1));
	expect_equal(v, &copy);
	ck_assert(v->agent == AGENT && v->source_key == 9 && v->in_open && !v->dirty);
	ck_assert_ptr_eq(visits_of_agent(&all, AGENT), v);
	changes_clear(&c);
	visits_changes(&all, WORLD_DAY - 1, WORLD_DAY, &c);
	ck_assert_uint_eq(c.count, 0);			/* nothing new */
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

/* It leaves the memory, is asked for, and goes on, all between two commits. */
START_TEST(a_visit_that_left_is_there_before_the_commit)
{
	struct changes c = { 0 };
	struct agent_entry entry;
	struct visit *v, copy;
	size_t at = 0;

	visits_begin(&all);
	begin(1, 10, WORLD_DAY);
	visits_changes(&all, WORLD_DAY, WORLD_DAY, &c);
	changes_clear(&c);
	copy = *visitor_latest(visits_find(&all, 1));
	visits_settle(&all, WORLD_DAY + 1, WORLD_DAY + 2000);
	ck_assert_uint_eq(all.count, 0);
	ck_assert(visits_unstored(&all) > 0 && visits_may_have_blocks(&all, 1));
	ck_assert(agent_entry_pending(&all, epoch_of(WORLD_DAY), AGENT, &at, &entry) && entry.visitor == 1 && entry.id == 10);
	ck_assert(!agent_entry_pending(&all, epoch_of(WORLD_DAY), AGENT, &at, &entry));
	visits_load_pending(&all, 1, epoch_of(WORLD_DAY), WORLD_DAY + 2000);
	v = visitor_latest(visits_find(&all, 1));
	ck_assert_ptr_nonnull(v);
	ck_assert(v->id == copy.id && v->start_ms == copy.start_ms && v->in_block);
	v->views++;
	v->last_ms = WORLD_DAY + 1500;
	visits_dirty(&all, v);
	visits_changes(&all, WORLD_DAY, WORLD_DAY + 2000, &c);
	ck_assert_uint_eq(count(&c, CHANGE_APPEND, "v:"), 1);
	ck_assert_uint_eq(count(&c, CHANGE_HSET, "open"), 1);
	ck_assert_uint_eq(count(&c, CHANGE_HDEL, "open"), 0);	/* which would win */
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

START_TEST(a_visit_that_is_over_goes_into_its_block)
{
	struct changes c = { 0 };
	struct slice block, rest;
	struct agent_entry entry;
	int64_t epoch = epoch_of(WORLD_DAY);
	struct visit copy;

	visits_begin(&all);
	copy = *begin(1, 10, WORLD_DAY);
	begin(2, 11, WORLD_DAY + 1000);
	visits_changes(&all, WORLD_DAY, WORLD_DAY, &c);	/* both into `open` */
	changes_clear(&c);
	visits_changes(&all, WORLD_DAY + 1000, WORLD_DAY + 2000, &c);
	ck_assert_ptr_null(visits_find(&all, 1));
	ck_assert_ptr_nonnull(visits_find(&all, 2));
	ck_assert_uint_eq(all.count, 1);
	ck_assert_uint_eq(count(&c, CHANGE_HDEL, "open"), 1);
	ck_assert_uint_eq(count(&c, CHANGE_APPEND, "v:"), 1);
	ck_assert_uint_eq(count(&c, CHANGE_APPEND, "a:"), 1);
	ck_assert(visits_may_have_blocks(&all, 1) && visits_may_have_blocks(&all, AGENT) && !visits_may_have_blocks(&all, 2));
	block = changed(&c, CHANGE_APPEND, "v:");
	rest = changed(&c, CHANGE_APPEND, "a:");
	ck_assert(agent_entry_next(&rest, epoch, AGENT, &entry));
	ck_assert(entry.visitor == 1 && entry.id == 10 && entry.start_ms == WORLD_DAY && entry.born_ms == WORLD_DAY + 1);
	ck_assert(!agent_entry_next(&rest, epoch, AGENT, &entry));
	ck_assert_int_eq(visits_load_block(&all, 3, block, epoch, WORLD_DAY), 0);	/* somebody else's */
	ck_assert_ptr_null(visitor_latest(visits_find(&all, 3)));
	ck_assert_int_eq(visits_load_block(&all, 1, block, epoch, WORLD_DAY), 0);
	copy.pages = NULL;
	expect_equal(visitor_latest(visits_find(&all, 1)), &copy);
	ck_assert(visitor_latest(visits_find(&all, 1))->in_block);
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

/* Of several records of a visit the last one counts, also where it came in the same load. */
START_TEST(the_last_record_counts)
{
	struct changes c = { 0 };
	struct buf block = { 0 };
	struct visit *v;

	begin(1, 10, WORLD_DAY);
	for (int i = 0; i < 3; i++) {
		changes_clear(&c);
		visits_changes(&all, WORLD_DAY + 1, WORLD_DAY + 1, &c);
		buf_put(&block, changed(&c, CHANGE_APPEND, "v:").p, changed(&c, CHANGE_APPEND, "v:").len);
		ck_assert_int_eq(visits_load_block(&all, 1, buf_view(&block), epoch_of(WORLD_DAY), WORLD_DAY), 0);
		v = visitor_latest(visits_find(&all, 1));
		ck_assert_uint_eq(v->views, 7 + (unsigned)i);
		ck_assert_uint_eq(visits_find(&all, 1)->n, 1);
		ck_assert_uint_eq(all.count, 1);
		v->views++;
		visits_dirty(&all, v);
	}
	ck_assert_uint_eq(count(&c, CHANGE_APPEND, "a:"), 0);	/* it is there already */
	/* What is in memory knows better. */
	ck_assert_int_eq(visits_load_block(&all, 1, buf_view(&block), epoch_of(WORLD_DAY), WORLD_DAY), 0);
	ck_assert_uint_eq(visitor_latest(visits_find(&all, 1))->views, 10);
	changes_free(&c);
	buf_free(&block);
	visits_clear(&all);
}
END_TEST

START_TEST(who_looks_for_an_adopted_visit_is_sent_on)
{
	struct visit *v = begin(1, 10, WORLD_DAY), *unnamed = begin(3, 11, WORLD_DAY);
	struct changes c = { 0 };
	struct slice value;
	uint64_t owner;

	v->referred = true;
	ck_assert_ptr_eq(visits_adopt(&all, v, 2, 20, WORLD_DAY + 9), v);
	ck_assert(v->visitor == 2 && v->place == 20 && v->id == 10 && v->since_ms == WORLD_DAY + 9);
	ck_assert_ptr_eq(visits_by_id(&all, 1, 10, &owner), v);
	ck_assert_uint_eq(owner, 2);
	ck_assert_ptr_null(visitor_latest(visits_find(&all, 1)));	/* a mark is no visit */
	ck_assert_ptr_eq(visitor_latest(visits_find(&all, 2)), v);
	/* Nobody can look for the other one. */
	visits_adopt(&all, unnamed, 4, 21, WORLD_DAY + 9);
	ck_assert_uint_eq(visits_find(&all, 3)->n, 0);
	/* The mark comes back, too. */
	visits_changes(&all, WORLD_DAY - 1, WORLD_DAY, &c);
	ck_assert_uint_eq(count(&c, CHANGE_HSET, "open"), 3);
	visits_clear(&all);
	for (size_t i = 0; i < c.count; i++) {
		value = change_value(&c, &c.list[i]);
		ck_assert_int_eq(visits_load_open(&all, value, WORLD_DAY), 0);
	}
	v = visits_by_id(&all, 1, 10, &owner);
	ck_assert(v != NULL && v->visitor == 2 && v->place == 20 && owner == 2);
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

/* Damage that leads in a circle ends all the same. */
START_TEST(marks_in_a_circle)
{
	struct visit a = { .id = 10, .visitor = 1, .moved_to = 2 }, b = { .id = 10, .visitor = 2, .moved_to = 1 };
	uint64_t owner;

	visits_add(&all, &a, 0);
	visits_add(&all, &b, 0);
	ck_assert_ptr_null(visits_by_id(&all, 1, 10, &owner));
	visits_clear(&all);
}
END_TEST

START_TEST(visits_stand_by_place)
{
	static const uint64_t places[] = { 5, 1, 9, 3, 7, 2 };
	const struct visitor *who;

	for (size_t i = 0; i < N_ELEM(places); i++)
		begin(1, places[i], WORLD_DAY);
	who = visits_find(&all, 1);
	for (size_t i = 1; i < who->n; i++)
		ck_assert_uint_gt(who->visits[i]->place, who->visits[i - 1]->place);
	ck_assert_uint_eq(visitor_latest(who)->id, 9);
	ck_assert_ptr_null(visitor_latest(NULL));
	visits_clear(&all);
}
END_TEST

/* A visitor about whom an order will ask stays. */
START_TEST(who_is_kept_stays)
{
	struct changes c = { 0 };

	begin(1, 10, WORLD_DAY);
	visits_find(&all, 1)->keep_ms = WORLD_DAY + 100;
	visits_changes(&all, WORLD_DAY + 50, WORLD_DAY + 100, &c);
	ck_assert_ptr_nonnull(visits_find(&all, 1));
	visits_changes(&all, WORLD_DAY + 50, WORLD_DAY + 101, &c);
	ck_assert_ptr_null(visits_find(&all, 1));
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

/* Of which nothing came, so that it need not be kept. */
static struct visit *
begin_idle(uint64_t visitor, uint64_t id, int64_t start_ms)
{
	struct visit *v = begin(visitor, id, start_ms);

	memset(v->credit, 0, sizeof(v->credit));
	v->views = 1;
	return (v);
}

/* Who was longest without a hit leaves, open or not, until half of the room is free; he is known, and
 * comes back as he left. */
START_TEST(who_finds_no_room_leaves_early)
{
	struct changes c = { 0 };
	struct visit *v, copy;
	size_t half = 0;

	visits_begin(&all);
	for (uint64_t i = 1; i <= 100; i++) {
		v = begin(i, 100 + i, WORLD_DAY + (int64_t)i);
		visits_add_page(&all, v, 7);
		half = i == 50 ? all.bytes : half;
		copy = i == 1 ? *v : copy;
	}
	copy.pages = (uint32_t[]){ 7 };
	all.max_bytes = all.bytes;
	visits_changes(&all, WORLD_DAY - 1, WORLD_DAY + 100, &c);
	ck_assert_uint_eq(all.count, 100);		/* there is room */
	ck_assert(!visits_are_too_many(&all));
	all.max_bytes = all.bytes - 1;
	ck_assert(visits_are_too_many(&all));
	changes_clear(&c);
	visits_changes(&all, WORLD_DAY - 1, WORLD_DAY + 100, &c);
	ck_assert_uint_le(all.bytes, half);
	ck_assert_uint_eq(all.n_early, 100 - all.count);
	ck_assert_int_eq(all.left_ms, WORLD_DAY + (int64_t)all.n_early + 1);	/* the next one is there */
	ck_assert_uint_eq(count(&c, CHANGE_HDEL, "open"), all.n_early);
	for (uint64_t i = 1; i <= 100; i++)
		ck_assert((visits_find(&all, i) == NULL) == visits_left_early(&all, i, WORLD_DAY));
	ck_assert_int_eq(visits_load_block(&all, 1, changed(&c, CHANGE_APPEND, "v:"), epoch_of(WORLD_DAY), WORLD_DAY + 200), 0);
	v = visitor_latest(visits_find(&all, 1));
	ck_assert_ptr_nonnull(v);
	expect_equal(v, &copy);
	ck_assert(v->agent == AGENT && v->source_key == 9 && v->in_block && !v->dirty);
	changes_free(&c);
	visits_clear(&all);
	ck_assert_uint_eq(all.bytes, 0);
}
END_TEST

/* What goes on is written over, not appended: else a block grew with each pageview. */
START_TEST(a_visit_that_came_back_is_written_over)
{
	struct changes c = { 0 };
	struct visit *v = begin(1, 10, WORLD_DAY);

	all.max_bytes = 1;
	visits_changes(&all, WORLD_DAY - 1, WORLD_DAY, &c);
	ck_assert_int_eq(visits_load_block(&all, 1, changed(&c, CHANGE_APPEND, "v:"), epoch_of(WORLD_DAY), WORLD_DAY), 0);
	all.max_bytes = 0;
	for (int i = 1; i < 4; i++) {
		v = visitor_latest(visits_find(&all, 1));
		v->views++;
		visits_dirty(&all, v);
		changes_clear(&c);
		visits_changes(&all, WORLD_DAY - 1, WORLD_DAY, &c);
		ck_assert_uint_eq(count(&c, CHANGE_HSET, "open"), 1);
		ck_assert_uint_eq(count(&c, CHANGE_APPEND, ""), 0);
	}
	visits_clear(&all);
	ck_assert_int_eq(visits_load_open(&all, changed(&c, CHANGE_HSET, "open"), WORLD_DAY), 0);
	changes_clear(&c);
	visits_changes(&all, WORLD_DAY + 1, WORLD_DAY + 1, &c);	/* over: its last word into the block, where its agent is already */
	ck_assert_uint_eq(count(&c, CHANGE_APPEND, "v:"), 1);
	ck_assert_uint_eq(count(&c, CHANGE_APPEND, "a:"), 0);
	ck_assert_uint_eq(count(&c, CHANGE_HDEL, "open"), 1);
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

/* A visitor who begins a visit with each hit: the latest stay, so many go into blocks, the others nowhere. */
START_TEST(one_visitor_does_not_fill_the_memory)
{
	struct changes c = { 0 };
	uint64_t id = 0;

	visits_begin(&all);
	for (int i = 0; i < 2 * VISITOR_STORED / VISITOR_HELD; i++) {
		for (int k = 0; k < VISITOR_HELD + 1; k++) {
			id++;
			begin_idle(1, id, WORLD_DAY + (int64_t)id);
		}
		changes_clear(&c);
		visits_changes(&all, WORLD_DAY - 1, WORLD_DAY + (int64_t)id, &c);
		ck_assert_uint_le(all.count, VISITOR_HELD);
		ck_assert_uint_eq(visitor_latest(visits_find(&all, 1))->id, id);
		ck_assert(!visits_find(&all, 1)->complete);
	}
	ck_assert_uint_eq(all.count + all.n_unkept + VISITOR_STORED, id);
	all.n_unkept = 0;
	id++;
	begin_idle(1, id, WORLD_DAY + (int64_t)id)->referred = true;
	visits_changes(&all, WORLD_DAY + (int64_t)id + 1, WORLD_DAY + (int64_t)id + 1, &c);
	ck_assert_uint_eq(all.count, 0);
	ck_assert_uint_eq(count(&c, CHANGE_APPEND, "v:"), 1);
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

/* As long a list as anybody likes comes apart in a moment, oldest first. */
START_TEST(one_address_with_many_cookies)
{
	struct changes c = { 0 };

	for (uint64_t i = 1; i <= 200000; i++)
		begin(i, i, WORLD_DAY + (int64_t)i);
	visits_changes(&all, WORLD_DAY + 300000, WORLD_DAY + 300000, &c);
	ck_assert_uint_eq(all.count, 0);
	ck_assert_ptr_null(visits_of_agent(&all, AGENT));
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

START_TEST(pages_of_a_visit_end_somewhere)
{
	struct visit *v = begin(1, 10, WORLD_DAY);

	for (uint32_t i = 1; i < VISIT_PAGES_MAX; i++) {
		ck_assert(!visit_is_full(v));
		visits_add_page(&all, v, i);
	}
	ck_assert(visit_is_full(v));
	visits_clear(&all);
}
END_TEST

/* Of one pageview, of more, named by an order or a token: what is kept under which pressure. */
START_TEST(a_full_history_keeps_what_is_named)
{
	static const struct { enum keep keep; size_t kept; } rows[] = { { KEEP_ALL, 3 }, { KEEP_LONGER, 2 }, { KEEP_REFERRED, 1 } };
	struct changes c = { 0 };

	for (size_t i = 0; i < N_ELEM(rows); i++) {
		begin_idle(UINT64_C(1) << 32, 1, WORLD_DAY);
		begin_idle(UINT64_C(2) << 32, 2, WORLD_DAY)->views = 2;
		begin_idle(UINT64_C(3) << 32, 3, WORLD_DAY)->referred = true;
		all.keep = rows[i].keep;
		changes_clear(&c);
		visits_changes(&all, WORLD_DAY + 1, WORLD_DAY + 1, &c);
		ck_assert_uint_eq(count(&c, CHANGE_APPEND, "v:"), rows[i].kept);
		ck_assert_uint_eq(all.n_unkept, 3 - rows[i].kept);
		ck_assert((all.history[epoch_of(WORLD_DAY) % HISTORY_EPOCHS] > 0));
		visits_clear(&all);
	}
	changes_free(&c);
}
END_TEST

START_TEST(cut_records_are_refused)
{
	struct changes c = { 0 };
	struct slice open, block;

	visits_add_page(&all, begin(1, 10, WORLD_DAY), 5);
	visits_changes(&all, WORLD_DAY - 1, WORLD_DAY, &c);
	open = changed(&c, CHANGE_HSET, "open");
	for (size_t n = 0; n < open.len; n++)
		ck_assert_int_eq(visits_load_open(&all, slice_make(open.p, n), WORLD_DAY), -1);
	changes_clear(&c);
	visits_changes(&all, WORLD_DAY + 1, WORLD_DAY + 1, &c);
	block = changed(&c, CHANGE_APPEND, "v:");
	for (size_t n = 1; n < block.len; n++)
		ck_assert_int_eq(visits_load_block(&all, 1, slice_make(block.p, n), epoch_of(WORLD_DAY), WORLD_DAY), -1);
	ck_assert_ptr_null(visitor_latest(visits_find(&all, 1)));
	changes_free(&c);
	visits_clear(&all);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("visit");
	TCase *tc = tcase_create("visit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, an_open_visit_comes_back);
	tcase_add_test(tc, a_visit_that_left_is_there_before_the_commit);
	tcase_add_test(tc, a_visit_that_is_over_goes_into_its_block);
	tcase_add_test(tc, the_last_record_counts);
	tcase_add_test(tc, who_looks_for_an_adopted_visit_is_sent_on);
	tcase_add_test(tc, marks_in_a_circle);
	tcase_add_test(tc, visits_stand_by_place);
	tcase_add_test(tc, who_is_kept_stays);
	tcase_add_test(tc, who_finds_no_room_leaves_early);
	tcase_add_test(tc, a_visit_that_came_back_is_written_over);
	tcase_add_test(tc, one_visitor_does_not_fill_the_memory);
	tcase_add_test(tc, one_address_with_many_cookies);
	tcase_add_test(tc, pages_of_a_visit_end_somewhere);
	tcase_add_test(tc, a_full_history_keeps_what_is_named);
	tcase_add_test(tc, cut_records_are_refused);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
