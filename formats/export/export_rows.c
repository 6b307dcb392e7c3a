#define _GNU_SOURCE
#include "export_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "export_events.h"
#include "export_seen.h"
#include "export_share.h"
#include "written.h"
#include "sums.h"

static bool wanted(const struct export_rows *rows, int table)
{
	return rows->tables & 1u << table;
}

/* ---- mappings and runs ---- */

static void put_sums(struct row *row, const struct vmsnap *snap, const struct vmsnap_sums *sums,
                     const struct written *written)
{
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	row_put_if(row, !sums_unread(snap, sums), sums->resident);
	row_put_if(row, !sums->swapped_unknown && !sums->swap_unknown, sums->swapped);
	row_put_if(row, known->exclusive && !sums->exclusive_unknown, sums->exclusive);
	row_put_if(row, known->zero, sums->zero);
	row_put_if(row, known->huge, sums->huge);
	row_put_if(row, !sums_unread(snap, sums), sums->file);
	row_put_if(row, known->written && !written->maybe, written->bytes);
	row_put(row, sums->guard);
}

static int object_row(struct export_rows *rows, const struct vmsnap_vma *vma, uint64_t object, struct vmsnap_error *err)
{
	struct row row = row_begin(rows, EXPORT_OBJECTS);
	row_put(&row, object);
	row_put_bytes(&row, vma->name, strlen(vma->name));
	row_put(&row, vma->dev_major);
	row_put(&row, vma->dev_minor);
	row_put(&row, vma->inode);
	row_put_bytes(&row, vma->build_id, vma->build_id_len);
	return row_end(&row, err);
}

static int vma_row(struct export_rows *rows, const struct vmsnap *snap, const struct vmsnap_vma *vma,
                   struct export_process *process, struct vmsnap_error *err)
{
	struct row row = row_begin(rows, EXPORT_VMA);
	struct vmsnap_sums sums;
	uint64_t object = export_object(vma);
	if (object == UINT64_MAX)
		return fail_no_memory(err);
	vmsnap_sum(snap, vma->start, vma->end, &sums);
	struct written written = written_in(snap, vma->start, vma->end);
	char perms[4] = { vma->perms & VMSNAP_PERM_READ ? 'r' : '-', vma->perms & VMSNAP_PERM_WRITE ? 'w' : '-',
		          vma->perms & VMSNAP_PERM_EXEC ? 'x' : '-', vma->perms & VMSNAP_PERM_SHARED ? 's' : 'p' };
	row_put_key(&row, snap);
	row_put(&row, vma->start);
	row_put(&row, vma->end);
	row_put(&row, object);
	row_put(&row, vma->offset);
	row_put_bytes(&row, perms, sizeof(perms));
	put_sums(&row, snap, &sums, &written);
	bool changed = true;
	int rc = rows->changed ? export_seen_vma(process, vma->start, row.cells + 2, row.count - 2, &changed)
	                       : VMSNAP_OK;
	if (rc)
		return fail_no_memory(err);
	if (!changed)
		return VMSNAP_OK;
	/* Also of mappings in no object table: whoever has the one wants the other. */
	rc = wanted(rows, EXPORT_OBJECTS) ? object_row(rows, vma, object, err) : VMSNAP_OK;
	return rc || !wanted(rows, EXPORT_VMA) ? rc : row_end(&row, err);
}

/* Where a mapping was that is there no more: empty. */
static int gone_row(struct export_rows *rows, const struct vmsnap *snap, uint64_t start, struct vmsnap_error *err)
{
	struct row row = row_begin(rows, EXPORT_VMA);
	row_put_key(&row, snap);
	row_put(&row, start);
	row_put(&row, start);
	row_put(&row, 0);
	row_put(&row, 0);
	row_put_bytes(&row, "---p", 4);
	while (row.count < export_tables[EXPORT_VMA].count)
		row_put(&row, 0);
	return row_end(&row, err);
}

static int vma_rows(struct export_rows *rows, const struct vmsnap *snap, bool *all, struct vmsnap_error *err)
{
	const struct vmsnap_vma *vma;
	struct export_process *process = NULL;
	uint64_t gone;
	int rc = VMSNAP_OK;
	*all = true;
	if (rows->changed && export_seen_process(&rows->seen, vmsnap_info(snap), &process, all))
		return fail_no_memory(err);
	for (size_t i = 0; !rc && (vma = vmsnap_vma(snap, i)); i++)
		rc = work_step(rows->work) ? fail(err, VMSNAP_ERR_CANCELLED, "cancelled")
		                           : vma_row(rows, snap, vma, process, err);
	while (!rc && process && export_seen_gone(process, &gone))
		rc = wanted(rows, EXPORT_VMA) ? gone_row(rows, snap, gone, err) : VMSNAP_OK;
	return rc;
}

