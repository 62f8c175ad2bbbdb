/*
 * conf: see conf.h.  syntax.c makes the text safe, libConfuse turns it into sections and
 * values, and this file walks both tables (options.c) over them: each section fills its
 * struct, then what spans several options is checked.
 */
#include "conf/conf.h"

#include <confuse.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "conf/options.h"
#include "conf/syntax.h"
#include "core/window.h"

#define FILE_MAX (1024 * 1024)		/* more is no configuration */
#define COOKIES_MAX 4			/* of one site's visitor identities: core/hit.h */

struct place {
	const void *field;
	int line;			/* negative: mistaken */
};

struct config_places {
	struct place *list;
	size_t n, cap;
};

struct loader {
	char *dir;			/* what relative paths are relative to */
	struct mistakes mistakes;
	struct config_places *places;	/* NULL while what counts for nothing is looked at */
};

/* ---- the text ---- */

static int
read_stream(FILE *f, struct buf *text, struct err *err)
{
	struct stat st;

	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		return (err_set(err, "is a directory; expected a configuration file"));
	while (text->len <= FILE_MAX && !feof(f)) {
		buf_reserve(text, 65536);
		text->len += fread(text->p + text->len, 1, 65536, f);
		if (ferror(f))
			return (err_set(err, "cannot be read: %s", strerror(errno)));
	}
	if (text->len > FILE_MAX)
		return (err_set(err, "has more than %d bytes; that is no configuration file", FILE_MAX));
	if (text->len > 0 && memchr(text->p, '\0', text->len) != NULL)
		return (err_set(err, "has zero bytes; that is no configuration file"));
	return (0);
}

static int
read_text(const char *file, struct buf *text, struct err *err)
{
	FILE *f = fopen(file, "re");
	int rc;

	if (f == NULL)
		return (err_set(err, "cannot be opened: %s; another file is named with -c", strerror(errno)));
	rc = read_stream(f, text, err);
	fclose(f);
	return (rc);
}

/* The directory of the file, absolute: the daemon may change its own. */
static char *
directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash == NULL ? mem_strdup(".") : mem_strndup(file, slash == file ? 1 : (size_t)(slash - file));
	char absolute[PATH_MAX];

	if (realpath(dir, absolute) == NULL)
		return (dir);
	free(dir);
	return (mem_strdup(strcmp(absolute, "/") == 0 ? "" : absolute));
}

/* ---- libConfuse ---- */

/* What syntax.c lets through has no mistakes left; should there be one, it is said elsewhere. */
static void
swallow(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	(void)fmt;
	(void)ap;
}

/* Everything is a list of strings to libConfuse: our own conversions say better what was expected. */
static void
describe_section(enum section_id id, cfg_opt_t (*all)[64])
{
	cfg_opt_t *out = all[id];

	for (size_t i = 0; i < n_options; i++)
		if (options[i].where == id)
			*out++ = (cfg_opt_t)CFG_STR_LIST(options[i].name, NULL, CFGF_NODEFAULT);
	for (size_t i = IN_REDIS; i < SECTIONS; i++)
		if (sections[i].parent == id)
			*out++ = (cfg_opt_t)CFG_SEC(sections[i].name, all[i],
			    sections[i].title != NULL ? CFGF_MULTI | CFGF_TITLE : CFGF_MULTI);
	*out = (cfg_opt_t)CFG_END();
}

static cfg_t *
new_tree(void)
{
	cfg_opt_t all[SECTIONS][64];
	cfg_t *cfg;

	for (size_t i = SECTIONS; i-- > 0;)		/* what is inside first */
		describe_section((enum section_id)i, all);
	cfg = cfg_init(all[IN_TOP], CFGF_NONE);
	if (cfg == NULL)
		mem_failed(sizeof(all));
	cfg_set_error_function(cfg, swallow);
	return (cfg);
}

/* ---- values ---- */

/* Whether the owner wrote it; *line is then that of its first value, negative where that is known
 * to be mistaken.  cfg: NULL for a section that is not there. */
