/*
 * certificates: see certificates.h.
 *
 * An address names its certificate for good (a new certificate has a new one), so what is here is
 * never asked for again.  Strangers can name addresses of PayPal's that do not exist; that costs a
 * request every now and then, and a place in a short queue.
 */
#include "io/certificates.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/keys.h"

#define KEPT_MAX 16			/* PayPal has a handful at a time */
#define QUEUE_MAX 8
#define PEM_MAX 65536
#define REST_MS 5000
#define FETCH_S 20
#define LOG_S 60			/* between two lines about what did not come: strangers can cause them */

/* What the thread works on; the loop looks at it after the thread has said that it is done. */
struct fetch {
	char url[CERTIFICATE_URL_MAX + 1];
	struct buf pem;
	struct err err;
	bool failed;
};

struct certificates {
	char *dir;			/* DIR/certificates */
	struct certificates_net net;
	struct certificate list[KEPT_MAX];	/* own their texts */
	struct certificate_list view;
	char queue[QUEUE_MAX][CERTIFICATE_URL_MAX + 1];
	size_t n_queue;
	struct fetch fetch;
	bool is_fetching;
	pthread_t thread;
	atomic_bool cancelled;
	int done_fd;
	struct event *done, *again;
	bool has_curl;
	long said;
};

/* ---- kept ---- */

static struct slice
slice_copy(struct slice text)
{
	return (slice_make(mem_dup(text.p, text.len), text.len));
}

static void
forget_first(struct certificates *c)
{
	free((void *)(uintptr_t)c->list[0].url.p);
	free((void *)(uintptr_t)c->list[0].pem.p);
	memmove(&c->list[0], &c->list[1], (KEPT_MAX - 1) * sizeof(c->list[0]));
	c->view.n--;
}

static void
keep(struct certificates *c, struct slice url, struct slice pem)
{
	if (c->view.n == KEPT_MAX)
		forget_first(c);
	c->list[c->view.n++] = (struct certificate){ slice_copy(url), slice_copy(pem) };
}

static bool
is_here(const struct certificates *c, struct slice url)
{
	for (size_t i = 0; i < c->view.n; i++)
		if (slice_equal(c->list[i].url, url))
			return (true);
	return (false);
}

/* The address in the first line, then the certificate: files are found by their number alone. */
static void
path_of(const struct certificates *c, size_t i, const char *end, struct buf *path)
{
	buf_printf(path, "%s/%zu.pem%s", c->dir, i, end);
	buf_putc(path, '\0');
}

static int
write_whole(const char *path, struct slice text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), rc = -1;

	if (fd < 0)
		return (-1);
	if (write(fd, text.p, text.len) == (ssize_t)text.len && fsync(fd) == 0)
		rc = 0;
	return (close(fd) == 0 ? rc : -1);
}

static void
save_one(const struct certificates *c, size_t i)
{
	struct buf text = { 0 }, path = { 0 }, temporary = { 0 };

	path_of(c, i, "", &path);
	path_of(c, i, ".tmp", &temporary);
	buf_printf(&text, "%.*s\n%.*s", SLICE_FMT(c->list[i].url), SLICE_FMT(c->list[i].pem));
	if (write_whole(temporary.p, buf_view(&text)) != 0 || rename(temporary.p, path.p) != 0)
		log_warning("certificates: %s: %s; it is fetched anew after a restart", path.p, strerror(errno));
	buf_free(&text);
	buf_free(&path);
	buf_free(&temporary);
}

/* All of them: where the first is forgotten, the others move up. */
static void
save(const struct certificates *c)
{
	if (mkdir(c->dir, 0700) != 0 && errno != EEXIST)
		log_warning("certificates: %s: %s; they are fetched anew after a restart", c->dir, strerror(errno));
	else
		for (size_t i = 0; i < c->view.n; i++)
			save_one(c, i);
}

/* False where there is no such file; what is no certificate is passed over. */
static bool
load_one(struct certificates *c, size_t i)
{
	struct buf path = { 0 };
	struct slice rest, url;
	struct err err;
	size_t len;
	char *text;

	path_of(c, i, "", &path);
	text = file_read_own(path.p, PEM_MAX + CERTIFICATE_URL_MAX + 1, &len, &err);
	buf_free(&path);
	if (text == NULL)
		return (false);
	rest = slice_make(text, len);
	url = slice_cut(&rest, '\n');
	if (certificate_url_is_known(url) && !is_here(c, url) && certificate_is_usable(rest))
		keep(c, url, rest);
	free(text);
	return (true);
}

/* ---- the thread ---- */

static size_t
on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;

	if (f->pem.len + size * n > PEM_MAX)
		return (0);			/* which ends it */
	buf_put(&f->pem, bytes, size * n);
	return (size * n);
}

static int
on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct certificates *c = arg;

	(void)total, (void)now, (void)up_total, (void)up_now;
	return (atomic_load(&c->cancelled));
}

static void
set_options(struct certificates *c, CURL *curl, struct curl_slist *connect_to)
{
	curl_easy_setopt(curl, CURLOPT_URL, c->fetch.url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)FETCH_S);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "rpvd");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &c->fetch);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
	if (c->net.ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, c->net.ca_file);
	if (connect_to != NULL)
		curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to);
}

