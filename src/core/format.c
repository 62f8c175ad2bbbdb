/*
 * format: what is written behind "format =" -> how lines are read.
 *
 * Presets by name, or the string of a web server, told apart by its variables: nginx has
 * $name, Apache and lighttpd %letter, Envoy %NAME%.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "core/hit_impl.h"

#define COMMON "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"
#define COMBINED COMMON " \"$http_referer\" \"$http_user_agent\""
#define INGRESS COMBINED " $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] " \
	"$upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id"
#define ELB "$remote_addr_port $target $t1 $t2 $t3 $status $target_status $received $bytes_sent \"$request\" " \
	"\"$http_user_agent\" $ssl_cipher $ssl_protocol"
#define LIGHTTPD "%h %V %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""
#define ENVOY "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% " \
	"%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% " \
	"\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\""

#define S3 "$owner $bucket [$time_local] $remote_addr $requester $request_id $operation $key \"$request\" $status $error " \
	"$bytes_sent $size $total_time $turn_around_time \"$http_referer\" \"$http_user_agent\" $more"
#define CLOUDSTORAGE "\"$time_any\",\"$remote_addr\",\"$c_ip_type\",\"$c_ip_region\",\"$request_method\",\"$request_uri\"," \
	"\"$status\",\"$cs_bytes\",\"$bytes_sent\",\"$time_taken\",\"$host\",\"$http_referer\",\"$http_user_agent\",$more"
#define BUNNY "$cache|$status|$time_any|$bytes_sent|$zone|$remote_addr|$http_referer|$url_of_get|$edge|$http_user_agent|$more"

#define ISTIO "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% " \
	"%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" " \
	"%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" " \
	"\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %MORE%"

/* A preset is a string, or compiles itself. */
static const struct preset { const char *name, *spec; void (*compile)(struct format *); } presets[] = {
	{ "auto", NULL, auto_compile },
	{ "combined", COMBINED, NULL },
	{ "common", COMMON, NULL },
	{ "vhost_combined", "$host:$server_port " COMBINED, NULL },
	{ "main", COMBINED " \"$http_x_forwarded_for\"", NULL },
	{ "ingress", INGRESS, NULL },
	{ "traefik", COMBINED " $request_count \"$router\" \"$server_url\" $duration", NULL },
	{ "lighttpd", LIGHTTPD, NULL },
	{ "envoy", ENVOY, NULL },
	{ "istio", ISTIO, NULL },
	{ "alb", "$type $time_iso8601 $elb " ELB " $target_group \"$trace_id\" \"$server_name\" $more", NULL },
	{ "elb", "$time_iso8601 $elb " ELB, NULL },
	{ "s3", S3, NULL },
	{ "cloudstorage", CLOUDSTORAGE, NULL },
	{ "bunny", BUNNY, NULL },
	{ "json", NULL, json_compile },
	{ "caddy", NULL, json_compile },
	{ "gcp", NULL, json_compile },
	{ "traefik_json", NULL, json_compile },
	{ "ltsv", NULL, ltsv_compile },
	{ "w3c", NULL, w3c_compile },
	{ "iis", NULL, w3c_compile },
	{ "cloudfront", NULL, w3c_compile },
};

const struct variable variable_unknown = { "", FIELD_SKIP, NULL, 0 };
static const struct variable cookie_variables[HIT_COOKIES_MAX] = {
	{ "", FIELD_COOKIE, NULL, 0 },
	{ "", FIELD_COOKIE + 1, NULL, 0 },
	{ "", FIELD_COOKIE + 2, NULL, 0 },
	{ "", FIELD_COOKIE + 3, NULL, 0 },
};

const struct variable *
variable_cookie(const struct format *f, struct slice name)
{
	for (size_t i = 0; i < f->n_cookies; i++)
		if (slice_equal_nocase(name, slice_of(f->cookies[i])))
			return (&cookie_variables[i]);
	return (&variable_unknown);
}

void
format_has_all(struct format *f)
{
	for (size_t i = 0; i < FIELDS; i++)
		f->has[i] = true;
}

/* ---- which one it is --------------------------------------------------------------- */

static const struct preset *
preset_find(const char *name)
{
	for (size_t i = 0; i < N_ELEM(presets); i++)
		if (strcmp(name, presets[i].name) == 0)
			return (&presets[i]);
	return (NULL);
}

/* A dollar alone is text in Apache's strings. */
static bool
has_dollar_name(const char *spec)
{
	for (const char *p = spec; (p = strchr(p, '$')) != NULL; p++)
		if (p[1] == '{' || p[1] == '_' || (ascii_lower(p[1]) >= 'a' && ascii_lower(p[1]) <= 'z'))
			return (true);
	return (strchr(spec, '$') != NULL && strchr(spec, '%') == NULL);
}