static bool
is_given(cfg_t *cfg, const char *name, int *line)
{
	bool given = cfg != NULL && cfg_size(cfg, name) > 0;

	*line = 0;
	if (given)
		syntax_value(cfg_getnstr(cfg, name, 0), line);
	return (given);
}

static void
note_place(struct loader *l, const void *field, int line, bool mistaken)
{
	struct config_places *p = l->places;

	if (p == NULL)
		return;
	mem_grow(&p->list, &p->cap, p->n + 1, sizeof(*p->list));
	p->list[p->n++] = (struct place){ field, mistaken ? -abs(line) : line };
}

static void
say_bad(struct loader *l, int line, const struct option *o, const char *value, const char *expected)
{
	if (o->secret)
		mistake_add(&l->mistakes, line, "%s: expected %s", o->name, expected);
	else
		mistake_add(&l->mistakes, line, "%s = \"%.60s\": expected %s", o->name, value, expected);
}

/* False where it is mistaken, which was or is said. */
static bool
fill_value(struct loader *l, const struct option *o, const char *numbered, void *field)
{
	struct err expected;
	int line;
	const char *value = syntax_value(numbered, &line);

	if (line > 0 && option_set(o, l->dir, value, field, &expected) == 0)
		return (true);
	if (line > 0)
		say_bad(l, line, o, value, expected.msg);
	return (false);
}

/* Items that are mistaken leave no gap. */
static bool
fill_list(struct loader *l, const struct option *o, cfg_t *cfg, char ***field)
{
	unsigned n = cfg_size(cfg, o->name);
	char **list = mem_calloc((size_t)n + 1, sizeof(char *));
	bool ok = true;

	*field = list;
	for (unsigned i = 0; i < n; i++) {
		if (syntax_is_no_item(cfg_getnstr(cfg, o->name, i)))
			continue;
		ok = fill_value(l, o, cfg_getnstr(cfg, o->name, i), list) && ok;
		list += *list != NULL;
	}
	return (ok);
}

/* One that stands twice is a mistake that was said, and each of its values may be another. */
static bool
fill_scalar(struct loader *l, const struct option *o, cfg_t *cfg, void *field)
{
	bool ok = fill_value(l, o, cfg_getnstr(cfg, o->name, 0), field);

	for (unsigned i = 1; i < cfg_size(cfg, o->name); i++) {
		union { int64_t number; uint64_t size; char *text; struct currency currency; } other = { 0 };

		ok = false;
		fill_value(l, o, cfg_getnstr(cfg, o->name, i), &other);
		if (o->type == T_STRING || o->type == T_PATH)
			free(other.text);
	}
	return (ok);
}

static void
fill_fallback_list(struct loader *l, const struct option *o, char ***field)
{
	struct slice rest = slice_of(o->fallback);
	char **list = mem_calloc(rest.len / 2 + 2, sizeof(char *));

	*field = list;
	while (rest.len > 0) {
		struct slice word = slice_cut(&rest, ' ');
		char *item = mem_strndup(word.p, word.len);

		must(option_set(o, l->dir, item, list++, NULL) == 0);
		free(item);
	}
}

/* None in the table's fallback is mistaken. */
static void
fill_fallback(struct loader *l, const struct option *o, void *field)
{
	if (o->fallback == NULL)
		return;
	if (o->type == T_LIST)
		fill_fallback_list(l, o, field);
	else if (o->fallback[0] != '\0')
		must(option_set(o, l->dir, o->fallback, field, NULL) == 0);
}

static void
fill_options(struct loader *l, enum section_id id, cfg_t *cfg, int section_line, char *base)
{
	int line;

	for (size_t i = 0; i < n_options; i++) {
		const struct option *o = &options[i];
		char *field = base + o->field;

		if (o->where != id)
			continue;
		if (!is_given(cfg, o->name, &line)) {
			if (o->required)
				mistake_add(&l->mistakes, section_line, "%s needs %s: expected %s = %s",
				    sections[id].name, o->name, o->name, o->sample);
			fill_fallback(l, o, field);
		} else if (o->type == T_LIST)
			note_place(l, field, line, !fill_list(l, o, cfg, (char ***)(void *)field));
		else
			note_place(l, field, line, !fill_scalar(l, o, cfg, field));
	}
}