static bool
perform(struct fetch *f, CURL *curl)
{
	CURLcode rc = curl_easy_perform(curl);
	long status = 0;

	if (rc != CURLE_OK) {
		err_set(&f->err, "%s", curl_easy_strerror(rc));
		return (false);
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		err_set(&f->err, "answered %ld", status);
		return (false);
	}
	if (!certificate_is_usable(buf_view(&f->pem))) {
		err_set(&f->err, "what came is no certificate in PEM with an RSA key");
		return (false);
	}
	return (true);
}

static void *
fetch_thread(void *arg)
{
	struct certificates *c = arg;
	struct curl_slist *connect_to = c->net.connect_to != NULL ? curl_slist_append(NULL, c->net.connect_to) : NULL;
	CURL *curl = curl_easy_init();
	uint64_t one = 1;

	must(curl != NULL);
	set_options(c, curl, connect_to);
	c->fetch.failed = !perform(&c->fetch, curl);
	curl_easy_cleanup(curl);
	curl_slist_free_all(connect_to);
	(void)!write(c->done_fd, &one, sizeof(one));
	return (NULL);
}

/* ---- the loop's side ---- */

static void
fetch_next(struct certificates *c)
{
	if (c->is_fetching || c->n_queue == 0)
		return;
	if (!c->has_curl) {
		must(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
		c->has_curl = true;
	}
	c->fetch = (struct fetch){ .pem = c->fetch.pem };
	c->fetch.pem.len = 0;
	snprintf(c->fetch.url, sizeof(c->fetch.url), "%s", c->queue[0]);
	memmove(c->queue[0], c->queue[1], (QUEUE_MAX - 1) * sizeof(c->queue[0]));
	c->n_queue--;
	c->is_fetching = pthread_create(&c->thread, NULL, fetch_thread, c) == 0;
	if (!c->is_fetching)
		log_error("certificates: no thread: %s", strerror(errno));
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	fetch_next(arg);
}

static void
fetch_later(struct certificates *c)
{
	int64_t ms = c->net.rest_ms > 0 ? c->net.rest_ms : REST_MS;
	const struct timeval rest = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(c->again, &rest);
}

static void
on_fetched(evutil_socket_t fd, short what, void *arg)
{
	struct certificates *c = arg;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) != sizeof(n))
		return;
	pthread_join(c->thread, NULL);
	c->is_fetching = false;
	if (c->fetch.failed && log_limit(&c->said, LOG_S))
		log_warning("certificates: %s: %s; webhooks that are signed with it are answered 503 until it is here", c->fetch.url,
		    c->fetch.err.msg);
	if (!c->fetch.failed) {
		log_notice("certificates: fetched %s", c->fetch.url);
		keep(c, slice_of(c->fetch.url), buf_view(&c->fetch.pem));
		save(c);
	}
	fetch_later(c);
}

static bool
is_under_way(const struct certificates *c, struct slice url)
{
	if (c->is_fetching && slice_is(url, c->fetch.url))
		return (true);
	for (size_t i = 0; i < c->n_queue; i++)
		if (slice_is(url, c->queue[i]))
			return (true);
	return (false);
}

void
certificates_want(struct certificates *c, struct slice url)
{
	if (!certificate_url_is_known(url) || is_here(c, url) || is_under_way(c, url) || c->n_queue == QUEUE_MAX)
		return;
	snprintf(c->queue[c->n_queue++], sizeof(c->queue[0]), "%.*s", SLICE_FMT(url));
	if (c->is_fetching || evtimer_pending(c->again, NULL))
		return;
	fetch_next(c);
}

const struct certificate_list *
certificates_list(const struct certificates *c)
{
	return (&c->view);
}

/* ---- life ---- */

struct certificates *
certificates_open(struct event_base *base, const char *state_dir, const struct certificates_net *net)
{
	struct certificates *c = mem_calloc(1, sizeof(*c));
	struct buf dir = { 0 };

	if (net != NULL)
		c->net = *net;
	buf_printf(&dir, "%s/certificates", state_dir);
	buf_putc(&dir, '\0');
	c->dir = dir.p;
	c->view.list = c->list;
	c->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(c->done_fd >= 0);
	c->done = event_new(base, c->done_fd, EV_READ | EV_PERSIST, on_fetched, c);
	c->again = evtimer_new(base, on_again, c);
	must(c->done != NULL && c->again != NULL);
	event_add(c->done, NULL);
	for (size_t i = 0; i < KEPT_MAX && load_one(c, i);)
		i++;
	return (c);
}

void
certificates_close(struct certificates **cp)
{
	struct certificates *c = *cp;

	if (c == NULL)
		return;
	atomic_store(&c->cancelled, true);
	if (c->is_fetching)
		pthread_join(c->thread, NULL);
	event_free(c->done);
	event_free(c->again);
	close(c->done_fd);
	while (c->view.n > 0)
		forget_first(c);
	buf_free(&c->fetch.pem);
	if (c->has_curl)
		curl_global_cleanup();
	free(c->dir);
	free(c);
	*cp = NULL;
}
