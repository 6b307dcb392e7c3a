#include "file_delta_work.h"

/* Runs of a PAGE that do not begin where the one before ended.  Damage ends it: whoever decodes it says so. */
static uint64_t count_stretches(struct cursor page)
{
	uint64_t count, number, stretches = 0;
	struct cursor column;
	if (!take_varint(&page, &count))
		return 0;
	for (int i = 0; i < 3; i++)
		if (!take_varint(&page, &number))
			return 0;
	/* States, those of runs, and then the gaps: of each the low bits first. */
	for (int i = 0; i < 3; i++)
		if (!take_column(&page, &column))
			return 0;
	for (uint64_t i = 0; i < count && i < cursor_left(&column); i++)
		stretches += column.at[i] != 0;
	return stretches;
}

uint64_t delta_work_link(struct delta delta, uint64_t bytes)
{
	uint64_t work = WORK_LINK + bytes;
	struct delta_patch patch;
	struct cursor page;
	for (uint64_t i = 0; i < delta.patch_count && delta_next_patch(&delta, &patch); i++)
		work += patch.len / WORK_PATCHED_BYTES;
	work += (WORK_PAGES_BYTE - 1) * cursor_left(&delta.pages);
	for (uint64_t i = 0; i < delta.page_count && take_column(&delta.pages, &page); i++)
		work += WORK_STRETCH * count_stretches(page);
	return work;
}
