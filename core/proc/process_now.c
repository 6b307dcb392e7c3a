/* process_now.c - who a process is and how it stands, without stopping it. */
#define _GNU_SOURCE
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "procdir.h"
#include "scan.h"

static int read_process(int procdir, pid_t pid, struct vmsnap_process *out, struct vmsnap_error *err)
{
	struct proc_stat stat;
	struct proc_text status = { 0 };
	int rc = procdir_stat(procdir, &stat, err);
	if (rc)
		return rc;
	int error = procdir_read(procdir, "status", &status);
	if (error) {
		proc_text_free(&status);
		return procdir_fail(error, pid, "status", err);
	}
	out->pid = (uint32_t)pid;
	out->tgid = (uint32_t)proc_text_number(&status, "\nTgid:");
	out->tracer = (uint32_t)proc_text_number(&status, "\nTracerPid:");
	out->ppid = stat.ppid;
	out->start_time = stat.start_time;
	out->state = stat.state;
	out->start_code = stat.start_code;
	out->start_stack = stat.start_stack;
	proc_text_free(&status);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_process_now(pid_t pid, struct vmsnap_process *out, struct vmsnap_error *err)
{
	struct vmsnap_process found = { .size = out->size };
	if (out->size < sizeof(out->size) || out->size > sizeof(found))
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_process: no size is %zu; expected %zu", out->size,
		            sizeof(found));
	CLEANUP_CLOSE int procdir = -1;
	int rc = procdir_open_any(pid, &procdir, err);
	rc = rc ? rc : read_process(procdir, pid, &found, err);
	if (!rc)
		memcpy(out, &found, found.size);
	return rc;
}

VMSNAP_API int vmsnap_children_now(pid_t tid, pid_t *children, size_t room, size_t *count, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int procdir = -1;
	char name[48];
	struct proc_text text = { 0 };
	int rc = procdir_open_any(tid, &procdir, err);
	if (rc)
		return rc;
	snprintf(name, sizeof(name), "task/%d/children", (int)tid);
	int error = procdir_read(procdir, name, &text);
	struct cursor c = { text.text, error ? text.text : text.text + text.len };
	uint64_t pid;
	size_t found = 0;
	for (; c.at < c.end && take_decimal(&c, &pid); found++) {
		if (found < room)
			children[found] = (pid_t)pid;
		take_spaces(&c);
	}
	proc_text_free(&text);
	if (error)
		return procdir_fail(error, tid, "the list of children", err);
	*count = found;
	return VMSNAP_OK;
}

/* A word of the auxiliary vector, 4 or 8 bytes wide, as this machine counts. */
static uint64_t word_at(const struct proc_text *auxv, size_t index, bool narrow)
{
	uint32_t half;
	uint64_t whole;
	if (narrow) {
		memcpy(&half, auxv->text + index * sizeof(half), sizeof(half));
		return half;
	}
	memcpy(&whole, auxv->text + index * sizeof(whole), sizeof(whole));
	return whole;
}

/* No type is above 2^32.  Of a 32-bit program the first two words, taken as one, are: the type
 * and its value, an address or what its processor can, are both there, in either order. */
static bool is_narrow(const struct proc_text *auxv)
{
	return auxv->len >= sizeof(uint64_t) && word_at(auxv, 0, false) >> 32;
}

static bool find_in_auxv(const struct proc_text *auxv, uint64_t type, uint64_t *value)
{
	bool narrow = is_narrow(auxv);
	size_t words = auxv->len / (narrow ? sizeof(uint32_t) : sizeof(uint64_t));
	for (size_t i = 0; i + 1 < words; i += 2) {
		uint64_t found = word_at(auxv, i, narrow);
		if (found == type)
			*value = word_at(auxv, i + 1, narrow);
		if (found == type || found == AT_NULL)
			return found == type;
	}
	return false;
}

VMSNAP_API int vmsnap_auxv_now(pid_t pid, uint64_t type, uint64_t *value, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int procdir = -1;
	struct proc_text auxv = { 0 };
	int rc = procdir_open(pid, &procdir, err);
	if (rc)
		return rc;
	int error = procdir_read(procdir, "auxv", &auxv);
	bool found = !error && find_in_auxv(&auxv, type, value);
	proc_text_free(&auxv);
	if (error)
		return procdir_fail(error, pid, "auxv", err);
	return found ? VMSNAP_OK
	             : fail(err, VMSNAP_ERR_NOT_FOUND, "process %d was told nothing of that type", (int)pid);
}
