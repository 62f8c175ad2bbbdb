/*
 * endpoint: see endpoint.h.
 */
#include "io/endpoint.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "io/keys.h"

#define FILE_MAX_BYTES 65536
#define SECRET_PATH_LEN 24		/* of a path that stands for a secret: what precedes the random part, and that */

struct reading {
	const struct config *config;
	const struct endpoint_conf *conf;
	struct buf *mistakes;
};

/* At the option's line, where it is given; else at the provider's.  -1. */
static int __attribute__((format(printf, 3, 4)))
complain(const struct reading *r, const void *field, const char *fmt, ...)
{
	int line = config_line(r->config, field);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(r->mistakes, "%s:%d: %s\n", r->config->file, line > 0 ? line : r->conf->line, text);
	return (-1);
}

/* What was said already hides nothing else, and is not said again. */
static bool
is_mistaken(const struct reading *r, const void *field)
{
	return (config_is_mistaken(r->config, field));
}

/* ---- files ---- */

/* The secret file, or the credential of that name that the service manager gave. */
static char *
secret_path(const struct endpoint_conf *conf)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct buf path = { 0 };

	if (conf->secret_file != NULL)
		return (mem_strdup(conf->secret_file));
	if (dir == NULL || dir[0] == '\0')
		return (NULL);
	buf_printf(&path, "%s/%s.secret", dir, conf->provider);
	buf_putc(&path, '\0');
	return (path.p);
}

static int
read_secrets(const struct reading *r, struct endpoint *own, size_t *n)
{
	const struct endpoint_conf *conf = r->conf;
	char *path = secret_path(conf);
	struct slice rest;
	struct err why;
	size_t len;

	if (path == NULL)
		return (complain(r, &conf->secret_file, "provider \"%s\" has no secret: set secret_file, or give systemd LoadCredential=%s.secret:FILE",
		    conf->provider, conf->provider));
	own->secrets_text = file_read(path, FILE_MAX_BYTES, &len, &why);
	free(path);
	if (own->secrets_text == NULL)
		return (complain(r, &conf->secret_file, "the secret file of provider \"%s\" cannot be read: %.300s", conf->provider, why.msg));
	for (rest = slice_make(own->secrets_text, len); rest.len > 0 && *n < ENDPOINT_SECRETS_MAX;) {
		struct slice line = slice_cut(&rest, '\n');

		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			own->secrets[(*n)++] = line;
	}
	if (*n == 0)
		return (complain(r, &conf->secret_file, "the secret file of provider \"%s\" is empty: expected the provider's signing secret, one a line",
		    conf->provider));
	return (0);
}

static int
read_certificate(const struct reading *r, struct endpoint *own)
{
	const struct endpoint_conf *conf = r->conf;
	struct err why;
	size_t len;

	own->certificate_text = file_read(conf->certificate_file, FILE_MAX_BYTES, &len, &why);
	if (own->certificate_text == NULL)
		return (complain(r, &conf->certificate_file, "the certificate file of provider \"%s\" cannot be read: %.300s", conf->provider, why.msg));
	own->pinned = (struct certificate){ SLICE(""), slice_make(own->certificate_text, len) };
	if (!certificate_is_usable(own->pinned.pem))
		return (complain(r, &conf->certificate_file, "%s: expected a certificate in PEM with an RSA key, as PayPal's PAYPAL-CERT-URL gives it",
		    conf->certificate_file));
	return (0);
}

/* ---- options ---- */

static const struct provider *
find_provider(const struct reading *r)
{
	const struct provider *found = provider_find(r->conf->provider);
	struct buf names = { 0 };

	if (found != NULL)
		return (found);
	for (const struct provider *const *p = providers(); *p != NULL; p++)
		buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", (*p)->name);
	complain(r, NULL, "there is no provider \"%.60s\"; known are %.*s", r->conf->provider, (int)names.len, names.p);
	buf_free(&names);
	return (NULL);
}

