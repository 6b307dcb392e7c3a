/* file_decode.c - SNAP, STAT and THRD, and what all decoders share. */
#include "file_decode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "error.h"
#include "file_error.h"
#include "file_snap_keys.h"

int decode_damaged(const struct decode *decode, const char *format, ...)
{
	char detail[200];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	return file_bad(decode->name, decode->err, VMSNAP_ERR_CORRUPT, decode->offset, "%s", detail);
}

int decode_charge(struct decode *decode, uint64_t bytes)
{
	int rc = work_charge(&decode->work, bytes);
	if (rc)
		return file_bad(decode->name, decode->err, rc, decode->offset,
		                "the snapshot takes more than %" PRIu64 " bytes of memory", decode->work.limit);
	return VMSNAP_OK;
}

int decode_step(struct decode *decode)
{
	int rc = work_step(&decode->work);
	return rc ? work_fail(&decode->work, rc, decode->err) : VMSNAP_OK;
}

int decode_array(struct decode *decode, uint64_t count, size_t size, void **out)
{
	*out = NULL;
	if (!count)
		return VMSNAP_OK;
	if (count > SIZE_MAX / size)
		return decode_charge(decode, UINT64_MAX);
	int rc = decode_charge(decode, count * size);
	if (rc)
		return rc;
	*out = calloc((size_t)count, size);
	return *out ? VMSNAP_OK : fail_no_memory(decode->err);
}

const char *decode_string(struct decode *decode, const void *bytes, size_t len, int *rc)
{
	if (!len)
		return "";
	enum { ARENA_OVERHEAD = 16 };
	*rc = decode_charge(decode, len + ARENA_OVERHEAD);
	if (*rc)
		return NULL;
	const char *copy = arena_copy(&decode->snap->strings, bytes, len);
	if (!copy)
		*rc = fail_no_memory(decode->err);
	return copy;
}

/* ---- SNAP ---- */

struct field {
	uint64_t key;
	const uint8_t *bytes;
	size_t len;
	uint64_t number; /* if the key is that of a number */
};

static int take_number(const struct decode *decode, struct field *field)
{
	if (field->len > 8 || (field->len && !field->bytes[field->len - 1]))
		return decode_damaged(decode, "SNAP: key %" PRIu64 " is not a number", field->key);
	for (size_t i = 0; i < field->len; i++)
		field->number |= (uint64_t)field->bytes[i] << (8 * i);
	return VMSNAP_OK;
}

static int set_number(struct decode *decode, const struct field *field)
{
	struct vmsnap_info *info = &decode->snap->info;
	uint64_t value = field->number;
	if (value > snap_number_max(field->key))
		return decode_damaged(decode, "SNAP: key %" PRIu64 " is %" PRIu64 ", too much", field->key, value);
	uint32_t *word = snap_number_32(info, field->key);
	uint64_t *number = snap_number_64(info, field->key);
	if (word)
		*word = (uint32_t)value;
	else if (number)
		*number = value;
	switch (field->key) {
	case SNAP_TAKEN:
		info->taken = (int64_t)value;
		break;
	case SNAP_MONOTONIC:
		info->monotonic = (int64_t)value;
		break;
	case SNAP_CONSISTENT:
		info->consistent = value;
		break;
	case SNAP_KNOWN: {
		struct vmsnap_known before = info->known;
		info->known = snap_known_of(value);
		info->known.exclusive_huge = before.exclusive_huge;
		info->known.written = before.written;
		info->known.states_unknown = before.states_unknown;
		break;
	}
	case SNAP_EXCLUSIVE_HUGE:
		info->known.exclusive_huge = value;
		break;
	case SNAP_WRITTEN_SINCE:
		info->written_since = (int64_t)value;
		break;
	case SNAP_WRITTEN:
		info->known.written = value & 3;
		break;
	case SNAP_KPAGE_READ:
		info->kpage_read = (int64_t)value;
		break;
	case SNAP_STATES_UNKNOWN:
		info->known.states_unknown = value & 1;
		break;
	case SNAP_PAGE_SIZE_ASSUMED:
		info->page_size_assumed = value;
		break;
	case SNAP_BUILD_IDS_PROVED:
		info->build_ids_proved = value;
		break;
	default:
		break;
	}
	return VMSNAP_OK;
}

/* Numbers of processes, each more than the one before. */
static int set_memory_with(struct decode *decode, struct cursor pids)
{
	struct vmsnap_info *info = &decode->snap->info;
	size_t room = cursor_left(&pids), count = 0;
	int rc = decode_charge(decode, room * sizeof(*info->memory_with));
	uint32_t *made = rc ? NULL : arena_alloc(&decode->snap->strings, (room + 1) * sizeof(*made));
	if (!made)
		return rc ? rc : fail_no_memory(decode->err);
	for (uint64_t next = 0, gap; cursor_left(&pids); next++) {
		if (!take_varint(&pids, &gap) || gap > UINT32_MAX || (next += gap) > UINT32_MAX)
			return decode_damaged(decode, "SNAP: numbers of processes expected");
		made[count++] = (uint32_t)next;
	}
	info->memory_known = true;
	info->memory_with = count ? made : NULL;
	info->memory_with_count = count;
	return VMSNAP_OK;
}

