/*
 * make-log: a shop's access log and its orders for the benchmark, from a seed.
 *
 *	make-log LINES SEED LOG ORDERS
 *
 * Fourteen days of visitors with a cookie: sources, pages, assets, bots, carts, thank-you
 * pages with the order's token.  About one order for sixty lines.  Made fast rather than
 * subtle: what the numbers have to be is the business of other tests.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN INT64_C(1772409600000)	/* 2026-03-02 */
#define SPAN (14 * INT64_C(86400000))
#define ROOM 1024

struct line {
	int64_t time_ms;
	char *text;
};

static uint64_t state;
static struct line *lines;
static size_t n_lines, cap;
static FILE *orders;
static unsigned n_orders;

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
random64(void)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31);
}

static double
uniform(void)
{
	return ((double)(random64() >> 11) / 9007199254740992.0);
}

static const char *
pick(const char *const *list, size_t n)
{
	return (list[random64() % n]);
}

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

struct visitor {
	unsigned ip[4];
	char cookie[33], agent[320];
};

static void
add_line(const struct visitor *v, int64_t time_ms, const char *target, int status, const char *referrer)
{
	char text[ROOM], when[32];
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;
	int n;

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S +0000", &tm);
	n = snprintf(text, sizeof(text), "%u.%u.%u.%u - - [%s] \"GET %s HTTP/1.1\" %d %u \"%s\" \"%s\" %" PRId64 ".%03d \"%s\"\n",
	    v->ip[0], v->ip[1], v->ip[2], v->ip[3], when, target, status, (unsigned)(random64() % 60000), referrer, v->agent,
	    time_ms / 1000, (int)(time_ms % 1000), v->cookie);
	if (n_lines == cap) {
		cap = cap == 0 ? 65536 : 2 * cap;
		lines = realloc(lines, cap * sizeof(*lines));
		if (lines == NULL)
			abort();
	}
	lines[n_lines].time_ms = time_ms;
	lines[n_lines].text = strndup(text, (size_t)n);
	if (lines[n_lines++].text == NULL)
		abort();
}

static void
buy(const struct visitor *v, int64_t time_ms)
{
	char target[64], when[40];
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;
	unsigned id = ++n_orders;

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	add_line(v, time_ms - 5000, "/checkout", 200, "https://shop.example/cart");
	snprintf(target, sizeof(target), "/checkout/thanks?order=tok_%u", id);
	if (id % 3 != 0)
		add_line(v, time_ms + 4000, target, 200, "https://checkout.stripe.com/c/pay");
	fprintf(orders, "{\"id\":\"evt_%u\",\"time\":\"%s\",\"type\":\"order.paid\",\"order\":{\"id\":\"%u\",\"total\":\"%u.%02u\",\"currency\":\"EUR\","
	    "\"customer\":\"c%s\",\"token\":\"tok_%u\"%s%s%s}}\n", id, when, id, 5 + (unsigned)(random64() % 150), (unsigned)(random64() % 100),
	    v->cookie, id, id % 2 ? ",\"visitor\":\"" : "", id % 2 ? v->cookie : "", id % 2 ? "\"" : "");
	if (id % 16 == 0)
		fprintf(orders, "{\"id\":\"evt_r%u\",\"time\":\"%s\",\"type\":\"order.refunded\",\"refund\":{\"id\":\"re_%u\",\"order_id\":\"%u\","
		    "\"amount\":\"4.50\",\"currency\":\"EUR\"}}\n", id, when, id, id);
}

static void
visit(const struct visitor *v, int64_t time_ms, double conversion)
{
	const char *page = pick(pages, sizeof(pages) / sizeof(*pages));
	char target[256], referrer[128];
	int views = 1 + (int)(-2.2 * log(1 - uniform()));

	snprintf(target, sizeof(target), "%s%s", page, pick(queries, sizeof(queries) / sizeof(*queries)));
	add_line(v, time_ms, target, 200, pick(referrers, sizeof(referrers) / sizeof(*referrers)));
	for (int i = 1; i < views && i < 20; i++) {
		snprintf(referrer, sizeof(referrer), "https://shop.example%s", page);
		add_line(v, time_ms + 300, "/static/app.js", uniform() < .3 ? 304 : 200, referrer);
		time_ms += 2000 + (int64_t)(-60000 * log(1 - uniform()));
		page = pick(pages, sizeof(pages) / sizeof(*pages));
		add_line(v, time_ms, page, uniform() < .93 ? 200 : 404, referrer);
	}
	if (uniform() < conversion)
		buy(v, time_ms + 60000);
}

static void
visitor(unsigned n)
{
	struct visitor v;
	char form[256];
	int64_t time_ms = BEGIN + (int64_t)(uniform() * (double)SPAN);
	int visits = 1 + (int)(-.6 * log(1 - uniform()));

	for (int i = 0; i < 4; i++)
		v.ip[i] = 1 + (unsigned)(random64() % 253);
	snprintf(v.cookie, sizeof(v.cookie), "%016" PRIx64 "%016" PRIx64, random64(), random64());
	snprintf(form, sizeof(form), "%s", pick(agents, sizeof(agents) / sizeof(*agents)));
	if (n % 40 == 0)
		snprintf(v.agent, sizeof(v.agent), "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
	else {
		char number[8], *at = strstr(form, "%u");

		snprintf(number, sizeof(number), "%u", 120 + (unsigned)(random64() % 25));
		*at = '\0';
		snprintf(v.agent, sizeof(v.agent), "%s%s%s", form, number, at + 2);
	}
	for (int i = 0; i < visits && time_ms < BEGIN + SPAN - 3600000; i++) {
		visit(&v, time_ms, n % 40 == 0 ? 0 : .08);
		time_ms += (int64_t)(86400000 * (.1 + 3 * uniform()));
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->time_ms < y->time_ms ? -1 : x->time_ms > y->time_ms);
}

int
main(int argc, char **argv)
{
	size_t want = argc == 5 ? strtoull(argv[1], NULL, 10) : 0;
	FILE *log;

	if (want == 0) {
		fprintf(stderr, "usage: make-log LINES SEED LOG ORDERS\n");
		return (2);
	}
	state = strtoull(argv[2], NULL, 10);
	log = fopen(argv[3], "w");
	orders = fopen(argv[4], "w");
	if (log == NULL || orders == NULL) {
		perror("make-log");
		return (1);
	}
	for (unsigned n = 1; n_lines < want; n++)
		visitor(n);
	qsort(lines, n_lines, sizeof(*lines), by_time);
	for (size_t i = 0; i < n_lines; i++)
		fputs(lines[i].text, log);
	if (fclose(log) != 0 || fclose(orders) != 0) {
		perror("make-log");
		return (1);
	}
	printf("%zu lines, %u orders\n", n_lines, n_orders);
	return (0);
}
