#define _GNU_SOURCE
#include "print_parts.h"

#include <string.h>

#include "text_color.h"
#include "text_fit.h"

/* ---- identity -------------------------------------------------------------- */

static void json_build_id(struct json *json, const char *key, const uint8_t *id, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * 64];
	if (!id || !len || len > sizeof(hex) / 2) {
		json_null(json, key);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[id[i] >> 4];
		hex[2 * i + 1] = digits[id[i] & 15];
	}
	json_bytes(json, key, hex, 2 * len);
}

static void json_command_line(struct json *json, const struct vmsnap_info *info)
{
	if (!info->cmdline) {
		json_null(json, "cmdline");
		return;
	}
	json_array(json, "cmdline");
	for (size_t at = 0; at < info->cmdline_len;) {
		size_t len = strnlen(info->cmdline + at, info->cmdline_len - at);
		json_bytes(json, NULL, info->cmdline + at, len);
		at += len + 1;
	}
	json_end(json);
}

void json_known(struct json *json, const struct vmsnap *snap)
{
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	json_object(json, "known");
	json_bool(json, "pfn", known->pfn);
	json_bool(json, "soft_dirty", known->soft_dirty);
	json_bool(json, "exclusive", known->exclusive);
	json_bool(json, "zero", known->zero);
	json_bool(json, "huge", known->huge);
	json_end(json);
}

static void json_time(struct json *json, const char *key, int64_t ns)
{
	json_string_or_null(json, key, ns ? word_time_utc(ns).text : "");
}

static void json_pause(struct json *json, const struct vmsnap_info *info)
{
	/* Only a process that stood because of us has a pause. */
	if (info->freeze == VMSNAP_FREEZE_FULL || info->freeze == VMSNAP_FREEZE_PARTIAL)
		json_thousandths(json, "pause_us", info->pause);
	else
		json_null(json, "pause_us");
}

void json_snapshot_keys(struct json *json, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	json_number(json, "pid", info->pid);
	json_number(json, "tgid", info->tgid);
	json_number(json, "ppid", info->ppid);
	json_number(json, "uid", info->uid);
	json_number_or_null(json, "ns_pid", info->ns_pid, info->ns_pid);
	json_number_or_null(json, "pid_namespace", info->pid_namespace, info->pid_namespace);
	json_string_or_null(json, "comm", info->comm);
	json_string_or_null(json, "exe", info->exe);
	json_build_id(json, "exe_build_id", info->exe_build_id, info->exe_build_id_len);
	json_command_line(json, info);
	json_string_or_null(json, "label", info->label);
	json_string_or_null(json, "reason", info->reason);
	json_time(json, "taken", info->taken);
	json_number(json, "start_time", info->start_time);
	json_string_or_null(json, "host", info->host);
	json_string_or_null(json, "boot_id", info->boot_id);
	json_string_or_null(json, "kernel", info->kernel);
	json_string_or_null(json, "arch", info->arch);
	json_number(json, "page_size", info->page_size);
	json_known(json, snap);
	json_bool(json, "consistent", info->consistent);
	json_string(json, "freeze", word_freeze(info->freeze));
	json_pause(json, info);
	json_string_or_null(json, "tool", info->tool);
}

void json_snapshot(struct json *json, const char *key, const struct vmsnap *snap)
{
	json_object(json, key);
	json_snapshot_keys(json, snap);
	json_end(json);
}

/* ---- mappings ---------------------------------------------------------------- */

void json_sums(struct json *json, const struct vmsnap *snap, const struct vmsnap_sums *sums)
{
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	json_number(json, "size", sums->size);
	json_number(json, "resident", sums->resident);
	json_number(json, "swapped", sums->swapped);
	json_number_or_null(json, "exclusive", sums->exclusive, known->exclusive);
	json_number_or_null(json, "zero", sums->zero, known->zero);
	json_number(json, "file", sums->file);
	json_number_or_null(json, "huge", sums->huge, known->huge);
	json_number(json, "guard", sums->guard);
}

static void json_smaps(struct json *json, const struct vmsnap *snap, size_t index)
{
	size_t keys = vmsnap_smaps_key_count(snap);
	if (!keys)
		return;
	json_object(json, "smaps");
	for (size_t k = 0; k < keys; k++) {
		uint64_t value = vmsnap_smaps_value(snap, index, k);
		json_key(json, vmsnap_smaps_key(snap, k), strlen(vmsnap_smaps_key(snap, k)));
		json_number_or_null(json, NULL, value, value != UINT64_MAX);
	}
	const char *flags = vmsnap_smaps_flags(snap, index);
	if (*flags)
		json_string(json, "VmFlags", flags);
	json_end(json);
}