/* What a provider cannot do without; of whom an option is, the configuration has checked. */
static int
check_needs(const struct reading *r, unsigned needs)
{
	const struct endpoint_conf *conf = r->conf;
	const struct { unsigned need; char *const *field; const char *name, *what; } options[] = {
		{ NEEDS_NOTIFICATION_URL, &conf->notification_url, "notification_url",
		    "the address as it was typed into the subscription, to the letter; it is part of what is signed" },
		{ NEEDS_SELLER_ID, &conf->seller_id, "seller_id", "the seller's id, which is compared, since pings are not signed" },
		{ NEEDS_WEBHOOK_ID, &conf->webhook_id, "webhook_id", "the id that PayPal shows beside the webhook; it is part of what is signed" },
	};
	int rc = 0;

	for (size_t i = 0; i < N_ELEM(options); i++)
		if ((needs & options[i].need) != 0 && *options[i].field == NULL && !is_mistaken(r, options[i].field))
			rc = complain(r, NULL, "provider \"%s\" needs %s: %s", conf->provider, options[i].name, options[i].what);
	if ((needs & NEEDS_SELLER_ID) != 0 && strlen(conf->path) < SECRET_PATH_LEN && !is_mistaken(r, &conf->path))
		rc = complain(r, &conf->path, "provider \"%s\" needs a path that nobody can guess, since pings are not signed: "
		    "path = \"/hooks/%s-\" and 16 random letters and digits or more", conf->provider, conf->provider);
	if ((needs & NEEDS_SECRET) == 0 && conf->secret_file != NULL)
		rc = complain(r, &conf->secret_file, "provider \"%s\" has no secrets: take secret_file out", conf->provider);
	return (rc);
}

/* What `count` may be depends on the provider. */
static int
read_count(const struct reading *r, struct provider_conf *to)
{
	const struct endpoint_conf *conf = r->conf;

	if (conf->count == NULL)
		return (0);
	to->count_payment_intents = strcmp(conf->count, "payment_intents") == 0 && strcmp(conf->provider, "stripe") == 0;
	to->count_captures = strcmp(conf->count, "capture") == 0 && strcmp(conf->provider, "adyen") == 0;
	if (to->count_payment_intents || to->count_captures || strcmp(conf->count, "checkout") == 0)
		return (0);
	return (complain(r, &conf->count, "provider \"%s\" cannot count by %s: payment_intents is for stripe, capture for adyen",
	    conf->provider, conf->count));
}

static struct slice
text_of(const char *text)
{
	return (slice_of(text != NULL ? text : ""));
}

int
endpoint_read(const struct config *config, const struct endpoint_conf *conf, struct endpoint *own, const struct provider **provider,
    struct provider_conf *to, struct buf *mistakes)
{
	const struct reading r = { config, conf, mistakes };
	int rc;

	*own = (struct endpoint){ 0 };
	*to = (struct provider_conf){ .secrets = own->secrets, .visitor_key = text_of(conf->visitor_key),
	    .tolerance_s = conf->tolerance_ms / 1000, .test = conf->test, .notification_url = text_of(conf->notification_url),
	    .seller_id = text_of(conf->seller_id), .webhook_id = text_of(conf->webhook_id) };
	*provider = find_provider(&r);
	if (*provider == NULL)
		return (-1);
	rc = check_needs(&r, (*provider)->needs);
	rc |= read_count(&r, to);
	if (((*provider)->needs & NEEDS_SECRET) != 0 && !is_mistaken(&r, &conf->secret_file))
		rc |= read_secrets(&r, own, &to->n_secrets);
	if (conf->certificate_file != NULL)
		rc |= read_certificate(&r, own);
	own->certificates = (struct certificate_list){ &own->pinned, 1 };
	if (conf->certificate_file != NULL)
		to->certificates = &own->certificates;
	return (rc);
}

void
endpoint_clear(struct endpoint *own)
{
	if (own->secrets_text != NULL)
		sodium_memzero(own->secrets_text, strlen(own->secrets_text));
	free(own->secrets_text);
	free(own->certificate_text);
	own->secrets_text = own->certificate_text = NULL;
}
