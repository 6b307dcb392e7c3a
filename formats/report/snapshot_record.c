#define _GNU_SOURCE
#include "snapshot_record.h"

#include <string.h>

#include "format_value.h"

enum {
	KNOWN_PFN,
	KNOWN_SOFT_DIRTY,
	KNOWN_EXCLUSIVE,
	KNOWN_ZERO,
	KNOWN_HUGE,
	KNOWN_EXCLUSIVE_HUGE,
	KNOWN_WRITTEN,
	KNOWN_STATES
};
static const struct column known_columns[] = {
	[KNOWN_PFN] = { "pfn", .type = COLUMN_BOOL },
	[KNOWN_SOFT_DIRTY] = { "soft_dirty", .type = COLUMN_BOOL },
	[KNOWN_EXCLUSIVE] = { "exclusive", .type = COLUMN_BOOL },
	[KNOWN_ZERO] = { "zero", .type = COLUMN_BOOL },
	[KNOWN_HUGE] = { "huge", .type = COLUMN_BOOL },
	[KNOWN_EXCLUSIVE_HUGE] = { "exclusive_huge", .type = COLUMN_BOOL },
	[KNOWN_WRITTEN] = { "written", .type = COLUMN_WORD }, /* by whom; null: what was written is not known */
	[KNOWN_STATES] = { "states", .type = COLUMN_BOOL },
};
const struct row_schema known_schema = ROW_SCHEMA(known_columns);

void put_known(struct row *row, unsigned column, const struct vmsnap *snap)
{
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	struct row record = row_open(row, column);
	row_put_bool(&record, KNOWN_PFN, known->pfn);
	row_put_bool(&record, KNOWN_SOFT_DIRTY, known->soft_dirty);
	row_put_bool(&record, KNOWN_EXCLUSIVE, known->exclusive);
	row_put_bool(&record, KNOWN_ZERO, known->zero);
	row_put_bool(&record, KNOWN_HUGE, known->huge);
	row_put_bool(&record, KNOWN_EXCLUSIVE_HUGE, known->exclusive_huge);
	if (known->written)
		row_put_word(&record, KNOWN_WRITTEN, vmsnap_written_name(known->written));
	row_put_bool(&record, KNOWN_STATES, !known->states_unknown);
	row_end(&record);
}

