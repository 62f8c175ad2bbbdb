/*
 * err: one sentence about what went wrong, carried up to who can say it.
 */
#ifndef RPVD_ERR_H
#define RPVD_ERR_H

struct err {
	char msg[512];
};

/* Formats the sentence (no newline at its end) and returns -1, so that a function
 * can `return (err_set(err, ...))`.  err may be NULL. */
int err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
