/*
 * redis_why: see redis_why.h.
 */
#include "store/redis_why.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

const char redis_why_replica[] = "this Redis is a replica and takes no writes: name its primary in the URL; waiting for it to become one";

/* What a Redis may say to a newcomer, whatever the command; the first that begins so. */
static const struct { const char *text, *why; } greetings[] = {
	{ "LOADING", "Redis is loading its data from disk; waiting until it has" },
	{ "MASTERDOWN", "this Redis is a replica that has lost its primary; waiting for it" },
	{ "BUSY", "Redis is busy with a long script of someone's; waiting for its end" },
	{ "CLUSTERDOWN", "the Redis cluster is down, or none of its nodes has this site's keys; waiting for it" },
	{ "DENIED", "Redis is in protected mode and refuses other hosts: set a password there, or protected-mode no" },
	{ "ERR max number of clients", "Redis has as many clients as its maxclients allows: raise it, or end some" },
};

/* What it may say to a command that was good a moment ago. */
static const struct { const char *text, *why; } refusals[] = {
	{ "READONLY", redis_why_replica },
	{ "NOREPLICAS", "Redis has fewer replicas than its min-replicas-to-write asks for, and takes no writes; waiting for them" },
	{ "MISCONF", "Redis cannot write its data to disk and takes no writes: see its log, mostly the disk is full or the directory "
	    "not its own" },
	{ "MOVED", "this site's keys belong to another node of the cluster; rpvd speaks to one node only: name a Redis without cluster "
	    "mode, or a cluster with one primary" },
	{ "ASK", "the cluster is moving this site's keys to another node; waiting for the end of that" },
	{ "TRYAGAIN", "the cluster is moving this site's keys to another node; waiting for the end of that" },
	{ "CROSSSLOT", "this site's keys are not in one slot: a bug of rpvd, please report it" },
	{ "NOAUTH", "Redis wants a password now: add it to the URL or name a password file" },
};

/* Answers to AUTH.  Only known texts: of an unknown one nothing is repeated, since Redis
 * itself repeats the arguments of a command that it does not know. */
static const struct { const char *text, *why; } auths[] = {
	{ "WRONGPASS", "Redis refused the user or password: correct the URL or the password file" },
	{ "ERR invalid password", "Redis refused the password: correct the URL or the password file" },
	{ "ERR AUTH <password> called without", "a password is configured here, but none in Redis: remove it here, or set requirepass there" },
	{ "ERR Client sent AUTH, but no password", "a password is configured here, but none in Redis: remove it here, or set requirepass there" },
	{ "ERR wrong number of arguments", "this Redis is older than 6.0 and has no users: give the password without a user" },
	{ "ERR unknown command", "this Redis knows no AUTH command (renamed there?): configure no password, or undo that" },
};

static bool
begins(const char *text, const char *with)
{
	return (strncmp(text, with, strlen(with)) == 0);
}

/* Redis 6 puts it in the middle where it happened in a script: "ERR Error running script (...): -OOM ...". */
static bool
says(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return (at == text || (at != NULL && at[-1] == '-' && begins(text, "ERR Error running script")));
}

static const char *
user_of(const struct redis_url *u)
{
	return (u->user != NULL ? u->user : "default");
}

static void
why_auth(const char *text, struct err *err)
{
	for (size_t i = 0; i < N_ELEM(auths); i++)
		if (begins(text, auths[i].text)) {
			err_set(err, "%s", auths[i].why);
			return;
		}
	err_set(err, "Redis refused to authenticate this client; its log may say why");
}

static void
why_select(const struct redis_url *u, const char *text, struct err *err)
{
	if (begins(text, "NOPERM"))
		err_set(err, "Redis forbids SELECT to the user \"%s\": allow it by ACL SETUSER %s +select",
		    user_of(u), user_of(u));
	else if (strstr(text, "cluster mode") != NULL)
		err_set(err, "this Redis is a node of a cluster, and that has database 0 only: take /%d out of the URL", u->db);
	else if (strstr(text, "out of range") != NULL)
		err_set(err, "Redis has no database %d: correct the URL, or raise \"databases\" there", u->db);
	else
		err_set(err, "Redis refused database %d: %.100s", u->db, text);
}

