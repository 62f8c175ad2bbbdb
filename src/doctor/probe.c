/*
 * probe: see probe.h.
 */
#include "doctor/probe.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define PATIENCE_S 5
#define ANSWER_MAX (16 * 1024)

static int
dial_unix(const char *path, struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return (fd);
	err_set(err, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return (-1);
}

static void
be_patient(int fd)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

/* "127.0.0.1:80", "[::1]:443" */
static int
dial_tcp(const char *address, struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char *host = mem_strdup(address), *port = strrchr(host, ':'), *name = host;
	struct addrinfo *list = NULL;
	int fd = -1, rc;

	if (port != NULL)
		*port++ = '\0';
	if (name[0] == '[') {
		name++;
		name[strcspn(name, "]")] = '\0';
	}
	rc = getaddrinfo(name, port != NULL ? port : "80", &hints, &list);
	if (rc == 0)
		fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		be_patient(fd);
	if (rc != 0)
		err_set(err, "%s: %s", address, gai_strerror(rc));
	else if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
		err_set(err, "%s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	if (list != NULL)
		freeaddrinfo(list);
	free(host);
	return (fd);
}

static int
parse(struct slice answer, struct probe_answer *out, const char *address, struct err *err)
{
	const char *body = answer.len > 0 ? memmem(answer.p, answer.len, "\r\n\r\n", 4) : NULL;
	size_t n;

	if (body == NULL || sscanf(answer.p, "HTTP/1.%*c %d", &out->status) != 1)
		return (err_set(err, "%s: does not answer by HTTP", address));
	body += 4;
	n = answer.len - (size_t)(body - answer.p);
	snprintf(out->body, sizeof(out->body), "%.*s", (int)(n < sizeof(out->body) ? n : sizeof(out->body) - 1), body);
	return (0);
}

static void
talk_plain(int fd, struct slice request, struct buf *answer)
{
	char bytes[4096];
	ssize_t n = send(fd, request.p, request.len, MSG_NOSIGNAL);

	while (n > 0 && answer->len < ANSWER_MAX && (n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		buf_put(answer, bytes, (size_t)n);
}

static void
note_certificate(SSL *ssl, struct probe_answer *out)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	int days, seconds;

	if (cert != NULL && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) == 1)
		out->expires_in_s = (long long)days * 86400 + seconds;
	X509_free(cert);
}

/* The name goes along: a server may have many. */
static int
talk_secure(int fd, const char *host, struct slice request, struct buf *answer, struct probe_answer *out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
	char bytes[4096];
	int n = 0;

	if (ssl != NULL && SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set_fd(ssl, fd) == 1)
		n = SSL_connect(ssl);
	if (n == 1) {
		note_certificate(ssl, out);
		n = SSL_write(ssl, request.p, (int)request.len);
		while (n > 0 && answer->len < ANSWER_MAX && (n = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
			buf_put(answer, bytes, (size_t)n);
		n = 1;
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return (n == 1 ? 0 : -1);
}

int
probe(const char *address, bool tls, const char *host, const char *method, const char *path, struct probe_answer *out, struct err *err)
{
	bool is_unix = strncmp(address, "unix:", 5) == 0;
	int fd = is_unix ? dial_unix(address + 5, err) : dial_tcp(address, err), rc;
	struct buf request = { 0 }, answer = { 0 };

	*out = (struct probe_answer){ 0 };
	if (fd < 0)
		return (-1);
	be_patient(fd);
	buf_printf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: rpvd-doctor\r\n%sConnection: close\r\n\r\n", method, path, host,
	    strcmp(method, "POST") == 0 ? "Content-Type: application/json\r\nContent-Length: 2\r\n" : "");
	if (strcmp(method, "POST") == 0)
		buf_puts(&request, "{}");
	if (tls && talk_secure(fd, host, buf_view(&request), &answer, out) != 0)
		rc = err_set(err, "%s: no TLS with it", address);
	else {
		if (!tls)
			talk_plain(fd, buf_view(&request), &answer);
		buf_putc(&answer, '\0');
		answer.len--;
		rc = parse(buf_view(&answer), out, address, err);
	}
	close(fd);
	buf_free(&request);
	buf_free(&answer);
	return (rc);
}
