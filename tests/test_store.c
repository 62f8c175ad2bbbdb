/*
 * Tests of store: a load and a commit over a line to a real Redis that is cut after the n-th
 * byte, for each n and both ways.  Afterwards Redis holds the state of before or the state of
 * after with its positions, never anything between; and whoever loads it again and sends
 * again what was not applied ends at the very bytes of the undisturbed run.
 *
 * Every byte of the commit is tried, and of the log-in and the load before it every STRIDE-th,
 * from another one each time (RPVD_SEED; RPVD_STRIDE=1 tries all).
 */
#include "store/store.h"

#include <check.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine_world.h"
#include "store/redis.h"

#define STRIDE 97
#define PATIENCE_S 20
#define META "rpvd:{shop.0}:meta"

enum way { UP, DOWN };			/* to Redis, and back */

static char dir[64], server_path[96], line_path[96];
static struct event_base *base;
static pid_t server;
static redisContext *direct;

/* ---- a real server ---- */

static void
server_start(void)
{
	char log[96];

	strcpy(dir, "/tmp/rpvd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(server_path, sizeof(server_path), "%s/redis.sock", dir);
	snprintf(line_path, sizeof(line_path), "%s/line.sock", dir);
	snprintf(log, sizeof(log), "%s/redis.log", dir);
	if ((server = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server_path, "--dir", dir, "--logfile", log,
		    "--save", "", "--appendonly", "no", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < PATIENCE_S * 100; i++) {
		if ((direct = redisConnectUnix(server_path)) != NULL && direct->err == 0)
			return;
		redisFree(direct);
		usleep(10000);
	}
	ck_abort_msg("redis-server does not start");
}

static void
server_stop(void)
{
	char command[96];
	int status;

	redisFree(direct);
	kill(server, SIGTERM);
	ck_assert_int_eq(waitpid(server, &status, 0), server);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

/* ---- what Redis holds ---- */

/* All records, in order of their names; without the lease, and of `meta` without the epoch.  dumps is to be put
 * back, contents to be compared: DUMP may have the members of one set in two orders. */
struct image {
	struct buf names, dumps, contents;	/* slices */
	size_t n;
};

static redisReply *
ask(int argc, const char **argv, const size_t *lens)
{
	redisReply *r = redisCommandArgv(direct, argc, argv, lens);

	ck_assert_msg(r != NULL && r->type != REDIS_REPLY_ERROR, "%s: %s", argv[0], r != NULL ? r->str : "connection lost");
	return (r);
}

static redisReply *
ask1(const char *command, const char *key)
{
	return (ask(key != NULL ? 2 : 1, (const char *[]){ command, key }, NULL));
}

static int
by_name(const void *a, const void *b)
{
	return (strcmp((*(redisReply *const *)a)->str, (*(redisReply *const *)b)->str));
}

/* Members sorted, fields and scores with what belongs to them. */
static const char content_script[] =
    "local kind, flat = redis.call('TYPE', KEYS[1])['ok']\n"
    "if kind == 'string' then return redis.call('GET', KEYS[1]) end\n"
    "if kind == 'hash' then flat = redis.call('HGETALL', KEYS[1])\n"
    "elseif kind == 'set' then flat = redis.call('SMEMBERS', KEYS[1])\n"
    "else flat = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES') end\n"
    "local all, step = {}, kind == 'set' and 1 or 2\n"
    "for i = 1, #flat, step do all[#all + 1] = #flat[i] .. ':' .. flat[i] .. (step == 2 and flat[i + 1] or '') end\n"
    "table.sort(all)\n"
    "return kind .. table.concat(all, ' ')\n";

static void
image_take(struct image *image)
{
	redisReply *keys;

	*image = (struct image){ 0 };
	freeReplyObject(ask1("DEL", "rpvd:{shop.0}:lease"));
	freeReplyObject(ask(4, (const char *[]){ "HSET", META, "epoch", "1" }, NULL));
	keys = ask1("KEYS", "*");
	qsort(keys->element, keys->elements, sizeof(keys->element[0]), by_name);
	for (size_t i = 0; i < keys->elements; i++) {
		redisReply *dump = ask1("DUMP", keys->element[i]->str);
		redisReply *content = ask(4, (const char *[]){ "EVAL", content_script, "1", keys->element[i]->str }, NULL);

		buf_slice(&image->names, slice_make(keys->element[i]->str, keys->element[i]->len));
		buf_slice(&image->dumps, slice_make(dump->str, dump->len));
		buf_slice(&image->contents, slice_make(content->str, content->len));
		image->n++;
		freeReplyObject(dump);
		freeReplyObject(content);
	}
	freeReplyObject(keys);
}

static void
image_put(const struct image *image)
{
	struct reader names = reader_of(buf_view(&image->names)), dumps = reader_of(buf_view(&image->dumps));

	freeReplyObject(ask1("FLUSHALL", NULL));
	while (reader_more(&names)) {
		struct slice name = reader_slice(&names), dump = reader_slice(&dumps);

		freeReplyObject(ask(4, (const char *[]){ "RESTORE", name.p, "0", dump.p }, (const size_t[]){ 7, name.len, 1, dump.len }));
	}
}

static void
image_free(struct image *image)
{
	buf_free(&image->names);
	buf_free(&image->dumps);
	buf_free(&image->contents);
}

static bool
image_equal(const struct image *a, const struct image *b)
{
	return (slice_equal(buf_view(&a->names), buf_view(&b->names)) && slice_equal(buf_view(&a->contents), buf_view(&b->contents)));
}

/* ---- the line ---- */

static struct {
	struct evconnlistener *listener;
	struct bufferevent *end[2];	/* of rpvd, of Redis */
	int64_t left[2];		/* bytes until the cut; -1: never */
	uint64_t passed[2];
} line;

static void
line_close(void)
{
	for (int i = 0; i < 2; i++)
		if (line.end[i] != NULL)
			bufferevent_free(line.end[i]);
	line.end[0] = line.end[1] = NULL;
}

/* Written at once, since a bufferevent that is freed keeps back what it has not sent. */
static void
on_bytes(struct bufferevent *bev, void *arg)
{
	enum way way = *(enum way *)arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);
	bool cut = line.left[way] >= 0 && line.left[way] <= (int64_t)len;

	if (cut)
		len = (size_t)line.left[way];
	if (len > 0)
		ck_assert_int_eq((int)send(bufferevent_getfd(line.end[1 - way]), evbuffer_pullup(in, (ev_ssize_t)len), len, MSG_NOSIGNAL), (int)len);
	evbuffer_drain(in, len);
	line.passed[way] += len;
	if (line.left[way] >= 0)
		line.left[way] -= (int64_t)len;
	if (cut)
		line_close();
}

static void
on_end(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	(void)arg;
	line_close();
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
	static enum way ways[2] = { UP, DOWN };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)l;
	(void)from;
	(void)len;
	(void)arg;
	line_close();
	strcpy(a.sun_path, server_path);
	ck_assert_int_eq(connect(to, (struct sockaddr *)&a, sizeof(a)), 0);
	evutil_make_socket_nonblocking(to);
	for (int i = 0; i < 2; i++) {
		line.end[i] = bufferevent_socket_new(base, i == 0 ? fd : to, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_setcb(line.end[i], on_bytes, NULL, on_end, &ways[i]);
		bufferevent_enable(line.end[i], EV_READ);
	}
}

static void
line_open(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, line_path);
	line.listener = evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 16, (struct sockaddr *)&a, sizeof(a));
	ck_assert_ptr_nonnull(line.listener);
}