enum {
	SNAPSHOT_PID,
	SNAPSHOT_TGID,
	SNAPSHOT_PPID,
	SNAPSHOT_UID,
	SNAPSHOT_NS_PID,
	SNAPSHOT_NAMESPACE,
	SNAPSHOT_COMM,
	SNAPSHOT_EXE,
	SNAPSHOT_BUILD_ID,
	SNAPSHOT_CMDLINE,
	SNAPSHOT_LABEL,
	SNAPSHOT_REASON,
	SNAPSHOT_TAKEN,
	SNAPSHOT_START_TIME,
	SNAPSHOT_HOST,
	SNAPSHOT_BOOT_ID,
	SNAPSHOT_KERNEL,
	SNAPSHOT_ARCH,
	SNAPSHOT_PAGE_SIZE,
	SNAPSHOT_PAGE_SIZE_ASSUMED,
	SNAPSHOT_KNOWN,
	SNAPSHOT_CONSISTENT,
	SNAPSHOT_FREEZE,
	SNAPSHOT_PAUSE,
	SNAPSHOT_TOOL,
	SNAPSHOT_SWAP_IN_USE,
	SNAPSHOT_CGROUP,
	SNAPSHOT_UNIT,
	SNAPSHOT_CONTAINER,
	SNAPSHOT_MACHINE_HASH,
	SNAPSHOT_START_CODE,
	SNAPSHOT_START_STACK,
	SNAPSHOT_ARG_START,
	SNAPSHOT_MEMORY_WITH,
	SNAPSHOT_INSTANT,
	SNAPSHOT_MONOTONIC,
	SNAPSHOT_WRITTEN_SINCE,
	SNAPSHOT_CONTENTS,
	SNAPSHOT_CONTENTS_BYTES,
	SNAPSHOT_SOURCE,
	SNAPSHOT_SIGNAL,
	SNAPSHOT_KNOWN_UNTIL,
	SNAPSHOT_EXECUTED,
};
static const struct column snapshot_columns[] = {
	[SNAPSHOT_PID] = { "pid", .type = COLUMN_COUNT },
	[SNAPSHOT_TGID] = { "tgid", .type = COLUMN_COUNT },
	[SNAPSHOT_PPID] = { "ppid", .type = COLUMN_COUNT },
	[SNAPSHOT_UID] = { "uid", .type = COLUMN_COUNT },
	[SNAPSHOT_NS_PID] = { "ns_pid", .type = COLUMN_COUNT },
	[SNAPSHOT_NAMESPACE] = { "pid_namespace", .type = COLUMN_COUNT },
	[SNAPSHOT_COMM] = { "comm", .type = COLUMN_NAME },
	[SNAPSHOT_EXE] = { "exe", .type = COLUMN_PATH },
	[SNAPSHOT_BUILD_ID] = { "exe_build_id", .type = COLUMN_BUILD_ID },
	[SNAPSHOT_CMDLINE] = { "cmdline", .type = COLUMN_LIST },
	[SNAPSHOT_LABEL] = { "label", .type = COLUMN_NAME },
	[SNAPSHOT_REASON] = { "reason", .type = COLUMN_NAME },
	[SNAPSHOT_TAKEN] = { "taken", .type = COLUMN_TIME },
	[SNAPSHOT_START_TIME] = { "start_time", .type = COLUMN_COUNT },
	[SNAPSHOT_HOST] = { "host", .type = COLUMN_NAME },
	[SNAPSHOT_BOOT_ID] = { "boot_id", .type = COLUMN_NAME },
	[SNAPSHOT_KERNEL] = { "kernel", .type = COLUMN_NAME },
	[SNAPSHOT_ARCH] = { "arch", .type = COLUMN_NAME },
	[SNAPSHOT_PAGE_SIZE] = { "page_size", .type = COLUMN_BYTES },
	[SNAPSHOT_PAGE_SIZE_ASSUMED] = { "page_size_assumed", .type = COLUMN_BOOL },
	[SNAPSHOT_KNOWN] = { "known", .type = COLUMN_RECORD, .of = &known_schema },
	[SNAPSHOT_CONSISTENT] = { "consistent", .type = COLUMN_BOOL },
	[SNAPSHOT_FREEZE] = { "freeze", .type = COLUMN_WORD },
	[SNAPSHOT_PAUSE] = { "pause_us", .type = COLUMN_DURATION },
	[SNAPSHOT_TOOL] = { "tool", .type = COLUMN_NAME },
	[SNAPSHOT_SWAP_IN_USE] = { "swap_in_use", .type = COLUMN_BYTES },
	[SNAPSHOT_CGROUP] = { "cgroup", .type = COLUMN_PATH },
	[SNAPSHOT_UNIT] = { "unit", .type = COLUMN_NAME },
	[SNAPSHOT_CONTAINER] = { "container", .type = COLUMN_NAME },
	[SNAPSHOT_MACHINE_HASH] = { "machine_hash", .type = COLUMN_NAME },
	[SNAPSHOT_START_CODE] = { "start_code", .type = COLUMN_ADDRESS },
	[SNAPSHOT_START_STACK] = { "start_stack", .type = COLUMN_ADDRESS },
	[SNAPSHOT_ARG_START] = { "arg_start", .type = COLUMN_ADDRESS },
	[SNAPSHOT_MEMORY_WITH] = { "memory_with", .type = COLUMN_LIST },
	[SNAPSHOT_INSTANT] = { "instant", .type = COLUMN_BOOL },
	[SNAPSHOT_MONOTONIC] = { "monotonic", .type = COLUMN_COUNT },
	[SNAPSHOT_WRITTEN_SINCE] = { "written_since", .type = COLUMN_COUNT },
	[SNAPSHOT_CONTENTS] = { "contents", .type = COLUMN_WORD },
	[SNAPSHOT_CONTENTS_BYTES] = { "contents_bytes", .type = COLUMN_BYTES },
	[SNAPSHOT_SOURCE] = { "source", .type = COLUMN_WORD },
	[SNAPSHOT_SIGNAL] = { "signal", .type = COLUMN_COUNT },
	[SNAPSHOT_KNOWN_UNTIL] = { "known_until", .type = COLUMN_ADDRESS },
	[SNAPSHOT_EXECUTED] = { "executed", .type = COLUMN_BOOL },
};
const struct row_schema snapshot_schema = ROW_SCHEMA(snapshot_columns);

static void put_process(struct row *record, const struct vmsnap_info *info)
{
	row_put_count(record, SNAPSHOT_PID, info->pid);
	row_put_count(record, SNAPSHOT_TGID, info->tgid);
	row_put_count(record, SNAPSHOT_PPID, info->ppid);
	row_put_count(record, SNAPSHOT_UID, info->uid);
	row_put_count_known(record, SNAPSHOT_NS_PID, info->ns_pid, info->ns_pid);
	row_put_count_known(record, SNAPSHOT_NAMESPACE, info->pid_namespace, info->pid_namespace);
	row_put_name_if_any(record, SNAPSHOT_COMM, info->comm);
	row_put_name_if_any(record, SNAPSHOT_EXE, info->exe);
	row_put_build_id(record, SNAPSHOT_BUILD_ID, info->exe_build_id, info->exe_build_id_len);
}

static void put_command_line(struct row *record, const struct vmsnap_info *info)
{
	if (!info->cmdline)
		return;
	struct row list = row_open(record, SNAPSHOT_CMDLINE);
	for (size_t at = 0; at < info->cmdline_len;) {
		size_t len = strnlen(info->cmdline + at, info->cmdline_len - at);
		row_item(&list, info->cmdline + at, len);
		at += len + 1;
	}
	row_end(&list);
}

bool snapshot_stood(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	/* A parent that waits for its vfork child stands, too, but not for us. */
	bool waited = info->memory_with_count && !info->pause;
	return (info->freeze == VMSNAP_FREEZE_FULL && !waited) ||
	       (info->freeze == VMSNAP_FREEZE_PARTIAL && info->pause);
}

