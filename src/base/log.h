/*
 * log: one line per change of state, to standard error, for the shell around the
 * core (the core returns reasons and logs nothing).
 *
 * A line says what happened, what rpvd does now, and what to do if that falls to
 * the owner; fields are key=value.  Never an address, a user agent, a customer key
 * or a secret.  Bytes outside printable ASCII are written as \xHH.
 */
#ifndef RPVD_LOG_H
#define RPVD_LOG_H

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* Lines above this level are dropped.  Under systemd (JOURNAL_STREAM is set) each line
 * begins with its <priority>.  Default: LOG_LEVEL_INFO. */
void log_init(enum log_level);
/* One call, one line of at most 2 KiB.  Never waits: where standard error takes no more (a full pipe,
 * a journal that hangs), the line is dropped, and the next that is written says how many were. */
void log_line(enum log_level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* On a terminal: a line that stays below those of the log, each in the place of the one before; "": none any
 * more.  Elsewhere nothing. */
void log_below(const char *text);

/* Lines dropped since the start. */
unsigned long log_drops(void);

/* True at most once in `seconds` per `*last` (0 at first): for what a stranger can cause. */
int log_limit(long *last, long seconds);

#endif