/* ---- one writer ---- */

struct writer {
	struct redis *redis;
	struct store *store;
	struct engine *engine;
	struct world *world;
	const struct changes *changes;	/* NULL: only a load */
	struct slice positions;		/* of the changes */
	bool loaded, committed, over;
	uint64_t at_commit[2];		/* bytes that had passed when it began */
	char found[16];			/* the positions that the load found */
	char why[512];
};

static void
writer_result(struct writer *w, enum store_result result, const char *message)
{
	ck_assert_msg(result == STORE_OK || result == STORE_DOWN, "%d: %s", (int)result, message);
	w->over |= result != STORE_OK;
}

static void
on_committed(enum store_result result, const char *message, void *arg)
{
	struct writer *w = arg;

	writer_result(w, result, message);
	w->committed = result == STORE_OK;
	w->over = true;
}

static void
on_loaded(enum store_result result, const char *message, void *arg)
{
	struct writer *w = arg;
	struct slice found = store_positions(w->store);

	writer_result(w, result, message);
	if (result != STORE_OK)
		return;
	w->loaded = true;
	snprintf(w->found, sizeof(w->found), "%.*s", SLICE_FMT(found));
	if (w->changes == NULL) {
		w->over = true;
		return;
	}
	w->at_commit[UP] = line.passed[UP];
	w->at_commit[DOWN] = line.passed[DOWN];
	store_commit(w->store, w->changes, w->positions, on_committed, w);
}

