/* export_events.c - page faults that were watched until a snapshot was taken, forks and executions meanwhile, and how
 * it was watched. */
#define _GNU_SOURCE
#include "export_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "code_name.h"
#include "error.h"
#include "folded_name.h"

/* A stack as one line, kept while the same one comes. */
struct stack_text {
	char *bytes;
	size_t len, room;
	uint32_t stack;
	int32_t pid;
	bool there;
};
struct events {
	struct export_rows *rows;
	const struct vmsnap *snap;
	const struct vmsnap_faults *faults;
	struct stack_text text;
	uint64_t count; /* of rows */
};

/* From one clock to the other, where the snapshot says both. */
static void put_wall(struct row *row, const struct vmsnap *snap, uint64_t time)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	row_put_if(row, info->monotonic, (uint64_t)info->taken - (uint64_t)info->monotonic + time);
}

/* ---- stacks ---- */

static int line_put(struct stack_text *text, const char *bytes, size_t len)
{
	if (text->room - text->len < len) {
		size_t room = 2 * text->room + len + 256;
		char *grown = realloc(text->bytes, room);
		if (!grown)
			return VMSNAP_ERR_NO_MEMORY;
		text->bytes = grown;
		text->room = room;
	}
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	return VMSNAP_OK;
}

static int line_put_name(struct stack_text *text, const char *name)
{
	int rc = VMSNAP_OK;
	for (size_t left = strlen(name); !rc && left;) {
		struct escaped escaped;
		folded_one(name, left, &escaped);
		rc = line_put(text, escaped.text, escaped.len);
		name += escaped.used;
		left -= escaped.used;
	}
	return rc;
}

/* From the outermost call on; len 0: it is not known. */
static int stack_line(struct events *events, const struct vmsnap_fault *fault)
{
	struct stack_text *text = &events->text;
	char name[CODE_NAME_MAX];
	size_t count;
	int rc = VMSNAP_OK;
	if (text->there && text->stack == fault->stack && text->pid == fault->pid)
		return VMSNAP_OK;
	const uint64_t *frames = vmsnap_faults_stack(events->faults, fault->stack, &count);
	text->len = 0;
	for (size_t i = count; !rc && i-- > 0;) {
		code_name(events->faults, fault->pid, frames[i], true, NULL, name);
		rc = line_put_name(text, name);
		if (!rc && i)
			rc = line_put(text, ";", 1);
	}
	text->stack = fault->stack;
	text->pid = fault->pid;
	text->there = !rc;
	return rc;
}

/* ---- faults ---- */

static bool is_of_snapshot(const struct events *events, const struct vmsnap_fault *fault)
{
	const struct vmsnap_info *info = vmsnap_info(events->snap);
	return fault->pid == (int32_t)info->pid || fault->pid == (int32_t)info->tgid;
}

/* Where it was, in the mappings that there were at the end: those of a process that is not this one are elsewhere. */
static int put_where(struct row *row, const struct events *events, const struct vmsnap_fault *fault,
                     struct vmsnap_error *err)
{
	const struct vmsnap_vma *vma =
	        is_of_snapshot(events, fault) ? vmsnap_vma_at(events->snap, fault->address) : NULL;
	uint64_t object = vma ? export_object(vma) : 0;
	if (object == UINT64_MAX)
		return fail_no_memory(err);
	row_put(row, fault->address);
	row_put(row, fault->address & ~(uint64_t)(vmsnap_info(events->snap)->page_size - 1));
	row_put_if(row, vma, vma ? vma->start : 0);
	row_put_if(row, vma, object);
	return VMSNAP_OK;
}

static void put_code(struct row *row, const struct events *events, const struct vmsnap_fault *fault)
{
	const struct vmsnap_fault_code *code =
	        fault->ip ? vmsnap_faults_code_at(events->faults, (uint32_t)fault->pid, fault->ip) : NULL;
	const struct vmsnap_fault_object *object =
	        code && code->object != UINT32_MAX ? vmsnap_faults_object(events->faults, code->object) : NULL;
	row_put_if(row, fault->ip, fault->ip);
	row_put_string(row, code ? code->function : NULL);
	row_put_string(row, code ? code->file : NULL);
	row_put_if(row, code && code->line, code ? code->line : 0);
	row_put_string(row, object ? object->path : NULL);
	row_put_bytes(row, object && object->build_id_len ? object->build_id : NULL, object ? object->build_id_len : 0);
	row_put_if(row, object, object ? fault->ip - object->start + object->offset : 0);
}