/* ---- checks across options ---- */

static void
check_visitors(struct loader *l, cfg_t *cfg, const struct site_conf *site)
{
	size_t cookies = 0;
	int line;

	if (!is_given(cfg, "visitor", &line) || line < 0)
		return;
	for (size_t i = 0; site->visitor[i] != NULL; i++) {
		cookies += strncmp(site->visitor[i], "cookie:", 7) == 0;
		for (size_t j = 0; j < i; j++)
			if (strcmp(site->visitor[i], site->visitor[j]) == 0)
				mistake_add(&l->mistakes, line, "visitor has %s twice", site->visitor[i]);
	}
	if (cookies > COOKIES_MAX)
		mistake_add(&l->mistakes, line, "visitor has %zu cookies; expected at most %d", cookies, COOKIES_MAX);
	if (syntax_is_no_item(cfg_getnstr(cfg, "visitor", 0)) && site->visitor[0] == NULL)
		mistake_add(&l->mistakes, line, "visitor is an empty list; expected cookie:NAME, uid or ip_ua");
}

/* Two of one length would be one window under two names. */
static void
check_windows(struct loader *l, cfg_t *cfg, const struct site_conf *site)
{
	int64_t lengths[LEVELS_MAX], bucket;
	size_t n = 0;
	int line;

	if (!is_given(cfg, "windows", &line) || line < 0)
		return;
	for (; site->windows[n] != NULL && n < LEVELS_MAX; n++) {
		window_parse(site->windows[n], &lengths[n], &bucket);
		for (size_t i = 0; i < n; i++)
			if (lengths[i] == lengths[n])
				mistake_add(&l->mistakes, line, "windows has %s, which is as long as %s", site->windows[n], site->windows[i]);
	}
	if (site->windows[n] != NULL)
		mistake_add(&l->mistakes, line, "windows has more than %d; expected one to %d", LEVELS_MAX, LEVELS_MAX);
	if (syntax_is_no_item(cfg_getnstr(cfg, "windows", 0)) && n == 0)
		mistake_add(&l->mistakes, line, "windows is an empty list; expected {\"24h/15m\"}, or more");
}

static void
check_logs(struct loader *l, cfg_t *cfg, const struct site_conf *site)
{
	int line;

	if (site->n_logs == 0 && site->n_syslogs == 0 && site->n_orders == 0)
		mistake_add(&l->mistakes, site->line, "site \"%s\" has neither log nor orders; expected log \"PATH\" { }", site->name);
	for (size_t i = 0; i < site->n_logs; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(site->logs[i].path, site->logs[j].path) == 0 && site->logs[i].path[0] != '\0') {
				mistake_add(&l->mistakes, site->logs[i].line, "log \"%s\" is here already, in line %d",
				    site->logs[i].path, site->logs[j].line);
				break;
			}
	for (size_t i = 0; i < site->n_orders; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(site->orders[i], site->orders[j]) == 0 && site->orders[i][0] != '\0') {
				syntax_value(cfg_title(cfg_getnsec(cfg, "orders", (unsigned)i)), &line);
				mistake_add(&l->mistakes, line, "orders \"%s\" is here already", site->orders[i]);
				break;
			}
}

/* Options that one provider has, or two, and no other. */
static const struct { const char *name, *of, *also_of; } own_options[] = {
	{ "count", "stripe", "adyen" },
	{ "notification_url", "square", NULL },
	{ "seller_id", "gumroad", NULL },
	{ "webhook_id", "paypal", NULL },
	{ "certificate_file", "paypal", NULL },
};

static void
check_own_options(struct loader *l, cfg_t *section, const char *provider)
{
	for (size_t i = 0; i < N_ELEM(own_options); i++) {
		const char *also = own_options[i].also_of;
		int line;

		if (!is_given(section, own_options[i].name, &line) || line <= 0 || strcmp(provider, own_options[i].of) == 0 ||
		    (also != NULL && strcmp(provider, also) == 0))
			continue;
		mistake_add(&l->mistakes, line, "%s is an option of provider \"%s\"%s%s%s only", own_options[i].name, own_options[i].of,
		    also != NULL ? " and \"" : "", also != NULL ? also : "", also != NULL ? "\"" : "");
	}
}

