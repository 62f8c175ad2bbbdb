/*
 * The webhook listener, over real sockets within one event loop; clients are plain
 * descriptors that the test reads between turns of the loop.
 */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/webhook.h"

#define POST "POST /hooks/test HTTP/1.1\r\nHost: shop.example\r\n"
#define ACCEPT POST "Content-Length: 6\r\n\r\naccept"
#define PATIENCE_MS 8000

/* Until the real one is linked. */
void __attribute__((weak))
delivery_free(struct delivery *d)
{
	d->arena = NULL;
}

/* ---- what the listener is given -------------------------------------------- */

static unsigned reads;			/* by the provider: also those of the search for a hint */

/* The body says what to do with it. */
static void
test_provider_read(const struct provider_conf *conf, const struct request *req, struct delivery *d)
{
	ck_assert(slice_is(req->method, "POST"));
	ck_assert_int_eq(req->received_ms, 1234567);
	ck_assert(slice_is(conf->visitor_key, "rpv"));
	ck_assert_uint_ge(req->n_headers, 1);
	reads++;
	d->verdict = VERDICT_ACCEPT;
	d->status = 200;
	d->secret_index = 1;
	d->signed_s = 1200;
	d->type = SLICE("order.of.a.kind.whose.name.is.longer.than.anybody.will.ever.want.to.read");
	if (slice_is(req->body, "wanting")) {
		d->verdict = VERDICT_REJECT;
		d->status = 503;
		d->reason = "no_certificate";
		d->wants_certificate = SLICE("https://pay.example/certificate");
		return;
	}
	if (slice_starts(req->body, SLICE("reject"))) {
		d->secret_index = -1;
		d->verdict = VERDICT_REJECT;
		d->status = 401;
		d->reason = "bad_signature";
		snprintf(d->detail, sizeof(d->detail), "no secret fits");
	} else if (slice_is(req->body, "stale")) {
		d->verdict = VERDICT_REJECT;
		d->status = 401;
		d->reason = "timestamp_too_old";
	} else if (slice_is(req->body, "quarantine")) {
		d->verdict = VERDICT_QUARANTINE;
		d->status = 400;
		d->reason = "bad_body";
	} else if (slice_is(req->body, "ignore"))
		d->reason = "unknown_type";
	else
		d->n_messages = 1;
}

static const struct provider test_provider = { .name = "test", .read = test_provider_read };

static struct shop {
	unsigned appended, durable, syncs, done, by_status[600], largest_group;
	bool sync_fails;
	const struct provider *provider;
	char reason[64], detail[160], type[100], wanted[CERTIFICATE_URL_MAX + 1];
	int secret_index;
	int64_t signed_s;
	size_t body_len;
} shop;

static int site;			/* stands for one */

static void
shop_append(void *arg, void *of, const struct webhook_endpoint *e, const struct request *req, const struct delivery *d)
{
	struct shop *s = arg;

	ck_assert_ptr_eq(of, &site);
	ck_assert_str_eq(e->path, "/hooks/test");
	ck_assert(d->verdict == VERDICT_QUARANTINE || d->n_messages > 0);
	s->appended++;
	s->body_len = req->body.len;
}

static int
shop_sync(void *arg)
{
	struct shop *s = arg;
	unsigned group = s->appended - s->durable;

	s->syncs++;
	if (group > s->largest_group)
		s->largest_group = group;
	if (s->sync_fails) {
		s->appended = s->durable;	/* as the journal takes them back */
		return (-1);
	}
	s->durable = s->appended;
	return (0);
}

static void
shop_done(void *arg, const struct webhook_end *end)
{
	struct shop *s = arg;

	ck_assert(end->endpoint == NULL || end->endpoint->site == &site);
	ck_assert_int_ge(end->status, 0);
	ck_assert_int_lt(end->status, 600);
	s->done++;
	s->by_status[end->status]++;
	s->provider = end->endpoint != NULL ? end->endpoint->provider : NULL;
	snprintf(s->reason, sizeof(s->reason), "%s", end->reason != NULL ? end->reason : "");
	snprintf(s->detail, sizeof(s->detail), "%s", end->detail);
	snprintf(s->type, sizeof(s->type), "%s", end->type);
	s->secret_index = end->secret_index;
	s->signed_s = end->signed_s;
}

static int64_t
shop_now(void *arg)
{
	(void)arg;
	return (1234567);
}

static void
shop_wants(void *arg, struct slice url)
{
	struct shop *s = arg;

	snprintf(s->wanted, sizeof(s->wanted), "%.*s", SLICE_FMT(url));
}

static const struct webhook_calls calls = { shop_append, shop_sync, shop_done, shop_now, shop_wants };
static const struct webhook_endpoint endpoints[] = {
	{ .path = "/hooks/test", .name = "test", .provider = &test_provider, .conf = { .visitor_key = { "rpv", 3 } }, .site = &site },
};

/* ---- fixture and clients ---------------------------------------------------- */

