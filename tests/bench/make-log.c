/*
 * make-log: a shop's access log and its orders for the benchmark, from a seed.
 *
 *	make-log LINES SEED LOG ORDERS [FORMAT [PAGES]]
 *
 * Fourteen days of visitors with a cookie: sources, pages, assets, bots, carts, thank-you
 * pages with the order's token.  About one order for sixty lines.  FORMAT: a row of `formats`
 * below, `rpvd` where none is given; the requests are the same in all.  PAGES: how many distinct
 * ones there are (17).  Made fast rather than subtle: what the numbers have to be is the business
 * of other tests.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN INT64_C(1772409600000)	/* 2026-03-02 */
#define SPAN (14 * INT64_C(86400000))

enum kind { LANDING, VIEW, ASSET, CHECKOUT, THANKS };

struct line {				/* small: a hundred million of them have to be sorted */
	int64_t time_ms;
	uint32_t visitor, page, from, order;
	uint8_t kind, referrer, query;
	uint16_t status;
};

static uint64_t state, seed;
static struct line *lines;
static size_t n_lines, cap, n_pages;
static FILE *orders;
static unsigned n_orders;

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31);
}

static uint64_t
random64(void)
{
	return (mix(state += UINT64_C(0x9e3779b97f4a7c15)));
}

static double
uniform(void)
{
	return ((double)(random64() >> 11) / 9007199254740992.0);
}

#define N_ELEM(list) (sizeof(list) / sizeof((list)[0]))

static const char *const pages[] = { "/", "/pricing", "/about", "/blog/how-to", "/blog/why", "/p/mug", "/p/lamp", "/p/desk", "/p/chair",
    "/p/pen", "/p/clock", "/p/rug", "/p/vase", "/p/bowl", "/p/tray", "/delivery", "/contact" };
static const char *const referrers[] = { "-", "-", "-", "https://www.google.com/", "https://www.google.com/", "https://www.bing.com/search?q=x",
    "https://l.facebook.com/", "https://chatgpt.com/", "https://www.youtube.com/watch?v=1", "https://blog.partner.example/review" };
static const char *const queries[] = { "", "", "", "", "", "", "?utm_source=newsletter&utm_medium=email&utm_campaign=Spring%20Sale",
    "?gclid=Cj0KCQ", "?utm_source=Facebook&utm_medium=paid_social&utm_campaign=retarget", "" };
static const char *const agents[] = {
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_%u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.0.0 Mobile Safari/537.36",
};

static bool
is_bot(uint32_t visitor)
{
	return (visitor % 40 == 0);
}

/* ---- what happens ---------------------------------------------------------- */

static void
add_line(struct line line)
{
	if (n_lines == cap) {
		cap = cap == 0 ? 65536 : 2 * cap;
		lines = realloc(lines, cap * sizeof(*lines));
		if (lines == NULL)
			abort();
	}
	lines[n_lines++] = line;
}

static void
cookie_of(uint32_t visitor, char out[33])
{
	uint64_t a = mix(seed ^ (uint64_t)visitor << 20 ^ 1), b = mix(a);

	snprintf(out, 33, "%016" PRIx64 "%016" PRIx64, a, b);
}

static void
buy(uint32_t visitor, int64_t time_ms)
{
	char when[40], cookie[33];
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;
	unsigned id = ++n_orders;

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	cookie_of(visitor, cookie);
	add_line((struct line){ .time_ms = time_ms - 5000, .visitor = visitor, .kind = CHECKOUT, .status = 200 });
	if (id % 3 != 0)
		add_line((struct line){ .time_ms = time_ms + 4000, .visitor = visitor, .kind = THANKS, .status = 200, .order = id });
	fprintf(orders, "{\"id\":\"evt_%u\",\"time\":\"%s\",\"type\":\"order.paid\",\"order\":{\"id\":\"%u\",\"total\":\"%u.%02u\",\"currency\":\"EUR\","
	    "\"customer\":\"c%s\",\"token\":\"tok_%u\"%s%s%s}}\n", id, when, id, 5 + (unsigned)(random64() % 150), (unsigned)(random64() % 100),
	    cookie, id, id % 2 ? ",\"visitor\":\"" : "", id % 2 ? cookie : "", id % 2 ? "\"" : "");
	if (id % 16 == 0)
		fprintf(orders, "{\"id\":\"evt_r%u\",\"time\":\"%s\",\"type\":\"order.refunded\",\"refund\":{\"id\":\"re_%u\",\"order_id\":\"%u\","
		    "\"amount\":\"4.50\",\"currency\":\"EUR\"}}\n", id, when, id, id);
}

