/*
 * Tests of store/redis: the connection, against a real redis-server where there is one,
 * and against a stand-in that says what a test wants; its URLs and sentences as tables.
 *
 * Every server lives in a directory of its own, is stopped by its process id, and dies
 * with the test in any case.
 */
#include "store/redis.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/redis_info.h"
#include "store/redis_url.h"
#include "store/redis_why.h"

#define SECRET "s3cret/p@ss:%"
#define PATIENCE_MS 15000		/* how long a test waits for what must come */

static char dir[64], sock_path[96], unix_url[112];
static struct event_base *base;

/* ---- what the connection told ---- */

struct seen {
	struct redis *redis;
	int ups, downs;
	char why[512];
};

static void
on_up(void *arg)
{
	struct seen *seen = arg;

	seen->ups++;
}

static void
on_down(void *arg, const char *why)
{
	struct seen *seen = arg;

	seen->downs++;
	snprintf(seen->why, sizeof(seen->why), "%s", why);
	ck_assert_msg(strstr(why, "s3cret") == NULL, "the password is in: %s", why);
}

static const struct redis_calls calls = { on_up, on_down };

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Runs the loop until *count reaches `want`; false when it did not in ms. */
static bool
run_until(const int *count, int want, int64_t ms)
{
	const struct timeval tick = { .tv_usec = 10000 };
	struct event *timer = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	int64_t end = now_ms() + ms;

	event_add(timer, &tick);
	while (*count < want && now_ms() < end)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
	return (*count >= want);
}

static void
run_for(int64_t ms)
{
	const int never = 0;

	run_until(&never, 1, ms);
}

static void
begin_conf(struct seen *seen, struct redis_conf conf)
{
	struct err err;

	if (conf.connect_ms == 0)
		conf.connect_ms = 1000;
	if (conf.reply_ms == 0)
		conf.reply_ms = 300;
	*seen = (struct seen){ 0 };
	seen->redis = redis_new(base, &conf, &calls, seen, &err);
	ck_assert_msg(seen->redis != NULL, "%s: %s", conf.url, err.msg);
	redis_connect(seen->redis);
	ck_assert_msg(seen->ups + seen->downs == 0, "no callback comes out of redis_connect()");
}

static void
begin(struct seen *seen, const char *url, const char *password_file)
{
	begin_conf(seen, (struct redis_conf){ .url = url, .password_file = password_file });
}

static void
begin_up(struct seen *seen, const char *url)
{
	begin(seen, url, NULL);
	ck_assert_msg(run_until(&seen->ups, 1, PATIENCE_MS), "not up: %s", seen->why);
	ck_assert(redis_is_up(seen->redis));
}

/* ---- a real server ---- */

static bool
connects(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc;

	strcpy(a.sun_path, sock_path);
	rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	return (rc == 0);
}

/* Returns when it accepts connections.  more: further arguments, to the first NULL. */
static pid_t
server_start_with(const char *port, const char *const *more)
{
	char log[112];
	const char *argv[40] = { "redis-server", "--port", port, "--bind", "127.0.0.1", "--unixsocket", sock_path, "--dir", dir,
	    "--logfile", log, "--save", "", "--appendonly", "no" };
	size_t argc = 15;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0) {
		for (int64_t end = now_ms() + PATIENCE_MS; !connects(); usleep(5000))
			ck_assert_msg(now_ms() < end, "redis-server does not start");
		return (pid);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(log, sizeof(log), "%s/redis.log", dir);
	for (size_t i = 0; more[i] != NULL && argc < N_ELEM(argv) - 1; i++)
		argv[argc++] = more[i];
	execvp("redis-server", (char *const *)argv);
	_exit(127);
}

static pid_t
server_start(const char *port)
{
	return (server_start_with(port, (const char *[]){ NULL }));
}

static void
server_stop(pid_t pid, int sig)
{
	int status;

	kill(pid, sig);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

static bool
have_server(void)
{
	return (system("redis-server --version >/dev/null 2>&1") == 0);
}

/* Of the server, and a program that makes certificates. */
static bool
have_tls(void)
{
	return (system("openssl version >/dev/null 2>&1 && redis-server --tls-port 0 --tls-replication bad - </dev/null 2>&1 |"
	    " grep -q \"argument must be 'yes' or 'no'\"") == 0);
}

/* A port of the loopback that was free a moment ago. */
static int
free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return (ntohs(a.sin_port));
}