static void
on_up(void *arg)
{
	struct writer *w = arg;

	store_load(w->store, w->engine, on_loaded, w);
}

static void
on_down(void *arg, const char *why)
{
	struct writer *w = arg;

	snprintf(w->why, sizeof(w->why), "%s", why);
	w->over = true;
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ck_abort_msg("nothing happens: %s", ((struct writer *)arg)->why);
}

/* Loads, commits, ends. */
static void
writer_run(struct writer *w, const char *path)
{
	const struct redis_calls calls = { on_up, on_down };
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct event *late = evtimer_new(base, on_late, w);
	char url[128];
	struct err err;

	snprintf(url, sizeof(url), "unix:%s", path);
	w->redis = redis_new(base, &(struct redis_conf){ .url = url }, &calls, w, &err);
	ck_assert_msg(w->redis != NULL, "%s", err.msg);
	w->store = store_new(w->redis, &(struct store_conf){ .site = "shop", .owner = "test", .keys = "k" });
	w->engine = engine_new(&w->world->rules, &w->world->ring, false);
	event_add(late, &patience);
	redis_connect(w->redis);
	while (!w->over)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(late);
	redis_free(&w->redis);
	store_free(&w->store);
	engine_free(&w->engine);
	line_close();
}

/* ---- two commits ---- */

static struct world *world;
static struct changes changes[2];
static struct image images[2];		/* after each */

static void
take_hit(int64_t minute, const char *visitor, const char *target)
{
	struct input in = { .kind = INPUT_HIT, .ms = WORLD_DAY + minute * 60000 };

	in.hit = (struct hit){ .time_ms = in.ms, .status = 200, .addr = SLICE("192.0.2.1"), .agent = SLICE("Firefox/140"), .method = SLICE("GET"),
	    .target = slice_of(target) };
	in.hit.cookies[0] = slice_of(visitor);
	world_take(world, &in);
}

static void
make_changes(void)
{
	static const struct level hour = { "1h", 600000, 6 };

	world = world_new(false);
	world->rules.levels = &hour;		/* a small state: it is loaded thousands of times */
	world->rules.n_levels = 1;
	engine_free(&world->engine);
	world->engine = engine_new(&world->rules, &world->ring, false);
	take_hit(0, "a", "/lamp?utm_source=news&utm_medium=email");
	engine_changes(world->engine, &changes[0]);
	take_hit(40, "b", "/desk");		/* and the visit of a is over */
	engine_changes(world->engine, &changes[1]);
	ck_assert_uint_gt(changes[0].count, 10);
	ck_assert_uint_gt(changes[1].count, 10);
}

static struct writer
run(int which, const char *path)
{
	struct writer w = { .world = world };

	if (which >= 0) {
		w.changes = &changes[which];
		w.positions = which == 0 ? SLICE("first") : SLICE("second");
	}
	writer_run(&w, path);
	return (w);
}