static struct event_base *base;
static struct webhooks *hooks;
static char dir[64], path[100], listen_text[108];

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static struct webhooks *
hooks_new(const char *text, int fd)
{
	struct err err = { "" };
	struct webhooks *w = webhooks_new(base, text, fd, &calls, &shop, &err);

	ck_assert_msg(w != NULL, "%s: %s", text, err.msg);
	webhooks_set_endpoints(w, endpoints, N_ELEM(endpoints));
	return (w);
}

static void
setup(void)
{
	log_init(0);
	memset(&shop, 0, sizeof(shop));
	reads = 0;
	snprintf(dir, sizeof(dir), "/tmp/test_webhook.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/webhook.sock", dir);
	snprintf(listen_text, sizeof(listen_text), "unix:%s", path);
	base = event_base_new();
	hooks = hooks_new(listen_text, -1);
}

static void
teardown(void)
{
	webhooks_free(&hooks);
	event_base_free(base);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

struct client {
	int fd;
	bool closed;
	size_t len;
	char got[1024];
};

static struct sockaddr_un
address_of(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", name);
	return (un);
}

static struct client
client_new(void)
{
	struct sockaddr_un un = address_of(path);
	struct client c = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };

	ck_assert_int_ge(c.fd, 0);
	ck_assert_msg(connect(c.fd, (struct sockaddr *)&un, sizeof(un)) == 0, "%s", strerror(errno));
	return (c);
}

/* What the socket takes; the rest is not sent. */
static size_t
client_send(struct client *c, struct slice s)
{
	ssize_t n = send(c->fd, s.p, s.len, MSG_NOSIGNAL);

	return (n > 0 ? (size_t)n : 0);
}

static void
client_look(struct client *c)
{
	ssize_t n;

	if (c->closed)
		return;
	n = recv(c->fd, c->got + c->len, sizeof(c->got) - 1 - c->len, 0);
	if (n > 0)
		c->len += (size_t)n;
	c->closed = n == 0 || (n < 0 && errno != EAGAIN);
	c->got[c->len] = '\0';
}

