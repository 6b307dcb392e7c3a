#include "relation.h"

#include <string.h>

#include "backing.h"
#include "error.h"
#include "facts.h"
#include "options.h"
#include "own_page.h"
#include "walk.h"

static uint32_t process_of(const struct vmsnap *snap)
{
	return snap->info.tgid ? snap->info.tgid : snap->info.pid;
}

/* ---- one address space --------------------------------------------------------------- */

static bool has_memory_with(const struct vmsnap *snap, uint32_t process)
{
	for (size_t i = 0; i < snap->info.memory_with_count; i++)
		if (snap->info.memory_with[i] == process)
			return true;
	return false;
}

/* All snapshots of one capture have one time, to the nanosecond. */
static bool one_instant(const struct vmsnap *a, const struct vmsnap *b)
{
	return a->info.monotonic && a->info.monotonic == b->info.monotonic && *a->info.boot_id &&
	       !strcmp(a->info.boot_id, b->info.boot_id);
}

static bool equal_maps(const struct vmsnap *a, const struct vmsnap *b)
{
	if (a->vma_count != b->vma_count)
		return false;
	for (size_t i = 0; i < a->vma_count; i++) {
		const struct vmsnap_vma *in_a = &a->vmas[i], *in_b = &b->vmas[i];
		if (in_a->start != in_b->start || in_a->end != in_b->end || in_a->perms != in_b->perms ||
		    !vma_same_backing(in_a, in_b))
			return false;
	}
	return true;
}

/* A page that is mapped once only, and that two processes have: they have one page table.  Of huge
 * pages that bit tells less. */
static bool one_page_table(const struct vmsnap *a, const struct vmsnap *b)
{
	struct run_cursor in_a = run_cursor_at(a, 0), in_b = run_cursor_at(b, 0);
	for (uint64_t at = 0, until; at != UINT64_MAX; at = until) {
		until = UINT64_MAX;
		uint64_t entry_a = run_cursor_entry(&in_a, at, &until), entry_b = run_cursor_entry(&in_b, at, &until);
		if (own_page(entry_a) && own_page_exclusive(entry_a) && entry_a == entry_b &&
		    (entry_a & ENTRY_PRESENT) && !(entry_a & ENTRY_FLAG(VMSNAP_PAGE_HUGE)))
			return true;
	}
	return false;
}

static bool stood(const struct vmsnap *snap)
{
	return snap->info.freeze == VMSNAP_FREEZE_FULL || snap->info.freeze == VMSNAP_FREEZE_DEBUGGER;
}

/* Where the kernel did not tell: by maps and frames, if they are of one instant. */
static bool looks_like_one(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_known *in_a = &a->info.known, *in_b = &b->info.known;
	return one_instant(a, b) && stood(a) && stood(b) && in_a->pfn && in_b->pfn && in_a->exclusive &&
	       in_b->exclusive && in_a->huge && in_b->huge && equal_maps(a, b) && one_page_table(a, b);
}

static bool equal_pages(const struct vmsnap *a, const struct vmsnap *b)
{
	size_t count = a->runs.count;
	return count && count == b->runs.count && !memcmp(a->runs.items, b->runs.items, count * sizeof(*a->runs.items));
}

bool relation_may_be_one_memory(const struct vmsnap *a, const struct vmsnap *b)
{
	bool told = a->info.memory_known && b->info.memory_known;
	return !told && process_of(a) != process_of(b) && one_instant(a, b) && equal_maps(a, b) && equal_pages(a, b);
}

bool relation_one_memory(const struct vmsnap *a, const struct vmsnap *b)
{
	if (process_of(a) == process_of(b) || !facts_same_boot(a, b))
		return false;
	if (a->info.memory_known && b->info.memory_known)
		return has_memory_with(a, process_of(b)) && has_memory_with(b, process_of(a));
	return looks_like_one(a, b);
}

/* ---- one program --------------------------------------------------------------------- */

static bool both_differ(uint64_t a, uint64_t b)
{
	return a && b && a != b;
}

static const struct vmsnap_vma *vdso_of(const struct vmsnap *snap)
{
	for (size_t i = snap->vma_count; i-- > 0;)
		if (!strcmp(snap->vmas[i].name, "[vdso]"))
			return &snap->vmas[i];
	return NULL;
}

static bool vdso_elsewhere(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_vma *in_a = vdso_of(a), *in_b = vdso_of(b);
	return in_a && in_b && in_a->start != in_b->start;
}

/* What lies where the program begins. */
static bool other_file(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_vma *in_a = a->info.start_code ? vmsnap_vma_at(a, a->info.start_code) : NULL;
	const struct vmsnap_vma *in_b = b->info.start_code ? vmsnap_vma_at(b, b->info.start_code) : NULL;
	return in_a && in_b && in_a->inode && in_b->inode &&
	       (in_a->inode != in_b->inode || in_a->dev_major != in_b->dev_major || in_a->dev_minor != in_b->dev_minor);
}

