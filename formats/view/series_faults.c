#include "series_faults.h"

#include "blame_rows.h"

static uint64_t copied(const uint64_t bytes[VMSNAP_BECAME_COUNT])
{
	return bytes[VMSNAP_BECAME_COPIED] + bytes[VMSNAP_BECAME_PRIVATISED];
}

static uint64_t made(const uint64_t bytes[VMSNAP_BECAME_COUNT])
{
	return bytes[VMSNAP_BECAME_NEW] + bytes[VMSNAP_BECAME_FILLED] + bytes[VMSNAP_BECAME_REPLACED];
}

static int add(struct series_faults *out, const struct blame_rows *rows, const struct blame_row *row,
               struct arena *strings)
{
	const struct vmsnap_fault *fault = row->fault;
	struct series_blamed blamed = { .copied = copied(row->bytes),
		                        .made = made(row->bytes),
		                        .written = row->bytes[VMSNAP_BECAME_WRITTEN],
		                        .faults = row->faults };
	if (row->who != BLAME_SEEN || (!blamed.copied && !blamed.made && !blamed.written) ||
	    out->by_count == SERIES_BLAMED)
		return VMSNAP_OK;
	const char *call = fault && fault->syscall >= 0
	                           ? vmsnap_faults_syscall_name(vmsnap_blame_faults(rows->blame), fault->syscall)
	                           : "";
	blamed.in_kernel = fault && fault->syscall != -1;
	blamed.function = arena_string(strings, row->function);
	blamed.syscall = arena_string(strings, call);
	out->by[out->by_count++] = blamed;
	return blamed.function && blamed.syscall ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

static int fill(struct series_faults *out, const struct blame_rows *rows, struct arena *strings)
{
	int rc = VMSNAP_OK;
	out->there = true;
	out->known = !blame_rows_unknown(rows);
	out->seen = rows->faults;
	out->lost = vmsnap_faults_info(vmsnap_blame_faults(rows->blame))->lost;
	out->copied = copied(rows->pages);
	out->made = made(rows->pages);
	out->written = rows->pages[VMSNAP_BECAME_WRITTEN];
	out->unseen = rows->unseen;
	out->several = rows->several;
	for (size_t i = 0; !rc && i < rows->count; i++)
		rc = add(out, rows, &rows->items[i], strings);
	return rc;
}

int series_faults_read(struct series_faults *out, const struct vmsnap_series *series, struct arena *strings,
                       struct work *work, struct vmsnap_error *err)
{
	struct vmsnap_blame *blame;
	struct blame_rows rows;
	*out = (struct series_faults){ .there = false };
	int rc = vmsnap_series_blame(series, &blame, err);
	/* What cannot be compared, as two that have pages of other sizes, has nothing to tell; the series goes on. */
	if (rc)
		return rc == VMSNAP_ERR_NOT_FOUND || rc == VMSNAP_ERR_ARGUMENT ? VMSNAP_OK : rc;
	rc = blame_rows_make(&rows, blame, VMSNAP_BLAME_BY_FUNCTION, NULL, work, err);
	if (!rc && fill(out, &rows, strings))
		rc = work_fail(work, VMSNAP_ERR_NO_MEMORY, err);
	blame_rows_free(&rows);
	vmsnap_blame_free(blame);
	return rc;
}