static void
turn(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

static void
turns_for(int64_t ms)
{
	for (int64_t end = now_ms() + ms; now_ms() < end; usleep(300))
		turn();
}

/* Milliseconds until all have been closed by the other side. */
static int64_t
all_closed(struct client *c, size_t n)
{
	int64_t start = now_ms();

	for (size_t open = n; open > 0;) {
		ck_assert_msg(now_ms() - start < PATIENCE_MS, "%zu of %zu connections still open", open, n);
		turn();
		open = 0;
		for (size_t i = 0; i < n; i++) {
			client_look(&c[i]);
			open += !c[i].closed;
		}
		if (open > 0)
			usleep(100);
	}
	return (now_ms() - start);
}

static void
clients_end(struct client *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(c[i].fd);
}

static int
status_of(const struct client *c)
{
	return (strncmp(c->got, "HTTP/1.1 ", 9) == 0 ? atoi(c->got + 9) : -1);
}

/* One whole exchange. */
static struct client
ask(struct slice request)
{
	struct client c = client_new();

	ck_assert_uint_eq(client_send(&c, request), request.len);
	all_closed(&c, 1);
	close(c.fd);
	return (c);
}

/* ---- requests ---------------------------------------------------------------- */

static const struct {
	const char *why, *request;
	int status;
	unsigned appended;
	bool known_provider;
	const char *reason, *wants;	/* wants: a part of the answer */
} asks[] = {
	{ "accepted after one sync", ACCEPT, 200, 1, true, "", "Content-Length: 0\r\nConnection: close\r\n\r\n" },
	{ "a query does not change the path", "POST /hooks/test?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\naccept", 200, 1, true, "", "" },
	{ "nothing to keep needs no sync", POST "Content-Length: 6\r\n\r\nignore", 200, 0, true, "unknown_type", "" },
	{ "rejected", POST "Content-Length: 6\r\n\r\nreject", 401, 0, true, "bad_signature", "\r\n\r\nThe signature does not fit.\n" },
	{ "quarantined is kept, then refused", POST "Content-Length: 10\r\n\r\nquarantine", 400, 1, true, "bad_body", "" },
	{ "chunked", POST "Transfer-Encoding: chunked\r\n\r\n6\r\naccept\r\n0\r\n\r\n", 200, 1, true, "", "" },
	{ "HTTP/1.0", "POST /hooks/test HTTP/1.0\r\nContent-Length: 6\r\nA: b\r\n\r\naccept", 200, 1, true, "", "" },
	{ "100 Continue is not sent into a body", POST "Expect: 100-continue\r\nContent-Length: 6\r\n\r\naccept", 200, 1, true, "", "" },
	{ "what follows the request changes nothing", ACCEPT ACCEPT, 200, 1, true, "", "" },
	{ "unknown path", "POST /wp-login.php HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, 0, false, "unknown_path", "Content-Type: text/plain\r\n" },
	{ "longer than a known path", "POST /hooks/test/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, 0, false, "unknown_path", "" },
	{ "a path is taken as it is", "POST /hooks/%74est HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, 0, false, "unknown_path", "" },
	{ "GET", "GET /hooks/test HTTP/1.1\r\nHost: a\r\n\r\n", 405, 0, true, "method", "\r\nAllow: POST\r\n" },
	{ "a GET elsewhere", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404, 0, false, "unknown_path", "" },
	{ "malformed", "POST /hooks/test HTTP/1.1\r\nHost : a\r\n\r\n", 400, 0, true, "space before the colon of a header", "" },
	{ "too large, said before it is sent", POST "Content-Length: 2097153\r\n\r\n", 413, 0, true, "Content-Length over the limit",
	    "\r\n\r\nThe body is larger than 2 MiB.\n" },
	{ "too large for nobody", "POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2097153\r\n\r\n", 413, 0, false, "Content-Length over the limit", "" },
	{ "malformed in its first line", "POST /hooks/test HTTP/2.7\r\n", 505, 0, true, "version other than HTTP/1.0 and HTTP/1.1", "" },
	{ "malformed before it names anybody", "POST \x01", 400, 0, false, "control byte in a header", "" },
	{ "signed too long ago", POST "Content-Length: 5\r\n\r\nstale", 401, 0, true, "timestamp_too_old",
	    "\r\n\r\nThe time of the signature is too far from now.\n" },
	{ "compressed", POST "Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\naccept", 415, 0, true, "compressed body", "" },
};

START_TEST(one_request)
{
	struct client c = ask(slice_of(asks[_i].request));

	ck_assert_msg(status_of(&c) == asks[_i].status, "%s: %s", asks[_i].why, c.got);
	ck_assert_msg(strstr(c.got, asks[_i].wants) != NULL, "%s: %s", asks[_i].why, c.got);
	ck_assert_msg(strstr(c.got, "100 Continue") == NULL, "%s: %s", asks[_i].why, c.got);
	ck_assert_uint_eq(shop.appended, asks[_i].appended);
	ck_assert_uint_eq(shop.syncs, asks[_i].appended);
	ck_assert_uint_eq(shop.done, 1);
	ck_assert_uint_eq(shop.by_status[asks[_i].status], 1);
	ck_assert_str_eq(shop.reason, asks[_i].reason);
	ck_assert_ptr_eq(shop.provider, asks[_i].known_provider ? &test_provider : NULL);
}
END_TEST

START_TEST(a_wanted_certificate_is_named)
{
	struct client c = ask(SLICE(POST "Content-Length: 7\r\n\r\nwanting"));

	ck_assert_int_eq(status_of(&c), 503);
	ck_assert_str_eq(shop.wanted, "https://pay.example/certificate");
	ck_assert_uint_eq(shop.syncs, 0);
	shop.wanted[0] = '\0';
	c = ask(SLICE(ACCEPT));
	ck_assert_str_eq(shop.wanted, "");
}
END_TEST

/* Adyen's senders look for it. */
START_TEST(an_answer_of_the_provider_s_own)
{
	static const struct provider adyen_like = { .name = "test", .read = test_provider_read, .accepted = "[accepted]" };
	static const struct webhook_endpoint its[] = {
		{ .path = "/hooks/test", .name = "test", .provider = &adyen_like, .conf = { .visitor_key = { "rpv", 3 } }, .site = &site },
	};
	struct client c;

	webhooks_set_endpoints(hooks, its, N_ELEM(its));
	c = ask(SLICE(ACCEPT));
	ck_assert_msg(strstr(c.got, " 200 OK\r\n") != NULL && strstr(c.got, "Content-Length: 10\r\n") != NULL &&
	    strstr(c.got, "\r\n\r\n[accepted]") != NULL, "%s", c.got);
	c = ask(SLICE(POST "Content-Length: 6\r\n\r\nignore"));
	ck_assert_msg(strstr(c.got, "[accepted]") != NULL, "%s", c.got);
	c = ask(SLICE(POST "Content-Length: 6\r\n\r\nreject"));
	ck_assert_msg(strstr(c.got, "[accepted]") == NULL, "%s", c.got);
}
END_TEST

/* To search for why a signature does not fit is to read the body a dozen times: a stranger may
 * cause that once in two seconds, whatever he sends. */
START_TEST(forged_ones_cost_one_search_in_two_seconds)
{
	int64_t start = now_ms();
	unsigned search, searches;

	ask(SLICE(POST "Content-Length: 8\r\n\r\nreject x"));
	ck_assert_uint_gt(reads, 1);
	search = reads - 1;
	for (unsigned n = 2; n <= 40; n++) {
		ask(SLICE(POST "Content-Length: 8\r\n\r\nreject x"));
		searches = 1 + (unsigned)((now_ms() - start) / 2000);
		ck_assert_msg(reads <= n + search * searches, "%u reads for %u requests, a search has %u", reads, n, search);
	}
	ck_assert_uint_eq(shop.by_status[401], 40);
}
END_TEST

START_TEST(what_the_provider_said_is_handed_on)
{
	ask(SLICE(POST "Content-Length: 6\r\n\r\nreject"));
	ck_assert_str_eq(shop.detail, "no secret fits");
	ask(SLICE(ACCEPT));
	ck_assert_str_eq(shop.type, "order.of.a.kind.whose.name.is.longer.than.anybody.will.ever.wan");	/* cut at 63 */
	ck_assert_int_eq(shop.secret_index, 1);
	ck_assert_int_eq(shop.signed_s, 1200);
	ask(SLICE("GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n"));
	ck_assert_str_eq(shop.type, "");
	ck_assert_int_eq(shop.secret_index, -1);
}
END_TEST

START_TEST(head_is_answered_without_a_body)
{
	struct client c = ask(SLICE("HEAD /hooks/test HTTP/1.1\r\nHost: a\r\n\r\n"));

	ck_assert_int_eq(status_of(&c), 405);
	ck_assert_str_eq(strstr(c.got, "\r\n\r\n"), "\r\n\r\n");
}
END_TEST

START_TEST(continue_is_said_when_waited_for)
{
	struct client c = client_new();

	client_send(&c, SLICE(POST "Expect: 100-continue\r\nContent-Length: 6\r\n\r\n"));
	turns_for(5);
	client_look(&c);
	ck_assert_str_eq(c.got, "HTTP/1.1 100 Continue\r\n\r\n");
	client_send(&c, SLICE("accept"));
	all_closed(&c, 1);
	ck_assert_ptr_nonnull(strstr(c.got, "\r\n\r\nHTTP/1.1 200 OK\r\n"));
	close(c.fd);
}
END_TEST

START_TEST(client_that_has_finished_sending)
{
	struct client c = client_new();

	client_send(&c, SLICE(ACCEPT));
	ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
	all_closed(&c, 1);
	ck_assert_int_eq(status_of(&c), 200);
	close(c.fd);
}
END_TEST

/* Sends n bytes of a body while the loop turns; less where the other side stops taking them. */
static size_t
send_body(struct client *c, size_t n)
{
	static const char zeros[65536];
	size_t sent = 0;

	for (int64_t start = now_ms(); sent < n && !c->closed && now_ms() - start < PATIENCE_MS;) {
		sent += client_send(c, slice_make(zeros, n - sent < sizeof(zeros) ? n - sent : sizeof(zeros)));
		turn();
		client_look(c);
	}
	return (sent);
}

START_TEST(largest_body)
{
	struct client c = client_new();

	client_send(&c, SLICE(POST "Content-Length: 2097152\r\n\r\n"));
	ck_assert_uint_eq(send_body(&c, 2097152), 2097152);
	all_closed(&c, 1);
	ck_assert_int_eq(status_of(&c), 200);
	ck_assert_uint_eq(shop.body_len, 2097152);
	close(c.fd);
}
END_TEST

START_TEST(body_one_byte_too_large)
{
	struct client c = client_new();

	/* The client sends on regardless: the answer still arrives. */
	client_send(&c, SLICE(POST "Content-Length: 2097153\r\n\r\n"));
	send_body(&c, 2097153);
	shutdown(c.fd, SHUT_WR);
	all_closed(&c, 1);
	ck_assert_int_eq(status_of(&c), 413);
	ck_assert_uint_eq(shop.appended, 0);
	close(c.fd);
}
END_TEST

START_TEST(chunks_that_add_up_to_too_much)
{
	struct client c = client_new();

	client_send(&c, SLICE(POST "Transfer-Encoding: chunked\r\n\r\n200000\r\n"));
	send_body(&c, 2097152);
	client_send(&c, SLICE("\r\n1\r\n"));
	shutdown(c.fd, SHUT_WR);
	all_closed(&c, 1);
	ck_assert_int_eq(status_of(&c), 413);
	close(c.fd);
}
END_TEST

START_TEST(closed_in_mid_body)
{
	struct client c = client_new(), idle = client_new();

	client_send(&c, SLICE(POST "Content-Length: 6\r\n\r\nacc"));
	turns_for(5);
	close(c.fd);
	close(idle.fd);
	turns_for(5);
	ck_assert_uint_eq(shop.appended, 0);
	ck_assert_uint_eq(shop.done, 1);		/* the idle one was no request */
	ck_assert_uint_eq(shop.by_status[0], 1);
	ck_assert_str_eq(shop.reason, "the client left");
	ck_assert_uint_eq(webhooks_drain(hooks), 0);
}
END_TEST

START_TEST(client_gone_before_its_answer)
{
	struct client c = client_new();

	client_send(&c, SLICE(ACCEPT));
	close(c.fd);
	turns_for(10);
	ck_assert_uint_eq(shop.durable, 1);		/* it is whole and signed: it counts */
	ck_assert_uint_eq(webhooks_drain(hooks), 0);
}
END_TEST

/* ---- many ---------------------------------------------------------------------- */

static void
many_new(struct client *c, size_t n, const char *request)
{
	for (size_t i = 0; i < n; i++) {
		c[i] = client_new();
		client_send(&c[i], slice_of(request));
	}
}

START_TEST(hundred_in_parallel)
{
	struct client c[100];

	many_new(c, 100, ACCEPT);
	all_closed(c, 100);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(status_of(&c[i]), 200);
	ck_assert_uint_eq(shop.durable, 100);
	ck_assert_uint_le(shop.syncs, 10);		/* they share syncs */
	ck_assert_uint_le(shop.largest_group, 64);
	clients_end(c, 100);
}
END_TEST

START_TEST(sync_waits_for_those_on_the_way)
{
	struct client slow = client_new(), c[10];

	client_send(&slow, SLICE("POST"));
	turns_for(5);
	many_new(c, 10, ACCEPT);
	all_closed(c, 10);
	ck_assert_uint_eq(shop.durable, 10);
	ck_assert_uint_le(shop.syncs, 3);
	clients_end(c, 10);
	close(slow.fd);
}
END_TEST

START_TEST(more_than_the_places_wait)
{
	struct client c[400];

	many_new(c, 400, ACCEPT);
	all_closed(c, 400);
	for (int i = 0; i < 400; i++)
		ck_assert_int_eq(status_of(&c[i]), 200);
	ck_assert_uint_eq(shop.durable, 400);
	clients_end(c, 400);
}
END_TEST

/* Before the daemon has looked even once: nobody is turned away, which nginx would tell its client by 502. */
START_TEST(thousands_wait)
{
	enum { CLIENTS = 3000 };
	struct client *c = mem_calloc(CLIENTS, sizeof(*c));
	struct rlimit limit, high;
	int somaxconn = 0;
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");

	if (f == NULL || fscanf(f, "%d", &somaxconn) != 1)
		somaxconn = 0;
	if (f != NULL)
		fclose(f);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	high = limit;
	high.rlim_cur = high.rlim_max;
	if (somaxconn < CLIENTS || high.rlim_max < CLIENTS + 300 || setrlimit(RLIMIT_NOFILE, &high) != 0)
		printf("thousands_wait: skipped, not so many descriptors or connections here\n");
	else {
		many_new(c, CLIENTS, ACCEPT);
		all_closed(c, CLIENTS);
		for (int i = 0; i < CLIENTS; i++)
			ck_assert_int_eq(status_of(&c[i]), 200);
		ck_assert_uint_eq(shop.durable, CLIENTS);
		clients_end(c, CLIENTS);
	}
	setrlimit(RLIMIT_NOFILE, &limit);
	free(c);
}
END_TEST

START_TEST(at_most_128_places)
{
	struct client c[200];

	many_new(c, 200, "POST");
	turns_for(20);
	ck_assert_uint_eq(webhooks_drain(hooks), 128);
	clients_end(c, 200);
}
END_TEST

START_TEST(sync_failure)
{
	struct client c[20];

	shop.sync_fails = true;
	many_new(c, 20, ACCEPT);
	all_closed(c, 20);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(status_of(&c[i]), 503);
		ck_assert_ptr_nonnull(strstr(c[i].got, "\r\nRetry-After: 5\r\n"));
	}
	ck_assert_uint_eq(shop.durable, 0);
	ck_assert_uint_eq(shop.by_status[503], 20);
	clients_end(c, 20);
	c[0] = ask(SLICE(POST "Content-Length: 6\r\n\r\nignore"));
	ck_assert_int_eq(status_of(&c[0]), 200);	/* needs no disk */
	shop.sync_fails = false;
	c[0] = ask(SLICE(ACCEPT));
	ck_assert_int_eq(status_of(&c[0]), 200);
}
END_TEST

/* ---- the slow -------------------------------------------------------------------- */

static const struct {
	const char *why, *start, *drip;
} drips[] = {
	{ "nothing at all", "", "" },
	{ "a head line by line", POST, "X: y\r\n" },
	{ "a body byte by byte", POST "Content-Length: 2000\r\n\r\n", "x" },
	{ "chunks byte by byte", POST "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n" },
};

START_TEST(drip_ends_at_the_deadline)
{
	struct client slow;
	int64_t start, took, slowest = 0;

	webhooks_set_deadline_ms(hooks, 400);
	slow = client_new();
	client_send(&slow, slice_of(drips[_i].start));
	for (start = now_ms(); !slow.closed && now_ms() - start < PATIENCE_MS; usleep(15000)) {
		struct client c = client_new();

		client_send(&slow, slice_of(drips[_i].drip));
		client_send(&c, SLICE(ACCEPT));
		took = all_closed(&c, 1);
		ck_assert_int_eq(status_of(&c), 200);
		slowest = took > slowest ? took : slowest;
		close(c.fd);
		client_look(&slow);
	}
	took = now_ms() - start;
	ck_assert_msg(slow.closed && took >= 380 && took < 1500, "%s: closed after %d ms", drips[_i].why, (int)took);
	ck_assert_msg(slowest < 300, "%s: another request took %d ms", drips[_i].why, (int)slowest);
	ck_assert_uint_eq(slow.len, 0);
	ck_assert_uint_eq(shop.by_status[0], drips[_i].start[0] != '\0');
	close(slow.fd);
}
END_TEST

START_TEST(refused_client_that_stays)
{
	struct client c = client_new();

	webhooks_set_deadline_ms(hooks, 200);
	client_send(&c, SLICE("broken\r\n"));
	turns_for(50);
	client_look(&c);				/* has its answer, and does not close */
	ck_assert_int_eq(status_of(&c), 400);
	ck_assert_uint_eq(client_send(&c, SLICE("more")), 4);
	turns_for(400);
	ck_assert_uint_eq(client_send(&c, SLICE("more")), 0);
	close(c.fd);
}
END_TEST

START_TEST(two_hundred_drippers)
{
	static struct client slow[200];
	int64_t slowest = 0;

	webhooks_set_deadline_ms(hooks, 4000);
	many_new(slow, 200, "POST /hooks/test HTTP/1.1\r\n");
	turns_for(50);
	for (int i = 0; i < 20; i++) {
		struct client c = client_new();
		int64_t took;

		for (int k = 0; k < 200; k++)
			client_send(&slow[k], SLICE("X: y\r\n"));
		client_send(&c, SLICE(ACCEPT));
		took = all_closed(&c, 1);
		ck_assert_int_eq(status_of(&c), 200);
		slowest = took > slowest ? took : slowest;
		close(c.fd);
	}
	/* All places were taken, yet nobody waits for the deadline. */
	ck_assert_msg(slowest < 2000, "a request took %d ms", (int)slowest);
	ck_assert_uint_eq(shop.durable, 20);
	clients_end(slow, 200);
}
END_TEST

START_TEST(too_many_large_bodies_at_once)
{
	static struct client c[40];
	unsigned refused = 0;

	for (int i = 0; i < 40; i++) {
		c[i] = client_new();
		client_send(&c[i], SLICE(POST "Content-Length: 2097152\r\n\r\n"));
		send_body(&c[i], 2000000);
	}
	for (int i = 0; i < 40; i++) {			/* the largest, so not who came last */
		client_look(&c[i]);
		refused += c[i].len > 0 && status_of(&c[i]) == 503;
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_eq(shop.by_status[503], refused);
	clients_end(c, 40);
	turns_for(20);
	c[0] = client_new();				/* what they held is free again */
	client_send(&c[0], SLICE(POST "Content-Length: 6\r\n\r\nacc"));
	turns_for(5);
	client_send(&c[0], SLICE("ept"));
	all_closed(c, 1);
	ck_assert_int_eq(status_of(&c[0]), 200);
	close(c[0].fd);
}
END_TEST

/* However many large bodies are under way: a small one that is slow, and one that is quick, get through. */
START_TEST(small_ones_find_room_among_large_bodies)
{
	static struct client large[17];
	struct client slow = client_new(), quick;
	size_t room = 32 << 20;			/* all that is held: filled to the last byte */

	room -= client_send(&slow, SLICE(POST "Content-Length: 6\r\n\r\nacc"));
	for (int i = 0; i < 17; i++) {
		large[i] = client_new();
		room -= client_send(&large[i], SLICE(POST "Content-Length: 2097152\r\n\r\n"));
		room -= send_body(&large[i], room < 2000000 ? room : 2000000);
	}
	turns_for(5);
	ck_assert_uint_eq(room, 0);
	ck_assert_uint_eq(shop.done, 0);
	quick = client_new();
	client_send(&quick, SLICE(POST "Content-Length: 6\r\n\r\na"));
	turns_for(5);
	ck_assert_uint_eq(shop.by_status[503], 1);
	client_send(&quick, SLICE("ccept"));
	all_closed(&quick, 1);
	ck_assert_int_eq(status_of(&quick), 200);
	client_send(&slow, SLICE("ept"));
	all_closed(&slow, 1);
	ck_assert_int_eq(status_of(&slow), 200);
	ck_assert_str_eq(shop.reason, "");
	close(quick.fd);
	close(slow.fd);
	clients_end(large, 17);
}
END_TEST

/* In a listener that rests the journal finds a descriptor, where there are no others. */
static bool
a_file_can_be_opened(void)
{
	for (int i = 0; i < 20; i++) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			close(fd);
			return (true);
		}
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	}
	return (false);
}

START_TEST(out_of_descriptors)
{
	struct client c[20];
	struct rlimit limit, low;
	unsigned turns = 0;
	int64_t start;

	many_new(c, 20, ACCEPT);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)c[19].fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (start = now_ms(); now_ms() - start < 350; turns++)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_msg(turns < 50, "%u turns of the loop: it spins", turns);
	ck_assert_msg(a_file_can_be_opened(), "the spare descriptor is kept");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	all_closed(c, 20);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(status_of(&c[i]), 200);
	clients_end(c, 20);
}
END_TEST

/* ---- sockets ---------------------------------------------------------------------- */

START_TEST(socket_file)
{
	struct err err = { "" };
	struct stat st;
	struct client c;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_ptr_null(webhooks_new(base, listen_text, -1, &calls, &shop, &err));
	ck_assert_msg(strstr(err.msg, "another process listens") != NULL, "%s", err.msg);
	c = ask(SLICE(ACCEPT));				/* the first one goes on */
	ck_assert_int_eq(status_of(&c), 200);
	webhooks_free(&hooks);
	ck_assert_int_ne(stat(path, &st), 0);		/* cleans up behind itself */
}
END_TEST

START_TEST(stale_socket_file_is_replaced)
{
	struct sockaddr_un un = address_of(path);
	struct client c;
	int fd;

	webhooks_free(&hooks);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);					/* as a killed daemon leaves it */
	hooks = hooks_new(listen_text, -1);
	c = ask(SLICE(ACCEPT));
	ck_assert_int_eq(status_of(&c), 200);
}
END_TEST