static void
visit(uint32_t visitor, int64_t time_ms, double conversion)
{
	uint32_t page = (uint32_t)(random64() % n_pages), from;
	int views = 1 + (int)(-2.2 * log(1 - uniform()));

	add_line((struct line){ .time_ms = time_ms, .visitor = visitor, .page = page, .kind = LANDING, .status = 200,
	    .referrer = (uint8_t)(random64() % N_ELEM(referrers)), .query = (uint8_t)(random64() % N_ELEM(queries)) });
	for (int i = 1; i < views && i < 20; i++) {
		from = page;
		add_line((struct line){ .time_ms = time_ms + 300, .visitor = visitor, .from = from, .kind = ASSET, .status = uniform() < .3 ? 304 : 200 });
		time_ms += 2000 + (int64_t)(-60000 * log(1 - uniform()));
		page = (uint32_t)(random64() % n_pages);
		add_line((struct line){ .time_ms = time_ms, .visitor = visitor, .page = page, .from = from, .kind = VIEW,
		    .status = uniform() < .93 ? 200 : 404 });
	}
	if (uniform() < conversion)
		buy(visitor, time_ms + 60000);
}

static void
visitor(uint32_t n)
{
	int64_t time_ms = BEGIN + (int64_t)(uniform() * (double)SPAN);
	int visits = 1 + (int)(-.6 * log(1 - uniform()));

	for (int i = 0; i < visits && time_ms < BEGIN + SPAN - 3600000; i++) {
		visit(n, time_ms, is_bot(n) ? 0 : .08);
		time_ms += (int64_t)(86400000 * (.1 + 3 * uniform()));
	}
}

/* ---- how it is logged -------------------------------------------------------- */

struct hit {				/* the line as the server sees it */
	char addr[32], cookie[33], agent[320], target[320], referrer[160];
	char local[40], iso[40];	/* the time */
	int64_t time_ms;
	int status;
	unsigned bytes;
};

static void
put_page(char *out, size_t room, const char *host, uint32_t page)
{
	if (page < N_ELEM(pages))
		snprintf(out, room, "%s%s", host, pages[page]);
	else
		snprintf(out, room, "%s/p/article-%u", host, page);
}

static void
hit_visitor(uint32_t visitor, struct hit *hit)
{
	uint64_t a = mix(seed ^ (uint64_t)visitor << 20 ^ 2);

	snprintf(hit->addr, sizeof(hit->addr), "%u.%u.%u.%u", 1 + (unsigned)(a % 223), (unsigned)(a >> 8 & 255), (unsigned)(a >> 16 & 255),
	    (unsigned)(a >> 24 & 255));
	cookie_of(visitor, hit->cookie);
	if (is_bot(visitor))
		snprintf(hit->agent, sizeof(hit->agent), "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
	else {
		const char *form = agents[(a >> 32) % N_ELEM(agents)], *at = strstr(form, "%u");

		snprintf(hit->agent, sizeof(hit->agent), "%.*s%u%s", (int)(at - form), form, 120 + (unsigned)(a >> 40) % 25, at + 2);
	}
}

static void
hit_time(int64_t time_ms, struct hit *hit)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	if (hit->time_ms / 1000 != time_ms / 1000) {
		gmtime_r(&seconds, &tm);
		strftime(hit->local, sizeof(hit->local), "%d/%b/%Y:%H:%M:%S +0000", &tm);
		strftime(hit->iso, sizeof(hit->iso), "%Y-%m-%dT%H:%M:%S+00:00", &tm);
	}
	hit->time_ms = time_ms;
}

static void
hit_of(const struct line *line, struct hit *hit)
{
	hit_visitor(line->visitor, hit);
	hit_time(line->time_ms, hit);
	hit->status = line->status;
	hit->bytes = (unsigned)(mix((uint64_t)line->time_ms ^ line->visitor) % 60000);
	put_page(hit->referrer, sizeof(hit->referrer), "https://shop.example", line->from);
	switch ((enum kind)line->kind) {
	case LANDING:
		put_page(hit->target, sizeof(hit->target), "", line->page);
		strcat(hit->target, queries[line->query]);
		strcpy(hit->referrer, referrers[line->referrer]);
		break;
	case VIEW:
		put_page(hit->target, sizeof(hit->target), "", line->page);
		break;
	case ASSET:
		strcpy(hit->target, "/static/app.js");
		break;
	case CHECKOUT:
		strcpy(hit->target, "/checkout");
		strcpy(hit->referrer, "https://shop.example/cart");
		break;
	case THANKS:
		snprintf(hit->target, sizeof(hit->target), "/checkout/thanks?order=tok_%u", line->order);
		strcpy(hit->referrer, "https://checkout.stripe.com/c/pay");
		break;
	}
}

static void
put_common(FILE *f, const struct hit *h)
{
	fprintf(f, "%s - - [%s] \"GET %s HTTP/1.1\" %d %u", h->addr, h->local, h->target, h->status, h->bytes);
}

static void
put_combined(FILE *f, const struct hit *h)
{
	put_common(f, h);
	fprintf(f, " \"%s\" \"%s\"", h->referrer, h->agent);
}

/* As README advises: with milliseconds and a cookie. */
static void
put_rpvd(FILE *f, const struct hit *h)
{
	put_combined(f, h);
	fprintf(f, " %" PRId64 ".%03d \"%s\"", h->time_ms / 1000, (int)(h->time_ms % 1000), h->cookie);
}

