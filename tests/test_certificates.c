/*
 * Tests of io/certificates: fetched from a TLS server of our own, which stands for PayPal's.
 *
 * The server is a child process on a loopback port; the path that it is asked for says what it
 * does.
 */
#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/certificates.h"

#define HOST "https://api.paypal.com"
#define PATIENCE_MS 8000

/* ---- keys ---- */

static EVP_PKEY *ca_key, *server_key, *paypal_key;
static X509 *ca, *other_ca, *server_certificate;
static char paypal_pem[4096];

static void
set_name(X509 *x, const char *name)
{
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) == 1);
}

static void
set_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(x, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* Signed by the issuer, itself where that is NULL. */
static X509 *
certificate_new(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *x = X509_new();

	must(x != NULL && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 7) == 1);
	must(X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL && X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL);
	set_name(x, name);
	must(X509_set_issuer_name(x, X509_get_subject_name(issuer != NULL ? issuer : x)) == 1 && X509_set_pubkey(x, key) == 1);
	if (issuer == NULL)
		set_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	else
		set_extension(x, NID_subject_alt_name, "DNS:api.paypal.com");
	must(X509_sign(x, issuer_key, EVP_sha256()) > 0);
	return (x);
}

static void
make_keys(void)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *x;
	int len;

	ca_key = EVP_EC_gen("P-256");
	server_key = EVP_EC_gen("P-256");
	paypal_key = EVP_RSA_gen(2048);
	ca = certificate_new(ca_key, "an authority", NULL, ca_key);
	other_ca = certificate_new(server_key, "another one", NULL, server_key);
	server_certificate = certificate_new(server_key, "api.paypal.com", ca, ca_key);
	x = certificate_new(paypal_key, "signs webhooks", NULL, paypal_key);
	must(PEM_write_bio_X509(bio, x) == 1);
	len = BIO_read(bio, paypal_pem, sizeof(paypal_pem) - 1);
	must(len > 0);
	X509_free(x);
	BIO_free(bio);
}

/* ---- the server ---- */

static struct shared {
	atomic_uint connections;
} *shared;
static pid_t server;
static int listen_fd;
static char connect_to[64];

static void
say(SSL *ssl, const char *status, const char *more, const char *body, size_t len)
{
	char head[256];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n", status, more, len);

	SSL_write(ssl, head, n);
	if (len > 0)
		SSL_write(ssl, body, (int)len);
}

static void
answer(SSL *ssl)
{
	static char large[100000];
	char request[4096];
	int n = SSL_read(ssl, request, sizeof(request) - 1);

	request[n > 0 ? n : 0] = '\0';
	if (strncmp(request, "GET /ok", 7) == 0)
		say(ssl, "200 OK", "", paypal_pem, strlen(paypal_pem));
	else if (strncmp(request, "GET /redirect", 13) == 0)
		say(ssl, "302 Found", "Location: " HOST "/ok\r\n", paypal_pem, strlen(paypal_pem));
	else if (strncmp(request, "GET /junk", 9) == 0)
		say(ssl, "200 OK", "", "hello", 5);
	else if (strncmp(request, "GET /large", 10) == 0)
		say(ssl, "200 OK", "", large, sizeof(large));
	else if (strncmp(request, "GET /hang", 9) == 0)
		pause();
	else
		say(ssl, "404 Not Found", "", paypal_pem, strlen(paypal_pem));
}

static void
serve(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	must(SSL_CTX_use_certificate(ctx, server_certificate) == 1 && SSL_CTX_use_PrivateKey(ctx, server_key) == 1);
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);
		SSL *ssl = SSL_new(ctx);

		must(fd >= 0 && SSL_set_fd(ssl, fd) == 1);
		atomic_fetch_add(&shared->connections, 1);
		if (SSL_accept(ssl) == 1) {
			answer(ssl);
			SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		close(fd);
	}
}

static void
start_server(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);

	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listen_fd >= 0 && bind(listen_fd, (struct sockaddr *)&in, len) == 0 && listen(listen_fd, 16) == 0);
	must(getsockname(listen_fd, (struct sockaddr *)&in, &len) == 0);
	snprintf(connect_to, sizeof(connect_to), "::127.0.0.1:%d", ntohs(in.sin_port));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED);
	server = fork();
	must(server >= 0);
	if (server == 0) {
		signal(SIGPIPE, SIG_IGN);
		serve();
	}
}

/* ---- fixture ---- */

static char dir[64], ca_file[128];
static struct event_base *base;
static struct certificates *c;
static struct certificates_net net;

static void
write_ca(X509 *x)
{
	FILE *f = fopen(ca_file, "w");

	must(f != NULL && PEM_write_X509(f, x) == 1 && fclose(f) == 0);
}

static void
setup(void)
{
	log_init(0);
	snprintf(dir, sizeof(dir), "/tmp/test_certificates.XXXXXX");
	must(mkdtemp(dir) != NULL);
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", dir);
	write_ca(ca);
	start_server();
	net = (struct certificates_net){ ca_file, connect_to, 1 };
	base = event_base_new();
	c = certificates_open(base, dir, &net);
}

static void
teardown(void)
{
	char command[128];

	certificates_close(&c);
	ck_assert_ptr_null(c);
	event_base_free(base);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	must(system(command) == 0);
}

static int64_t
ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
want(const char *url)
{
	certificates_want(c, slice_of(url));
}

static bool
has(const char *url)
{
	const struct certificate_list *l = certificates_list(c);

	for (size_t i = 0; i < l->n; i++)
		if (slice_is(l->list[i].url, url)) {
			ck_assert(slice_is(l->list[i].pem, paypal_pem));
			return (true);
		}
	return (false);
}