START_TEST(other_file_is_not_replaced)
{
	struct err err = { "" };
	struct stat st;
	FILE *f;

	webhooks_free(&hooks);
	f = fopen(path, "we");
	fclose(f);
	ck_assert_ptr_null(webhooks_new(base, listen_text, -1, &calls, &shop, &err));
	ck_assert_msg(strstr(err.msg, "no socket") != NULL, "%s", err.msg);
	ck_assert(stat(path, &st) == 0 && S_ISREG(st.st_mode));
}
END_TEST

START_TEST(socket_of_a_successor_stays)
{
	struct sockaddr_un un = address_of(path);
	struct stat st;
	int fd;

	ck_assert_int_eq(unlink(path), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	webhooks_free(&hooks);
	ck_assert_int_eq(stat(path, &st), 0);
	close(fd);
}
END_TEST

static const struct {
	const char *why, *text, *says;
} refused[] = {
	{ "all addresses", "0.0.0.0:8377", "not a loopback address" },
	{ "a documentation address", "192.0.2.1:8377", "not a loopback address" },
	{ "all addresses of IPv6", "[::]:8377", "not a loopback address" },
	{ "a mapped address is not read as loopback", "[::ffff:192.0.2.1]:8377", "not a loopback address" },
	{ "a port only", ":8377", "expected" },
	{ "no port", "127.0.0.1", "expected" },
	{ "port 0", "127.0.0.1:0", "expected" },
	{ "a name", "localhost:8377", "expected" },
	{ "nothing", "", "expected" },
	{ "no path", "unix:", "1 to 107 bytes" },
	{ "a path too long", "unix:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678", "1 to 107 bytes" },
	{ "no such directory", "unix:/nonexistent/rpvd/webhook.sock", "cannot create" },
};

START_TEST(address_refused)
{
	struct err err = { "" };

	ck_assert_msg(webhooks_new(base, refused[_i].text, -1, &calls, &shop, &err) == NULL, "%s", refused[_i].why);
	ck_assert_msg(strstr(err.msg, refused[_i].says) != NULL, "%s: %s", refused[_i].why, err.msg);
}
END_TEST

/* A socket on an address of our own choice; the port that it got. */
static int
tcp_socket(uint32_t address, int backlog, struct sockaddr_in *in)
{
	socklen_t len = sizeof(*in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	ck_assert_int_eq(bind(fd, (struct sockaddr *)in, sizeof(*in)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)in, &len), 0);
	if (backlog > 0)
		ck_assert_int_eq(listen(fd, backlog), 0);
	return (fd);
}

static void
ask_tcp(const struct sockaddr_in *in)
{
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	ck_assert_int_eq(connect(c.fd, (const struct sockaddr *)in, sizeof(*in)), 0);
	ck_assert_int_eq(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
	client_send(&c, SLICE(POST "Content-Length: 9999999\r\n\r\nmore that is not read"));
	all_closed(&c, 1);
	ck_assert_int_eq(status_of(&c), 413);		/* and no reset before it */
	close(c.fd);
}

START_TEST(loopback_address)
{
	struct sockaddr_in in;
	char text[32];

	webhooks_free(&hooks);
	close(tcp_socket(INADDR_LOOPBACK, 0, &in));
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(in.sin_port));
	webhooks_set_deadline_ms(hooks = hooks_new(text, -1), 300);
	ask_tcp(&in);
}
END_TEST

START_TEST(inherited_tcp)
{
	struct sockaddr_in in;

	webhooks_free(&hooks);
	webhooks_set_deadline_ms(hooks = hooks_new("unix:/not/used", tcp_socket(INADDR_LOOPBACK, 5, &in)), 300);
	ask_tcp(&in);
}
END_TEST

START_TEST(inherited_unix)
{
	struct sockaddr_un un = address_of(path);
	struct stat st;
	struct client c;
	int fd;

	webhooks_free(&hooks);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	c = client_new();				/* before the daemon is there */
	client_send(&c, SLICE(ACCEPT));
	hooks = hooks_new("unix:/not/used", fd);
	all_closed(&c, 1);
	ck_assert_int_eq(status_of(&c), 200);
	close(c.fd);
	webhooks_free(&hooks);
	ck_assert_int_eq(stat(path, &st), 0);		/* not ours to remove */
}
END_TEST

START_TEST(inherited_refused)
{
	struct sockaddr_in in;
	struct err err = { "" };
	int open_to_all = tcp_socket(INADDR_ANY, 5, &in), not_listening = tcp_socket(INADDR_LOOPBACK, 0, &in);

	ck_assert_ptr_null(webhooks_new(base, "", open_to_all, &calls, &shop, &err));
	ck_assert_msg(strstr(err.msg, "neither a unix socket nor loopback") != NULL, "%s", err.msg);
	ck_assert_ptr_null(webhooks_new(base, "", not_listening, &calls, &shop, &err));
	ck_assert_msg(strstr(err.msg, "no listening socket") != NULL, "%s", err.msg);
	ck_assert_int_eq(close(open_to_all), 0);	/* still the caller's */
	ck_assert_int_eq(close(not_listening), 0);
}
END_TEST

/* ---- reload and stop ----------------------------------------------------------------- */

START_TEST(endpoints_change_while_a_request_waits)
{
	struct client c = client_new(), slow = client_new();

	client_send(&slow, SLICE("POST"));
	turns_for(5);
	client_send(&c, SLICE(ACCEPT));
	event_base_loop(base, EVLOOP_ONCE);		/* it may be appended, not synced */
	webhooks_set_endpoints(hooks, NULL, 0);
	all_closed(&c, 1);
	ck_assert(status_of(&c) == 200 || status_of(&c) == 404);
	ck_assert_uint_eq(shop.durable, status_of(&c) == 200);
	close(c.fd);
	c = ask(SLICE(ACCEPT));
	ck_assert_int_eq(status_of(&c), 404);
	close(slow.fd);
}
END_TEST

START_TEST(drain)
{
	struct client idle = client_new(), quiet = client_new(), half = client_new(), waiting, late;

	webhooks_set_deadline_ms(hooks, 3000);
	client_send(&half, SLICE(POST "Content-Length: 6\r\n\r\nacc"));
	turns_for(5);
	waiting = client_new();				/* still in the backlog */
	client_send(&waiting, SLICE(ACCEPT));
	ck_assert_uint_eq(webhooks_drain(hooks), 4);
	late = client_new();
	client_send(&late, SLICE(ACCEPT));
	client_send(&half, SLICE("ept"));
	client_send(&quiet, SLICE(ACCEPT));		/* connected before, and is heard */
	all_closed(&half, 1);
	all_closed(&waiting, 1);
	all_closed(&quiet, 1);
	ck_assert_int_eq(status_of(&half), 200);
	ck_assert_int_eq(status_of(&waiting), 200);
	ck_assert_int_eq(status_of(&quiet), 200);
	ck_assert_uint_eq(webhooks_drain(hooks), 1);
	turns_for(310);					/* a tenth of the deadline */
	ck_assert_uint_eq(webhooks_drain(hooks), 0);
	all_closed(&idle, 1);
	ck_assert_uint_eq(idle.len, 0);
	turns_for(5);
	client_look(&late);
	ck_assert(late.len == 0 && shop.durable == 3);
	close(idle.fd);
	close(quiet.fd);
	close(half.fd);
	close(waiting.fd);
	close(late.fd);
}
END_TEST

START_TEST(free_answers_what_was_appended)
{
	struct client c = client_new(), slow = client_new();

	client_send(&slow, SLICE("POST"));
	turns_for(5);
	client_send(&c, SLICE(ACCEPT));
	event_base_loop(base, EVLOOP_ONCE);
	webhooks_free(&hooks);
	client_look(&c);
	ck_assert_uint_eq(shop.durable, shop.appended);
	ck_assert_int_eq(status_of(&c), shop.durable == 1 ? 200 : -1);
	ck_assert_uint_eq(shop.durable, 1);
	close(c.fd);
	close(slow.fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhook");
	TCase *tc = tcase_create("webhook");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, one_request, 0, (int)N_ELEM(asks));
	tcase_add_test(tc, a_wanted_certificate_is_named);
	tcase_add_test(tc, an_answer_of_the_provider_s_own);
	tcase_add_test(tc, forged_ones_cost_one_search_in_two_seconds);
	tcase_add_test(tc, what_the_provider_said_is_handed_on);
	tcase_add_test(tc, head_is_answered_without_a_body);
	tcase_add_test(tc, continue_is_said_when_waited_for);
	tcase_add_test(tc, client_that_has_finished_sending);
	tcase_add_test(tc, largest_body);
	tcase_add_test(tc, body_one_byte_too_large);
	tcase_add_test(tc, chunks_that_add_up_to_too_much);
	tcase_add_test(tc, closed_in_mid_body);
	tcase_add_test(tc, client_gone_before_its_answer);
	tcase_add_test(tc, hundred_in_parallel);
	tcase_add_test(tc, sync_waits_for_those_on_the_way);
	tcase_add_test(tc, more_than_the_places_wait);
	tcase_add_test(tc, thousands_wait);
	tcase_add_test(tc, at_most_128_places);
	tcase_add_test(tc, sync_failure);
	tcase_add_loop_test(tc, drip_ends_at_the_deadline, 0, (int)N_ELEM(drips));
	tcase_add_test(tc, refused_client_that_stays);
	tcase_add_test(tc, two_hundred_drippers);
	tcase_add_test(tc, too_many_large_bodies_at_once);
	tcase_add_test(tc, small_ones_find_room_among_large_bodies);
	tcase_add_test(tc, out_of_descriptors);
	tcase_add_test(tc, socket_file);
	tcase_add_test(tc, stale_socket_file_is_replaced);
	tcase_add_test(tc, other_file_is_not_replaced);
	tcase_add_test(tc, socket_of_a_successor_stays);
	tcase_add_loop_test(tc, address_refused, 0, (int)N_ELEM(refused));
	tcase_add_test(tc, loopback_address);
	tcase_add_test(tc, inherited_tcp);
	tcase_add_test(tc, inherited_unix);
	tcase_add_test(tc, inherited_refused);
	tcase_add_test(tc, endpoints_change_while_a_request_waits);
	tcase_add_test(tc, drain);
	tcase_add_test(tc, free_answers_what_was_appended);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
