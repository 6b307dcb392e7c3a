/* file_encode.c - SNAP and THRD. */
#include "file_encode.h"

#include <string.h>

#include "error.h"
#include "file_snap_keys.h"

static void put_field(struct bytes *out, uint64_t key, const void *data, size_t len)
{
	put_varint(out, key);
	put_column(out, data, len);
}

/* 0 only if it means something else than that there is no such field. */
static void put_number(struct bytes *out, uint64_t key, uint64_t value, bool zero_too)
{
	uint8_t data[8];
	size_t len = 0;
	for (; value; value >>= 8)
		data[len++] = (uint8_t)value;
	if (len || zero_too)
		put_field(out, key, data, len);
}

static uint64_t number_of(struct vmsnap_info *info, uint64_t key)
{
	const uint32_t *word = snap_number_32(info, key);
	const uint64_t *number = snap_number_64(info, key);
	switch (key) {
	case SNAP_TAKEN:
		return (uint64_t)info->taken;
	case SNAP_MONOTONIC:
		return (uint64_t)info->monotonic;
	case SNAP_CONSISTENT:
		return info->consistent;
	case SNAP_KNOWN:
		return snap_known_bits(&info->known);
	case SNAP_PAGE_SIZE_ASSUMED:
		return info->page_size_assumed;
	case SNAP_BUILD_IDS_PROVED:
		return info->build_ids_proved;
	case SNAP_EXCLUSIVE_HUGE:
		return info->known.exclusive_huge;
	case SNAP_WRITTEN_SINCE:
		return (uint64_t)info->written_since;
	case SNAP_WRITTEN:
		return info->known.written;
	case SNAP_KPAGE_READ:
		return (uint64_t)info->kpage_read;
	case SNAP_STATES_UNKNOWN:
		return info->known.states_unknown;
	default:
		return word ? *word : number ? *number : 0;
	}
}

/* NULL: the field is left out. */
static const void *bytes_of(struct vmsnap_info *info, uint64_t key, size_t *len)
{
	const char **string = snap_string(info, key);
	if (string) {
		*len = strlen(*string);
		return *len ? *string : NULL;
	}
	switch (key) {
	case SNAP_CMDLINE:
		*len = info->cmdline_len;
		return info->cmdline;
	case SNAP_EXE_BUILD_ID:
		*len = info->exe_build_id_len;
		return *len ? info->exe_build_id : NULL;
	default: /* encode_snap() */
		return NULL;
	}
}

static void put_if_known(struct bytes *out, uint64_t key, uint64_t value)
{
	if (value != UINT64_MAX)
		put_number(out, key, value, true);
}

static void put_key(struct vmsnap_info *info, uint64_t key, struct bytes *out)
{
	size_t len = 0;
	const void *bytes = bytes_of(info, key, &len);
	if (bytes)
		put_field(out, key, bytes, len);
	/* None is something else than unknown there. */
	else if (key == SNAP_FAULTS || key == SNAP_SWAP_IN_USE)
		put_if_known(out, key, number_of(info, key));
	else if (snap_form(key) == SNAP_FORM_NUMBER)
		put_number(out, key, number_of(info, key), false);
}

/* Positions in THRD of the threads that were not stopped with the others. */
static void put_missed(const struct vmsnap *snap, struct bytes *out)
{
	struct bytes positions = { 0 };
	size_t next = 0;
	for (size_t i = 0; i < vmsnap_thread_count(snap); i++) {
		if (!vmsnap_thread(snap, i)->missed)
			continue;
		put_varint(&positions, i - next);
		next = i + 1;
	}
	if (positions.len)
		put_field(out, SNAP_MISSED, positions.data, positions.len);
	out->failed |= positions.failed;
	bytes_free(&positions);
}

/* What lines of smaps have instead of a number: for each the position of its cell (row by row, a
 * mapping is a row) after the one before, and the text. */
