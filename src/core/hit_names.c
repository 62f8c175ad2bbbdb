/*
 * hit_names: which field a name stands for, in formats whose lines bring the names of
 * their values: JSON objects, LTSV, W3C.
 *
 * Names are compared without case and without what people put between words, and those of
 * nested objects one behind the other: "userAgent", "user_agent" and "User-Agent" are one
 * name, and so are "request":{"method":...} and "request.method" and "RequestMethod".
 */
#include "base/mem.h"
#include "core/hit_impl.h"

/* Of several in a line the one that stands first here counts, where it has a value. */
static const struct name json_names[] = {
	{ "remoteaddr", FIELD_ADDR, 0 },
	{ "remoteip", FIELD_ADDR, 0 },
	{ "clientip", FIELD_ADDR, 0 },
	{ "clientaddress", FIELD_ADDR, 0 },
	{ "cliip", FIELD_ADDR, 0 },	/* Akamai */
	{ "propertiesclientip", FIELD_ADDR, 0 },	/* Azure Front Door */
	{ "requestclientip", FIELD_ADDR, 0 },		/* Caddy, what its trusted proxies say */
	{ "requestremoteip", FIELD_ADDR, 0 },
	{ "clienthost", FIELD_ADDR, 0 },		/* Traefik */
	{ "clientaddr", FIELD_ADDR, HOW_PORT },
	{ "httprequestremoteip", FIELD_ADDR, 0 },	/* Google's load balancers */
	{ "requestremoteaddr", FIELD_ADDR, HOW_PORT },	/* Caddy 1 */
	{ "sourceaddress", FIELD_ADDR, 0 },		/* Elastic Common Schema */
	{ "sourceip", FIELD_ADDR, 0 },
	{ "downstreamremoteaddress", FIELD_ADDR, HOW_PORT },	/* Envoy */
	{ "client", FIELD_ADDR, 0 },
	{ "remotehost", FIELD_ADDR, 0 },
	{ "remote", FIELD_ADDR, 0 },
	{ "addr", FIELD_ADDR, 0 },
	{ "ip", FIELD_ADDR, 0 },

	{ "xforwardedfor", FIELD_FORWARDED, 0 },
	{ "httpxforwardedfor", FIELD_FORWARDED, 0 },
	{ "requestheadersxforwardedfor", FIELD_FORWARDED, 0 },
	{ "requestxforwardedfor", FIELD_FORWARDED, 0 },
	{ "proxyaddxforwardedfor", FIELD_FORWARDED, 0 },
	{ "forwardedfor", FIELD_FORWARDED, 0 },
	{ "xff", FIELD_FORWARDED, 0 },
	{ "forwarded", FIELD_FORWARDED, 0 },
	{ "httpforwarded", FIELD_FORWARDED, 0 },
	{ "requestheaderscfconnectingip", FIELD_FORWARDED, 0 },
	{ "httpcfconnectingip", FIELD_FORWARDED, 0 },
	{ "cfconnectingip", FIELD_FORWARDED, 0 },
	{ "requestheadersxrealip", FIELD_FORWARDED, 0 },
	{ "httpxrealip", FIELD_FORWARDED, 0 },
	{ "xrealip", FIELD_FORWARDED, 0 },

	{ "msec", FIELD_TIME, 0 },
	{ "ts", FIELD_TIME, 0 },
	{ "startutc", FIELD_TIME, 0 },
	{ "starttime", FIELD_TIME, 0 },
	{ "startlocal", FIELD_TIME, 0 },
	{ "edgestarttimestamp", FIELD_TIME, 0 },	/* Cloudflare */
	{ "timelocal", FIELD_TIME, 0 },
	{ "timeiso8601", FIELD_TIME, 0 },
	{ "reqtimesec", FIELD_TIME, 0 },
	{ "requesttimeepoch", FIELD_TIME, 0 },	/* Amazon API Gateway */
	{ "timestamp", FIELD_TIME, 0 },
	{ "time", FIELD_TIME, 0 },
	{ "datetime", FIELD_TIME, 0 },
	{ "date", FIELD_TIME, 0 },

	{ "request", FIELD_REQUEST, 0 },
	{ "requestline", FIELD_REQUEST, 0 },
	{ "req", FIELD_REQUEST, 0 },

	{ "requestmethod", FIELD_METHOD, 0 },
	{ "httprequestrequestmethod", FIELD_METHOD, 0 },
	{ "httprequestmethod", FIELD_METHOD, 0 },
	{ "clientrequestmethod", FIELD_METHOD, 0 },
	{ "reqmethod", FIELD_METHOD, 0 },
	{ "httpmethod", FIELD_METHOD, 0 },
	{ "propertieshttpmethod", FIELD_METHOD, 0 },
	{ "method", FIELD_METHOD, 0 },
	{ "verb", FIELD_METHOD, 0 },

	{ "requesturi", FIELD_TARGET, 0 },
	{ "httprequestrequesturl", FIELD_TARGET, 0 },
	{ "clientrequesturi", FIELD_TARGET, 0 },
	{ "urloriginal", FIELD_TARGET, 0 },
	{ "requesturl", FIELD_TARGET, 0 },
	{ "propertiesrequesturi", FIELD_TARGET, 0 },
	{ "requestpath", FIELD_TARGET, 0 },
	{ "requrl", FIELD_TARGET, 0 },
	{ "requri", FIELD_TARGET, 0 },
	{ "xenvoyoriginalpath", FIELD_TARGET, 0 },
	{ "target", FIELD_TARGET, 0 },
	{ "uri", FIELD_TARGET, HOW_PATH },
	{ "url", FIELD_TARGET, HOW_PATH },
	{ "path", FIELD_TARGET, HOW_PATH },
	{ "reqpath", FIELD_TARGET, HOW_PATH },
	{ "documenturi", FIELD_TARGET, HOW_PATH },
	{ "urlpath", FIELD_TARGET, HOW_PATH },

	{ "args", FIELD_ARGS, 0 },
	{ "querystring", FIELD_ARGS, 0 },
	{ "query", FIELD_ARGS, 0 },
	{ "requestquery", FIELD_ARGS, 0 },
	{ "querystr", FIELD_ARGS, 0 },
	{ "urlquery", FIELD_ARGS, 0 },

	{ "serverprotocol", FIELD_PROTOCOL, 0 },
	{ "requestproto", FIELD_PROTOCOL, 0 },
	{ "requestprotocol", FIELD_PROTOCOL, 0 },
	{ "httprequestprotocol", FIELD_PROTOCOL, 0 },
	{ "clientrequestprotocol", FIELD_PROTOCOL, 0 },
	{ "protocol", FIELD_PROTOCOL, 0 },
	{ "proto", FIELD_PROTOCOL, 0 },
	{ "httpversion", FIELD_PROTOCOL, 0 },

	{ "status", FIELD_STATUS, 0 },
	{ "downstreamstatus", FIELD_STATUS, 0 },
	{ "httprequeststatus", FIELD_STATUS, 0 },
	{ "httpresponsestatuscode", FIELD_STATUS, 0 },
	{ "edgeresponsestatus", FIELD_STATUS, 0 },
	{ "responsecode", FIELD_STATUS, 0 },
	{ "responsestatus", FIELD_STATUS, 0 },
	{ "resstatuscode", FIELD_STATUS, 0 },
	{ "statuscode", FIELD_STATUS, 0 },
	{ "propertieshttpstatuscode", FIELD_STATUS, 0 },
	{ "propertieshttpstatus", FIELD_STATUS, 0 },
	{ "response", FIELD_STATUS, 0 },
	{ "code", FIELD_STATUS, 0 },

	{ "bodybytessent", FIELD_BYTES, 0 },
	{ "downstreamcontentsize", FIELD_BYTES, 0 },
	{ "httprequestresponsesize", FIELD_BYTES, 0 },
	{ "httpresponsebodybytes", FIELD_BYTES, 0 },
	{ "edgeresponsebytes", FIELD_BYTES, 0 },
	{ "bytessent", FIELD_BYTES, 0 },
	{ "responsesize", FIELD_BYTES, 0 },
	{ "responsebodysize", FIELD_BYTES, 0 },	/* Fastly */
	{ "responselength", FIELD_BYTES, 0 },
	{ "propertiesresponsebytes", FIELD_BYTES, 0 },
	{ "size", FIELD_BYTES, 0 },
	{ "bytes", FIELD_BYTES, 0 },
	{ "length", FIELD_BYTES, 0 },

	{ "httpreferer", FIELD_REFERRER, 0 },
	{ "httpreferrer", FIELD_REFERRER, 0 },
	{ "requestheadersreferer", FIELD_REFERRER, 0 },
	{ "requestreferer", FIELD_REFERRER, 0 },	/* Fastly */
	{ "httprequestreferer", FIELD_REFERRER, 0 },
	{ "httprequestreferrer", FIELD_REFERRER, 0 },
	{ "clientrequestreferer", FIELD_REFERRER, 0 },
	{ "reqheadersreferer", FIELD_REFERRER, 0 },
	{ "propertiesreferer", FIELD_REFERRER, 0 },
	{ "referer", FIELD_REFERRER, 0 },
	{ "referrer", FIELD_REFERRER, 0 },

	{ "httpuseragent", FIELD_AGENT, 0 },
	{ "requestheadersuseragent", FIELD_AGENT, 0 },
	{ "requestuseragent", FIELD_AGENT, 0 },
	{ "httprequestuseragent", FIELD_AGENT, 0 },
	{ "clientrequestuseragent", FIELD_AGENT, 0 },
	{ "useragentoriginal", FIELD_AGENT, 0 },
	{ "reqheadersuseragent", FIELD_AGENT, 0 },
	{ "propertiesuseragent", FIELD_AGENT, 0 },
	{ "useragent", FIELD_AGENT, 0 },
	{ "agent", FIELD_AGENT, 0 },
	{ "ua", FIELD_AGENT, 0 },

	{ "host", FIELD_HOST, 0 },
	{ "httphost", FIELD_HOST, 0 },
	{ "requesthost", FIELD_HOST, 0 },
	{ "reqhost", FIELD_HOST, 0 },
	{ "propertieshostname", FIELD_HOST, 0 },
	{ "clientrequesthost", FIELD_HOST, 0 },
	{ "urldomain", FIELD_HOST, 0 },
	{ "authority", FIELD_HOST, 0 },
	{ "reqheadershost", FIELD_HOST, 0 },
	{ "requestheadershost", FIELD_HOST, 0 },
	{ "vhost", FIELD_HOST, 0 },
	{ "virtualhost", FIELD_HOST, 0 },
	{ "domain", FIELD_HOST, 0 },
	{ "site", FIELD_HOST, 0 },
	{ "servername", FIELD_HOST, 0 },

	{ "uidgot", FIELD_UID_GOT, 0 },
	{ "uidset", FIELD_UID_SET, 0 },

	{ "httpcookie", FIELD_COOKIES, 0 },
	{ "requestheaderscookie", FIELD_COOKIES, 0 },
	{ "requestcookie", FIELD_COOKIES, 0 },
	{ "reqheaderscookie", FIELD_COOKIES, 0 },
	{ "cookie", FIELD_COOKIES, 0 },
	{ "cookies", FIELD_COOKIES, 0 },
};

