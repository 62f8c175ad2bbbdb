/*
 * resolve: see resolve.h.
 *
 * Loop and thread share a struct job with two owners; the last one frees it, so that
 * either may go first.  The thread closes its end of a socket pair when it is done.
 */
#include "store/resolve.h"

#include <event2/event.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct job {
	atomic_int owners;
	char *host, *port;
	int done_fd;			/* closed by the thread */
	struct addrinfo *list;		/* this and rc are the thread's until done is set */
	int rc;
	atomic_bool done;
};

struct resolve {
	struct job *job;
	struct event *done;
	int fd;
	resolve_fn *fn;
	void *arg;
};

static void
job_drop(struct job *job)
{
	if (atomic_fetch_sub(&job->owners, 1) > 1)
		return;
	if (job->list != NULL)
		freeaddrinfo(job->list);
	free(job->host);
	free(job->port);
	free(job);
}

static void *
job_run(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct job *job = arg;

	job->rc = getaddrinfo(job->host, job->port, &hints, &job->list);
	if (job->rc != 0)
		job->list = NULL;
	atomic_store(&job->done, true);
	close(job->done_fd);
	job_drop(job);
	return (NULL);
}

/* Signals are the loop's. */
static int
job_start(struct job *job)
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, job_run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_detach(thread);
	return (rc);
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	struct job *job = r->job;

	(void)fd;
	(void)what;
	must(atomic_load(&job->done));
	r->fn(job->list, job->list == NULL ? gai_strerror(job->rc) : NULL, r->arg);
}

struct resolve *
resolve_start(struct event_base *base, const char *host, const char *port, resolve_fn *fn, void *arg)
{
	struct resolve *r;
	struct job *job;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return (NULL);
	job = mem_calloc(1, sizeof(*job));
	atomic_init(&job->owners, 2);
	job->host = mem_strdup(host);
	job->port = mem_strdup(port);
	job->done_fd = pair[1];
	r = mem_calloc(1, sizeof(*r));
	*r = (struct resolve){ job, event_new(base, pair[0], EV_READ, on_done, r), pair[0], fn, arg };
	must(r->done != NULL);
	event_add(r->done, NULL);
	if (job_start(job) != 0) {
		close(pair[1]);
		job_drop(job);
		resolve_free(&r);
	}
	return (r);
}

void
resolve_free(struct resolve **rp)
{
	struct resolve *r = *rp;

	if (r == NULL)
		return;
	*rp = NULL;
	event_free(r->done);
	close(r->fd);
	job_drop(r->job);
	free(r);
}
