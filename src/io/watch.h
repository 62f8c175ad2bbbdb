/*
 * watch: tells that something changed in a directory, as early as the kernel knows it.
 *
 * A help, never a need: where inotify is missing, its limits are reached, events were
 * dropped or the file system has none, nothing is called, since the owner looks every second
 * anyway.  A limit that was reached is said once.
 */
#ifndef RPVD_WATCH_H
#define RPVD_WATCH_H

struct event_base;
struct watch;

/* changed() is called from the event loop, once for any number of changes in a directory that
 * came together; dir is as it was given to watch_dir().  It may add directories, and not
 * free the watch.  Never NULL. */
struct watch *watch_new(struct event_base *, void (*changed)(const char *dir, void *arg), void *arg);
void watch_free(struct watch **);
/* Watches the directory from now on.  To be called again with the owner's poll: it costs nothing
 * where the directory is watched, and finds one that was removed and came back. */
void watch_dir(struct watch *, const char *dir);

#endif