static void
check_endpoints(struct loader *l, cfg_t *cfg, struct site_conf *site)
{
	int line;

	for (size_t i = 0; i < site->n_providers; i++) {
		struct endpoint_conf *e = &site->providers[i];
		cfg_t *section = cfg_getnsec(cfg, "provider", (unsigned)i);

		if (e->provider[0] != '\0')
			check_own_options(l, section, e->provider);
		if (e->path == NULL && !is_given(section, "path", &line))
			e->path = option_path("/hooks", e->provider);
	}
}

static void
check_paths(struct loader *l, const struct config *config, const struct endpoint_conf **seen, size_t n, const struct endpoint_conf *e)
{
	int line = config_line(config, &e->path);

	for (size_t i = 0; i < n; i++)
		if (e->path != NULL && seen[i]->path != NULL && strcmp(e->path, seen[i]->path) == 0) {
			mistake_add(&l->mistakes, line > 0 ? line : e->line, "provider \"%s\" has the path %s, as the one in line %d has; "
			    "expected a path of its own", e->provider, e->path, seen[i]->line);
			return;
		}
}

/* A line that came shows no site either. */
static void
check_syslogs(struct loader *l, const struct config *config, const struct log_conf **seen, size_t *n, const struct site_conf *site)
{
	for (size_t j = 0; j < site->n_syslogs && *n < LIST_MAX; j++) {
		const struct log_conf *log = &site->syslogs[j];

		if (config->webhook_listen != NULL && strcmp(log->path, config->webhook_listen) == 0)
			mistake_add(&l->mistakes, log->line, "syslog \"%s\" is where webhooks come in; expected an address of its own", log->path);
		for (size_t i = 0; i < *n; i++)
			if (strcmp(seen[i]->path, log->path) == 0 && log->path[0] != '\0')
				mistake_add(&l->mistakes, log->line, "syslog \"%s\" is here already, in line %d", log->path, seen[i]->line);
		seen[(*n)++] = log;
	}
}

/* Paths are one name space: a request shows no site. */
static void
check_sites(struct loader *l, const struct config *config)
{
	const struct endpoint_conf *seen[LIST_MAX];
	const struct log_conf *syslogs[LIST_MAX];
	size_t n = 0, n_syslogs = 0;

	for (size_t i = 0; i < config->n_sites; i++) {
		const struct site_conf *site = &config->sites[i];

		for (size_t j = 0; j < i; j++)
			if (strcmp(site->name, config->sites[j].name) == 0 && site->name[0] != '\0') {
				mistake_add(&l->mistakes, site->line, "site \"%s\" is here already, in line %d",
				    site->name, config->sites[j].line);
				break;
			}
		for (size_t j = 0; j < site->n_providers && n < LIST_MAX; j++) {
			check_paths(l, config, seen, n, &site->providers[j]);
			seen[n++] = &site->providers[j];
		}
		check_syslogs(l, config, syslogs, &n_syslogs, site);
	}
	if (config->n_sites == 0)
		mistake_add(&l->mistakes, 1, "no site; expected site \"NAME\" { ... }");
}

/* ---- sections ---- */

/* Never NULL; "" where it is mistaken, which was or is said. */
static char *
fill_title(struct loader *l, const struct section *s, const char *numbered, int *line)
{
	char *title = mem_strdup(syntax_value(numbered, line)), *path;
	const char *wrong = *line > 0 ? s->check_title(title) : NULL;

	*line = abs(*line);
	if (wrong != NULL) {
		mistake_add(&l->mistakes, *line, "%s \"%.60s\": expected %s", s->name, title, wrong);
		title[0] = '\0';
	}
	if (!s->title_is_path || title[0] == '\0' || (s == &sections[IN_LOG] && strcmp(title, LOG_STDIN) == 0))
		return (title);
	path = option_path(l->dir, title);
	free(title);
	return (path);
}