static bool other_build(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *in_a = &a->info, *in_b = &b->info;
	return in_a->exe_build_id_len && in_b->exe_build_id_len &&
	       (in_a->exe_build_id_len != in_b->exe_build_id_len ||
	        memcmp(in_a->exe_build_id, in_b->exe_build_id, in_a->exe_build_id_len));
}

/* For a fact: seen from another PID namespace one process has another number. */
static bool two_processes(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *in_a = &a->info, *in_b = &b->info;
	return process_of(a) != process_of(b) && facts_same_boot(a, b) &&
	       (both_differ(in_a->start_time, in_b->start_time) || both_differ(in_a->ns_pid, in_b->ns_pid) ||
	        both_differ(in_a->pid_namespace, in_b->pid_namespace));
}

/* A fork gives memory to who has executed nothing: of two processes that have executed a program neither has the
 * other's.  And a process that had not, and now has, has another memory.  Unlike places, this tells also where
 * addresses are not randomised. */
static bool executed_apart(const struct vmsnap *a, const struct vmsnap *b)
{
	uint32_t in_a = a->info.executed, in_b = b->info.executed;
	if (!in_a || !in_b)
		return false;
	if (facts_same_process(a, b))
		return in_a != in_b;
	return in_a == VMSNAP_EXECUTED_PROGRAM && in_b == VMSNAP_EXECUTED_PROGRAM && two_processes(a, b);
}

static bool peak_of(const struct vmsnap *snap, uint64_t *peak)
{
	struct vmsnap_status_field field;
	bool found = vmsnap_status_find(snap, "VmPeak", &field) == VMSNAP_OK && (field.is_size || field.is_number);
	*peak = found ? field.number : 0;
	return found;
}

/* The most that a memory ever mapped does not become less while it lives (VmHWM can be reset).  In the middle of an
 * mremap(2) it may show too much: what ran then proves nothing. */
static bool peak_fell(const struct vmsnap *a, const struct vmsnap *b)
{
	int64_t in_a = a->info.monotonic, in_b = b->info.monotonic;
	uint64_t peak_a, peak_b;
	if (!facts_same_process(a, b) || in_a <= 0 || in_b <= 0 || in_a == in_b || !stood(a) || !stood(b))
		return false;
	return peak_of(a, &peak_a) && peak_of(b, &peak_b) && (in_a < in_b ? peak_b < peak_a : peak_a < peak_b);
}

/* Each execve(2) lays the stack out anew, at random; a fork keeps all of it.  A program can move
 * its arguments and its vDSO, so they speak only where the stack is not known, and together. */
static bool other_program(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *in_a = &a->info, *in_b = &b->info;
	if (both_differ(in_a->start_stack, in_b->start_stack) || both_differ(in_a->start_code, in_b->start_code))
		return true;
	if (other_file(a, b) || other_build(a, b) || executed_apart(a, b) || peak_fell(a, b))
		return true;
	bool known = in_a->start_stack && in_b->start_stack;
	return !known && vdso_elsewhere(a, b) && both_differ(in_a->arg_start, in_b->arg_start);
}

/* ---- what that comes to --------------------------------------------------------------- */

VMSNAP_API int vmsnap_relation(const struct vmsnap *a, const struct vmsnap *b)
{
	bool one_number = process_of(a) && process_of(a) == process_of(b);
	if (one_instant(a, b) && relation_one_memory(a, b))
		return VMSNAP_RELATION_ONE_ADDRESS_SPACE;
	if (one_number && facts_same_boot(a, b) && both_differ(a->info.start_time, b->info.start_time))
		return VMSNAP_RELATION_ANOTHER_PROCESS;
	return other_program(a, b) ? VMSNAP_RELATION_ANOTHER_PROGRAM : VMSNAP_RELATION_COMPARABLE;
}

bool relation_parts(const struct vmsnap *a, const struct vmsnap *b)
{
	return vmsnap_relation(a, b) > VMSNAP_RELATION_ONE_ADDRESS_SPACE;
}

int relation_with(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options)
{
	struct vmsnap_compare_options taken;
	int relation = vmsnap_relation(a, b);
	bool told = !options_take(&taken, sizeof(taken), options, "", NULL) && (taken.flags & VMSNAP_COMPARE_EXECUTED);
	return told && relation == VMSNAP_RELATION_COMPARABLE ? VMSNAP_RELATION_ANOTHER_PROGRAM : relation;
}

VMSNAP_API const char *vmsnap_relation_name(int relation)
{
	static const char *const names[VMSNAP_RELATION_COUNT] = {
		[VMSNAP_RELATION_COMPARABLE] = "comparable",
		[VMSNAP_RELATION_ONE_ADDRESS_SPACE] = "one_address_space",
		[VMSNAP_RELATION_ANOTHER_PROGRAM] = "another_program",
		[VMSNAP_RELATION_ANOTHER_PROCESS] = "another_process",
	};
	return relation >= 0 && relation < VMSNAP_RELATION_COUNT ? names[relation] : "?";
}
