/*
 * make-flood: a shop under attack, for flood.sh.
 *
 *	make-flood LINES BEGIN MINUTES LOG ORDERS FACTS		BEGIN: milliseconds
 *
 * Nineteen of twenty lines are strangers' who make up whatever can be made up: visitors,
 * pages, utm values, referrers, tokens; one who is new with each line, one whose visit has
 * all pages there are, one who begins a visit with each line, one address with a new cookie
 * each time.  Among them a few thousand shoppers go on as ever.  FACTS says what all of this
 * has to come to: nothing in it is worked out the way rpvd does it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT (30 * INT64_C(60000))
#define SOURCES 20
#define PAGES 20

struct shopper {
	int64_t last_ms;
	unsigned source, landing;
};

struct sum {
	uint64_t visits;
	int64_t cents;
};

static uint64_t state = 20260302;
static struct sum total, by_source[SOURCES], by_landing[PAGES];
static uint64_t unattributed, n_orders;
static FILE *log_file, *orders_file;

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
random64(void)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31);
}

/* Of n, the first most often: the k-th with weight 1 / (k + 1). */
static unsigned
zipf(unsigned n)
{
	double all = 0, at;
	unsigned k;

	for (k = 0; k < n; k++)
		all += 1.0 / (k + 1);
	at = (double)(random64() >> 11) / 9007199254740992.0 * all;
	for (k = 0; k + 1 < n && at >= 1.0 / (k + 1); k++)
		at -= 1.0 / (k + 1);
	return (k);
}

static void
line(int64_t time_ms, uint32_t addr, const char *target, const char *referrer, const char *cookie)
{
	static char clock[64];
	static time_t told = -1;
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	if (seconds != told) {
		gmtime_r(&seconds, &tm);
		strftime(clock, sizeof(clock), "%d/%b/%Y:%H:%M:%S +0000", &tm);
		told = seconds;
	}
	fprintf(log_file, "%u.%u.%u.%u - - [%s] \"GET %s HTTP/1.1\" 200 5316 \"%s\" "
	    "\"Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0\" %" PRId64 ".%03d \"%s\"\n",
	    addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255, clock, target, referrer, time_ms / 1000, (int)(time_ms % 1000), cookie);
}

/* One visit each, but for the walker, who makes one in all. */
static void
stranger(int64_t time_ms, uint64_t i, unsigned kind)
{
	static bool walked;
	uint32_t addr = (uint32_t)i * UINT32_C(2654435761);	/* each its own */
	char target[256], referrer[128] = "-", cookie[64] = "-";

	snprintf(target, sizeof(target), "/x/%016" PRIx64, random64());
	if (kind < 45)
		snprintf(referrer, sizeof(referrer), "http://h%" PRIx64 ".example/", random64());
	else
		snprintf(target + strlen(target), 200, "?utm_source=%" PRIx64 "&utm_medium=%" PRIx64 "&utm_campaign=%" PRIx64,
		    random64(), random64() % 4, random64());
	if (kind % 2 == 0)
		snprintf(cookie, sizeof(cookie), "%016" PRIx64, random64());
	if (kind == 90) {
		addr = 1;
		snprintf(cookie, sizeof(cookie), "walker");
		snprintf(target, sizeof(target), "/x/%016" PRIx64, random64());
		if (walked)
			total.visits--;
		walked = true;
	} else if (kind == 91) {
		addr = 2;
		snprintf(cookie, sizeof(cookie), "flipper");
	} else if (kind == 92)
		snprintf(target, sizeof(target), "/checkout/thanks?order=%016" PRIx64, random64());
	else if (kind == 93) {
		addr = 3;
		snprintf(cookie, sizeof(cookie), "%016" PRIx64, random64());
	}
	total.visits++;
	line(time_ms, addr, target, referrer, cookie);
}