/* As ltsv.org has them, where that differs: there the host is the client. */
static const struct name ltsv_names[] = {
	{ "host", FIELD_ADDR, HOW_BY_VALUE },
};

/* Of the W3C's extended format, as IIS and CloudFront write it. */
static const struct name w3c_names[] = {
	{ "cip", FIELD_ADDR, 0 },
	{ "xforwardedfor", FIELD_FORWARDED, 0 },
	{ "csxforwardedfor", FIELD_FORWARDED, 0 },
	{ "csmethod", FIELD_METHOD, 0 },
	{ "csuri", FIELD_TARGET, HOW_PATH },
	{ "csuristem", FIELD_TARGET, HOW_PATH },
	{ "csuriquery", FIELD_ARGS, 0 },
	{ "csversion", FIELD_PROTOCOL, 0 },
	{ "csprotocolversion", FIELD_PROTOCOL, 0 },
	{ "scstatus", FIELD_STATUS, 0 },
	{ "scbytes", FIELD_BYTES, 0 },
	{ "bytes", FIELD_BYTES, 0 },
	{ "csreferer", FIELD_REFERRER, 0 },
	{ "csreferrer", FIELD_REFERRER, 0 },
	{ "csuseragent", FIELD_AGENT, 0 },
	{ "xhostheader", FIELD_HOST, 0 },	/* CloudFront: cs(Host) is its own name there */
	{ "cshost", FIELD_HOST, 0 },
	{ "cscookie", FIELD_COOKIES, 0 },
};

