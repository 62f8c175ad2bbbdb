/*
 * journal_view: a record of the webhook journal as text and JSON.  Pure.
 *
 * What the journal has of persons are hashes, and that is what is shown.  Of what is in the
 * quarantine everything is shown but the body.
 */
#ifndef RPVD_CTL_JOURNAL_VIEW_H
#define RPVD_CTL_JOURNAL_VIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "core/order.h"
#include "io/journal.h"
#include "io/quarantine.h"

struct table;

/* A record and what its bytes say; strings are borrowed from it. */
struct journal_entry {
	uint64_t number;
	int64_t received_ms;
	struct slice site;
	bool is_kept;			/* of the quarantine: `kept`, else `event` */
	bool is_damaged;		/* its checksum fits, but it is none of this version */
	bool was_released;		/* is_kept: understood since */
	struct order_event event;
	struct quarantined kept;
};

/* False where the record is none to be shown (a mark). */
bool journal_entry_read(const struct journal_record *, struct journal_entry *);

/* The heads of a list, to be freed with table_free(); a row. */
struct table *journal_table(bool kept);
void journal_row(struct table *, const struct journal_entry *);
/* A line a field. */
void journal_write(const struct journal_entry *, struct buf *out);
json_t *journal_json(const struct journal_entry *);

#endif
