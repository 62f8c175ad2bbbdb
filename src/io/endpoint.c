/*
 * endpoint: see endpoint.h.
 */
#include "io/endpoint.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "io/keys.h"

#define FILE_MAX_BYTES 65536
#define SECRET_PATH_LEN 24		/* of a path that stands for a secret: what precedes the random part, and that */

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
read_secrets(const struct config *config, const struct endpoint_conf *conf, struct endpoint *own, size_t *n, struct err *err)
{
	char *path = secret_path(conf);
	struct slice rest;
	struct err why;
	size_t len;

	if (path == NULL)
		return (err_set(err, "%s:%d: provider \"%s\" has no secret: set secret_file, or give systemd LoadCredential=%s.secret:FILE",
		    config->file, conf->line, conf->provider, conf->provider));
	own->secrets_text = file_read(path, FILE_MAX_BYTES, &len, &why);
	free(path);
	if (own->secrets_text == NULL)
		return (err_set(err, "%s:%d: the secret file of provider \"%s\" cannot be read: %.300s", config->file, conf->line,
		    conf->provider, why.msg));
	for (rest = slice_make(own->secrets_text, len); rest.len > 0 && *n < ENDPOINT_SECRETS_MAX;) {
		struct slice line = slice_cut(&rest, '\n');

		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			own->secrets[(*n)++] = line;
	}
	if (*n == 0)
		return (err_set(err, "%s:%d: the secret file of provider \"%s\" is empty: expected the provider's signing secret, one a line",
		    config->file, conf->line, conf->provider));
	return (0);
}

static int
read_certificate(const struct config *config, const struct endpoint_conf *conf, struct endpoint *own, struct err *err)
{
	struct err why;
	size_t len;

	own->certificate_text = file_read(conf->certificate_file, FILE_MAX_BYTES, &len, &why);
	if (own->certificate_text == NULL)
		return (err_set(err, "%s:%d: the certificate file of provider \"%s\" cannot be read: %.300s", config->file, conf->line,
		    conf->provider, why.msg));
	own->pinned = (struct certificate){ SLICE(""), slice_make(own->certificate_text, len) };
	if (!certificate_is_usable(own->pinned.pem))
		return (err_set(err, "%s:%d: %s: expected a certificate in PEM with an RSA key, as PayPal's PAYPAL-CERT-URL gives it",
		    config->file, conf->line, conf->certificate_file));
	return (0);
}

/* ---- options ---- */

static const struct provider *
find_provider(const struct config *config, const struct endpoint_conf *conf, struct err *err)
{
	const struct provider *found = provider_find(conf->provider);
	struct buf names = { 0 };

	if (found != NULL)
		return (found);
	for (const struct provider *const *p = providers(); *p != NULL; p++)
		buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", (*p)->name);
	err_set(err, "%s:%d: there is no provider \"%.60s\"; known are %.*s", config->file, conf->line, conf->provider,
	    (int)names.len, names.p);
	buf_free(&names);
	return (NULL);
}

/* What a provider cannot do without; of whom an option is, the configuration has checked. */
static int
check_needs(const struct config *config, const struct endpoint_conf *conf, unsigned needs, struct err *err)
{
	const struct { unsigned need; const char *value, *name, *what; } options[] = {
		{ NEEDS_NOTIFICATION_URL, conf->notification_url, "notification_url",
		    "the address as it was typed into the subscription, to the letter; it is part of what is signed" },
		{ NEEDS_SELLER_ID, conf->seller_id, "seller_id", "the seller's id, which is compared, since pings are not signed" },
		{ NEEDS_WEBHOOK_ID, conf->webhook_id, "webhook_id", "the id that PayPal shows beside the webhook; it is part of what is signed" },
	};

	for (size_t i = 0; i < N_ELEM(options); i++)
		if ((needs & options[i].need) != 0 && options[i].value == NULL)
			return (err_set(err, "%s:%d: provider \"%s\" needs %s: %s", config->file, conf->line, conf->provider,
			    options[i].name, options[i].what));
	if ((needs & NEEDS_SELLER_ID) != 0 && strlen(conf->path) < SECRET_PATH_LEN)
		return (err_set(err, "%s:%d: provider \"%s\" needs a path that nobody can guess, since pings are not signed: "
		    "path = \"/hooks/%s-\" and 16 random letters and digits or more", config->file, conf->line, conf->provider, conf->provider));
	if ((needs & NEEDS_SECRET) == 0 && conf->secret_file != NULL)
		return (err_set(err, "%s:%d: provider \"%s\" has no secrets: take secret_file out", config->file, conf->line, conf->provider));
	return (0);
}

/* What `count` may be depends on the provider. */
static int
read_count(const struct config *config, const struct endpoint_conf *conf, struct provider_conf *to, struct err *err)
{
	if (conf->count == NULL)
		return (0);
	to->count_payment_intents = strcmp(conf->count, "payment_intents") == 0 && strcmp(conf->provider, "stripe") == 0;
	to->count_captures = strcmp(conf->count, "capture") == 0 && strcmp(conf->provider, "adyen") == 0;
	if (to->count_payment_intents || to->count_captures || strcmp(conf->count, "checkout") == 0)
		return (0);
	return (err_set(err, "%s:%d: provider \"%s\" cannot count by %s: payment_intents is for stripe, capture for adyen", config->file,
	    conf->line, conf->provider, conf->count));
}

static struct slice
text_of(const char *text)
{
	return (slice_of(text != NULL ? text : ""));
}

int
endpoint_read(const struct config *config, const struct endpoint_conf *conf, struct endpoint *own, const struct provider **provider,
    struct provider_conf *to, struct err *err)
{
	*own = (struct endpoint){ 0 };
	*to = (struct provider_conf){ .secrets = own->secrets, .visitor_key = text_of(conf->visitor_key),
	    .tolerance_s = conf->tolerance_ms / 1000, .test = conf->test, .notification_url = text_of(conf->notification_url),
	    .seller_id = text_of(conf->seller_id), .webhook_id = text_of(conf->webhook_id) };
	*provider = find_provider(config, conf, err);
	if (*provider == NULL || check_needs(config, conf, (*provider)->needs, err) != 0 || read_count(config, conf, to, err) != 0 ||
	    (((*provider)->needs & NEEDS_SECRET) != 0 && read_secrets(config, conf, own, &to->n_secrets, err) != 0) ||
	    (conf->certificate_file != NULL && read_certificate(config, conf, own, err) != 0))
		return (-1);
	own->certificates = (struct certificate_list){ &own->pinned, 1 };
	if (conf->certificate_file != NULL)
		to->certificates = &own->certificates;
	return (0);
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
