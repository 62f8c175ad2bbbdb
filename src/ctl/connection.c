/*
 * connection: rpvctl's way to Redis; see ctl.h.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "store/redis_why.h"

#define CONNECT_S 3
#define REPLY_S 5

static enum ctl_exit
fail(struct ctl *ctl, const struct err *why)
{
	ctl_disconnect(ctl);
	err_set(&ctl->err, "cannot use Redis at %s: %s", ctl->url.name, why->msg);
	return (CTL_REDIS);
}

/* errnum: errno right after the call that failed. */
static void
why_broken(const struct ctl *ctl, int errnum, struct err *why)
{
	const redisContext *c = ctl->redis;

	if (c->err == REDIS_ERR_EOF)
		err_set(why, "it closed the connection: Redis was stopped or restarted, or cut this client off");
	else if (c->err == REDIS_ERR_IO)
		redis_why_errno(&ctl->url, errnum, why);
	else if (c->err == REDIS_ERR_PROTOCOL)
		err_set(why, "what answers does not speak the Redis protocol (%s)", c->errstr);
	else if (ctl->url.host != NULL)
		err_set(why, "the host name %s was not found (%s)", ctl->url.host, c->errstr);
	else
		err_set(why, "%s", c->errstr);
}

/* n: what an SSL_ call returned, right after it. */
static void
why_insecure(const struct ctl *ctl, int n, struct err *why)
{
	int errnum = errno, what = SSL_get_error(ctl->ssl, n);
	unsigned long error = ERR_peek_error();

	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE)
		err_set(why, "it accepts the connection but does not answer by TLS (timed out): it hangs, or the port does not speak TLS");
	else if (error != 0)
		tls_why(&ctl->url, &ctl->tls, ctl->ssl, error, why);
	else if (what == SSL_ERROR_SYSCALL && errnum != 0)
		redis_why_errno(&ctl->url, errnum, why);
	else
		err_set(why, "it closed the connection: it was stopped or restarted, has as many clients as its maxclients allows, or the "
		    "port does not speak TLS");
}

static enum ctl_exit
secure(struct ctl *ctl)
{
	struct err why;
	int n;

	ctl->ssl = tls_session(&ctl->tls, ctl->url.host, &why);
	if (ctl->ssl == NULL)
		return (fail(ctl, &why));
	must(SSL_set_fd(ctl->ssl, ctl->redis->fd) == 1);
	ERR_clear_error();
	errno = 0;
	if ((n = SSL_connect(ctl->ssl)) == 1)
		return (CTL_OK);
	why_insecure(ctl, n, &why);
	return (fail(ctl, &why));
}

static enum ctl_exit
dial(struct ctl *ctl)
{
	const struct timeval connect = { .tv_sec = CONNECT_S }, reply = { .tv_sec = REPLY_S };
	struct err why;

	errno = 0;
	if (ctl->url.path != NULL)
		ctl->redis = redisConnectUnixWithTimeout(ctl->url.path, connect);
	else
		ctl->redis = redisConnectWithTimeout(ctl->url.host, atoi(ctl->url.port), connect);
	must(ctl->redis != NULL);
	if (ctl->redis->err != 0) {
		why_broken(ctl, errno, &why);
		return (fail(ctl, &why));
	}
	redisSetTimeout(ctl->redis, reply);
	return (ctl->url.tls ? secure(ctl) : CTL_OK);
}

/* From TLS into hiredis' reader, and what was queued before that out. */
static int
read_secure(struct ctl *ctl, void **reply, struct err *why)
{
	redisReader *reader = ctl->redis->reader;
	char bytes[16 * 1024];
	int n = 1;

	ERR_clear_error();
	errno = 0;
	if (ctl->unsent.len > 0)
		n = SSL_write(ctl->ssl, ctl->unsent.p, (int)ctl->unsent.len);
	ctl->unsent.len = 0;
	while (n > 0) {
		if (redisReaderGetReply(reader, reply) != REDIS_OK)
			return (err_set(why, "what answers does not speak the Redis protocol (%s)", reader->errstr));
		if (*reply != NULL)
			return (0);
		errno = 0;
		if ((n = SSL_read(ctl->ssl, bytes, sizeof(bytes))) > 0)
			must(redisReaderFeed(reader, bytes, (size_t)n) == REDIS_OK);
	}
	why_insecure(ctl, n, why);
	return (-1);
}

