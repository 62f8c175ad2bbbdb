/*
 * doctor: see doctor.h.  All checks, one after the other, and what is told of them.
 */
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "doctor/doctor_impl.h"
#include "io/rules.h"

#define NGINX_FILE "/etc/nginx/nginx.conf"
#define SOCKET "/run/rpvd/webhook.sock"	/* of rpvd.socket */

/* ---- findings ------------------------------------------------------------- */

static struct finding *
add(struct findings *f, const char *check)
{
	mem_grow(&f->list, &f->cap, f->n + 1, sizeof(*f->list));
	f->list[f->n] = (struct finding){ .check = check };
	return (&f->list[f->n++]);
}

void
doctor_find(struct doctor *d, const char *check, const struct err *fix, const char *fmt, ...)
{
	struct finding f = { .check = check, .fix = *fix };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f.what.msg, sizeof(f.what.msg), fmt, ap);
	va_end(ap);
	/* Two endpoints of one listener have one trouble. */
	for (size_t i = 0; i < d->findings.n; i++)
		if (strcmp(d->findings.list[i].what.msg, f.what.msg) == 0)
			return;
	*add(&d->findings, check) = f;
}

void
doctor_note(struct doctor *d, const char *check, const char *fmt, ...)
{
	struct finding *f = add(&d->notes, check);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->what.msg, sizeof(f->what.msg), fmt, ap);
	va_end(ap);
}

struct err
doctor_fix(const char *text)
{
	struct err fix;

	err_set(&fix, "%s", text);
	return (fix);
}

/* ---- telling ----------------------------------------------------------------- */

static void
tell_text(const struct doctor *d)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < d->findings.n; i++) {
		const struct finding *f = &d->findings.list[i];

		buf_printf(&out, "* %s: ", f->check);
		table_safe(&out, slice_of(f->what.msg));
		buf_puts(&out, "\n  ");
		table_safe(&out, slice_of(f->fix.msg));
		buf_puts(&out, "\n\n");
	}
	for (size_t i = 0; i < d->notes.n; i++) {
		buf_printf(&out, "- %s: ", d->notes.list[i].check);
		table_safe(&out, slice_of(d->notes.list[i].what.msg));
		buf_putc(&out, '\n');
	}
	if (d->findings.n == 0)
		buf_printf(&out, "%s: nothing is wrong\n", d->opt->config);
	else
		buf_printf(&out, "%s: %zu %s\n", d->opt->config, d->findings.n, d->findings.n == 1 ? "finding" : "findings");
	fwrite(out.p, 1, out.len, stdout);
	buf_free(&out);
}

static json_t *
list_of(const struct findings *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "check", json_text(slice_of(f->list[i].check)));
		json_object_set_new(one, "what", json_text(slice_of(f->list[i].what.msg)));
		if (f->list[i].fix.msg[0] != '\0')
			json_object_set_new(one, "fix", json_text(slice_of(f->list[i].fix.msg)));
		json_array_append_new(list, one);
	}
	return (list);
}

static void
tell_json(const struct doctor *d)
{
	json_t *object = json_object();
	struct buf out = { 0 };

	json_object_set_new(object, "config", json_text(slice_of(d->opt->config)));
	json_object_set_new(object, "user", json_text(slice_of(d->user.name)));
	json_object_set_new(object, "running", json_boolean(d->pid != 0));
	json_object_set_new(object, "findings", list_of(&d->findings));
	json_object_set_new(object, "notes", list_of(&d->notes));
	json_write(object, &out);
	fwrite(out.p, 1, out.len, stdout);
	buf_free(&out);
}

/* ---- who, and with what ---------------------------------------------------------- */

/* The rpvd that holds the state directory, or 0. */
static pid_t
running(const char *state_dir)
{
	struct buf path = { 0 };
	char text[32] = "";
	pid_t pid = 0;
	int fd;

	buf_printf(&path, "%s/lock", state_dir);
	buf_putc(&path, '\0');
	fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	buf_free(&path);
	if (fd < 0)
		return (0);
	if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK && pread(fd, text, sizeof(text) - 1, 0) > 0)
		pid = (pid_t)strtol(text, NULL, 10);
	close(fd);
	return (pid > 0 ? pid : 0);
}

/* 0, or -1 where there is no such user. */
static int
find_user(struct doctor *d)
{
	if (d->opt->user != NULL)
		return (user_by_name(&d->user, d->opt->user) ? 0 : -1);
	d->pid = running(d->config->state_dir);
	if (d->pid != 0 && user_of_process(&d->user, d->pid))
		return (0);
	if (geteuid() != 0 || !user_of_dir(&d->user, d->config->state_dir))
		user_self(&d->user);
	return (0);
}

static void
examine(struct doctor *d)
{
	struct err err, fix = doctor_fix("Correct data_dir.");

	d->tables = tables_load(d->config->data_dir, &err);
	if (d->tables == NULL)
		doctor_find(d, "data_dir", &fix, "%s", err.msg);
	d->listen = d->config->webhook_listen != NULL ? d->config->webhook_listen : access(SOCKET, F_OK) == 0 ? "unix:" SOCKET : NULL;
	d->nginx_file = d->opt->nginx != NULL ? d->opt->nginx : NGINX_FILE;
	d->nginx = nginx_conf_read(d->nginx_file);
	if (d->nginx == NULL)
		doctor_note(d, "nginx", "%s: %s: nothing was looked at that nginx does (--nginx names its main file)", d->nginx_file, strerror(errno));
	if (d->pid == 0)
		doctor_note(d, "rpvd", "no rpvd is running on %s; rights are looked at for the user %s", d->config->state_dir, d->user.name);
	if (d->tables != NULL)
		doctor_logs(d);
	doctor_nginx(d);
	doctor_rotation(d);
	doctor_redis(d);
	doctor_hooks(d);
	doctor_state(d);
	nginx_conf_free(&d->nginx);
	tables_free(&d->tables);
}

int
doctor_run(const struct doctor_options *opt)
{
	struct buf mistakes = { 0 };
	struct config *config = config_load(opt->config, &mistakes);
	struct doctor d = { .opt = opt, .config = config };
	int rc = 2;

	if (config == NULL)
		fwrite(mistakes.p, 1, mistakes.len, stderr);
	else if (sodium_init() < 0 || find_user(&d) != 0)
		fprintf(stderr, "rpvd: there is no user %s\n", opt->user);
	else {
		examine(&d);
		opt->json ? tell_json(&d) : tell_text(&d);
		rc = d.findings.n > 0 ? 1 : 0;
	}
	free(d.findings.list);
	free(d.notes.list);
	config_free(&config);
	buf_free(&mistakes);
	return (rc);
}