/* %NAME% or %NAME(...)%, two capital letters at least: Apache's directives have one. */
static bool
has_command(const char *spec)
{
	for (const char *p = spec; (p = strchr(p, '%')) != NULL; p++)
		if (p[1] >= 'A' && p[1] <= 'Z' && ((p[2] >= 'A' && p[2] <= 'Z') || p[2] == '_') && (strpbrk(p + 2, "%(") != NULL))
			return (true);
	return (false);
}

/* nginx' parameter in front of the string, as log_format has it. */
static enum escapes
take_escape(const char **spec)
{
	static const struct { const char *text; enum escapes escapes; } known[] = {
		{ "escape=default ", ESCAPES_ANY }, { "escape=json ", ESCAPES_JSON }, { "escape=none ", ESCAPES_NONE },
	};

	for (size_t i = 0; i < N_ELEM(known); i++)
		if (strncmp(*spec, known[i].text, strlen(known[i].text)) == 0) {
			*spec += strlen(known[i].text);
			return (known[i].escapes);
		}
	return (**spec == '{' ? ESCAPES_JSON : ESCAPES_ANY);
}

/* Where there is a string already of which the letters could be a preset's name with a slip in it. */
static int
say_unknown(const char *spec, struct err *err)
{
	char names[400] = "";

	for (size_t i = 0, n = 0; i < N_ELEM(presets); i++) {
		memcpy(names + n, i > 0 ? ", " : "", i > 0 ? 2 : 0);
		n += i > 0 ? 2 : 0;
		must(n + strlen(presets[i].name) + 1 < sizeof(names));
		memcpy(names + n, presets[i].name, strlen(presets[i].name) + 1);
		n += strlen(presets[i].name);
	}
	return (err_set(err, "log format: \"%.40s\" is none of %s, haproxy, nginx:NAME, nor a format string of nginx ($variables), "
	    "Apache or lighttpd (%%directives) or Envoy (%%COMMANDS%%)", spec, names));
}

static int
string_compile(struct format *f, const char *spec, struct err *err)
{
	enum escapes escapes;

	if (has_dollar_name(spec)) {
		escapes = take_escape(&spec);
		return (steps_compile(f, spec, &dialect_nginx, escapes, err));
	}
	if (strchr(spec, '%') == NULL)
		return (say_unknown(spec, err));
	if (has_command(spec))
		return (steps_compile(f, spec, &dialect_envoy, ESCAPES_ANY, err));
	return (steps_compile(f, spec, &dialect_apache, ESCAPES_APACHE, err));
}

static int
compile(struct format *f, const char *spec, struct err *err)
{
	const struct preset *preset = preset_find(spec);

	if (preset != NULL && preset->compile != NULL) {
		preset->compile(f);
		return (0);
	}
	if (strcmp(spec, "haproxy") == 0 || strncmp(spec, "haproxy:", 8) == 0) {
		haproxy_compile(f, spec[7] == ':' ? spec + 8 : NULL);
		return (0);
	}
	return (string_compile(f, preset != NULL ? preset->spec : spec, err));
}

const char *
format_spec(const char *spec)
{
	const struct preset *preset = preset_find(spec);

	return (preset != NULL && preset->spec != NULL ? preset->spec : spec);
}

struct format *
format_compile(const char *spec, const char *const *cookies, size_t n_cookies, struct err *err)
{
	struct format *f = mem_calloc(1, sizeof(*f));

	must(n_cookies <= HIT_COOKIES_MAX);
	for (size_t i = 0; i < n_cookies; i++)
		f->cookies[i] = mem_strdup(cookies[i]);
	f->n_cookies = n_cookies;
	if (compile(f, spec, err) != 0)
		format_free(&f);
	return (f);
}

void
format_free(struct format **fp)
{
	struct format *f = *fp;

	if (f == NULL)
		return;
	steps_free(&f->steps);
	shape_free(&f->shape);
	labels_free(&f->labels);
	columns_free(&f->columns);
	captures_free(&f->captures);
	detector_free(&f->detector);
	free(f->names);
	for (size_t i = 0; i < f->n_cookies; i++)
		free(f->cookies[i]);
	free(f);
	*fp = NULL;
}

/* ---- what it can say ---------------------------------------------------------------- */

bool
format_has_cookie(const struct format *f, size_t i)
{
	must(i < HIT_COOKIES_MAX);
	return (i < f->n_cookies && (f->has[FIELD_COOKIE + i] || f->has[FIELD_COOKIES]));
}

bool
format_has_uid(const struct format *f)
{
	return (f->has[FIELD_UID_GOT] || f->has[FIELD_UID_SET]);
}

bool
format_has_agent(const struct format *f)
{
	return ((f->has[FIELD_ADDR] || f->has[FIELD_FORWARDED]) && f->has[FIELD_AGENT]);
}

bool
format_has_forwarded(const struct format *f)
{
	return (f->has[FIELD_FORWARDED]);
}

bool
format_has_user_agent(const struct format *f)
{
	return (f->has[FIELD_AGENT]);
}
