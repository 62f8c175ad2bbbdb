/*
 * syslog_header: what stands before a log line that came by syslog.  Pure.
 */
#ifndef RPVD_SYSLOG_HEADER_H
#define RPVD_SYSLOG_HEADER_H

#include <stdbool.h>

#include "base/slice.h"

/* The message of a datagram, without RFC 3164's or RFC 5424's header, and without newlines and NULs at
 * its end; borrowed.  False where it has neither header. */
bool syslog_message(struct slice datagram, struct slice *message);

#endif
