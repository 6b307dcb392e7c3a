#include "file_snap_keys.h"

uint32_t *snap_number_32(struct vmsnap_info *info, uint64_t key)
{
	switch (key) {
	case SNAP_PID:
		return &info->pid;
	case SNAP_TGID:
		return &info->tgid;
	case SNAP_PPID:
		return &info->ppid;
	case SNAP_UID:
		return &info->uid;
	case SNAP_NS_PID:
		return &info->ns_pid;
	case SNAP_FREEZE:
		return &info->freeze;
	case SNAP_CONTENTS:
		return &info->contents_told;
	case SNAP_SOURCE:
		return &info->source;
	case SNAP_SIGNAL:
		return &info->signal;
	case SNAP_EXECUTED:
		return &info->executed;
	default:
		return NULL;
	}
}

uint64_t *snap_number_64(struct vmsnap_info *info, uint64_t key)
{
	switch (key) {
	case SNAP_PAGE_SIZE:
		return &info->page_size;
	case SNAP_PID_NAMESPACE:
		return &info->pid_namespace;
	case SNAP_START_TIME:
		return &info->start_time;
	case SNAP_PAUSE:
		return &info->pause;
	case SNAP_FAULTS:
		return &info->faults;
	case SNAP_SWAP_IN_USE:
		return &info->swap_in_use;
	case SNAP_START_CODE:
		return &info->start_code;
	case SNAP_START_STACK:
		return &info->start_stack;
	case SNAP_ARG_START:
		return &info->arg_start;
	case SNAP_BOOTTIME:
		return &info->boottime;
	case SNAP_PAGE_MOVES:
		return &info->page_moves;
	case SNAP_ZERO_PFN:
		return &info->zero_pfn;
	case SNAP_CONTENTS_BYTES:
		return &info->contents_told_bytes;
	case SNAP_KNOWN_UNTIL:
		return &info->known_until;
	default:
		return NULL;
	}
}

const char **snap_string(struct vmsnap_info *info, uint64_t key)
{
	switch (key) {
	case SNAP_BOOT_ID:
		return &info->boot_id;
	case SNAP_HOST:
		return &info->host;
	case SNAP_KERNEL:
		return &info->kernel;
	case SNAP_ARCH:
		return &info->arch;
	case SNAP_COMM:
		return &info->comm;
	case SNAP_EXE:
		return &info->exe;
	case SNAP_LABEL:
		return &info->label;
	case SNAP_TOOL:
		return &info->tool;
	case SNAP_REASON:
		return &info->reason;
	case SNAP_CGROUP:
		return &info->cgroup;
	case SNAP_MACHINE_HASH:
		return &info->machine_hash;
	default:
		return NULL;
	}
}

enum snap_form snap_form(uint64_t key)
{
	struct vmsnap_info info;
	if (snap_number_32(&info, key) || snap_number_64(&info, key))
		return SNAP_FORM_NUMBER;
	if (snap_string(&info, key))
		return SNAP_FORM_BYTES;
	switch (key) {
	case SNAP_TAKEN:
	case SNAP_MONOTONIC:
	case SNAP_CONSISTENT:
	case SNAP_KNOWN:
	case SNAP_PAGE_SIZE_ASSUMED:
	case SNAP_BUILD_IDS_PROVED:
	case SNAP_EXCLUSIVE_HUGE:
	case SNAP_WRITTEN_SINCE:
	case SNAP_WRITTEN:
	case SNAP_KPAGE_READ:
	case SNAP_STATES_UNKNOWN:
		return SNAP_FORM_NUMBER;
	case SNAP_CMDLINE:
	case SNAP_EXE_BUILD_ID:
	case SNAP_MISSED:
	case SNAP_SMAPS_TEXTS:
	case SNAP_MEMORY_WITH:
		return SNAP_FORM_BYTES;
	default:
		return SNAP_FORM_NONE;
	}
}

uint64_t snap_number_max(uint64_t key)
{
	switch (key) {
	case SNAP_PID:
	case SNAP_TGID:
	case SNAP_PPID:
	case SNAP_UID:
	case SNAP_NS_PID:
	case SNAP_SIGNAL:
	/* What is of a later time is somewhere else all the same. */
	case SNAP_SOURCE:
		return UINT32_MAX;
	case SNAP_FREEZE:
		return VMSNAP_FREEZE_PARTIAL;
	case SNAP_CONSISTENT:
	case SNAP_PAGE_SIZE_ASSUMED:
	case SNAP_BUILD_IDS_PROVED:
	case SNAP_EXCLUSIVE_HUGE:
	case SNAP_STATES_UNKNOWN:
		return 1;
	case SNAP_KNOWN:
		return 31;
	case SNAP_WRITTEN:
		return VMSNAP_WRITTEN_UFFD;
	case SNAP_EXECUTED:
		return VMSNAP_EXECUTED_PROGRAM;
	case SNAP_CONTENTS:
		return 1 + VMSNAP_CONTENTS_BYTES;
	default:
		return UINT64_MAX;
	}
}

bool snap_key_finds(uint64_t key)
{
	switch (key) {
	case SNAP_PAGE_SIZE:
	case SNAP_PID:
	case SNAP_TGID:
	case SNAP_START_TIME:
	case SNAP_TAKEN:
	case SNAP_MONOTONIC:
	case SNAP_BOOT_ID:
	case SNAP_LABEL:
		return true;
	default:
		return false;
	}
}

struct vmsnap_known snap_known_of(uint64_t bits)
{
	return (struct vmsnap_known){
		.pfn = bits & 1, .soft_dirty = bits & 2, .exclusive = bits & 4, .zero = bits & 8, .huge = bits & 16
	};
}

uint64_t snap_known_bits(const struct vmsnap_known *known)
{
	return (known->pfn ? 1u : 0) | (known->soft_dirty ? 2u : 0) | (known->exclusive ? 4u : 0) |
	       (known->zero ? 8u : 0) | (known->huge ? 16u : 0);
}
