/* print_snapshots.c - snapshots that are in memory: vmsnap_print_snapshots(). */
#include <string.h>

#include "error.h"
#include "print_parts.h"

enum {
	SNAPS_NAME,
	SNAPS_TAKEN,
	SNAPS_PID,
	SNAPS_PPID,
	SNAPS_COMM,
	SNAPS_RESIDENT,
	SNAPS_SWAPPED,
	SNAPS_MAPPINGS,
	SNAPS_THREADS,
	SNAPS_LABEL,
	SNAPS_WHY,
	SNAPS_COLUMNS
};
static const struct table_column snaps_columns[SNAPS_COLUMNS] = {
	[SNAPS_NAME] = { "NAME", TABLE_CUT_RIGHT },
	[SNAPS_TAKEN] = { "TAKEN", 0 },
	[SNAPS_PID] = { "PID", TABLE_RIGHT },
	[SNAPS_PPID] = { "PPID", TABLE_RIGHT | TABLE_EXTRA },
	[SNAPS_COMM] = { "COMM", 0 },
	[SNAPS_RESIDENT] = { "RESIDENT", TABLE_RIGHT },
	[SNAPS_SWAPPED] = { "SWAPPED", TABLE_RIGHT | TABLE_EXTRA },
	[SNAPS_MAPPINGS] = { "MAPPINGS", TABLE_RIGHT | TABLE_EXTRA },
	[SNAPS_THREADS] = { "THREADS", TABLE_RIGHT | TABLE_EXTRA },
	[SNAPS_LABEL] = { "LABEL", TABLE_EXTRA | TABLE_CUT_RIGHT },
	[SNAPS_WHY] = { "WHY", TABLE_HIDE_EMPTY | TABLE_CUT_RIGHT },
};

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
enum { DATE_LEN = 10, CLOCK_AT = 11, CLOCK_LEN = 12 };

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

static struct word taken_word(const struct snapshots *snapshots, size_t index)
{
	int64_t taken = vmsnap_info(snapshots->items[index])->taken;
	struct word word = word_time_local(taken), clock = { "" };
	if (!taken)
		return (struct word){ "?" };
	if (!snapshots->one_day || strlen(word.text) < CLOCK_AT + CLOCK_LEN)
		return word;
	memcpy(clock.text, word.text + CLOCK_AT, CLOCK_LEN);
	return clock;
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

static void snapshot_row(struct table *table, const struct snapshots *snapshots, size_t index)
{
	const struct vmsnap *snap = snapshots->items[index];
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct vmsnap_style *style = table->text->style;
	const char *name = name_of(snapshots, index);
	struct vmsnap_sums sums = sums_of(snap);
	table_name(table, SNAPS_NAME, name, strlen(name));
	table_word(table, SNAPS_TAKEN, taken_word(snapshots, index));
	table_word(table, SNAPS_PID, word_number(info->pid));
	table_word(table, SNAPS_PPID, word_number(info->ppid));
	table_name(table, SNAPS_COMM, info->comm, strlen(info->comm));
	table_word(table, SNAPS_RESIDENT, word_size_or_unknown(style, sums.resident, is_whole(snap)));
	table_word(table, SNAPS_SWAPPED, word_size_or_unknown(style, sums.swapped, is_whole(snap)));
	table_word(table, SNAPS_MAPPINGS, is_whole(snap) ? word_number(vmsnap_vma_count(snap)) : (struct word){ "?" });
	table_word(table, SNAPS_THREADS, word_number(vmsnap_thread_count(snap)));
	table_name(table, SNAPS_LABEL, info->label, strlen(info->label));
	table_name(table, SNAPS_WHY, info->reason, strlen(info->reason));
	table_end_row(table);
}

static int snapshot_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	const struct snapshots *snapshots = ctx;
	(void)err;
	for (size_t i = 0; i < snapshots->count && !text_unwanted(table->text); i++)
		snapshot_row(table, snapshots, i);
	return VMSNAP_OK;
}

static void snapshots_json(struct text *text, const struct snapshots *snapshots)
{
	struct json json;
	json_begin(&json, text, "vmsnap.snapshots/1");
	json_rows(&json, "snapshots");
	for (size_t i = 0; i < snapshots->count && !text_unwanted(text); i++) {
		const struct vmsnap *snap = snapshots->items[i];
		struct vmsnap_sums sums = sums_of(snap);
		json_object(&json, NULL);
		json_string_or_null(&json, "name", name_of(snapshots, i));
		json_number_or_null(&json, "resident", sums.resident, is_whole(snap));
		json_number_or_null(&json, "swapped", sums.swapped, is_whole(snap));
		json_number_or_null(&json, "mappings", vmsnap_vma_count(snap), is_whole(snap));
		json_number(&json, "threads", vmsnap_thread_count(snap));
		json_snapshot_keys(&json, snap);
		json_end(&json);
	}
	json_end(&json);
	json_finish(&json);
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
	snapshots.one_day = !text.style->raw && all_of_one_day(&snapshots);
	if (text.style->json)
		snapshots_json(&text, &snapshots);
	else
		rc = table_print(&text, snaps_columns, SNAPS_COLUMNS, snapshot_rows, &snapshots, err);
	return rc ? rc : text_close(&text, err);
}