static void
setup(void)
{
	strcpy(dir, "/tmp/rpvd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	snprintf(sock_path, sizeof(sock_path), "%s/redis.sock", dir);
	snprintf(unix_url, sizeof(unix_url), "unix:%s", sock_path);
	base = event_base_new();
}

static void
teardown(void)
{
	char command[96];

	event_base_free(base);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

/* ---- replies ---- */

struct count {
	struct redis *redis;
	int replies, nulls, errors, expect;
	struct slice bytes;
};

static void
on_reply(redisReply *reply, void *arg)
{
	struct count *c = arg;

	c->replies++;
	c->nulls += reply == NULL;
	c->errors += reply != NULL && reply->type == REDIS_REPLY_ERROR;
}

static void
on_counter(redisReply *reply, void *arg)
{
	struct count *c = arg;

	on_reply(reply, arg);
	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(reply->type, REDIS_REPLY_INTEGER);
	ck_assert_int_eq((int)reply->integer, ++c->expect);
}

static void
on_bytes(redisReply *reply, void *arg)
{
	struct count *c = arg;

	on_reply(reply, arg);
	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(reply->type, REDIS_REPLY_STRING);
	ck_assert(slice_equal(slice_make(reply->str, reply->len), c->bytes));
}

static bool
send1(struct redis *r, redis_reply_fn *fn, void *arg, const char *a)
{
	return (redis_command(r, fn, arg, 1, (struct slice[]){ slice_of(a) }));
}

static bool
send2(struct redis *r, redis_reply_fn *fn, void *arg, const char *a, const char *b)
{
	return (redis_command(r, fn, arg, 2, (struct slice[]){ slice_of(a), slice_of(b) }));
}

static bool
send_set(struct redis *r, struct slice value)
{
	return (redis_command(r, NULL, NULL, 3, (struct slice[]){ SLICE("SET"), SLICE("k"), value }));
}

/* ---- with a real server ---- */

static const struct { const char *why; size_t size; } sizes[] = {
	{ "empty", 0 },
	{ "binary with NUL, CR and LF", 300 },
	{ "longer than one read", 100000 },
	{ "much longer than all buffers", 40 << 20 },
};

START_TEST(round_trip)
{
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { .bytes = { NULL, sizes[_i].size } };
	char *bytes = mem_alloc(sizes[_i].size + 1);

	for (size_t i = 0; i < sizes[_i].size; i++)
		bytes[i] = (char)(i * 7);
	c.bytes.p = bytes;
	begin_up(&seen, unix_url);
	ck_assert(send_set(seen.redis, c.bytes));
	ck_assert(redis_backlog(seen.redis) >= sizes[_i].size);
	ck_assert(send2(seen.redis, on_bytes, &c, "GET", "k"));
	ck_assert_msg(run_until(&c.replies, 1, PATIENCE_MS), "%s", sizes[_i].why);
	ck_assert_uint_eq(redis_backlog(seen.redis), 0);
	ck_assert_int_eq(seen.downs, 0);
	redis_free(&seen.redis);
	ck_assert_ptr_null(seen.redis);
	free(bytes);
	server_stop(pid, SIGTERM);
}
END_TEST

START_TEST(pipeline_of_100000)
{
	pid_t pid = server_start("0");
	struct count c = { 0 };
	struct seen seen;
	int64_t start;

	begin_up(&seen, unix_url);
	start = now_ms();
	for (int i = 0; i < 100000; i++)
		ck_assert(send2(seen.redis, on_counter, &c, "INCR", "n"));
	ck_assert(run_until(&c.replies, 100000, PATIENCE_MS));
	ck_assert_int_eq(c.replies, 100000);
	ck_assert_msg(now_ms() - start < 10000, "took %d ms", (int)(now_ms() - start));
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

/* 64 MB queued at once; time that grew with the square would be minutes. */
START_TEST(long_backlog)
{
	pid_t pid = server_start("0");
	struct count c = { 0 };
	char *bytes = mem_calloc(1, 16000);
	struct seen seen;

	begin_up(&seen, unix_url);
	for (int i = 0; i < 4000; i++)
		ck_assert(send_set(seen.redis, slice_make(bytes, 16000)));
	ck_assert(redis_backlog(seen.redis) > 60000000);
	ck_assert(send1(seen.redis, on_reply, &c, "PING"));
	ck_assert(run_until(&c.replies, 1, PATIENCE_MS));
	ck_assert_int_eq(c.nulls + seen.downs, 0);
	redis_free(&seen.redis);
	free(bytes);
	server_stop(pid, SIGTERM);
}
END_TEST

static void
on_chain(redisReply *reply, void *arg)
{
	struct count *c = arg;

	on_reply(reply, arg);
	if (c->replies < 50)
		ck_assert(send1(c->redis, on_chain, c, "PING"));
}

START_TEST(callback_sends_more)
{
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { 0 };

	begin_up(&seen, unix_url);
	c.redis = seen.redis;
	ck_assert(send1(seen.redis, on_chain, &c, "PING"));
	ck_assert(run_until(&c.replies, 50, PATIENCE_MS));
	ck_assert_int_eq(c.nulls, 0);
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

static void
on_reply_reset(redisReply *reply, void *arg)
{
	struct count *c = arg;

	on_reply(reply, arg);
	redis_reset(c->redis, "state unknown");
	ck_assert(!redis_is_up(c->redis));
	ck_assert_msg(!send1(c->redis, on_reply, c, "PING"), "no command may join a lost connection");
}

START_TEST(callback_resets)
{
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { 0 };

	begin_up(&seen, unix_url);
	c.redis = seen.redis;
	ck_assert(send1(seen.redis, on_reply_reset, &c, "PING"));
	for (int i = 0; i < 100; i++)
		ck_assert(send1(seen.redis, on_reply, &c, "PING"));
	ck_assert(run_until(&seen.ups, 2, PATIENCE_MS));
	ck_assert_int_eq(c.replies, 101);
	ck_assert_int_eq(c.nulls, 100);
	ck_assert_int_eq(seen.downs, 1);
	ck_assert_str_eq(seen.why, "state unknown");
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

/* A free with commands on their way still calls each callback. */
START_TEST(free_while_outstanding)
{
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { 0 };

	begin_up(&seen, unix_url);
	for (int i = 0; i < 10; i++)
		ck_assert(send1(seen.redis, on_reply, &c, "PING"));
	redis_free(&seen.redis);
	ck_assert_int_eq(c.nulls, 10);
	ck_assert_int_eq(seen.downs, 0);
	server_stop(pid, SIGTERM);
}
END_TEST

static struct event *writer;

static void
on_write_tick(evutil_socket_t fd, short what, void *arg)
{
	struct count *c = arg;

	(void)fd;
	(void)what;
	c->expect += send2(c->redis, on_reply, c, "INCR", "n");
}

/* A client that goes on writing must notice as soon as one that waits. */
START_TEST(stopped_server)
{
	const struct timeval tick = { .tv_usec = 5000 };
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { 0 };
	int64_t start, took;

	begin_up(&seen, unix_url);
	c.redis = seen.redis;
	writer = event_new(base, -1, EV_PERSIST, on_write_tick, &c);
	event_add(writer, &tick);
	run_for(450);			/* longer than the deadline: busy is not stopped */
	ck_assert_int_eq(seen.downs, 0);
	kill(pid, SIGSTOP);
	start = now_ms();
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	took = now_ms() - start;
	ck_assert_msg(took >= 250 && took < 2000, "noticed after %d ms", (int)took);
	ck_assert_ptr_nonnull(strstr(seen.why, "timed out"));
	ck_assert_int_eq(c.replies, c.expect);
	ck_assert_int_gt(c.nulls, 10);
	kill(pid, SIGCONT);
	ck_assert(run_until(&seen.ups, 2, PATIENCE_MS));
	event_free(writer);
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

/* The same where the kernel's buffers are full and the oldest command is half out. */
START_TEST(stopped_server_big_command)
{
	pid_t pid = server_start("0");
	struct count c = { 0 };
	char *bytes = mem_calloc(1, 4 << 20);
	struct seen seen;
	int64_t start;

	begin_up(&seen, unix_url);
	kill(pid, SIGSTOP);
	start = now_ms();
	ck_assert(redis_command(seen.redis, on_reply, &c, 2, (struct slice[]){ SLICE("ECHO"), { bytes, 4 << 20 } }));
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(now_ms() - start < 2000, "noticed after %d ms", (int)(now_ms() - start));
	ck_assert_int_eq(c.nulls, 1);
	redis_free(&seen.redis);
	free(bytes);
	server_stop(pid, SIGKILL);
}
END_TEST

/* One command that takes longer than the deadline is one thing; many that take long only
 * together are another: that Redis is slow, not stopped. */
START_TEST(slow_is_not_stopped)
{
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { 0 };

	begin_up(&seen, unix_url);
	for (int i = 0; i < 5; i++)
		ck_assert(redis_command(seen.redis, on_reply, &c, 3,
		    (struct slice[]){ SLICE("DEBUG"), SLICE("SLEEP"), SLICE("0.1") }));
	ck_assert(run_until(&c.replies, 5, PATIENCE_MS));
	ck_assert_int_eq(c.nulls + seen.downs, 0);
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

START_TEST(killed_and_restarted)
{
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { 0 };

	begin_up(&seen, unix_url);
	kill(pid, SIGSTOP);		/* so that all of them are outstanding */
	for (int i = 0; i < 1000; i++)
		ck_assert(send1(seen.redis, on_reply, &c, "PING"));
	run_for(50);
	server_stop(pid, SIGKILL);
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_int_eq(c.replies, 1000);
	ck_assert_int_eq(c.nulls, 1000);
	ck_assert_msg(strstr(seen.why, "stopped or restarted") != NULL, "%s", seen.why);
	ck_assert(run_until(&seen.downs, 2, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "nothing listens on the socket") != NULL, "%s", seen.why);
	unlink(sock_path);
	ck_assert(run_until(&seen.downs, 3, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "there is no socket") != NULL, "%s", seen.why);
	pid = server_start("0");
	ck_assert(run_until(&seen.ups, 2, PATIENCE_MS));
	ck_assert(send1(seen.redis, on_reply, &c, "PING"));
	ck_assert(run_until(&c.replies, 1001, PATIENCE_MS));
	ck_assert_int_eq(c.nulls, 1000);
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

START_TEST(server_comes_later)
{
	struct seen seen;
	pid_t pid;

	begin(&seen, unix_url, NULL);
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "there is no socket") != NULL, "%s", seen.why);
	run_for(700);			/* several attempts */
	ck_assert_msg(seen.downs == 1, "the same reason is told once, not %d times", seen.downs);
	pid = server_start("0");
	ck_assert(run_until(&seen.ups, 1, PATIENCE_MS));
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

START_TEST(no_permission)
{
	pid_t pid = server_start("0");
	struct seen seen;

	begin_up(&seen, unix_url);
	redis_free(&seen.redis);
	ck_assert_int_eq(chmod(sock_path, 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	begin(&seen, unix_url, NULL);
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "no permission to use the socket") != NULL, "%s", seen.why);
	redis_free(&seen.redis);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	server_stop(pid, SIGTERM);
}
END_TEST

/* PORT is put in; why is NULL where the connection comes up. */
static const struct { const char *name, *url, *password, *why; } logins[] = {
	{ "password of the default user, escaped", "redis://:s3cret%2Fp%40ss%3A%25@127.0.0.1:PORT", NULL, NULL },
	{ "the same, from a file", "redis://127.0.0.1:PORT", SECRET "\n", NULL },
	{ "the host by name", "redis://localhost:PORT/0", SECRET, NULL },
	{ "an ACL user", "redis://shop:s3cret-2@127.0.0.1:PORT/3", NULL, NULL },
	{ "an ACL user, password from a file", "redis://shop@127.0.0.1:PORT", "s3cret-2\r\nsecond line", NULL },
	{ "a user that may not CLIENT SETNAME nor PING", "redis://mute:s3cret-3@127.0.0.1:PORT", NULL, NULL },
	{ "wrong password", "redis://:s3cret@127.0.0.1:PORT", NULL, "refused the user or password" },
	{ "wrong user", "redis://s3cret-nobody:s3cret@127.0.0.1:PORT", NULL, "refused the user or password" },
	{ "no password", "redis://127.0.0.1:PORT", NULL, "wants a password and none is configured" },
	{ "a user that may not SELECT", "redis://mute:s3cret-3@127.0.0.1:PORT/1", NULL, "ACL SETUSER mute +select" },
	{ "a database that is not there", "redis://shop:s3cret-2@127.0.0.1:PORT/16", NULL, "Redis has no database 16" },
};

static void
set_acl(int port)
{
	static const char *const commands[] = {
		"ACL SETUSER shop on >s3cret-2 ~* +@all",
		"ACL SETUSER mute on >s3cret-3 ~* +get",
		("CONFIG SET requirepass " SECRET),
	};
	redisContext *c = redisConnect("127.0.0.1", port);

	ck_assert(c != NULL && c->err == 0);
	for (size_t i = 0; i < N_ELEM(commands); i++) {
		char text[128], *argv[8], *rest = text;
		int argc = 0;
		redisReply *reply;

		snprintf(text, sizeof(text), "%s", commands[i]);
		while (argc < 8 && (argv[argc] = strsep(&rest, " ")) != NULL)
			argc++;
		reply = redisCommandArgv(c, argc, (const char **)argv, NULL);
		ck_assert_msg(reply != NULL && reply->type == REDIS_REPLY_STATUS, "%s", commands[i]);
		freeReplyObject(reply);
	}
	redisFree(c);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(login)
{
	const char *at = strstr(logins[_i].url, "PORT");
	char url[160], number[8], file[96];
	int port = free_port();
	struct seen seen;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", port);
	snprintf(url, sizeof(url), "%.*s%d%s", (int)(at - logins[_i].url), logins[_i].url, port, at + 4);
	snprintf(file, sizeof(file), "%s/password", dir);
	pid = server_start(number);
	set_acl(port);
	if (logins[_i].password != NULL)
		write_file(file, logins[_i].password);
	begin(&seen, url, logins[_i].password != NULL ? file : NULL);
	ck_assert_ptr_null(strstr(redis_name(seen.redis), "s3cret"));
	if (logins[_i].why == NULL)
		ck_assert_msg(run_until(&seen.ups, 1, PATIENCE_MS), "%s: %s", logins[_i].name, seen.why);
	else {
		ck_assert_msg(run_until(&seen.downs, 1, PATIENCE_MS), "%s: nothing told", logins[_i].name);
		ck_assert_msg(strstr(seen.why, logins[_i].why) != NULL, "%s: %s", logins[_i].name, seen.why);
		ck_assert_int_eq(seen.ups, 0);
	}
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

static void
on_listed(redisReply *reply, void *arg)
{
	on_reply(reply, arg);
	ck_assert_ptr_nonnull(reply);
	ck_assert_msg(strstr(reply->str, "name=rpvd ") != NULL && strstr(reply->str, " db=3 ") != NULL, "%s", reply->str);
}

START_TEST(database_and_name)
{
	pid_t pid = server_start("0");
	struct seen seen;
	struct count c = { 0 };
	char url[128];

	snprintf(url, sizeof(url), "%s?db=3", unix_url);
	begin_up(&seen, url);
	ck_assert_str_eq(redis_name(seen.redis), url);
	ck_assert(send2(seen.redis, on_listed, &c, "CLIENT", "LIST"));
	ck_assert(run_until(&c.replies, 1, PATIENCE_MS));
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

START_TEST(password_not_wanted)
{
	pid_t pid = server_start("0");
	struct seen seen;
	char file[96];

	snprintf(file, sizeof(file), "%s/password", dir);
	write_file(file, SECRET);
	begin(&seen, unix_url, file);
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "none in Redis") != NULL, "%s", seen.why);
	unlink(file);
	ck_assert(run_until(&seen.downs, seen.downs + 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "cannot read the Redis password") != NULL, "%s", seen.why);
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

/* ---- TLS ---- */

/* Each certificate with its key in one file: of a CA of ours, or of another's. */
static const char make_certificates[] =
    "cd '%s'\n"
    "ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.pem -subj /CN=$1 -days 2; }\n"
    "sign() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -subj /CN=$1 -out $1.csr &&\n"
    "  echo \"subjectAltName=$4\" >$1.ext && openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial"
    "    -days $3 -extfile $1.ext -out $1.pem && cat $1.key >>$1.pem; }\n"
    "{ ca ours && ca theirs && sign good ours 2 DNS:localhost,IP:127.0.0.1 && sign name ours 2 DNS:localhost &&\n"
    "  sign other ours 2 DNS:elsewhere.example,IP:192.0.2.1 && sign expired ours -1 DNS:localhost &&\n"
    "  sign stranger theirs 2 DNS:localhost; } >certificates.log 2>&1 || { cat certificates.log; exit 1; }\n";

static char in_dir_text[8][112];

static char *
in_dir(size_t i, const char *name)
{
	snprintf(in_dir_text[i], sizeof(in_dir_text[i]), "%s/%s", dir, name);
	return (in_dir_text[i]);
}

static void
setup_tls(void)
{
	char command[2000];

	setup();
	ck_assert_int_lt(snprintf(command, sizeof(command), make_certificates, dir), (int)sizeof(command));
	ck_assert_int_eq(system(command), 0);
}

/* want_client: tls-auth-clients. */
static pid_t
tls_start(int port, const char *certificate, const char *want_client)
{
	char number[8], pem[24];

	snprintf(number, sizeof(number), "%d", port);
	snprintf(pem, sizeof(pem), "%s.pem", certificate);
	return (server_start_with("0", (const char *[]){ "--tls-port", number, "--tls-cert-file", in_dir(0, pem), "--tls-key-file",
	    in_dir(1, pem), "--tls-ca-cert-file", in_dir(2, "ours.pem"), "--tls-auth-clients", want_client, NULL }));
}

/* why is NULL where the connection comes up; ca and client are files of the directory. */
static const struct { const char *name, *host, *certificate, *ca, *client, *want_client, *why; } tls_rows[] = {
	{ "all is right", "localhost", "good", "ours.pem", NULL, "no", NULL },
	{ "an address that the certificate has", "127.0.0.1", "good", "ours.pem", NULL, "no", NULL },
	{ "an address that it has not", "127.0.0.1", "name", "ours.pem", NULL, "no", "is for another name" },
	{ "another name", "localhost", "other", "ours.pem", NULL, "no", "is for another name" },
	{ "expired", "localhost", "expired", "ours.pem", NULL, "no", "has expired: renew it" },
	{ "of another CA", "localhost", "stranger", "ours.pem", NULL, "no", "not signed by an authority in" },
	{ "no CA named, and the system knows none", "localhost", "good", NULL, NULL, "no", "name the certificate of its CA by ca" },
	{ "clients need a certificate and have it", "localhost", "good", "ours.pem", "name.pem", "yes", NULL },
	{ "clients need a certificate", "localhost", "good", "ours.pem", NULL, "yes", "Redis wants a certificate of this client" },
	{ "and that of another CA will not do", "localhost", "good", "ours.pem", "stranger.pem", "yes",
	    "Redis does not accept the certificate" },
};

static struct redis_conf
tls_conf(const char *url, const char *ca, const char *client)
{
	return ((struct redis_conf){ .url = url, .tls = { ca != NULL ? in_dir(3, ca) : NULL,
	    client != NULL ? in_dir(4, client) : NULL, NULL } });
}

/* Whether anybody has tried to authenticate: with a wrong certificate nobody may. */
static bool
saw_password(void)
{
	redisContext *c = redisConnectUnix(sock_path);
	redisReply *reply;
	bool saw;

	ck_assert(c != NULL && c->err == 0);
	reply = redisCommand(c, "INFO commandstats");
	ck_assert(reply != NULL && reply->type == REDIS_REPLY_STRING);
	saw = strstr(reply->str, "cmdstat_auth") != NULL;
	freeReplyObject(reply);
	redisFree(c);
	return (saw);
}

START_TEST(tls)
{
	int port = free_port();
	pid_t pid = tls_start(port, tls_rows[_i].certificate, tls_rows[_i].want_client);
	struct count c = { 0 };
	struct seen seen;
	char url[80];

	snprintf(url, sizeof(url), "rediss://%s%s:%d/2", tls_rows[_i].why != NULL ? "shop:s3cret-2@" : "", tls_rows[_i].host, port);
	begin_conf(&seen, tls_conf(url, tls_rows[_i].ca, tls_rows[_i].client));
	if (tls_rows[_i].why == NULL) {
		ck_assert_msg(run_until(&seen.ups, 1, PATIENCE_MS), "%s: %s", tls_rows[_i].name, seen.why);
		ck_assert(send1(seen.redis, on_reply, &c, "PING"));
		ck_assert(run_until(&c.replies, 1, PATIENCE_MS));
		ck_assert_int_eq(c.nulls + c.errors + seen.downs, 0);
	} else {
		ck_assert_msg(run_until(&seen.downs, 1, PATIENCE_MS), "%s: nothing told", tls_rows[_i].name);
		ck_assert_msg(strstr(seen.why, tls_rows[_i].why) != NULL, "%s: %s", tls_rows[_i].name, seen.why);
		ck_assert_int_eq(seen.ups, 0);
		ck_assert_msg(!saw_password(), "%s: the password was sent", tls_rows[_i].name);
	}
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

/* Many small commands and a big one, both ways; then the server hangs, dies and comes back. */
START_TEST(tls_at_work)
{
	int port = free_port();
	pid_t pid = tls_start(port, "good", "no");
	size_t size = 20 << 20;
	struct count many = { 0 }, c = { .bytes = { mem_calloc(1, size), size } };
	struct seen seen;
	char url[64];

	snprintf(url, sizeof(url), "rediss://localhost:%d", port);
	begin_conf(&seen, tls_conf(url, "ours.pem", NULL));
	ck_assert_msg(run_until(&seen.ups, 1, PATIENCE_MS), "%s", seen.why);
	for (int i = 0; i < 10000; i++)
		ck_assert(send2(seen.redis, on_counter, &many, "INCR", "n"));
	ck_assert(send_set(seen.redis, c.bytes));
	ck_assert(send2(seen.redis, on_bytes, &c, "GET", "k"));
	ck_assert(run_until(&c.replies, 1, PATIENCE_MS));
	ck_assert_int_eq(many.replies, 10000);
	ck_assert_int_eq(seen.downs, 0);
	kill(pid, SIGSTOP);
	ck_assert(send1(seen.redis, on_reply, &c, "PING"));
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "timed out") != NULL, "%s", seen.why);
	ck_assert_int_eq(c.nulls, 1);
	kill(pid, SIGCONT);
	ck_assert(run_until(&seen.ups, 2, PATIENCE_MS));
	server_stop(pid, SIGKILL);
	ck_assert(run_until(&seen.downs, 2, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "stopped or restarted") != NULL, "%s", seen.why);
	unlink(sock_path);
	pid = tls_start(port, "good", "no");
	ck_assert(run_until(&seen.ups, 3, PATIENCE_MS));
	redis_free(&seen.redis);
	free((char *)c.bytes.p);
	server_stop(pid, SIGTERM);
}
END_TEST

/* The right server by the wrong protocol, both ways. */
START_TEST(tls_and_plain_confused)
{
	int port = free_port();
	char number[8], url[64];
	struct seen seen;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", port);
	snprintf(url, sizeof(url), "rediss://localhost:%d", port);
	pid = server_start(number);
	begin_conf(&seen, tls_conf(url, "ours.pem", NULL));
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "does not speak") != NULL, "%s", seen.why);
	redis_free(&seen.redis);
	server_stop(pid, SIGKILL);
	unlink(sock_path);
	snprintf(url, sizeof(url), "redis://localhost:%d", port);
	pid = tls_start(port, "good", "no");
	begin(&seen, url, NULL);
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "rediss://") != NULL, "%s", seen.why);
	redis_free(&seen.redis);
	server_stop(pid, SIGTERM);
}
END_TEST

static const struct { const char *name, *ca, *certificate, *key, *why; } tls_confs[] = {
	{ "a CA that is not there", "none.pem", NULL, NULL, "none.pem (ca of redis): No such file" },
	{ "a CA that is none", "good.key", NULL, NULL, "holds no certificate" },
	{ "a certificate that is none", "ours.pem", "good.key", NULL, "good.key (certificate of redis) holds no certificate" },
	{ "a key that is not there", "ours.pem", "good.pem", "none.key", "none.key (certificate_key of redis): No such file" },
	{ "another's key", "ours.pem", "good.pem", "name.key", "that belongs to the certificate" },
	{ "a key alone", "ours.pem", NULL, "good.key", "but no certificate" },
	{ "all right", "ours.pem", "good.pem", "good.key", NULL },
};

START_TEST(tls_conf_refused)
{
	struct redis_conf conf = { .url = "rediss://localhost", .tls = {
	    tls_confs[_i].ca != NULL ? in_dir(0, tls_confs[_i].ca) : NULL,
	    tls_confs[_i].certificate != NULL ? in_dir(1, tls_confs[_i].certificate) : NULL,
	    tls_confs[_i].key != NULL ? in_dir(2, tls_confs[_i].key) : NULL } };
	struct err err;

	ck_assert_int_eq(redis_check(&conf, &err), tls_confs[_i].why != NULL ? -1 : 0);
	if (tls_confs[_i].why == NULL)
		return;
	ck_assert_msg(strstr(err.msg, tls_confs[_i].why) != NULL, "%s: %s", tls_confs[_i].name, err.msg);
	conf.url = "redis://localhost";
	ck_assert_int_eq(redis_check(&conf, &err), -1);
	ck_assert_msg(strstr(err.msg, "does not begin with rediss://") != NULL, "%s", err.msg);
}
END_TEST

/* ---- with a stand-in ---- */

struct standin {
	const char *says;
	bool closes, drips;
	int accepted;
	struct event *drip;
	struct bufferevent *bev;
	size_t said;
};

static void
on_standin_end(struct bufferevent *bev, short what, void *arg)
{
	struct standin *s = arg;

	(void)what;
	if (s->drip != NULL)
		event_free(s->drip);
	s->drip = NULL;
	bufferevent_free(bev);
}

static void
on_drip(evutil_socket_t fd, short what, void *arg)
{
	struct standin *s = arg;

	(void)fd;
	(void)what;
	if (s->says[s->said] != '\0')
		bufferevent_write(s->bev, s->says + s->said++, 1);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
	const struct timeval tick = { .tv_usec = 500 };
	struct standin *s = arg;

	(void)listener;
	(void)from;
	(void)len;
	s->accepted++;
	if (s->closes) {
		ck_assert_int_eq((int)write(fd, s->says, strlen(s->says)), (int)strlen(s->says));
		close(fd);
		return;
	}
	s->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(s->bev, NULL, NULL, on_standin_end, s);
	bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	if (!s->drips) {
		bufferevent_write(s->bev, s->says, strlen(s->says));
		return;
	}
	s->drip = event_new(base, -1, EV_PERSIST, on_drip, s);
	event_add(s->drip, &tick);
}

static struct evconnlistener *
standin_listen(struct standin *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct evconnlistener *l;

	strcpy(a.sun_path, sock_path);
	l = evconnlistener_new_bind(base, on_accept, s, LEV_OPT_CLOSE_ON_FREE, 16, (struct sockaddr *)&a, sizeof(a));
	ck_assert_ptr_nonnull(l);
	return (l);
}

#define HELLO "+OK\r\n$19\r\nredis_version:7.0\r\n\r\n*2\r\n$4\r\nsave\r\n$0\r\n\r\n"	/* CLIENT, INFO, CONFIG */
static const struct { const char *name, *says; bool closes, drips; const char *why; } standins[] = {
	{ "a byte at a time", HELLO "+PONG\r\n", false, true, NULL },
	{ "a web server", "HTTP/1.1 400 Bad Request\r\n\r\n", false, false, "does not speak the Redis protocol" },
	{ "more replies than commands", HELLO "+PONG\r\n+OK\r\n", false, false, "a reply that nobody asked for" },
	{ "silent", "", false, false, "accepts the connection but does not answer (timed out)" },
	{ "loading", HELLO "-LOADING Redis is loading the dataset in memory\r\n", false, false, "loading its data from disk" },
	{ "too many clients, and closes before we write", "-ERR max number of clients reached\r\n", true, false, "maxclients" },
	{ "protected mode", "-DENIED Redis is running in protected mode\r\n", true, false, "protected mode" },
	{ "closes at once", "", true, false, "cut this client off" },
	{ "a replica without its primary", HELLO "-MASTERDOWN Link with MASTER is down\r\n", false, false, "lost its primary" },
	{ "a replica", "+OK\r\n$12\r\nrole:slave\r\n\r\n*0\r\n+PONG\r\n", false, false, "is a replica and takes no writes" },
	{ "no SETNAME in this Redis, and no INFO for us", "-ERR unknown command 'CLIENT'\r\n-NOPERM info\r\n-NOPERM config\r\n+PONG\r\n", false, false, NULL },
};

START_TEST(standin)
{
	struct standin s = { .says = standins[_i].says, .closes = standins[_i].closes, .drips = standins[_i].drips };
	struct evconnlistener *l = standin_listen(&s);
	struct seen seen;

	begin(&seen, unix_url, NULL);
	if (standins[_i].why == NULL)
		ck_assert_msg(run_until(&seen.ups, 1, PATIENCE_MS), "%s: %s", standins[_i].name, seen.why);
	else {
		ck_assert_msg(run_until(&seen.downs, 1, PATIENCE_MS), "%s", standins[_i].name);
		ck_assert_msg(strstr(seen.why, standins[_i].why) != NULL, "%s: %s", standins[_i].name, seen.why);
	}
	redis_free(&seen.redis);
	run_for(50);			/* the stand-in sees the end, and frees its side */
	evconnlistener_free(l);
}
END_TEST

/* 0.1 s, then doubling: neither a storm nor a standstill. */
START_TEST(back_off)
{
	struct standin s = { .says = "", .closes = true };
	struct evconnlistener *l = standin_listen(&s);
	struct seen seen;

	begin(&seen, unix_url, NULL);
	run_for(2000);
	/* At 0, after 0.1-0.15, 0.2-0.3, 0.4-0.6, 0.8-1.2 s. */
	ck_assert_msg(s.accepted >= 3 && s.accepted <= 5, "%d attempts in 2 s", s.accepted);
	ck_assert_int_eq(seen.downs, 1);
	redis_free(&seen.redis);
	evconnlistener_free(l);
}
END_TEST

START_TEST(unknown_host)
{
	struct seen seen;

	begin(&seen, "redis://:s3cret@no-such-host.invalid", NULL);
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "the host name no-such-host.invalid") != NULL, "%s", seen.why);
	redis_free(&seen.redis);
}
END_TEST

/* Given up in the middle of a look-up: the thread must find what it needs. */
START_TEST(freed_while_resolving)
{
	for (int i = 0; i < 20; i++) {
		struct seen seen;

		begin(&seen, "redis://localhost:1", NULL);
		event_base_loop(base, EVLOOP_ONCE);
		redis_free(&seen.redis);
	}
	run_for(100);
}
END_TEST

START_TEST(nobody_on_tcp)
{
	struct seen seen;
	char url[64];

	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", free_port());
	begin(&seen, url, NULL);
	ck_assert(run_until(&seen.downs, 1, PATIENCE_MS));
	ck_assert_msg(strstr(seen.why, "nothing listens on 127.0.0.1 port") != NULL, "%s", seen.why);
	ck_assert(!send1(seen.redis, on_reply, NULL, "PING"));
	redis_free(&seen.redis);
}
END_TEST

/* ---- a network that swallows ---- */

static int ticks;

static void
on_count(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	ticks++;
}

/* The loop must go on meanwhile. */
static void
expect_deadline(const char *url, const char *why, int64_t connect_ms, int64_t reply_ms)
{
	const struct timeval tick = { .tv_usec = 20000 };
	struct event *timer = event_new(base, -1, EV_PERSIST, on_count, NULL);
	int64_t start = now_ms();
	struct seen seen;

	ticks = 0;
	event_add(timer, &tick);
	begin_conf(&seen, (struct redis_conf){ .url = url, .connect_ms = connect_ms, .reply_ms = reply_ms });
	ck_assert_msg(run_until(&seen.downs, 1, PATIENCE_MS), "%s: nothing told", url);
	ck_assert_msg(strstr(seen.why, why) != NULL, "%s: %s", url, seen.why);
	ck_assert_msg(now_ms() - start >= 900 && now_ms() - start < 4000, "after %d ms", (int)(now_ms() - start));
	ck_assert_msg(ticks >= 10, "the loop stood still: %d ticks", ticks);
	redis_free(&seen.redis);
	event_free(timer);
}

/* Noticed by our own deadline, and by the kernel's (TCP_USER_TIMEOUT, which is that of replies). */
static const struct { int64_t connect_ms, reply_ms; } deadlines[] = { { 1000, 60000 }, { 60000, 300 } };

/* The queue of the listener is full: the kernel drops what comes, as a firewall does. */
START_TEST(dropped_syn)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), fill[8];
	socklen_t len = sizeof(a);
	char url[64];

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	for (size_t i = 0; i < N_ELEM(fill); i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&a, sizeof(a));
	}
	usleep(50000);
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", ntohs(a.sin_port));
	expect_deadline(url, "a firewall drops the packets", deadlines[_i].connect_ms, deadlines[_i].reply_ms);
	for (size_t i = 0; i < N_ELEM(fill); i++)
		close(fill[i]);
	close(fd);
}
END_TEST

