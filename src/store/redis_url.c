/*
 * redis_url: see redis_url.h.
 */
#include "store/redis_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

#define PASSWORD_MAX 4096

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* NULL where an escape is malformed or stands for NUL. */
static char *
unescape(struct slice in)
{
	char *out = mem_alloc(in.len + 1), *q = out;

	for (size_t i = 0; i < in.len; i++) {
		int c = (unsigned char)in.p[i];

		if (c == '%') {
			int hi = i + 2 < in.len ? hex_value(in.p[i + 1]) : -1;
			int lo = i + 2 < in.len ? hex_value(in.p[i + 2]) : -1;

			if (hi < 0 || lo < 0 || hi + lo == 0) {
				*q = '\0';
				redis_password_free(out);
				return (NULL);
			}
			c = hi * 16 + lo;
			i += 2;
		}
		*q++ = (char)c;
	}
	*q = '\0';
	return (out);
}

/* A decimal number up to max; -1 where it is none. */
static int
parse_number(struct slice s, int max)
{
	int n = 0;

	if (s.len == 0 || s.len > 9)
		return (-1);
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return (-1);
		n = n * 10 + (s.p[i] - '0');
	}
	return (n <= max ? n : -1);
}

static int
parse_db(struct redis_url *u, struct slice s, struct err *err)
{
	u->db = parse_number(s, 999999999);
	if (u->db < 0)
		return (err_set(err, "the database in the Redis URL is not a number"));
	return (0);
}