/* The reply, which may be an error, or NULL with err set. */
static redisReply *
receive(struct ctl *ctl)
{
	void *reply = NULL;
	struct err why;

	errno = 0;
	if (ctl->ssl != NULL) {
		if (read_secure(ctl, &reply, &why) == 0)
			return (reply);
	} else {
		if (redisGetReply(ctl->redis, &reply) == REDIS_OK)
			return (reply);
		why_broken(ctl, errno == EAGAIN ? ETIMEDOUT : errno, &why);
	}
	fail(ctl, &why);
	return (NULL);
}

static enum ctl_exit
hello(struct ctl *ctl, enum redis_hello step, size_t argc, const struct slice *argv)
{
	enum ctl_exit status = CTL_OK;
	redisReply *reply;
	struct err why;

	ctl_send(ctl, argc, argv);
	if ((reply = receive(ctl)) == NULL)
		return (CTL_REDIS);
	if (reply->type == REDIS_REPLY_ERROR && redis_why_refused(&ctl->url, step, reply->str, &why))
		status = fail(ctl, &why);
	freeReplyObject(reply);
	return (status);
}

static enum ctl_exit
hello_auth(struct ctl *ctl)
{
	struct slice argv[3] = { SLICE("AUTH") };
	enum ctl_exit status = CTL_OK;
	char *password = NULL;
	struct err why;
	size_t n = 1;

	if (ctl->password_file != NULL && (password = redis_password_read(ctl->password_file, &why)) == NULL)
		return (fail(ctl, &why));
	if (ctl->url.user != NULL)
		argv[n++] = slice_of(ctl->url.user);
	argv[n++] = slice_of(password != NULL ? password : ctl->url.password);
	if (ctl->url.user != NULL || password != NULL || ctl->url.password != NULL)
		status = hello(ctl, HELLO_AUTH, n, argv);
	redis_password_free(password);
	return (status);
}

enum ctl_exit
ctl_connect(struct ctl *ctl)
{
	enum ctl_exit status;
	char db[16];

	if (ctl->redis != NULL)
		return (CTL_OK);
	if ((status = dial(ctl)) != CTL_OK || (status = hello_auth(ctl)) != CTL_OK)
		return (status);
	snprintf(db, sizeof(db), "%d", ctl->url.db);
	if (ctl->url.db != 0 &&
	    (status = hello(ctl, HELLO_SELECT, 2, (struct slice[]){ SLICE("SELECT"), slice_of(db) })) != CTL_OK)
		return (status);
	return (hello(ctl, HELLO_PING, 1, (struct slice[]){ SLICE("PING") }));
}

void
ctl_disconnect(struct ctl *ctl)
{
	if (ctl->ssl != NULL)
		SSL_free(ctl->ssl);
	ctl->ssl = NULL;
	ctl->unsent.len = 0;
	if (ctl->redis != NULL)
		redisFree(ctl->redis);
	ctl->redis = NULL;
}

void
ctl_send(struct ctl *ctl, size_t argc, const struct slice *argv)
{
	const char *texts[8];
	size_t lens[8];
	char *command;
	long long len;

	must(argc <= N_ELEM(texts));
	for (size_t i = 0; i < argc; i++) {
		texts[i] = argv[i].len > 0 ? argv[i].p : "";
		lens[i] = argv[i].len;
	}
	if (ctl->ssl == NULL) {
		must(redisAppendCommandArgv(ctl->redis, (int)argc, texts, lens) == REDIS_OK);
		return;
	}
	len = redisFormatCommandArgv(&command, (int)argc, texts, lens);
	must(len > 0);
	buf_put(&ctl->unsent, command, (size_t)len);
	redisFreeCommand(command);
}

redisReply *
ctl_receive(struct ctl *ctl)
{
	redisReply *reply = receive(ctl);

	if (reply == NULL || reply->type != REDIS_REPLY_ERROR)
		return (reply);
	if (strncmp(reply->str, "WRONGTYPE", 9) == 0)
		err_set(&ctl->err, "Redis at %s has another program's key where rpvd publishes: `rpvctl status` and rpvd's log name it; "
		    "remove or rename it", ctl->url.name);
	else
		err_set(&ctl->err, "Redis at %s answers: %.200s", ctl->url.name, reply->str);
	freeReplyObject(reply);
	ctl_disconnect(ctl);	/* with all the replies that may still be under way */
	return (NULL);
}

redisReply *
ctl_ask(struct ctl *ctl, const char *command, struct slice series)
{
	struct buf key = { 0 };

	ctl_key(ctl, series, &key);
	ctl_send(ctl, 2, (struct slice[]){ slice_of(command), buf_view(&key) });
	buf_free(&key);
	return (ctl_receive(ctl));
}