static void
put_vhost_combined(FILE *f, const struct hit *h)
{
	fprintf(f, "shop.example:443 ");
	put_combined(f, h);
}

/* nginx, escape=json; */
static void
put_json(FILE *f, const struct hit *h)
{
	fprintf(f, "{\"time_iso8601\":\"%s\",\"msec\":\"%" PRId64 ".%03d\",\"remote_addr\":\"%s\",\"request_method\":\"GET\","
	    "\"request_uri\":\"%s\",\"server_protocol\":\"HTTP/1.1\",\"status\":\"%d\",\"body_bytes_sent\":\"%u\",\"http_referer\":\"%s\","
	    "\"http_user_agent\":\"%s\"}", h->iso, h->time_ms / 1000, (int)(h->time_ms % 1000), h->addr, h->target, h->status, h->bytes,
	    strcmp(h->referrer, "-") == 0 ? "" : h->referrer, h->agent);
}

static void
put_caddy(FILE *f, const struct hit *h)
{
	fprintf(f, "{\"level\":\"info\",\"ts\":%" PRId64 ".%03d,\"logger\":\"http.log.access\",\"msg\":\"handled request\",\"request\":{"
	    "\"remote_ip\":\"%s\",\"remote_port\":\"4711\",\"client_ip\":\"%s\",\"proto\":\"HTTP/2.0\",\"method\":\"GET\",\"host\":\"shop.example\","
	    "\"uri\":\"%s\",\"headers\":{\"User-Agent\":[\"%s\"],\"Accept-Encoding\":[\"gzip, br\"]%s%s%s}},\"bytes_read\":0,\"user_id\":\"\","
	    "\"duration\":0.0021,\"size\":%u,\"status\":%d}", h->time_ms / 1000, (int)(h->time_ms % 1000), h->addr, h->addr, h->target, h->agent,
	    strcmp(h->referrer, "-") == 0 ? "" : ",\"Referer\":[\"", strcmp(h->referrer, "-") == 0 ? "" : h->referrer,
	    strcmp(h->referrer, "-") == 0 ? "" : "\"]", h->bytes, h->status);
}

static void
put_ltsv(FILE *f, const struct hit *h)
{
	fprintf(f, "time:%s\thost:%s\tmethod:GET\turi:%s\tprotocol:HTTP/1.1\tstatus:%d\tsize:%u\treferer:%s\tua:%s", h->local, h->addr, h->target,
	    h->status, h->bytes, h->referrer, h->agent);
}

static void
put_traefik(FILE *f, const struct hit *h)
{
	put_combined(f, h);
	fprintf(f, " 4711 \"shop@docker\" \"http://172.18.0.3:8080\" 12ms");
}

static const struct log_format {
	const char *name;
	void (*put)(FILE *, const struct hit *);
} formats[] = {
	{ "rpvd", put_rpvd },
	{ "combined", put_combined },
	{ "common", put_common },
	{ "vhost_combined", put_vhost_combined },
	{ "json", put_json },
	{ "caddy", put_caddy },
	{ "ltsv", put_ltsv },
	{ "traefik", put_traefik },
};

static const struct log_format *
format_of(const char *name)
{
	for (size_t i = 0; i < N_ELEM(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return (&formats[i]);
	return (NULL);
}

static int
by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->time_ms != y->time_ms)
		return (x->time_ms < y->time_ms ? -1 : 1);
	return (x->visitor < y->visitor ? -1 : x->visitor > y->visitor);
}

int
main(int argc, char **argv)
{
	size_t want = argc >= 5 ? strtoull(argv[1], NULL, 10) : 0;
	const struct log_format *format = format_of(argc >= 6 ? argv[5] : "rpvd");
	static struct hit hit;
	FILE *log;

	n_pages = argc >= 7 ? strtoull(argv[6], NULL, 10) : N_ELEM(pages);
	if (want == 0 || format == NULL || n_pages == 0 || n_pages > UINT32_MAX) {
		fprintf(stderr, "usage: make-log LINES SEED LOG ORDERS [FORMAT [PAGES]]\n");
		return (2);
	}
	state = seed = strtoull(argv[2], NULL, 10);
	log = fopen(argv[3], "w");
	orders = fopen(argv[4], "w");
	if (log == NULL || orders == NULL) {
		perror("make-log");
		return (1);
	}
	for (uint32_t n = 1; n_lines < want; n++)
		visitor(n);
	qsort(lines, n_lines, sizeof(*lines), by_time);
	for (size_t i = 0; i < n_lines; i++) {
		hit_of(&lines[i], &hit);
		format->put(log, &hit);
		putc('\n', log);
	}
	if (fclose(log) != 0 || fclose(orders) != 0) {
		perror("make-log");
		return (1);
	}
	printf("%zu lines, %u orders\n", n_lines, n_orders);
	return (0);
}