static int
parse_unix(struct redis_url *u, struct slice rest, struct err *err)
{
	struct slice path = slice_cut(&rest, '?');

	if (path.len == 0 || path.p[0] != '/')
		return (err_set(err, "the socket in the Redis URL must be an absolute path: unix:/path"));
	if (path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return (err_set(err, "the socket path in the Redis URL is too long (%zu bytes; the system's limit is %zu)",
		    path.len, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1));
	u->path = mem_strndup(path.p, path.len);
	if (rest.len == 0)
		return (0);
	if (!slice_starts(rest, SLICE("db=")))
		return (err_set(err, "after the socket's path the Redis URL may only have ?db=N"));
	return (parse_db(u, slice_skip(rest, 3), err));
}

/* "user:password", ":password", "user:"; a lone word is the password, as redis-cli reads
 * it, but the user where the password comes from a file. */
static int
parse_login(struct redis_url *u, struct slice login, bool has_file, struct err *err)
{
	ptrdiff_t colon = slice_find(login, ':');
	struct slice user = login, password;

	if (colon < 0)
		colon = has_file ? (ptrdiff_t)login.len : -1;
	user.len = colon > 0 ? (size_t)colon : 0;
	password = slice_skip(login, (size_t)(colon + 1));
	if (user.len > 0 && (u->user = unescape(user)) == NULL)
		goto bad;
	if (password.len > 0 && (u->password = unescape(password)) == NULL)
		goto bad;
	return (0);
bad:
	return (err_set(err, "a percent-escape in the user or password of the Redis URL is malformed (a plain %% is written %%25)"));
}

/* "host", "host:port", "[::1]:port" */
static int
parse_host(struct redis_url *u, struct slice s, struct err *err)
{
	struct slice host, port = { NULL, 0 };
	ptrdiff_t end;

	if (s.len > 0 && s.p[0] == '[') {
		if ((end = slice_find(s, ']')) < 0)
			return (err_set(err, "the Redis URL has [ without ]"));
		host = slice_make(s.p + 1, (size_t)end - 1);
		port = slice_skip(s, (size_t)end + 1);
		if (port.len > 0 && port.p[0] != ':')
			return (err_set(err, "the Redis URL has more than a port behind [address]"));
		port = slice_skip(port, 1);
	} else {
		port = s;
		host = slice_cut(&port, ':');
	}
	if (host.len == 0)
		return (err_set(err, "the Redis URL names no host"));
	if (port.len > 0 && parse_number(port, 65535) <= 0)
		return (err_set(err, "the port in the Redis URL is not a number from 1 to 65535"));
	u->host = mem_strndup(host.p, host.len);
	u->port = port.len > 0 ? mem_strndup(port.p, port.len) : mem_strdup("6379");
	return (0);
}

static int
parse_tcp(struct redis_url *u, struct slice rest, bool has_file, struct err *err)
{
	const char *at = memrchr(rest.p, '@', rest.len);
	struct slice authority;

	/* The last @: a password may have been written with a plain one, or with a plain /. */
	if (at != NULL) {
		if (parse_login(u, slice_make(rest.p, (size_t)(at - rest.p)), has_file, err) != 0)
			return (-1);
		rest = slice_skip(rest, (size_t)(at + 1 - rest.p));
	}
	authority = slice_cut(&rest, '/');
	if (parse_host(u, authority, err) != 0)
		return (-1);
	return (rest.len > 0 ? parse_db(u, rest, err) : 0);
}

static char *
name_of(const struct redis_url *u)
{
	bool v6 = u->host != NULL && strchr(u->host, ':') != NULL;
	struct buf b = { 0 };

	if (u->path != NULL)
		buf_printf(&b, "unix:%s", u->path);
	else
		buf_printf(&b, "redis%s://%s%s%s:%s", u->tls ? "s" : "",
		    v6 ? "[" : "", u->host, v6 ? "]" : "", u->port);
	if (u->db != 0)
		buf_printf(&b, "%s%d", u->path != NULL ? "?db=" : "/", u->db);
	buf_putc(&b, '\0');
	return (b.p);
}

static int
parse(struct redis_url *u, struct slice url, bool has_file, struct err *err)
{
	if (slice_starts(url, SLICE("unix:")))
		return (parse_unix(u, slice_skip(url, 5), err));
	if (slice_starts(url, SLICE("redis://")))
		return (parse_tcp(u, slice_skip(url, 8), has_file, err));
	if (slice_starts(url, SLICE("rediss://"))) {
		u->tls = true;
		return (parse_tcp(u, slice_skip(url, 9), has_file, err));
	}
	return (err_set(err, "the Redis URL must begin with unix:/, redis:// or rediss://"));
}

int
redis_url_parse(struct redis_url *u, const char *url, const char *password_file, struct err *err)
{
	*u = (struct redis_url){ 0 };
	if (parse(u, slice_of(url), password_file != NULL, err) != 0)
		goto bad;
	if (password_file != NULL && u->password != NULL) {
		err_set(err, "the Redis password is given twice, in the URL and as a file: remove one");
		goto bad;
	}
	u->name = name_of(u);
	return (0);
bad:
	redis_url_free(u);
	return (-1);
}

void
redis_url_free(struct redis_url *u)
{
	free(u->path);
	free(u->host);
	free(u->port);
	free(u->user);
	redis_password_free(u->password);
	free(u->name);
	*u = (struct redis_url){ 0 };
}

char *
redis_password_read(const char *file, struct err *err)
{
	char line[PASSWORD_MAX + 2], *password = NULL;
	FILE *f = fopen(file, "re");

	if (f == NULL) {
		err_set(err, "cannot read the Redis password from %s: %s", file, strerror(errno));
		return (NULL);
	}
	setvbuf(f, NULL, _IONBF, 0);	/* no copy of it stays in a buffer that is not wiped */
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0')
		err_set(err, "the first line of %s is empty; it must be the Redis password", file);
	else if (strlen(line) > PASSWORD_MAX)
		err_set(err, "the first line of %s is longer than %d bytes; it must be the Redis password", file, PASSWORD_MAX);
	else
		password = mem_strdup(line);
	explicit_bzero(line, sizeof(line));
	fclose(f);
	return (password);
}

void
redis_password_free(char *password)
{
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	free(password);
}