/* In place of libc's: one name server never answers. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (node != NULL && strcmp(node, "slow.test") == 0) {
		sleep(5);
		return (EAI_AGAIN);
	}
	if (real == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");

		memcpy(&real, &symbol, sizeof(real));
	}
	return (real(node, service, hints, list));
}

START_TEST(dead_resolver)
{
	expect_deadline("redis://slow.test", "the look-up of the host name slow.test timed out", 1000, 60000);
}
END_TEST

/* ---- tables ---- */

static const struct { const char *url, *file, *path, *host, *port, *user, *password, *name; int db; } urls[] = {
	{ "unix:/run/r.sock", NULL, "/run/r.sock", NULL, NULL, NULL, NULL, "unix:/run/r.sock", 0 },
	{ "unix:/r?db=3", NULL, "/r", NULL, NULL, NULL, NULL, "unix:/r?db=3", 3 },
	{ "redis://h", NULL, NULL, "h", "6379", NULL, NULL, "redis://h:6379", 0 },
	{ "redis://h:1/15", NULL, NULL, "h", "1", NULL, NULL, "redis://h:1/15", 15 },
	{ "redis://h/", NULL, NULL, "h", "6379", NULL, NULL, "redis://h:6379", 0 },
	{ "redis://[::1]:7/2", NULL, NULL, "::1", "7", NULL, NULL, "redis://[::1]:7/2", 2 },
	{ "redis://u:p@h", NULL, NULL, "h", "6379", "u", "p", "redis://h:6379", 0 },
	{ "redis://:p%40%2f@h", NULL, NULL, "h", "6379", NULL, "p@/", "redis://h:6379", 0 },
	{ "redis://u%3a1:p:q@h", NULL, NULL, "h", "6379", "u:1", "p:q", "redis://h:6379", 0 },
	{ "redis://p@h", NULL, NULL, "h", "6379", NULL, "p", "redis://h:6379", 0 },
	{ "redis://u@h", "file", NULL, "h", "6379", "u", NULL, "redis://h:6379", 0 },
	{ "redis://u:p@q/r@h", NULL, NULL, "h", "6379", "u", "p@q/r", "redis://h:6379", 0 },
	{ "rediss://u:p@h", NULL, NULL, "h", "6379", "u", "p", "rediss://h:6379", 0 },
};

