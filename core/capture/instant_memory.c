#include "instant_memory.h"

#include "error.h"
#include "freeze.h"
#include "freeze_tree.h"

bool instant_has_memory_of(const struct capture *capture, size_t index, size_t other)
{
	const struct frozen_process *process = &capture->freeze.processes[index],
	                            *companion = &capture->freeze.processes[other];
	return index != other && !process->users_unknown && !companion->users_unknown && !companion->gone &&
	       companion->memory == process->memory;
}

/* What the calling thread traces goes on only when that thread says so. */
static bool still_held(const struct capture *capture, const struct frozen_process *process)
{
	if (!capture->held)
		return freeze_held_by_debugger(process);
	return capture->ours.calling_thread || tracer_all_stopped(process->procdir);
}

/* Who waits in the kernel, as for a vfork child that has its memory, cannot run before it stops. */
static bool stood(const struct frozen_process *process)
{
	if (process->state == VMSNAP_FREEZE_FULL || process->state == VMSNAP_FREEZE_PARTIAL)
		return !process->runs;
	return tracer_of(process->procdir, "status") && tracer_none_runs(process->procdir);
}

/* Whether somebody else may have run in its memory, though itself it stood. */
static bool others_ran(const struct capture *capture, size_t index)
{
	for (size_t i = 0; i < capture->freeze.count; i++)
		if (instant_has_memory_of(capture, index, i) && !stood(&capture->freeze.processes[i]))
			return true;
	return false;
}

int instant_note_memory(struct capture *capture)
{
	freeze_look_at_waiting(&capture->freeze);
	/* The kernel knows memory by the main threads. */
	for (size_t i = 0; i < capture->reader_count; i++)
		if (instant_takes(capture, i) && capture->readers[i].memory != capture->readers[i].procdir)
			capture->freeze.processes[i].users_unknown = true;
	return freeze_note_memory(&capture->freeze) ? fail_no_memory(&capture->error) : VMSNAP_OK;
}

/* Whether it stood like others that have its memory and were stopped, though itself it was not: it waits in the
 * kernel, as for the vfork child that is one of them.  One memory is not of one instant for some of them only. */
static bool stood_with_others(const struct capture *capture, size_t index)
{
	const struct frozen_process *process = &capture->freeze.processes[index];
	bool others = false;
	for (size_t i = 0; i < capture->freeze.count; i++)
		others |= instant_has_memory_of(capture, index, i) && capture->freeze.processes[i].stood;
	return process->state == VMSNAP_FREEZE_PARTIAL && others && !process->runs && !others_ran(capture, index);
}

static void note_none_missed(struct vmsnap *snap)
{
	for (size_t i = 0; i < snap->thread_count; i++)
		snap->threads[i].missed = false;
}

/* Frozen by us: consistent.  Otherwise it is if the map reads the same once more,
 * and, with a debugger, if it still holds every thread. */
static int set_consistency(struct capture *capture, size_t index)
{
	struct reader *reader = &capture->readers[index];
	struct frozen_process *process = &capture->freeze.processes[index];
	struct vmsnap_info *info = &reader->builder.snap->info;
	if (reader->live && process->state == VMSNAP_FREEZE_DEBUGGER && !still_held(capture, process))
		process->state = VMSNAP_FREEZE_NONE;
	if (reader->live && stood_with_others(capture, index)) {
		process->state = VMSNAP_FREEZE_FULL;
		note_none_missed(reader->builder.snap);
	}
	info->freeze = process->state;
	info->consistent = true;
	bool stands = process->state == VMSNAP_FREEZE_FULL || process->state == VMSNAP_FREEZE_DEBUGGER;
	if (stands && others_ran(capture, index)) {
		info->freeze = VMSNAP_FREEZE_PARTIAL;
		info->consistent = false;
		info->faults = UINT64_MAX;
		return VMSNAP_OK;
	}
	/* Others than those that made the pages seen. */
	if (!stands)
		info->faults = UINT64_MAX;
	if (!reader->live || process->state == VMSNAP_FREEZE_FULL ||
	    (stands && capture->held && capture->ours.calling_thread))
		return VMSNAP_OK;
	int rc = reader_recheck(reader, &info->consistent, &capture->error);
	if (process->state == VMSNAP_FREEZE_PARTIAL && others_ran(capture, index))
		info->consistent = false;
	return rc;
}

int instant_judge(struct capture *capture)
{
	for (size_t i = 0; i < capture->reader_count; i++) {
		if (!instant_takes(capture, i))
			continue;
		int rc = set_consistency(capture, i);
		if (instant_may_leave_out(capture, i, rc))
			instant_leave_out(capture, i);
		else if (rc)
			return instant_fail_of(capture, i, rc);
	}
	return VMSNAP_OK;
}
