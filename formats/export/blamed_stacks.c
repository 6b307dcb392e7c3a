#define _GNU_SOURCE
#include "blamed_stacks.h"

#include <stdio.h>
#include <string.h>

#include "error.h"

const char *const blamed_value_names[BLAMED_VALUES] = { "copied", "new", "written" };

static int remember(struct blamed_stacks *stacks, const struct vmsnap *snap, struct work *work)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < stacks->count; i++)
		if (vmsnap_same_process(stacks->latest[i], snap)) {
			vmsnap_unref(stacks->latest[i]);
			stacks->latest[i] = vmsnap_ref(snap);
			return VMSNAP_OK;
		}
	if (!WORK_ROOM(work, stacks->latest, stacks->count, &stacks->room, &rc))
		return rc;
	stacks->latest[stacks->count++] = vmsnap_ref(snap);
	return VMSNAP_OK;
}

static void count_pages(const struct blame_row *row, uint64_t page_size, uint64_t pages[BLAMED_VALUES])
{
	const uint64_t *bytes = row->bytes;
	pages[BLAMED_COPIED] = (bytes[VMSNAP_BECAME_COPIED] + bytes[VMSNAP_BECAME_PRIVATISED]) / page_size;
	pages[BLAMED_NEW] =
	        (bytes[VMSNAP_BECAME_NEW] + bytes[VMSNAP_BECAME_FILLED] + bytes[VMSNAP_BECAME_REPLACED]) / page_size;
	pages[BLAMED_WRITTEN] = bytes[VMSNAP_BECAME_WRITTEN] / page_size;
}

static int tell_row(const struct blame_row *row, const struct vmsnap_blame *blame, struct vmsnap_names *names,
                    blamed_fn each, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap *before, *first = vmsnap_blame_process(blame, 0, &before), *snap;
	struct blamed_stack stack = { .faults = vmsnap_blame_faults(blame), .row = row, .snap = first, .names = names };
	count_pages(row, vmsnap_info(first)->page_size, stack.pages);
	if (!(stack.pages[BLAMED_COPIED] | stack.pages[BLAMED_NEW] | stack.pages[BLAMED_WRITTEN]))
		return VMSNAP_OK;
	for (size_t i = 0; row->fault && (snap = vmsnap_blame_process(blame, i, &before)); i++)
		if ((int32_t)vmsnap_info(snap)->pid == row->fault->pid)
			stack.snap = snap;
	if (row->fault)
		stack.frames = vmsnap_faults_stack(stack.faults, row->fault->stack, &stack.count);
	return each(ctx, &stack, err);
}

static int tell_rows(const struct vmsnap_blame *blame, struct vmsnap_names *names, struct work *work, blamed_fn each,
                     void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap *before;
	struct blame_rows rows;
	int rc = blame_rows_make(&rows, blame, VMSNAP_BLAME_BY_STACK, NULL, work, err);
	for (size_t i = 0; !rc && vmsnap_blame_process(blame, 0, &before) && i < rows.count; i++)
		rc = tell_row(&rows.items[i], blame, names, each, ctx, err);
	blame_rows_free(&rows);
	return rc;
}

static void note_watch(struct blamed_stacks *stacks, const struct vmsnap_faults_info *info, const struct vmsnap *snap)
{
	const struct vmsnap_info *who = vmsnap_info(snap);
	/* From one clock to the other. */
	if (!stacks->any)
		stacks->begin = info->begin + (uint64_t)who->taken - (uint64_t)who->monotonic;
	stacks->any = true;
	stacks->end += info->end - info->begin;
	bool unknown = stacks->lost == UINT64_MAX || info->lost == UINT64_MAX;
	stacks->lost = unknown ? UINT64_MAX : stacks->lost + info->lost;
}

int blamed_stacks_add(struct blamed_stacks *stacks, const struct vmsnap *const *snaps, size_t count, struct work *work,
                      blamed_fn each, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_blame_options how = { .size = sizeof(how),
		                                  .cancelled = work->cancelled,
		                                  .cancel_ctx = work->cancel_ctx };
	struct vmsnap_blame *blame;
	int rc = vmsnap_blame_stored(stacks->latest, stacks->count, snaps, count, &how, &blame, err);
	if (!rc) {
		note_watch(stacks, vmsnap_faults_info(vmsnap_blame_faults(blame)), snaps[0]);
		if (!stacks->raw_symbols && !stacks->names && vmsnap_names_new(snaps[0], NULL, &stacks->names, NULL))
			stacks->names = NULL;
		rc = tell_rows(blame, stacks->names, work, each, ctx, err);
		vmsnap_blame_free(blame);
	}
	if (rc && rc != VMSNAP_ERR_NOT_FOUND)
		return rc;
	rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++)
		rc = remember(stacks, snaps[i], work);
	return rc ? work_fail(work, rc, err) : VMSNAP_OK;
}

void blamed_stacks_free(struct blamed_stacks *stacks)
{
	for (size_t i = 0; i < stacks->count; i++)
		vmsnap_unref(stacks->latest[i]);
	free(stacks->latest);
	vmsnap_names_free(stacks->names);
	*stacks = (struct blamed_stacks){ 0 };
}

void blamed_name(const struct blamed_stack *stack, uint64_t address, char out[BLAMED_NAME_MAX])
{
	code_name(stack->faults, stack->row->fault->pid, address, true, stack->names, out);
}

const char *blamed_remark(const struct blamed_stack *stack, char room[64])
{
	const struct blame_row *row = stack->row;
	const char *name;
	if (row->who == BLAME_UNSEEN)
		return "(the kernel, or unseen)";
	if (row->who == BLAME_SEVERAL)
		return "(one of several)";
	if (!row->fault || row->fault->syscall == -1)
		return stack->count ? NULL : "(calls are not known)";
	name = row->fault->syscall >= 0 ? vmsnap_faults_syscall_name(stack->faults, row->fault->syscall) : "";
	if (!*name)
		return "(inside the kernel)";
	snprintf(room, 64, "(inside %.48s)", name);
	return room;
}