size_t
name_normalise(struct slice name, char *out, size_t room)
{
	size_t len = 0;

	for (size_t i = 0; i < name.len && len < room; i++) {
		char c = ascii_lower(name.p[i]);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[len++] = c;
	}
	return (len);
}

static uint32_t
name_hash(struct slice name)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.p[i]) * 16777619U;
	return (h ^ h >> 15);
}

static void
names_add(struct names *n, const struct name *name)
{
	size_t slot = name_hash(slice_of(name->name)) % NAMES_SLOTS;

	must(n->n < NAMES_MAX);
	while (n->slots[slot] != 0) {
		if (strcmp(n->list[n->slots[slot] - 1].name, name->name) == 0)
			return;
		slot = (slot + 1) % NAMES_SLOTS;
	}
	n->list[n->n++] = *name;
	n->slots[slot] = (uint16_t)n->n;
}

/* "cookie_rpv", "cookies.rpv": a cookie that was asked for, in a value of its own. */
static void
add_cookies(struct names *n, const struct format *f)
{
	static const char *const prefixes[] = { "cookie", "cookies", "requestcookies", "" };

	for (size_t i = 0; i < f->n_cookies; i++)
		for (size_t k = 0; k < N_ELEM(prefixes); k++) {
			char *text = n->cookies[i][k];
			size_t len = strlen(prefixes[k]);

			memcpy(text, prefixes[k], len);
			len += name_normalise(slice_of(f->cookies[i]), text + len, NAME_MAX_BYTES - len);
			text[len] = '\0';
			if (len > 0)
				names_add(n, &(struct name){ text, FIELD_COOKIE + (enum field)i, 0 });
		}
}