static void
setup(void)
{
	base = event_base_new();
	server_start();
	line_open();
	make_changes();
	for (int i = 0; i < 2; i++) {
		struct writer w = run(i, server_path);

		ck_assert_msg(w.committed, "%s", w.why);
		ck_assert_str_eq(w.found, i == 0 ? "" : "first");
		image_take(&images[i]);
	}
	ck_assert(!image_equal(&images[0], &images[1]));
	ck_assert_uint_gt(images[1].n, 4);
}

static void
teardown(void)
{
	evconnlistener_free(line.listener);
	for (int i = 0; i < 2; i++) {
		image_free(&images[i]);
		changes_free(&changes[i]);
	}
	world_free(&world);
	event_base_free(base);
	server_stop();
}

/* Redis holds one of the two images, and the positions that belong to it; false: the first. */
static bool
was_applied(enum way way, int64_t cut)
{
	struct image now;
	bool applied;

	image_take(&now);
	applied = image_equal(&now, &images[1]);
	ck_assert_msg(applied || image_equal(&now, &images[0]), "cut %s after %lld bytes: neither the state before nor the one after",
	    way == UP ? "to Redis" : "from Redis", (long long)cut);
	image_free(&now);
	return (applied);
}

/* The second commit, cut after so many bytes; true where it came to its end before that. */
static bool
cut_once(enum way way, int64_t cut, int *lost_replies)
{
	struct writer w, again;
	bool applied;

	image_put(&images[0]);
	line.left[UP] = line.left[DOWN] = -1;
	line.left[way] = cut;
	w = run(1, line_path);
	applied = was_applied(way, cut);
	ck_assert_msg(applied || !w.committed, "said to be committed, and is not: cut %d after %lld", (int)way, (long long)cut);
	*lost_replies += applied && !w.committed;
	again = run(-1, server_path);
	ck_assert_str_eq(again.found, applied ? "second" : "first");
	if (!applied)
		ck_assert(run(1, server_path).committed);
	ck_assert_msg(was_applied(way, cut), "sent again after a cut %d after %lld bytes", (int)way, (long long)cut);
	return (w.committed);
}

/* How many bytes pass, and how many of them before the commit. */
static struct writer
measure(void)
{
	image_put(&images[0]);
	line.left[UP] = line.left[DOWN] = -1;
	line.passed[UP] = line.passed[DOWN] = 0;
	return (run(1, line_path));
}

/* Replies in one piece or in more, and the age of what INFO tells, make a few bytes of difference. */
#define SLACK 64

START_TEST(cut_after_every_byte)
{
	const char *stride_text = getenv("RPVD_STRIDE");
	int64_t stride = stride_text != NULL ? atoi(stride_text) : STRIDE;
	struct random random = random_seeded("cut_after_every_byte");
	enum way way = (enum way)_i;
	struct writer w = measure();
	int64_t before = (int64_t)w.at_commit[way] - SLACK, end = (int64_t)line.passed[way];
	int lost_replies = 0, tried = 0;

	ck_assert(w.committed && before > 0 && before < end);
	for (int64_t cut = 1 + (int64_t)random_below(&random, (uint64_t)stride); cut < before; cut += stride, tried++)
		ck_assert(!cut_once(way, cut, &lost_replies));
	for (int64_t cut = before; cut <= end + SLACK; cut++, tried++)
		cut_once(way, cut, &lost_replies);
	/* Of the way back: there are bytes whose loss leaves the commit applied and unanswered. */
	ck_assert_msg(way == UP || lost_replies > 10, "no reply was lost: the test proves nothing");
	printf("cut %s: %d places in %lld bytes, %d replies lost\n", way == UP ? "on the way to Redis" : "on the way back", tried,
	    (long long)end, lost_replies);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("line");
	SRunner *sr;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	if (system("redis-server --version >/dev/null 2>&1") != 0) {
		printf("no redis-server here\n");
		return (77);
	}
	tcase_set_timeout(tc, 3600);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, cut_after_every_byte, UP, DOWN + 1);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