static bool
same(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a == b : strcmp(a, b) == 0);
}

START_TEST(url_good)
{
	struct redis_url u;
	struct err err;

	ck_assert_msg(redis_url_parse(&u, urls[_i].url, urls[_i].file, &err) == 0, "%s: %s", urls[_i].url, err.msg);
	ck_assert_msg(same(u.path, urls[_i].path) && same(u.host, urls[_i].host) && same(u.port, urls[_i].port) &&
	    same(u.user, urls[_i].user) && same(u.password, urls[_i].password) && same(u.name, urls[_i].name) &&
	    u.db == urls[_i].db, "%s", urls[_i].url);
	ck_assert_int_eq(u.tls, strncmp(urls[_i].url, "rediss:", 7) == 0);
	redis_url_free(&u);
}
END_TEST

static const struct { const char *url, *file, *why; } bad_urls[] = {
	{ "", NULL, "must begin with" },
	{ "s3cret", NULL, "must begin with" },
	{ "http://s3cret@h", NULL, "must begin with" },
	{ "unix:", NULL, "absolute path" },
	{ "unix:s3cret", NULL, "absolute path" },
	{ "unix:/a?s3cret=1", NULL, "may only have ?db=N" },
	{ "unix:/a?db=", NULL, "not a number" },
	{ "unix:/a?db=-1", NULL, "not a number" },
	{ "unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    NULL, "too long" },
	{ "redis://", NULL, "names no host" },
	{ "redis://:s3cret@", NULL, "names no host" },
	{ "redis://:s3cret@:6379", NULL, "names no host" },
	{ "redis://:s3cret@h:0", NULL, "the port" },
	{ "redis://:s3cret@h:65536", NULL, "the port" },
	{ "redis://:s3cret@h:6379:1", NULL, "the port" },
	{ "redis://:s3cret@h/x", NULL, "not a number" },
	{ "redis://:s3cret@h/9999999999", NULL, "not a number" },
	{ "redis://:s3cret@[::1", NULL, "[ without ]" },
	{ "redis://[::1]x", NULL, "more than a port" },
	{ "redis://:s3cret%4@h", NULL, "percent-escape" },
	{ "redis://:s3cret%zz@h", NULL, "percent-escape" },
	{ "redis://:s3cret%00@h", NULL, "percent-escape" },
	{ "redis://:s3cret@h", "file", "given twice" },
};

START_TEST(url_bad)
{
	struct redis_url u;
	struct err err;

	ck_assert_msg(redis_url_parse(&u, bad_urls[_i].url, bad_urls[_i].file, &err) == -1, "%s", bad_urls[_i].url);
	ck_assert_msg(strstr(err.msg, bad_urls[_i].why) != NULL, "%s: %s", bad_urls[_i].url, err.msg);
	ck_assert_msg(strstr(err.msg, "s3cret") == NULL, "%s", err.msg);
}
END_TEST

static const struct { const char *url, *file, *why; } refused_confs[] = {
	{ "redis://h", "/nonexistent/password", "cannot read the Redis password" },
	{ "redis://h", "/dev/null", "is empty" },
	{ "gopher://", NULL, "must begin with" },
};

START_TEST(conf_refused)
{
	const struct redis_conf conf = { .url = refused_confs[_i].url, .password_file = refused_confs[_i].file };
	struct event_base *b = event_base_new();
	struct err err;

	ck_assert_ptr_null(redis_new(b, &conf, &calls, NULL, &err));
	ck_assert_msg(strstr(err.msg, refused_confs[_i].why) != NULL, "%s", err.msg);
	ck_assert_ptr_null(strstr(err.msg, "s3cret"));
	event_base_free(b);
}
END_TEST

static const struct { enum redis_hello step; const char *text, *why; } refusals[] = {
	{ HELLO_AUTH, "ERR invalid password", "refused the password" },
	{ HELLO_AUTH, "ERR Client sent AUTH, but no password is set", "none in Redis" },
	{ HELLO_AUTH, "ERR wrong number of arguments for 'auth' command", "older than 6.0" },
	/* Redis repeats the arguments of a command that it does not know */
	{ HELLO_AUTH, "ERR unknown command `AUTH`, with args beginning with: `s3cret`", "knows no AUTH" },
	{ HELLO_AUTH, "SOMETHING s3cret", "refused to authenticate" },
	{ HELLO_SELECT, "ERR SELECT is not allowed in cluster mode", "take /1 out of the URL" },
	{ HELLO_SETNAME, "NOAUTH Authentication required.", "wants a password" },
	{ HELLO_SETNAME, "NOPERM this user has no permissions", NULL },
	{ HELLO_PING, "NOPERM this user has no permissions", NULL },
	{ HELLO_PING, "BUSY Redis is busy running a script", "busy" },
	{ HELLO_PING, "CLUSTERDOWN The cluster is down", "cluster" },
};

START_TEST(sentence_of_refusal)
{
	struct redis_url u;
	struct err err;

	ck_assert_int_eq(redis_url_parse(&u, "redis://:s3cret@h/1", NULL, &err), 0);
	err_set(&err, "untouched");
	ck_assert_int_eq(redis_why_refused(&u, refusals[_i].step, refusals[_i].text, &err), refusals[_i].why != NULL);
	ck_assert_msg(strstr(err.msg, refusals[_i].why != NULL ? refusals[_i].why : "untouched") != NULL,
	    "%s: %s", refusals[_i].text, err.msg);
	ck_assert_ptr_null(strstr(err.msg, "s3cret"));
	redis_url_free(&u);
}
END_TEST

static const struct { const char *text; const char *software, *version; bool known, replica, cluster, evicts; const char *memory, *kept; } infos[] = {
	{ "# Server\r\nredis_version:7.0.15\r\nrole:master\r\nused_memory:1048576\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
	    "aof_enabled:1\r\naof_last_write_status:ok\r\ncluster_enabled:0\r\n",
	    "redis", "7.0.15", true, false, false, false, "1.0 MB", "append-only file: " },
	{ "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\nrole:slave\r\nused_memory:1024\r\nmaxmemory:2147483648\r\n"
	    "maxmemory_policy:volatile-ttl\r\naof_enabled:1\r\naof_last_write_status:err\r\ncluster_enabled:1\r\n",
	    "valkey", "8.0.1", true, true, true, true, "1.0 KB of 2.0 GB (maxmemory)", "Redis cannot write its append-only file" },
	/* With nothing to keep within, nothing is evicted. */
	{ "redis_version:6.0.16\nmaxmemory:0\nmaxmemory_policy:allkeys-lru\nrdb_last_save_time:1795640398\n"
	    "rdb_last_bgsave_status:ok\n", "redis", "6.0.16", true, false, false, false, "0.0 KB", "what came after 2026-11-25T20:59:58Z" },
	{ "redis_version:6.0.16\nrdb_last_bgsave_status:err", "redis", "6.0.16", true, false, false, false, "0.0 KB", "cannot write its snapshots" },
	{ "", "redis", "", false, false, false, false, "0.0 KB", "does not let rpvd use INFO" },
	{ ":::\r\n#\r\n\r\nused_memory:99999999999999999999999\r\n", "redis", "", false, false, false, false, "GB", "INFO" },
};

START_TEST(info_text)
{
	struct redis_info info = { .version = "old", .replica = true };
	struct err text;

	redis_info_parse(&info, slice_of(infos[_i].text));
	ck_assert_str_eq(info.software, infos[_i].software);
	ck_assert_str_eq(info.version, infos[_i].version);
	ck_assert_int_eq(info.known, infos[_i].known);
	ck_assert_int_eq(info.replica, infos[_i].replica);
	ck_assert_int_eq(info.cluster, infos[_i].cluster);
	ck_assert_int_eq(redis_info_evicts(&info), infos[_i].evicts);
	redis_info_memory(&info, &text);
	ck_assert_msg(strstr(text.msg, infos[_i].memory) != NULL, "%s", text.msg);
	redis_info_persistence(&info, &text);
	ck_assert_msg(strstr(text.msg, infos[_i].kept) != NULL, "%s", text.msg);
}
END_TEST

static const struct { const char *text, *why; } errors[] = {
	{ "OOM command not allowed when used memory > 'maxmemory'.", "Redis is full: 3.0 MB of 4.0 MB (maxmemory); raise" },
	{ "ERR Error running script (call to f_1): @user_script:9: -OOM command not allowed when used memory", "Redis is full: 3.0 MB" },
	{ "READONLY You can't write against a read only replica.", "name its primary in the URL" },
	{ "ERR Error running script (call to f_1): @user_script:2: -READONLY You can't write", "name its primary in the URL" },
	{ "NOREPLICAS Not enough good replicas to write.", "min-replicas-to-write" },
	{ "MISCONF Redis is configured to save RDB snapshots", "takes no writes: see its log" },
	{ "MOVED 3999 127.0.0.1:6381", "rpvd speaks to one node only" },
	{ "ASK 3999 127.0.0.1:6381", "waiting for the end of that" },
	{ "TRYAGAIN Multiple keys request during rehashing of slot", "waiting for the end of that" },
	{ "CLUSTERDOWN Hash slot not served", "cluster is down" },
	{ "LOADING Redis is loading the dataset in memory", "loading its data" },
	{ "BUSY Redis is busy running a script.", "busy with a long script" },
	{ "MASTERDOWN Link with MASTER is down", "lost its primary" },
	{ "NOPERM this user has no permissions to run the 'append' command", "does not allow the user \"shop\"" },
	{ "NOAUTH Authentication required.", "wants a password now" },
	{ "ERR something new", "Redis refused: ERR something new" },
};

START_TEST(sentence_of_error)
{
	const struct redis_info info = { .known = true, .used = 3 << 20, .max = 4 << 20 };
	struct err err;

	redis_why_error(&info, "shop", errors[_i].text, &err);
	ck_assert_msg(strstr(err.msg, errors[_i].why) != NULL, "%s: %s", errors[_i].text, err.msg);
}
END_TEST

START_TEST(primaries_of_cluster)
{
	ck_assert_uint_eq(redis_info_primaries(SLICE("cluster_state:ok\r\ncluster_size:3\r\ncluster_current_epoch:6\r\n")), 3);
	ck_assert_uint_eq(redis_info_primaries(SLICE("")), 0);
}
END_TEST

static TCase *
live_case(void)
{
	TCase *tc = tcase_create("server");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, round_trip, 0, N_ELEM(sizes));
	tcase_add_test(tc, pipeline_of_100000);
	tcase_add_test(tc, long_backlog);
	tcase_add_test(tc, callback_sends_more);
	tcase_add_test(tc, callback_resets);
	tcase_add_test(tc, free_while_outstanding);
	tcase_add_test(tc, stopped_server);
	tcase_add_test(tc, stopped_server_big_command);
	tcase_add_test(tc, slow_is_not_stopped);
	tcase_add_test(tc, killed_and_restarted);
	tcase_add_test(tc, server_comes_later);
	tcase_add_test(tc, no_permission);
	tcase_add_loop_test(tc, login, 0, N_ELEM(logins));
	tcase_add_test(tc, database_and_name);
	tcase_add_test(tc, password_not_wanted);
	return (tc);
}