static void fill_section(struct loader *, enum section_id, cfg_t *, int line, char *base);

static void
fill_array(struct loader *l, enum section_id id, cfg_t *parent, char *parent_base)
{
	const struct section *s = &sections[id];
	unsigned n = cfg_size(parent, s->name);
	char *array = mem_calloc((size_t)n + 1, s->size);

	memcpy(parent_base + s->array, &array, sizeof(array));
	memcpy(parent_base + s->count, &(size_t){ n }, sizeof(size_t));
	for (unsigned i = 0; i < n; i++) {
		cfg_t *cfg = cfg_getnsec(parent, s->name, i);
		char *base = array + i * s->size, *title;
		int line;

		title = fill_title(l, s, cfg_title(cfg), &line);
		memcpy(base + s->title_field, &title, sizeof(title));
		if (s->line_field != NO_LINE)
			memcpy(base + s->line_field, &line, sizeof(line));
		fill_section(l, id, cfg, line, base);
	}
}

static void free_section(enum section_id, char *base);

/* One that stands twice is a mistake that was said; what is in the second is looked at all the same. */
static void
fill_single(struct loader *l, enum section_id id, cfg_t *parent, int line, char *base)
{
	const char *name = sections[id].name;
	struct config_places *places = l->places;
	unsigned n = cfg_size(parent, name);

	must(sections[id].parent == IN_TOP);
	fill_section(l, id, n > 0 ? cfg_getnsec(parent, name, 0) : NULL, line, base);
	l->places = NULL;
	for (unsigned i = 1; i < n; i++) {
		struct config other = { 0 };

		fill_section(l, id, cfg_getnsec(parent, name, i), line, (char *)&other);
		free_section(id, (char *)&other);
	}
	l->places = places;
}

static void
fill_section(struct loader *l, enum section_id id, cfg_t *cfg, int line, char *base)
{
	fill_options(l, id, cfg, line, base);
	for (enum section_id i = IN_REDIS; i < SECTIONS; i++) {
		if (sections[i].parent != id)
			continue;
		if (sections[i].title != NULL)
			fill_array(l, i, cfg, base);
		else
			fill_single(l, i, cfg, line, base);
	}
	if (id == IN_SITE) {
		struct site_conf *site = (struct site_conf *)(void *)base;

		check_visitors(l, cfg, site);
		check_windows(l, cfg, site);
		check_logs(l, cfg, site);
		check_endpoints(l, cfg, site);
	}
}

/* ---- the whole ---- */

static void
load_text(struct loader *l, struct slice text, struct config *config)
{
	struct buf clean = { 0 };
	cfg_t *cfg = new_tree();

	syntax_clean(text, &clean, &l->mistakes);
	if (cfg_parse_buf(cfg, clean.p) != CFG_SUCCESS)
		mistake_add(&l->mistakes, 1, "libConfuse does not take this file");
	else {
		fill_section(l, IN_TOP, cfg, 1, (char *)config);
		check_sites(l, config);
	}
	cfg_free(cfg);
	buf_free(&clean);
}

static int
compare_mistakes(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->line != y->line)
		return (x->line < y->line ? -1 : 1);
	return (strcmp(x->text, y->text));
}

/* In the order of the file, which is the order in which they are mended. */
static void
write_mistakes(const char *file, struct mistakes *m, struct buf *out)
{
	if (m->n > 1)
		qsort(m->list, m->n, sizeof(m->list[0]), compare_mistakes);
	for (size_t i = 0; i < m->n; i++) {
		if (m->list[i].line > 0 && m->list[i].line < INT_MAX)
			buf_printf(out, "%s:%d: %s\n", file, m->list[i].line, m->list[i].text);
		else
			buf_printf(out, "%s: %s\n", file, m->list[i].text);
	}
}