void json_vma(struct json *json, const char *key, const struct vmsnap *snap, const struct vmsnap_vma *vma, size_t index)
{
	if (!vma) {
		json_null(json, key);
		return;
	}
	json_object(json, key);
	json_hex(json, "start", vma->start);
	json_hex(json, "end", vma->end);
	json_string(json, "perms", word_perms(vma).text);
	json_number(json, "offset", vma->offset);
	json_string(json, "dev", word_device(vma).text);
	json_number(json, "inode", vma->inode);
	json_string(json, "name", vma->name);
	json_bool(json, "deleted", vma->deleted);
	json_build_id(json, "build_id", vma->build_id, vma->build_id_len);
	if (index != SIZE_MAX) {
		struct vmsnap_sums sums;
		vmsnap_sum(snap, vma->start, vma->end, &sums);
		json_sums(json, snap, &sums);
		json_smaps(json, snap, index);
	}
	json_end(json);
}

/* ---- pages ------------------------------------------------------------------- */

void json_page_flags(struct json *json, const char *key, uint32_t flags)
{
	uint32_t bits = page_flag_bits(flags);
	json_array(json, key);
	for (int i = 0; i < 32; i++)
		if (bits & UINT32_C(1) << i)
			json_string(json, NULL, page_flag_name(i));
	json_end(json);
}

void json_frame(struct json *json, const struct vmsnap *snap, const struct vmsnap_run *run)
{
	bool known = vmsnap_info(snap)->known.pfn;
	/* A frame of 0 in a snapshot that knows PFNs was hidden all the same. */
	if ((run->flags & VMSNAP_PAGE_PRESENT) && known && run->pfn)
		json_hex(json, "pfn", run->pfn);
	else
		json_null(json, "pfn");
	if (!(run->flags & VMSNAP_PAGE_SWAPPED)) {
		json_null(json, "swap");
		return;
	}
	json_object(json, "swap");
	json_number_or_null(json, "type", run->swap_type, known);
	json_number_or_null(json, "offset", run->swap_offset, known);
	json_end(json);
}

/* ---- status ------------------------------------------------------------------ */

void json_status_value(struct json *json, const char *key, const struct vmsnap_status_field *field)
{
	char value[STATUS_VALUE_MAX];
	if (!field->key_len)
		json_null(json, key);
	else if (field->is_size || status_is_number(field))
		json_number(json, key, field->number);
	else
		json_bytes(json, key, value, status_value_copy(field, value));
}

void table_status_value(struct table *table, size_t column, const struct vmsnap_status_field *field)
{
	char value[STATUS_VALUE_MAX];
	if (!field->key_len)
		table_literal(table, column, "");
	else if (field->is_size)
		table_word(table, column, word_size(table->text->style, field->number));
	else
		table_name(table, column, value, status_value_copy(field, value));
}

/* ---- errors ------------------------------------------------------------------ */

const char *error_kind(int code)
{
	static const char *const kinds[] = {
		[0] = "ok",
		[-VMSNAP_ERR_ARGUMENT] = "argument",
		[-VMSNAP_ERR_NO_MEMORY] = "no_memory",
		[-VMSNAP_ERR_SYSTEM] = "system",
		[-VMSNAP_ERR_PROC] = "proc",
		[-VMSNAP_ERR_NO_PROCESS] = "no_process",
		[-VMSNAP_ERR_KERNEL_THREAD] = "kernel_thread",
		[-VMSNAP_ERR_ZOMBIE] = "zombie",
		[-VMSNAP_ERR_PERMISSION] = "permission",
		[-VMSNAP_ERR_EXITED] = "exited",
		[-VMSNAP_ERR_EXECED] = "execed",
		[-VMSNAP_ERR_NOT_SNAPSHOT] = "not_snapshot",
		[-VMSNAP_ERR_NEWER] = "newer",
		[-VMSNAP_ERR_CORRUPT] = "corrupt",
		[-VMSNAP_ERR_TRUNCATED] = "truncated",
		[-VMSNAP_ERR_TOO_LARGE] = "too_large",
		[-VMSNAP_ERR_NOT_FOUND] = "not_found",
		[-VMSNAP_ERR_CANCELLED] = "cancelled",
	};
	return code <= 0 && code > -(int)COUNT_OF(kinds) ? kinds[-code] : "unknown";
}

void json_error(struct json *json, const char *key, int code, const struct vmsnap_error *error)
{
	if (!code) {
		json_null(json, key);
		return;
	}
	json_object(json, key);
	json_string(json, "kind", error_kind(code));
	json_number(json, "offset", error->position);
	json_string(json, "message", error->message);
	json_end(json);
}