bool
redis_why_refused(const struct redis_url *u, enum redis_hello step, const char *text, struct err *err)
{
	for (size_t i = 0; i < N_ELEM(greetings); i++)
		if (begins(text, greetings[i].text)) {
			err_set(err, "%s", greetings[i].why);
			return (true);
		}
	if (begins(text, "NOAUTH") || begins(text, "ERR operation not permitted")) {
		err_set(err, "Redis wants a password and none is configured: add it to the URL or name a password file");
		return (true);
	}
	if (step == HELLO_AUTH) {
		why_auth(text, err);
		return (true);
	}
	if (step == HELLO_SELECT) {
		why_select(u, text, err);
		return (true);
	}
	/* A name is a nicety, and an answer is an answer. */
	return (false);
}

static void
why_unix(const struct redis_url *u, int errnum, struct err *err)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		err_set(err, "there is no socket %s: start Redis, or correct its unixsocket or the URL", u->path);
		break;
	case EACCES:
	case EPERM:
		err_set(err, "no permission to use the socket %s: join the group that owns it, and see Redis' unixsocketperm", u->path);
		break;
	case ECONNREFUSED:
		err_set(err, "nothing listens on the socket %s (connection refused): start Redis", u->path);
		break;
	case EAGAIN:
		err_set(err, "Redis does not accept connections on %s (its queue is full): it hangs, or is overloaded", u->path);
		break;
	default:
		err_set(err, "cannot connect to the socket %s: %s", u->path, strerror(errnum));
	}
}

static void
why_tcp(const struct redis_url *u, int errnum, struct err *err)
{
	switch (errnum) {
	case ECONNREFUSED:
		err_set(err, "nothing listens on %s port %s (connection refused): start Redis there, or correct the URL", u->host, u->port);
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
		err_set(err, "%s cannot be reached from here (%s): check the network and the address", u->host, strerror(errnum));
		break;
	default:
		err_set(err, "cannot connect to %s port %s: %s", u->host, u->port, strerror(errnum));
	}
}

void
redis_why_errno(const struct redis_url *u, int errnum, struct err *err)
{
	if (errnum == ETIMEDOUT)
		err_set(err, "Redis does not answer (timed out): it hangs, or a firewall drops the packets");
	else if (errnum == ECONNRESET || errnum == EPIPE)
		err_set(err, "connection lost (%s): Redis was stopped or restarted, or cut this client off", strerror(errnum));
	else if (u->path != NULL)
		why_unix(u, errnum, err);
	else
		why_tcp(u, errnum, err);
}

bool
redis_is_demoted(const char *text)
{
	return (begins(text, "READONLY"));
}

void
redis_why_error(const struct redis_info *info, const char *user, const char *text, struct err *err)
{
	struct err memory;

	for (size_t i = 0; i < N_ELEM(greetings); i++)
		if (says(text, greetings[i].text)) {
			err_set(err, "%s", greetings[i].why);
			return;
		}
	for (size_t i = 0; i < N_ELEM(refusals); i++)
		if (says(text, refusals[i].text)) {
			err_set(err, "%s", refusals[i].why);
			return;
		}
	redis_info_memory(info, &memory);
	if (says(text, "OOM"))
		err_set(err, "Redis is full: %s; raise maxmemory, or give rpvd a Redis of its own; reading waits, webhooks are still accepted",
		    info->known ? memory.msg : "its maxmemory is reached");
	else if (says(text, "NOPERM"))
		err_set(err, "Redis does not allow the user \"%s\" all that rpvd does (%.150s)", user, text);
	else
		err_set(err, "Redis refused: %.300s", text);
}