static TCase *
tls_case(void)
{
	TCase *tc = tcase_create("TLS");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup_tls, teardown);
	tcase_add_loop_test(tc, tls, 0, N_ELEM(tls_rows));
	tcase_add_test(tc, tls_at_work);
	tcase_add_test(tc, tls_and_plain_confused);
	tcase_add_loop_test(tc, tls_conf_refused, 0, N_ELEM(tls_confs));
	return (tc);
}

static TCase *
standin_case(void)
{
	TCase *tc = tcase_create("stand-in");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, standin, 0, N_ELEM(standins));
	tcase_add_test(tc, back_off);
	tcase_add_test(tc, unknown_host);
	tcase_add_test(tc, freed_while_resolving);
	tcase_add_test(tc, nobody_on_tcp);
	tcase_add_loop_test(tc, dropped_syn, 0, N_ELEM(deadlines));
	tcase_add_test(tc, dead_resolver);
	return (tc);
}

static TCase *
table_case(void)
{
	TCase *tc = tcase_create("tables");

	tcase_add_loop_test(tc, url_good, 0, N_ELEM(urls));
	tcase_add_loop_test(tc, url_bad, 0, N_ELEM(bad_urls));
	tcase_add_loop_test(tc, conf_refused, 0, N_ELEM(refused_confs));
	tcase_add_loop_test(tc, sentence_of_refusal, 0, N_ELEM(refusals));
	tcase_add_loop_test(tc, info_text, 0, N_ELEM(infos));
	tcase_add_loop_test(tc, sentence_of_error, 0, N_ELEM(errors));
	tcase_add_test(tc, primaries_of_cluster);
	return (tc);
}

int
main(void)
{
	Suite *s = suite_create("redis");
	SRunner *sr;
	int failed;

	signal(SIGPIPE, SIG_IGN);	/* as rpvd does */
	suite_add_tcase(s, table_case());
	suite_add_tcase(s, standin_case());
	if (have_server())
		suite_add_tcase(s, live_case());
	if (have_server() && have_tls())
		suite_add_tcase(s, tls_case());
	if (!have_server())
		printf("no redis-server here: the tests that need one are skipped\n");
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