struct names *
names_new(enum names_of of, const struct format *f)
{
	struct names *n = mem_calloc(1, sizeof(*n));

	for (size_t i = 0; of == NAMES_LTSV && i < N_ELEM(ltsv_names); i++)
		names_add(n, &ltsv_names[i]);
	for (size_t i = 0; of == NAMES_W3C && i < N_ELEM(w3c_names); i++)
		names_add(n, &w3c_names[i]);
	for (size_t i = 0; of != NAMES_W3C && i < N_ELEM(json_names); i++)
		names_add(n, &json_names[i]);
	if (of != NAMES_W3C)
		add_cookies(n, f);
	return (n);
}

const struct name *
names_find(const struct names *n, struct slice name)
{
	for (size_t slot = name_hash(name) % NAMES_SLOTS; n->slots[slot] != 0; slot = (slot + 1) % NAMES_SLOTS) {
		const struct name *is = &n->list[n->slots[slot] - 1];

		if (slice_is(name, is->name))
			return (is);
	}
	return (NULL);
}

/* 192.0.2.7 or 2001:db8::1, perhaps with a port or a zone. */
bool
looks_like_address(struct slice s)
{
	enum { NO, HEX, DOT, COLON };
	static const unsigned char kinds[256] = {
		['0' ... '9'] = HEX, ['a' ... 'f'] = HEX, ['A' ... 'F'] = HEX, ['%'] = HEX, ['['] = HEX, [']'] = HEX,
		['.'] = DOT, [':'] = COLON,
	};
	size_t n[4] = { 0 };

	if (s.len < 2 || s.len > 63)
		return (false);
	for (size_t i = 0; i < s.len; i++)
		n[kinds[(unsigned char)s.p[i]]]++;
	return (n[NO] == 0 && ((n[DOT] == 3 && n[COLON] <= 1) || n[COLON] >= 2));
}