/* In which call it was: its name, or its number; NULL: in none, or not known in which. */
static void put_system_call(struct row *row, const struct events *events, const struct vmsnap_fault *fault,
                            char number[16])
{
	const char *name = fault->syscall >= 0 ? vmsnap_faults_syscall_name(events->faults, fault->syscall) : "";
	*number = '\0';
	if (fault->syscall >= 0)
		snprintf(number, 16, "%" PRId32, fault->syscall);
	row_put(row, fault->syscall != -1);
	row_put_string(row, *name ? name : number);
}

static int fault_row(struct events *events, const struct vmsnap_fault *fault, struct vmsnap_error *err)
{
	struct row row = row_begin(events->rows, EXPORT_EVENT);
	char number[16];
	const char *kind = fault->kind == VMSNAP_FAULT_UNKNOWN ? NULL : vmsnap_fault_kind_name(fault->kind);
	const char *marked = fault->flags & VMSNAP_FAULT_BREAKPOINT ? vmsnap_fault_flag_name(VMSNAP_FAULT_BREAKPOINT)
	                     : fault->flags & VMSNAP_FAULT_CALL     ? vmsnap_fault_flag_name(VMSNAP_FAULT_CALL)
	                                                            : NULL;
	row_put_key(&row, events->snap);
	row_put(&row, ++events->count);
	row_put_string(&row, "fault");
	put_wall(&row, events->snap, fault->time);
	row_put(&row, fault->time);
	row_put(&row, (uint32_t)fault->pid);
	row_put(&row, (uint32_t)fault->tid);
	row_put_string(&row, vmsnap_faults_comm(events->faults, fault->pid, fault->tid));
	row_put_if(&row, false, 0);
	row_put_string(&row, kind);
	int rc = put_where(&row, events, fault, err);
	if (rc)
		return rc;
	put_code(&row, events, fault);
	put_system_call(&row, events, fault, number);
	row_put_string(&row, marked);
	if (stack_line(events, fault))
		return fail_no_memory(err);
	row_put_bytes(&row, events->text.len ? events->text.bytes : NULL, events->text.len);
	return row_end(&row, err);
}

static int process_row(struct events *events, const struct vmsnap_fault_event *event, struct vmsnap_error *err)
{
	struct row row = row_begin(events->rows, EXPORT_EVENT);
	bool is_fork = event->kind == VMSNAP_FAULT_EVENT_FORK;
	row_put_key(&row, events->snap);
	row_put(&row, ++events->count);
	row_put_string(&row, is_fork ? "fork" : "exec");
	put_wall(&row, events->snap, event->time);
	row_put(&row, event->time);
	row_put(&row, (uint32_t)event->pid);
	row_put_if(&row, false, 0);
	row_put_if(&row, false, 0);
	row_put_if(&row, is_fork, (uint32_t)event->child);
	while (row.count < export_tables[EXPORT_EVENT].count)
		row_put_if(&row, false, 0);
	return row_end(&row, err);
}

static int all_rows(struct events *events, struct vmsnap_error *err)
{
	const struct vmsnap_fault *fault;
	const struct vmsnap_fault_event *event;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && (fault = vmsnap_faults_at(events->faults, i)); i++)
		rc = work_step(events->rows->work) ? fail(err, VMSNAP_ERR_CANCELLED, "cancelled")
		                                   : fault_row(events, fault, err);
	for (size_t i = 0; !rc && (event = vmsnap_faults_event(events->faults, i)); i++)
		rc = work_step(events->rows->work) ? fail(err, VMSNAP_ERR_CANCELLED, "cancelled")
		                                   : process_row(events, event, err);
	return rc;
}

/* ---- how it was watched ---- */

static int watch_row(const struct events *events, struct vmsnap_error *err)
{
	const struct vmsnap_faults_info *info = vmsnap_faults_info(events->faults);
	struct row row = row_begin(events->rows, EXPORT_FAULT_WATCH);
	row_put_key(&row, events->snap);
	put_wall(&row, events->snap, info->begin);
	row_put(&row, info->begin);
	row_put(&row, info->end - info->begin);
	row_put(&row, info->count);
	row_put(&row, info->lost != 0);
	row_put_if(&row, info->lost != UINT64_MAX, info->lost);
	for (unsigned flag = VMSNAP_FAULTS_KINDS; flag <= VMSNAP_FAULTS_MEMORY; flag <<= 1)
		row_put(&row, (info->flags & flag) != 0);
	return row_end(&row, err);
}

int export_event_rows(struct export_rows *rows, const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct events events = { .rows = rows, .snap = snap, .faults = vmsnap_faults_of(snap) };
	int rc = VMSNAP_OK;
	if (!events.faults)
		return VMSNAP_OK;
	if (rows->tables & 1u << EXPORT_EVENT)
		rc = all_rows(&events, err);
	if (!rc && rows->tables & 1u << EXPORT_FAULT_WATCH)
		rc = watch_row(&events, err);
	free(events.text.bytes);
	return rc;
}