static void put_place(struct row *record, unsigned column, uint64_t address)
{
	if (address)
		row_put_address(record, column, address);
}

/* Of the machine since its boot, ns. */
static void put_clock(struct row *record, unsigned column, int64_t clock)
{
	row_put_count_known(record, column, (uint64_t)clock, clock > 0);
}

/* Where its program lies, and who else has its memory. */
static void put_memory(struct row *record, const struct vmsnap_info *info)
{
	put_place(record, SNAPSHOT_START_CODE, info->start_code);
	put_place(record, SNAPSHOT_START_STACK, info->start_stack);
	put_place(record, SNAPSHOT_ARG_START, info->arg_start);
	if (!info->memory_known)
		return;
	struct row list = row_open(record, SNAPSHOT_MEMORY_WITH);
	for (size_t i = 0; i < info->memory_with_count; i++)
		row_item_count(&list, info->memory_with[i]);
	row_end(&list);
}

int snapshot_contents(const struct vmsnap *snap, uint64_t *bytes)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	int kind = vmsnap_contents_kind(snap);
	*bytes = vmsnap_contents_bytes(snap);
	if (kind != VMSNAP_CONTENTS_NONE || vmsnap_vma_count(snap))
		return kind;
	*bytes = info->contents_told_bytes;
	return (int)info->contents_told - 1;
}

/* Of what its pages held: null if that is not known. */
static void put_contents(struct row *record, const struct vmsnap *snap)
{
	uint64_t bytes;
	int kind = snapshot_contents(snap, &bytes);
	if (kind < 0)
		return;
	row_put_word(record, SNAPSHOT_CONTENTS, vmsnap_contents_name(kind));
	row_put_bytes(record, SNAPSHOT_CONTENTS_BYTES, bytes);
}

void put_not_compared(struct row *row, unsigned column, int relation)
{
	if (relation != VMSNAP_RELATION_COMPARABLE)
		row_put_word(row, column, vmsnap_relation_name(relation));
}

void put_snapshot(struct row *row, unsigned column, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct row record = row_open(row, column);
	put_process(&record, info);
	put_command_line(&record, info);
	row_put_name_if_any(&record, SNAPSHOT_LABEL, info->label);
	row_put_name_if_any(&record, SNAPSHOT_REASON, info->reason);
	row_put_time(&record, SNAPSHOT_TAKEN, info->taken);
	row_put_count(&record, SNAPSHOT_START_TIME, info->start_time);
	row_put_name_if_any(&record, SNAPSHOT_HOST, info->host);
	row_put_name_if_any(&record, SNAPSHOT_BOOT_ID, info->boot_id);
	row_put_name_if_any(&record, SNAPSHOT_KERNEL, info->kernel);
	row_put_name_if_any(&record, SNAPSHOT_ARCH, info->arch);
	row_put_bytes(&record, SNAPSHOT_PAGE_SIZE, info->page_size);
	row_put_bool(&record, SNAPSHOT_PAGE_SIZE_ASSUMED, info->page_size_assumed);
	put_known(&record, SNAPSHOT_KNOWN, snap);
	if (vmsnap_consistent_known(info))
		row_put_bool(&record, SNAPSHOT_CONSISTENT, info->consistent);
	const char *freeze = vmsnap_freeze_name((int)info->freeze);
	row_put_word(&record, SNAPSHOT_FREEZE, freeze ? freeze : "unknown");
	if (snapshot_stood(snap))
		row_put_duration(&record, SNAPSHOT_PAUSE, info->pause);
	row_put_name_if_any(&record, SNAPSHOT_TOOL, info->tool);
	row_put_bytes_known(&record, SNAPSHOT_SWAP_IN_USE, info->swap_in_use, info->swap_in_use != UINT64_MAX);
	row_put_name_if_any(&record, SNAPSHOT_CGROUP, info->cgroup);
	row_put_name_if_any(&record, SNAPSHOT_UNIT, info->unit);
	row_put_name_if_any(&record, SNAPSHOT_CONTAINER, info->container);
	row_put_name_if_any(&record, SNAPSHOT_MACHINE_HASH, info->machine_hash);
	put_memory(&record, info);
	bool known, instant = vmsnap_one_instant(snap, &known);
	if (known)
		row_put_bool(&record, SNAPSHOT_INSTANT, instant);
	put_clock(&record, SNAPSHOT_MONOTONIC, info->monotonic);
	put_clock(&record, SNAPSHOT_WRITTEN_SINCE, info->written_since);
	put_contents(&record, snap);
	row_put_word(&record, SNAPSHOT_SOURCE, vmsnap_source_name((int)info->source));
	row_put_count_known(&record, SNAPSHOT_SIGNAL, info->signal, info->signal);
	put_place(&record, SNAPSHOT_KNOWN_UNTIL, info->known_until);
	if (info->executed != VMSNAP_EXECUTED_UNKNOWN)
		row_put_bool(&record, SNAPSHOT_EXECUTED, info->executed == VMSNAP_EXECUTED_PROGRAM);
	row_end(&record);
}