struct config *
config_read(const char *file, struct buf *mistakes)
{
	struct config *config = mem_calloc(1, sizeof(*config));
	struct loader l = { .dir = directory_of(file), .places = mem_calloc(1, sizeof(*l.places)) };
	struct buf text = { 0 };
	struct err err;

	config->places = l.places;
	config->file = mem_strdup(file);
	if (read_text(file, &text, &err) != 0)
		mistake_add(&l.mistakes, 0, "%s", err.msg);
	else
		load_text(&l, buf_view(&text), config);
	write_mistakes(file, &l.mistakes, mistakes);
	mistakes_free(&l.mistakes);
	buf_free(&text);
	free(l.dir);
	return (config);
}

struct config *
config_load(const char *file, struct buf *mistakes)
{
	size_t before = mistakes->len;
	struct config *config = config_read(file, mistakes);

	if (mistakes->len > before)
		config_free(&config);
	return (config);
}

/* ---- places ---- */

static int
place_of(const struct config *config, const void *field)
{
	for (size_t i = 0; i < config->places->n; i++)
		if (config->places->list[i].field == field)
			return (config->places->list[i].line);
	return (0);
}

int
config_line(const struct config *config, const void *field)
{
	return (abs(place_of(config, field)));
}

bool
config_is_mistaken(const struct config *config, const void *field)
{
	return (place_of(config, field) < 0);
}

void
config_complain(const struct config *config, struct buf *mistakes, const void *field, const char *fmt, ...)
{
	int line = config_line(config, field);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line > 0)
		buf_printf(mistakes, "%s:%d: %s\n", config->file, line, text);
	else
		buf_printf(mistakes, "%s: %s\n", config->file, text);
}

/* Of "FILE:LINE: sentence". */
static int
line_of(struct slice mistake, struct slice file)
{
	struct slice rest = slice_skip(mistake, file.len);

	if (slice_ends(mistake, SLICE(MISTAKES_MORE)))
		return (INT_MAX);
	return (slice_starts(mistake, file) && rest.len > 1 && rest.p[0] == ':' ? atoi(rest.p + 1) : 0);
}

void
config_sort_mistakes(const struct config *config, struct buf *mistakes)
{
	struct mistakes sorted = { 0 };
	struct slice rest = buf_view(mistakes);

	for (; rest.len > 0; sorted.n++) {
		struct slice text = slice_cut(&rest, '\n');

		mem_grow(&sorted.list, &sorted.cap, sorted.n + 1, sizeof(*sorted.list));
		sorted.list[sorted.n] = (struct mistake){ line_of(text, slice_of(config->file)), mem_strndup(text.p, text.len) };
	}
	if (sorted.n > 1)
		qsort(sorted.list, sorted.n, sizeof(*sorted.list), compare_mistakes);
	mistakes->len = 0;
	for (size_t i = 0; i < sorted.n; i++)
		buf_printf(mistakes, "%s\n", sorted.list[i].text);
	mistakes_free(&sorted);
}

/* ---- the end ---- */

static void
free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static void
free_array(const struct section *s, enum section_id id, char *base)
{
	char *array, *title;
	size_t n;

	memcpy(&array, base + s->array, sizeof(array));
	memcpy(&n, base + s->count, sizeof(n));
	for (size_t i = 0; array != NULL && i < n; i++) {
		memcpy(&title, array + i * s->size + s->title_field, sizeof(title));
		free(title);
		free_section(id, array + i * s->size);
	}
	free(array);
}

static void
free_section(enum section_id id, char *base)
{
	for (size_t i = 0; i < n_options; i++) {
		const struct option *o = &options[i];
		void *p;

		if (o->where != id || (o->type != T_STRING && o->type != T_PATH && o->type != T_LIST))
			continue;
		memcpy(&p, base + o->field, sizeof(p));
		if (o->type == T_LIST)
			free_list(p);
		else
			free(p);
	}
	for (enum section_id i = IN_REDIS; i < SECTIONS; i++) {
		if (sections[i].parent != id)
			continue;
		if (sections[i].title != NULL)
			free_array(&sections[i], i, base);
		else
			free_section(i, base);
	}
}

void
config_free(struct config **cp)
{
	if (*cp == NULL)
		return;
	free_section(IN_TOP, (char *)*cp);
	free((*cp)->places->list);
	free((*cp)->places);
	free((*cp)->file);
	free(*cp);
	*cp = NULL;
}
