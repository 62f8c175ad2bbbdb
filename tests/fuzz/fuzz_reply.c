/*
 * Fuzzer: replies of something that is no Redis, or of one that holds what we did not write.
 *
 * The bytes come from a socket as a server's would.  The first says how many good answers precede
 * them, so that they meet the log-in, the taking of the lease, or the loading of the state;
 * a state that loads is asked for more, and committed.  Whatever comes: a refusal or a lost
 * connection, and nothing else.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../engine_world.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/redis.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define ROUNDS 200

struct run {
	struct redis *redis;
	struct store *store;
	struct engine *engine;
	struct world *world;
	struct changes changes;
	bool up, answered;
};

static char path[108];
static int listener = -1;

static void
tidy_up(void)
{
	unlink(path);
}

static void
listen_once(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (listener >= 0)
		return;
	log_init(LOG_LEVEL_ERROR);
	snprintf(path, sizeof(path), "/tmp/rpvd-fuzz-reply-%ld.sock", (long)getpid());
	unlink(path);
	atexit(tidy_up);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(listener >= 0 && bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(listener, 8) == 0);
}

static void
on_any(enum store_result result, const char *message, void *arg)
{
	struct run *run = arg;

	must(result != STORE_OK || message != NULL);
	run->answered = true;
}

static void
on_request(struct slice value, void *arg)
{
	struct forget f = { 0 };

	(void)arg;
	if (forget_decode(value, &f) == 0)
		forget_clear(&f);
}

static void
on_loaded(enum store_result result, const char *message, void *arg)
{
	struct run *run = arg;

	(void)message;
	run->answered = true;
	if (result != STORE_OK)
		return;
	run->answered = false;
	store_requests(run->store, on_request, run);
	engine_changes(run->engine, &run->changes);
	store_commit(run->store, &run->changes, SLICE("positions"), on_any, run);
}

static void
on_up(void *arg)
{
	struct run *run = arg;

	if (run->up)
		return;
	run->up = true;
	store_load(run->store, run->engine, on_loaded, run);
}

static void
on_down(void *arg, const char *why)
{
	struct run *run = arg;

	must(strlen(why) > 0);
	run->answered = true;
}

static void
answer(int fd, const uint8_t *p, size_t len)
{
	static const char acquired[] = "*6\r\n$2\r\nOK\r\n$1\r\n5\r\n$1\r\n3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n";
	bool ok = true;

	for (unsigned i = p[0] & 63; i > 0; i--)
		ok &= write(fd, "+OK\r\n", 5) == 5;
	if ((p[0] & 64) != 0)
		ok &= write(fd, acquired, sizeof(acquired) - 1) > 0;
	if (len > 1)
		ok &= write(fd, p + 1, len - 1) > 0;
	(void)ok;				/* it may have hung up */
	shutdown(fd, SHUT_WR);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct redis_calls calls = { on_up, on_down };
	char url[128];
	struct event_base *base;
	struct run run = { .up = false };
	struct redis_conf conf = { .url = url };
	struct err err;
	int fd = -1;

	if (len == 0 || len > 60000)
		return (0);
	listen_once();
	snprintf(url, sizeof(url), "unix:%s", path);
	base = event_base_new();
	run.world = world_new(false);
	run.engine = engine_new(&run.world->rules, &run.world->ring, false);
	run.redis = redis_new(base, &conf, &calls, &run, &err);
	must(run.redis != NULL);
	run.store = store_new(run.redis, &(struct store_conf){ .site = "shop", .owner = "fuzzer", .keys = "0011223344556677", .allow_eviction = true });
	redis_connect(run.redis);
	for (int i = 0; i < ROUNDS && !run.answered; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (fd < 0 && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
			answer(fd, p, len);
	}
	redis_free(&run.redis);
	store_free(&run.store);
	engine_free(&run.engine);
	world_free(&run.world);
	changes_free(&run.changes);
	event_base_free(base);
	if (fd >= 0)
		close(fd);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
	return (0);
}
