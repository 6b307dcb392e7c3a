/* snapshot_record.h - who a snapshot is of and how it came about, as a record. */
#ifndef VMSNAP_SNAPSHOT_RECORD_H
#define VMSNAP_SNAPSHOT_RECORD_H

#include "row.h"
#include "vmsnap.h"

extern const struct row_schema snapshot_schema;
/* Puts a column that is such a record. */
void put_snapshot(struct row *row, unsigned column, const struct vmsnap *snap);

/* Only a process that stood because of us has a pause. */
bool snapshot_stood(const struct vmsnap *snap);

/* What it keeps of what its pages held, and of how many bytes: enum vmsnap_contents; -1: not known, of one that was
 * only looked into (vmsnap_file_peek()), and whose file does not tell. */
int snapshot_contents(const struct vmsnap *snap, uint64_t *bytes);

/* Which flags and numbers mean something when they are unset or 0. */
extern const struct row_schema known_schema;
void put_known(struct row *row, unsigned column, const struct vmsnap *snap);

/* Puts a column that says why pages are not compared; nothing if they are. */
void put_not_compared(struct row *row, unsigned column, int relation);

#endif