static void
turns_for(int64_t ms)
{
	for (int64_t until = ms_now() + ms; ms_now() < until; usleep(1000))
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
until_here(const char *url)
{
	for (int64_t until = ms_now() + PATIENCE_MS; !has(url) && ms_now() < until; usleep(1000))
		event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_msg(has(url), "%s did not come", url);
}

static unsigned
connections(void)
{
	return (atomic_load(&shared->connections));
}

/* ---- tests ---- */

START_TEST(fetched_and_kept)
{
	char path[128];

	want(HOST "/ok");
	want(HOST "/ok");			/* under way */
	until_here(HOST "/ok");
	want(HOST "/ok");			/* here */
	turns_for(50);
	ck_assert_uint_eq(connections(), 1);
	certificates_close(&c);
	c = certificates_open(base, dir, &net);
	ck_assert(has(HOST "/ok"));
	ck_assert_uint_eq(certificates_list(c)->n, 1);
	certificates_close(&c);
	snprintf(path, sizeof(path), "%s/certificates/0.pem", dir);
	ck_assert_int_eq(truncate(path, 500), 0);	/* damaged: passed over, and fetched again */
	c = certificates_open(base, dir, &net);
	ck_assert_uint_eq(certificates_list(c)->n, 0);
	want(HOST "/ok");
	until_here(HOST "/ok");
}
END_TEST

static const struct { const char *why, *url; } bad[] = {
	{ "there is none", HOST "/none" },
	{ "another place, where one lies", HOST "/redirect" },
	{ "no certificate", HOST "/junk" },
	{ "more than a certificate can be", HOST "/large" },
};

/* It is not kept, and the next one is fetched all the same. */
START_TEST(not_kept)
{
	want(bad[_i].url);
	want(HOST "/ok");
	until_here(HOST "/ok");
	ck_assert_msg(certificates_list(c)->n == 1, "%s", bad[_i].why);
	ck_assert_uint_eq(connections(), 2);
	want(bad[_i].url);			/* may be tried again */
	turns_for(100);
	ck_assert_uint_eq(certificates_list(c)->n, 1);
}
END_TEST

START_TEST(nobody_else_is_asked)
{
	static const char *const urls[] = { "http://api.paypal.com/ok", "https://api.paypal.com.evil.example/ok", "https://evil.example/ok",
	    "https://api.paypal.com@evil.example/ok", "file:///etc/passwd", "" };

	for (size_t i = 0; i < N_ELEM(urls); i++)
		want(urls[i]);
	turns_for(100);
	ck_assert_uint_eq(connections(), 0);
	ck_assert_uint_eq(certificates_list(c)->n, 0);
}
END_TEST

START_TEST(an_authority_that_is_not_trusted)
{
	write_ca(other_ca);
	want(HOST "/ok");
	for (int64_t until = ms_now() + PATIENCE_MS; connections() == 0 && ms_now() < until;)
		turns_for(10);
	turns_for(300);
	ck_assert_uint_eq(connections(), 1);
	ck_assert_uint_eq(certificates_list(c)->n, 0);
	write_ca(ca);
	want(HOST "/ok");
	until_here(HOST "/ok");
}
END_TEST

/* A name that the certificate of the server does not have. */
START_TEST(another_name)
{
	want("https://api.sandbox.paypal.com/ok");
	for (int64_t until = ms_now() + PATIENCE_MS; connections() == 0 && ms_now() < until;)
		turns_for(10);
	turns_for(300);
	ck_assert_uint_eq(connections(), 1);
	ck_assert_uint_eq(certificates_list(c)->n, 0);
}
END_TEST

/* The end does not wait for a server that does not answer. */
START_TEST(closed_while_it_hangs)
{
	int64_t begun;

	want(HOST "/hang");
	want(HOST "/ok");
	for (int64_t until = ms_now() + PATIENCE_MS; connections() == 0 && ms_now() < until;)
		turns_for(10);
	turns_for(100);
	begun = ms_now();
	certificates_close(&c);
	ck_assert_int_lt(ms_now() - begun, 3000);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
	char url[64], first[64] = HOST "/ok0";

	for (int i = 0; i < 18; i++) {
		snprintf(url, sizeof(url), HOST "/ok%d", i);
		want(url);
		until_here(url);
	}
	ck_assert_uint_eq(certificates_list(c)->n, 16);
	ck_assert(!has(first) && !has(HOST "/ok1") && has(HOST "/ok2"));
	certificates_close(&c);
	c = certificates_open(base, dir, &net);
	ck_assert_uint_eq(certificates_list(c)->n, 16);
	ck_assert(!has(first) && has(HOST "/ok2") && has(HOST "/ok17"));
}
END_TEST

/* Strangers can name what they like: a few wait, no more. */
START_TEST(a_short_queue)
{
	char url[64];

	for (int i = 0; i < 100; i++) {
		snprintf(url, sizeof(url), HOST "/none%d", i);
		want(url);
	}
	turns_for(500);
	ck_assert_uint_le(connections(), 9);
	ck_assert_uint_ge(connections(), 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("certificates");
	TCase *tc = tcase_create("certificates");
	SRunner *runner = srunner_create(suite);
	int failed;

	make_keys();
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, fetched_and_kept);
	tcase_add_loop_test(tc, not_kept, 0, N_ELEM(bad));
	tcase_add_test(tc, nobody_else_is_asked);
	tcase_add_test(tc, an_authority_that_is_not_trusted);
	tcase_add_test(tc, another_name);
	tcase_add_test(tc, closed_while_it_hangs);
	tcase_add_test(tc, no_more_than_there_is_room_for);
	tcase_add_test(tc, a_short_queue);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	X509_free(ca);
	X509_free(other_ca);
	X509_free(server_certificate);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(server_key);
	EVP_PKEY_free(paypal_key);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