static void
order(int64_t time_ms, const char *visitor, int64_t cents)
{
	char clock[64];
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	n_orders++;
	gmtime_r(&seconds, &tm);
	strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(orders_file, "{\"type\":\"order.paid\",\"id\":\"e%" PRIu64 "\",\"time\":\"%s.%03dZ\",\"order\":{\"id\":\"%016" PRIx64 "\","
	    "\"currency\":\"EUR\",\"total\":\"%" PRId64 ".%02d\"%s%s%s}}\n", n_orders, clock, (int)(time_ms % 1000), random64(),
	    cents / 100, (int)(cents % 100), visitor != NULL ? ",\"visitor\":\"" : "", visitor != NULL ? visitor : "", visitor != NULL ? "\"" : "");
}

static void
shopper(struct shopper *who, unsigned number, int64_t time_ms)
{
	char target[256], cookie[64];
	unsigned page = zipf(PAGES);
	int64_t cents;

	snprintf(cookie, sizeof(cookie), "shopper-%u", number);
	snprintf(target, sizeof(target), "/p/%02u", page);
	if (who->last_ms == 0 || time_ms - who->last_ms > TIMEOUT) {
		who->source = zipf(SOURCES);
		who->landing = page;
		snprintf(target, sizeof(target), "/p/%02u?utm_source=news%02u&utm_medium=email&utm_campaign=spring", page, who->source);
		total.visits++;
		by_source[who->source].visits++;
		by_landing[page].visits++;
	}
	who->last_ms = time_ms;
	line(time_ms, 4 << 24 | number, target, strchr(target, '?') != NULL ? "-" : "https://shop.example/", cookie);
	if (random64() % 8 != 0)
		return;
	cents = 2000 + (int64_t)(random64() % 4000);
	order(time_ms + 1000, cookie, cents);
	total.cents += cents;
	by_source[who->source].cents += cents;
	by_landing[who->landing].cents += cents;
}

static FILE *
open_file(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	return (f);
}

static void
close_file(FILE *f)
{
	if (fclose(f) != 0) {
		perror("make-flood");
		exit(1);
	}
}

static void
tell(FILE *f)
{
	fprintf(f, "total - %" PRIu64 " %" PRId64 "\n", total.visits, total.cents);
	fprintf(f, "unattributed - %" PRIu64 " %" PRIu64 "\n", n_orders, unattributed);
	for (unsigned i = 0; i < SOURCES; i++)
		fprintf(f, "source news%02u/email %" PRIu64 " %" PRId64 "\n", i, by_source[i].visits, by_source[i].cents);
	for (unsigned i = 0; i < PAGES; i++)
		fprintf(f, "landing /p/%02u %" PRIu64 " %" PRId64 "\n", i, by_landing[i].visits, by_landing[i].cents);
}

int
main(int argc, char **argv)
{
	uint64_t n;
	int64_t begin_ms, length_ms;
	unsigned n_shoppers;
	struct shopper *shoppers;
	FILE *facts;

	if (argc != 7) {
		fprintf(stderr, "usage: make-flood LINES BEGIN MINUTES LOG ORDERS FACTS\n");
		return (2);
	}
	n = strtoull(argv[1], NULL, 10);
	begin_ms = strtoll(argv[2], NULL, 10);
	length_ms = strtoll(argv[3], NULL, 10) * 60000;
	n_shoppers = (unsigned)(n / 100) + 1;
	shoppers = calloc(n_shoppers, sizeof(*shoppers));
	log_file = open_file(argv[4]);
	orders_file = open_file(argv[5]);
	for (uint64_t i = 0; i < n; i++) {
		int64_t time_ms = begin_ms + (int64_t)((double)i / (double)n * (double)length_ms);
		unsigned kind = (unsigned)(random64() % 100), number;

		if (kind >= 94) {
			number = (unsigned)(random64() % n_shoppers);
			shopper(&shoppers[number], number, time_ms);
		} else
			stranger(time_ms, i, kind);
		if (i % 500 == 0) {		/* an order of nobody's */
			order(time_ms, NULL, 700);
			unattributed += 700;
		}
	}
	close_file(log_file);
	close_file(orders_file);
	facts = open_file(argv[6]);
	tell(facts);
	close_file(facts);
	free(shoppers);
	return (0);
}
