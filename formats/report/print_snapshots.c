/* print_snapshots.c - snapshots that are in memory: vmsnap_print_snapshots(). */
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "identity_columns.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"

enum {
	SNAPS_NAME,
	SNAPS_RESIDENT,
	SNAPS_SWAPPED,
	SNAPS_MAPPINGS,
	SNAPS_THREADS,
	SNAPS_SNAPSHOT,
	SNAPS_TAKEN,
	SNAPS_PID,
	SNAPS_PPID,
	SNAPS_COMM,
	SNAPS_LABEL,
	SNAPS_WHY,
	SNAPS_IDENTITY,
};
static const struct column snaps_columns[] = {
	[SNAPS_NAME] = { "name", "NAME", COLUMN_NAME, COLUMN_LONG, "what it is called here", NULL },
	[SNAPS_RESIDENT] = { "resident", "RESIDENT", COLUMN_BYTES, COLUMN_YIELDS, "bytes that are present", NULL },
	[SNAPS_SWAPPED] = { "swapped", "SWAPPED", COLUMN_BYTES, COLUMN_SECONDARY, "bytes that are in swap", NULL },
	[SNAPS_MAPPINGS] = { "mappings", "MAPPINGS", COLUMN_COUNT, COLUMN_SECONDARY, "how many there are", NULL },
	[SNAPS_THREADS] = { "threads", "THREADS", COLUMN_COUNT, COLUMN_SECONDARY, "how many there are", NULL },
	[SNAPS_SNAPSHOT] = { .type = COLUMN_RECORD, .flags = COLUMN_FLAT, .of = &snapshot_schema },
	[SNAPS_TAKEN] = { NULL, "TAKEN", COLUMN_TIME, 0, "when", NULL },
	[SNAPS_PID] = { NULL, "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[SNAPS_PPID] = { NULL, "PPID", COLUMN_COUNT, COLUMN_SECONDARY, "of its parent", NULL },
	[SNAPS_COMM] = { NULL, "COMM", COLUMN_NAME, 0, "the process's name", NULL },
	[SNAPS_LABEL] = { NULL, "LABEL", COLUMN_NAME, COLUMN_SECONDARY | COLUMN_LONG, "as given at the capture", NULL },
	[SNAPS_WHY] = { NULL, "WHY", COLUMN_NAME, COLUMN_SPARSE | COLUMN_LONG | COLUMN_YIELDS, "why it was taken",
	                NULL },
	IDENTITY_COLUMNS_OF(SNAPS_IDENTITY),
};
static const uint32_t snaps_shown[] = { SNAPS_NAME,
	                                SNAPS_TAKEN,
	                                SNAPS_PID,
	                                SNAPS_PPID,
	                                SNAPS_COMM,
	                                SNAPS_RESIDENT,
	                                SNAPS_SWAPPED,
	                                SNAPS_MAPPINGS,
	                                SNAPS_THREADS,
	                                SNAPS_LABEL,
	                                IDENTITY_SHOWN(SNAPS_IDENTITY),
	                                SNAPS_WHY };
const struct row_schema snapshots_schema = ROW_SCHEMA_SHOWN(snaps_columns, snaps_shown);

enum { SNAPSHOTS_ROWS };
static const struct column snapshots_columns[] = {
	[SNAPSHOTS_ROWS] = { "snapshots", .type = COLUMN_ROWS, .of = &snapshots_schema },
};
const struct row_schema snapshots_document_schema = ROW_SCHEMA(snapshots_columns);

struct snapshots {
	const struct vmsnap *const *items;
	const char *const *names;
	size_t count;
	bool one_day;
};

static const char *name_of(const struct snapshots *snapshots, size_t index)
{
	const char *name = snapshots->names ? snapshots->names[index] : NULL;
	return name ? name : vmsnap_info(snapshots->items[index])->label;
}

/* "2026-01-31 12:00:00.000 +0000" */
enum { DATE_LEN = 10 };

/* A session is rarely longer than a day: then the time of day says enough. */
static bool all_of_one_day(const struct snapshots *snapshots)
{
	struct word first = { "" };
	for (size_t i = 0; i < snapshots->count; i++) {
		struct word word = word_time_local(vmsnap_info(snapshots->items[i])->taken);
		if (i && memcmp(word.text, first.text, DATE_LEN) != 0)
			return false;
		first = word;
	}
	return true;
}

/* Without mappings it is not the whole snapshot: vmsnap_file_peek(). */
static bool is_whole(const struct vmsnap *snap)
{
	return vmsnap_vma_count(snap);
}

static struct vmsnap_sums sums_of(const struct vmsnap *snap)
{
	struct vmsnap_sums sums;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	return sums;
}

static void put_taken(struct row *row, const struct snapshots *snapshots, int64_t taken)
{
	if (!taken)
		row_put_unknown(row, SNAPS_TAKEN);
	else if (snapshots->one_day)
		row_put_clock(row, SNAPS_TAKEN, taken);
	else
		row_put_time(row, SNAPS_TAKEN, taken);
}

static void put_row(struct row *row, const struct snapshots *snapshots, size_t index)
{
	const struct vmsnap *snap = snapshots->items[index];
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct vmsnap_sums sums = sums_of(snap);
	row_put_name_if_any(row, SNAPS_NAME, name_of(snapshots, index));
	bool states = is_whole(snap) && !info->known.states_unknown;
	row_put_bytes_known(row, SNAPS_RESIDENT, sums.resident, states);
	row_put_bytes_known(row, SNAPS_SWAPPED, sums.swapped, states && !sums.swap_unknown);
	row_put_count_known(row, SNAPS_MAPPINGS, vmsnap_vma_count(snap), is_whole(snap));
	row_put_count(row, SNAPS_THREADS, vmsnap_thread_count(snap));
	put_snapshot(row, SNAPS_SNAPSHOT, snap);
	put_taken(row, snapshots, info->taken);
	row_put_count(row, SNAPS_PID, info->pid);
	row_put_count(row, SNAPS_PPID, info->ppid);
	row_put_name(row, SNAPS_COMM, info->comm);
	row_put_name(row, SNAPS_LABEL, info->label);
	row_put_name(row, SNAPS_WHY, info->reason);
	put_identity_columns(row, SNAPS_IDENTITY, snap);
	row_end(row);
}

static int snapshot_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct snapshots *snapshots = ctx;
	(void)err;
	for (size_t i = 0; i < snapshots->count && !text_unwanted(row->text); i++)
		put_row(row, snapshots, i);
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	return row_rows(document, SNAPSHOTS_ROWS, snapshot_rows, ctx, err);
}

VMSNAP_API int vmsnap_print_snapshots(const struct vmsnap *const *snaps, const char *const *names, size_t count,
                                      const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct snapshots snapshots = { .items = snaps, .names = names, .count = count };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, snaps, count);
	snapshots.one_day = all_of_one_day(&snapshots);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.snapshots/1", &snapshots_document_schema, fill_document, &snapshots, err);
	else
		rc = emit_table(&text, &snapshots_schema, snapshot_rows, &snapshots, err);
	return rc ? rc : text_close(&text, err);
}