static int set_bytes(struct decode *decode, const struct field *field)
{
	struct vmsnap_info *info = &decode->snap->info;
	const char **string = snap_string(info, field->key);
	if (string && field->len && memchr(field->bytes, 0, field->len))
		return decode_damaged(decode, "SNAP: a NUL in key %" PRIu64, field->key);
	int rc = VMSNAP_OK;
	const char *copy = decode_string(decode, field->bytes, field->len, &rc);
	if (!copy)
		return rc;
	if (string) {
		*string = copy;
	} else if (field->key == SNAP_MISSED) {
		decode->missed = cursor_of(copy, field->len);
	} else if (field->key == SNAP_SMAPS_TEXTS) {
		decode->smaps_texts = cursor_of(copy, field->len);
	} else if (field->key == SNAP_CMDLINE) {
		info->cmdline = copy;
		info->cmdline_len = field->len;
	} else if (field->key == SNAP_MEMORY_WITH) {
		return set_memory_with(decode, cursor_of(copy, field->len));
	} else if (field->len) {
		info->exe_build_id = (const uint8_t *)copy;
		info->exe_build_id_len = field->len;
	}
	return VMSNAP_OK;
}

static int set_field(struct decode *decode, struct field *field, uint64_t *seen)
{
	enum snap_form form = snap_form(field->key);
	if (form == SNAP_FORM_NONE)
		return VMSNAP_OK; /* of a later time */
	uint64_t bit = UINT64_C(1) << field->key;
	if (*seen & bit)
		return decode_damaged(decode, "SNAP: key %" PRIu64 " comes twice", field->key);
	*seen |= bit;
	if (form == SNAP_FORM_BYTES)
		return set_bytes(decode, field);
	int rc = take_number(decode, field);
	return rc ? rc : set_number(decode, field);
}

int decode_snap(struct decode *decode, struct cursor payload)
{
	uint64_t seen = 0;
	while (cursor_left(&payload)) {
		struct field field = { 0 };
		uint64_t len;
		if (!take_varint(&payload, &field.key) || !take_varint(&payload, &len) ||
		    !take_bytes(&payload, len, &field.bytes))
			return decode_damaged(decode, "SNAP: expected key, length and value");
		field.len = (size_t)len;
		int rc = set_field(decode, &field, &seen);
		if (rc)
			return rc;
	}
	uint64_t page_size = decode->snap->info.page_size;
	if (page_size < 4096 || page_size > UINT64_C(1) << 30 || (page_size & (page_size - 1)))
		return decode_damaged(decode, "SNAP: %" PRIu64 " is no page size", page_size);
	decode->known_pfn = decode->snap->info.known.pfn;
	return VMSNAP_OK;
}

/* ---- STAT and THRD ---- */

int decode_stat(struct decode *decode, struct cursor payload)
{
	int rc = VMSNAP_OK;
	size_t len = cursor_left(&payload);
	const char *text = decode_string(decode, payload.at, len, &rc);
	if (!text)
		return rc;
	decode->snap->status = text;
	decode->snap->status_len = len;
	return VMSNAP_OK;
}

/* The next thread that was not stopped; SIZE_MAX: there is none.  False for a position
 * that no list of threads has. */
static bool next_missed(struct cursor *missed, size_t *position)
{
	uint64_t gap;
	if (!cursor_left(missed)) {
		*position = SIZE_MAX;
		return true;
	}
	/* Begins with SIZE_MAX, which is one before the first. */
	if (!take_varint(missed, &gap) || gap > UINT32_MAX)
		return false;
	*position += (size_t)gap + 1;
	return true;
}

static int set_missed(struct decode *decode)
{
	struct vmsnap *snap = decode->snap;
	size_t position = SIZE_MAX;
	for (;;) {
		if (!next_missed(&decode->missed, &position))
			return decode_damaged(decode, "SNAP: positions of threads expected");
		if (position == SIZE_MAX)
			return VMSNAP_OK;
		if (position >= snap->thread_count)
			return decode_damaged(decode, "THRD: %zu threads, and SNAP tells of another",
			                      snap->thread_count);
		snap->threads[position].missed = true;
	}
}

static int set_threads(struct decode *decode, struct numbers *tids, struct numbers *stacks, struct cursor comms)
{
	struct vmsnap *snap = decode->snap;
	uint64_t tid = 0, difference;
	for (size_t i = 0; i < snap->thread_count; i++) {
		struct vmsnap_thread *thread = &snap->threads[i];
		const char *comm;
		size_t len;
		numbers_next(tids, &difference, 1);
		numbers_next(stacks, &thread->stack_pointer, 1);
		tid += unzigzag(difference);
		if (tid > UINT32_MAX)
			return decode_damaged(decode, "THRD: %" PRIu64 " is no thread id", tid);
		thread->tid = (uint32_t)tid;
		if (!take_string(&comms, &comm, &len))
			return decode_damaged(decode, "THRD: a name for each of %zu threads expected",
			                      snap->thread_count);
		int rc = decode_step(decode);
		thread->comm = rc ? NULL : decode_string(decode, comm, len, &rc);
		if (!thread->comm)
			return rc;
	}
	return cursor_left(&comms) ? decode_damaged(decode, "THRD: more names than threads") : VMSNAP_OK;
}

int decode_thrd(struct decode *decode, struct cursor payload)
{
	uint64_t count;
	struct cursor tid_column, stack_column, comms;
	struct numbers tids, stacks;
	if (!take_varint(&payload, &count) || count > cursor_left(&payload) || !take_column(&payload, &tid_column) ||
	    !numbers_open(&tids, tid_column, (size_t)count) || !take_column(&payload, &stack_column) ||
	    !numbers_open(&stacks, stack_column, (size_t)count) || !take_column(&payload, &comms) ||
	    cursor_left(&payload))
		return decode_damaged(decode, "THRD: its columns do not fit");
	void *threads;
	int rc = decode_array(decode, count, sizeof(struct vmsnap_thread), &threads);
	if (rc)
		return rc;
	decode->snap->threads = threads;
	decode->snap->thread_count = (size_t)count;
	rc = set_threads(decode, &tids, &stacks, comms);
	return rc ? rc : set_missed(decode);
}
