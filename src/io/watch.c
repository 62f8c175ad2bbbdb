/*
 * watch: see watch.h.
 */
#include "io/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define WATCH_MASK (IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
	IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct watched {
	char *dir;
	int wd;				/* -1: not now */
	bool is_changed;
};

struct watch {
	int fd;				/* -1: no inotify here */
	bool is_told;			/* that a limit was reached */
	struct event *ev;
	void (*changed)(const char *dir, void *arg);
	void *arg;
	struct watched *dirs;
	size_t n_dirs, cap_dirs;
};

static void
note(struct watch *w, const struct inotify_event *e)
{
	for (size_t i = 0; i < w->n_dirs; i++) {
		struct watched *d = &w->dirs[i];

		/* An overflow belongs to no directory: it may have been any. */
		if (d->wd != e->wd && (e->mask & IN_Q_OVERFLOW) == 0)
			continue;
		d->is_changed = true;
		/* Moved away, it would be watched under its new name, where no log is. */
		if ((e->mask & IN_MOVE_SELF) != 0)
			inotify_rm_watch(w->fd, d->wd);
		if ((e->mask & (IN_MOVE_SELF | IN_IGNORED)) != 0)
			d->wd = -1;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	char buf[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	(void)what;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *e = (const void *)p;

			note(w, e);
			p += sizeof(*e) + e->len;
		}
	for (size_t i = 0; i < w->n_dirs; i++) {
		if (!w->dirs[i].is_changed)
			continue;
		w->dirs[i].is_changed = false;
		w->changed(w->dirs[i].dir, w->arg);
	}
}

/* Once: it stays so until somebody raises the limit. */
static void
say_limit(struct watch *w, const char *what, const char *limit)
{
	if (w->is_told || (errno != EMFILE && errno != ENOSPC))
		return;
	w->is_told = true;
	log_notice("inotify: %s: limit reached; logs are looked at once a second instead of at once; to change that, raise"
	    " fs.inotify.%s (sysctl)", what, limit);
}

struct watch *
watch_new(struct event_base *base, void (*changed)(const char *dir, void *arg), void *arg)
{
	struct watch *w = mem_calloc(1, sizeof(*w));

	w->changed = changed;
	w->arg = arg;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		say_limit(w, "no more instances for this user", "max_user_instances");
		return (w);
	}
	w->ev = event_new(base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	if (w->ev == NULL || event_add(w->ev, NULL) != 0) {
		close(w->fd);
		w->fd = -1;
	}
	return (w);
}

void
watch_free(struct watch **wp)
{
	struct watch *w = *wp;

	if (w == NULL)
		return;
	if (w->ev != NULL)
		event_free(w->ev);
	if (w->fd >= 0)
		close(w->fd);
	for (size_t i = 0; i < w->n_dirs; i++)
		free(w->dirs[i].dir);
	free(w->dirs);
	free(w);
	*wp = NULL;
}

void
watch_dir(struct watch *w, const char *dir)
{
	size_t i = 0;

	if (w->fd < 0)
		return;
	while (i < w->n_dirs && strcmp(w->dirs[i].dir, dir) != 0)
		i++;
	if (i == w->n_dirs) {
		mem_grow(&w->dirs, &w->cap_dirs, w->n_dirs + 1, sizeof(*w->dirs));
		w->dirs[w->n_dirs++] = (struct watched){ .dir = mem_strdup(dir), .wd = -1 };
	}
	if (w->dirs[i].wd < 0 && (w->dirs[i].wd = inotify_add_watch(w->fd, dir, WATCH_MASK)) < 0)
		say_limit(w, dir, "max_user_watches");
}