static void put_smaps_texts(const struct vmsnap *snap, struct bytes *out)
{
	struct bytes texts = { 0 };
	size_t next = 0, keys = vmsnap_smaps_key_count(snap), cells = vmsnap_vma_count(snap) * keys;
	for (size_t cell = 0; cell < cells; cell++) {
		const char *text = vmsnap_smaps_text(snap, cell / keys, cell % keys);
		if (!text)
			continue;
		put_varint(&texts, cell - next);
		put_bytes(&texts, text, strlen(text) + 1);
		next = cell + 1;
	}
	if (texts.len)
		put_field(out, SNAP_SMAPS_TEXTS, texts.data, texts.len);
	out->failed |= texts.failed;
	bytes_free(&texts);
}

/* The processes that had the same memory, in the order of their numbers; maybe none. */
static void put_memory_with(const struct vmsnap_info *info, struct bytes *out)
{
	struct bytes pids = { 0 };
	uint64_t next = 0;
	for (size_t i = 0; i < info->memory_with_count; i++) {
		put_varint(&pids, info->memory_with[i] - next);
		next = (uint64_t)info->memory_with[i] + 1;
	}
	put_field(out, SNAP_MEMORY_WITH, pids.data, pids.len);
	out->failed |= pids.failed;
	bytes_free(&pids);
}

static int encode_info(const struct vmsnap *snap, bool contents, struct payload *out, struct vmsnap_error *err)
{
	struct vmsnap_info info = *vmsnap_info(snap);
	info.contents_told = 1 + (contents ? (uint32_t)vmsnap_contents_kind(snap) : VMSNAP_CONTENTS_NONE);
	info.contents_told_bytes = contents ? vmsnap_contents_bytes(snap) : 0;
	if (info.page_size < 4096 || info.page_size > UINT64_C(1) << 30 || (info.page_size & (info.page_size - 1)))
		return fail(err, VMSNAP_ERR_ARGUMENT, "the snapshot has no page size that a file can hold");
	if (info.freeze > VMSNAP_FREEZE_PARTIAL)
		return fail(err, VMSNAP_ERR_ARGUMENT, "the snapshot was frozen in an unknown way");
	for (uint64_t key = SNAP_PAGE_SIZE; key < SNAP_KEYS; key++)
		put_key(&info, key, &out->bytes);
	put_missed(snap, &out->bytes);
	put_smaps_texts(snap, &out->bytes);
	if (info.memory_known)
		put_memory_with(&info, &out->bytes);
	return encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
}

int encode_snap(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	return encode_info(snap, true, out, err);
}

int encode_snap_alone(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	return encode_info(snap, false, out, err);
}

static int put_threads(const struct vmsnap *snap, uint64_t *values, struct bytes *comms, struct payload *out)
{
	uint64_t tid = 0;
	size_t count = vmsnap_thread_count(snap);
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_thread *thread = vmsnap_thread(snap, i);
		values[i] = zigzag(thread->tid - tid);
		tid = thread->tid;
		put_bytes(comms, thread->comm, strlen(thread->comm) + 1);
	}
	put_varint(&out->bytes, count);
	put_numbers(&out->bytes, values, count);
	for (size_t i = 0; i < count; i++)
		values[i] = vmsnap_thread(snap, i)->stack_pointer;
	put_numbers(&out->bytes, values, count);
	put_column(&out->bytes, comms->data, comms->len);
	return comms->failed || encode_done(out) ? VMSNAP_ERR_NO_MEMORY : VMSNAP_OK;
}

int encode_thrd(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	struct bytes comms = { 0 };
	uint64_t *values = calloc(vmsnap_thread_count(snap) + 1, sizeof(*values));
	int rc = values ? put_threads(snap, values, &comms, out) : VMSNAP_ERR_NO_MEMORY;
	free(values);
	bytes_free(&comms);
	return rc ? fail_no_memory(err) : VMSNAP_OK;
}