static int run_rows(struct export_rows *rows, const struct vmsnap *snap, struct vmsnap_error *err)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	int rc = VMSNAP_OK;
	struct row row = row_begin(rows, EXPORT_RUN);
	row_put_key(&row, snap);
	size_t first = row.count;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK) {
		bool frame = info->known.pfn && run.flags & VMSNAP_PAGE_PRESENT && run.pfn;
		bool swap = info->known.pfn && vmsnap_swap_known(&run);
		row.count = first;
		row_put(&row, run.start);
		row_put(&row, (run.end - run.start) / info->page_size);
		row_put(&row, run.flags);
		row_put_if(&row, frame, run.pfn);
		/* As bits 0 to 54 of pagemap have it. */
		row_put_if(&row, swap, run.swap_type | run.swap_offset << 5);
		rc = work_step(rows->work) ? fail(err, VMSNAP_ERR_CANCELLED, "cancelled") : row_end(&row, err);
	}
	return rc;
}

/* ---- a snapshot ---- */

static const char *const status_keys[] = { "Threads", "VmPeak",   "VmSize", "VmHWM", "VmRSS", "RssAnon",
	                                   "RssFile", "RssShmem", "VmData", "VmStk", "VmPTE", "VmSwap" };

static void put_status(struct row *row, const struct vmsnap *snap, const char *key)
{
	struct vmsnap_status_field field;
	bool known = vmsnap_status_find(snap, key, &field) == VMSNAP_OK && (field.is_size || field.is_number);
	row_put_if(row, known, known ? field.number : 0);
}

static void put_who(struct row *row, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct export_rows *rows = row->rows;
	row_put(row, EXPORT_SCHEMA_VERSION);
	row_put_string(row, rows->host ? rows->host : info->host);
	row_put_string(row, info->machine_hash);
	row_put_string(row, info->boot_id);
	row_put(row, info->tgid);
	row_put(row, info->ppid);
	row_put(row, info->uid);
	row_put_if(row, info->ns_pid, info->ns_pid);
	row_put(row, info->start_time);
	row_put(row, (uint64_t)info->taken);
	row_put_if(row, info->monotonic, (uint64_t)info->monotonic);
	row_put(row, info->page_size);
	row_put_string(row, info->comm);
	row_put_string(row, info->exe);
	row_put_bytes(row, info->exe_build_id, info->exe_build_id_len);
	row_put_bytes(row, rows->arguments ? info->cmdline : NULL, info->cmdline_len);
	row_put_string(row, info->label);
	row_put_string(row, info->reason);
	row_put_string(row, info->cgroup);
	row_put_string(row, info->unit);
	row_put_string(row, info->container);
	row_put_string(row, info->kernel);
	row_put_string(row, info->arch);
	row_put_string(row, info->tool);
}

static void put_how(struct row *row, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	bool told, one = vmsnap_one_instant(snap, &told);
	row_put_string(row, vmsnap_freeze_name((int)info->freeze));
	row_put_if(row, told, one);
	row_put(row, info->pause);
	row_put(row, info->known.pfn);
	row_put(row, info->known.soft_dirty);
	row_put(row, info->known.exclusive);
	row_put(row, info->known.zero);
	row_put(row, info->known.huge);
	row_put(row, info->known.written != VMSNAP_WRITTEN_UNKNOWN);
	row_put_if(row, info->faults != UINT64_MAX, info->faults);
	row_put_if(row, info->swap_in_use != UINT64_MAX, info->swap_in_use);
	for (size_t i = 0; i < sizeof(status_keys) / sizeof(status_keys[0]); i++)
		put_status(row, snap, status_keys[i]);
}

static int snapshot_row(struct export_rows *rows, const struct vmsnap *snap, bool all, struct vmsnap_error *err)
{
	struct row row = row_begin(rows, EXPORT_SNAPSHOT);
	struct vmsnap_sums sums;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	struct written written = written_in(snap, 0, UINT64_MAX);
	row_put_key(&row, snap);
	put_who(&row, snap);
	put_how(&row, snap);
	row_put(&row, vmsnap_vma_count(snap));
	row_put(&row, all);
	row_put(&row, rows->runs);
	row_put(&row, sums.size);
	put_sums(&row, snap, &sums, &written);
	return row_end(&row, err);
}

static int rows_of(struct export_rows *rows, const struct vmsnap *snap, struct vmsnap_error *err)
{
	bool all = true;
	int rc = VMSNAP_OK;
	/* Also of the snapshot's row alone it is told whether all of them are in the other table. */
	if (rows->changed || wanted(rows, EXPORT_VMA) || wanted(rows, EXPORT_OBJECTS))
		rc = vma_rows(rows, snap, &all, err);
	if (!rc && wanted(rows, EXPORT_RUN))
		rc = run_rows(rows, snap, err);
	rc = rc ? rc : export_event_rows(rows, snap, err);
	if (!rc && wanted(rows, EXPORT_SNAPSHOT))
		rc = snapshot_row(rows, snap, all, err);
	return rc;
}

int export_rows(struct export_rows *rows, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++)
		rc = rows_of(rows, snaps[i], err);
	return rc ? rc : export_share_rows(rows, snaps, count, err);
}

void export_rows_free(struct export_rows *rows)
{
	export_seen_free(rows->seen);
	export_share_free(rows->share);
	rows->seen = NULL;
	rows->share = NULL;
}
