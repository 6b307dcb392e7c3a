#define _GNU_SOURCE
#include "identity_columns.h"

#include <string.h>

#include "snapshot_record.h"

/* As they would be typed, but that nothing is quoted. */
static void put_command_line(struct row *row, unsigned column, const struct vmsnap_info *info)
{
	if (!info->cmdline || !row_wants(row, column))
		return;
	for (size_t at = 0; at < info->cmdline_len;) {
		size_t len = strnlen(info->cmdline + at, info->cmdline_len - at);
		if (at)
			row_text(row, column, " ");
		row_text_name(row, column, info->cmdline + at, len);
		at += len + 1;
	}
}

static void put_machine(struct row *row, unsigned first, const struct vmsnap_info *info)
{
	row_put_name_if_any(row, first + IDENTITY_CGROUP, info->cgroup);
	row_put_name_if_any(row, first + IDENTITY_UNIT, info->unit);
	row_put_name_if_any(row, first + IDENTITY_CONTAINER, info->container);
	row_put_name_if_any(row, first + IDENTITY_HOST, info->host);
	row_put_name_if_any(row, first + IDENTITY_MACHINE, info->machine_hash);
	row_put_name_if_any(row, first + IDENTITY_BOOT_ID, info->boot_id);
	row_put_name_if_any(row, first + IDENTITY_KERNEL, info->kernel);
	row_put_name_if_any(row, first + IDENTITY_ARCH, info->arch);
	row_put_bytes_known(row, first + IDENTITY_PAGE_SIZE, info->page_size, !info->page_size_assumed);
	row_put_bytes_known(row, first + IDENTITY_SWAP_IN_USE, info->swap_in_use, info->swap_in_use != UINT64_MAX);
}

void put_identity_columns(struct row *row, unsigned first, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const char *freeze = vmsnap_freeze_name((int)info->freeze);
	row_put_count(row, first + IDENTITY_TGID, info->tgid);
	row_put_count(row, first + IDENTITY_UID, info->uid);
	row_put_count_known(row, first + IDENTITY_NS_PID, info->ns_pid, info->ns_pid);
	row_put_count_known(row, first + IDENTITY_NAMESPACE, info->pid_namespace, info->pid_namespace);
	row_put_count(row, first + IDENTITY_START_TIME, info->start_time);
	row_put_name_if_any(row, first + IDENTITY_EXE, info->exe);
	row_put_build_id(row, first + IDENTITY_BUILD_ID, info->exe_build_id, info->exe_build_id_len);
	put_command_line(row, first + IDENTITY_CMDLINE, info);
	put_machine(row, first, info);
	row_put_word(row, first + IDENTITY_FREEZE, freeze ? freeze : "unknown");
	bool known, instant = vmsnap_one_instant(snap, &known);
	if (known)
		row_put_word(row, first + IDENTITY_INSTANT, instant ? "yes" : "no");
	else
		row_put_unknown(row, first + IDENTITY_INSTANT);
	if (snapshot_stood(snap))
		row_put_duration(row, first + IDENTITY_PAUSE, info->pause);
	row_put_name_if_any(row, first + IDENTITY_TOOL, info->tool);
}
