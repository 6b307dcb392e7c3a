#include "changed_by.h"

#include <string.h>

#include "code_name.h"

int changed_by_init(struct changed_by *by, const struct vmsnap_diff *diff, struct vmsnap_names *names,
                    const struct vmsnap_blame_options *options, struct vmsnap_error *err)
{
	const struct vmsnap *a = vmsnap_diff_a(diff), *b = vmsnap_diff_b(diff);
	const struct vmsnap_faults *faults = vmsnap_diff_faults(diff);
	*by = (struct changed_by){ .diff = diff, .names = names };
	if (!faults || vmsnap_diff_relation(diff) != VMSNAP_RELATION_COMPARABLE)
		return VMSNAP_OK;
	int rc = vmsnap_blame_new(&a, 1, &b, 1, faults, options, &by->blame, err);
	while (!rc && vmsnap_blame_at(by->blame, by->count))
		by->count++;
	return rc;
}

void changed_by_free(struct changed_by *by)
{
	vmsnap_blame_free(by->blame);
	arena_free(&by->strings);
}

uint64_t changed_by_lost(const struct changed_by *by)
{
	const struct vmsnap_faults_info *info = vmsnap_faults_info(vmsnap_blame_faults(by->blame));
	bool late = info->begin > (uint64_t)vmsnap_info(vmsnap_diff_a(by->diff))->monotonic;
	return late ? UINT64_MAX : info->lost;
}

/* ---- one line of a program ---------------------------------------------------------------- */

static const char *syscall_of(const struct vmsnap_faults *faults, const struct vmsnap_fault *fault)
{
	const char *name = fault->syscall >= 0 ? vmsnap_faults_syscall_name(faults, fault->syscall) : "";
	return fault->syscall == -1 ? NULL : *name ? name : "?";
}

static struct changed_by_code code_of(const struct changed_by *by, const struct vmsnap_fault *fault,
                                      char name[CODE_NAME_MAX])
{
	const struct vmsnap_faults *faults = vmsnap_blame_faults(by->blame);
	const struct vmsnap_fault_code *code = vmsnap_faults_code_at(faults, (uint32_t)fault->pid, fault->ip);
	code_name(faults, fault->pid, fault->ip, true, by->names, name);
	return (struct changed_by_code){
		.function = name,
		.file = code ? code->file : "",
		.line = code ? code->line : 0,
		.syscall = syscall_of(faults, fault),
		.called = fault->flags & VMSNAP_FAULT_CALL,
		.fault = fault,
	};
}

static bool same_instruction(const struct vmsnap_fault *x, const struct vmsnap_fault *y)
{
	return x->ip == y->ip && x->pid == y->pid && x->syscall == y->syscall && x->flags == y->flags;
}

static bool same_code(const struct changed_by_code *x, const struct changed_by_code *y)
{
	return x->line == y->line && x->called == y->called && !strcmp(x->function, y->function) &&
	       !strcmp(x->file, y->file) && !x->syscall == !y->syscall &&
	       (!x->syscall || !strcmp(x->syscall, y->syscall));
}

/* An index of sum->codes; *rc VMSNAP_ERR_NOT_FOUND: there is no room for it. */
static size_t find_code(struct changed_by *by, struct changed_by_sum *sum, const struct vmsnap_fault *fault, int *rc)
{
	char name[CODE_NAME_MAX];
	for (size_t i = 0; i < sum->count; i++)
		if (same_instruction(sum->codes[i].fault, fault))
			return i;
	struct changed_by_code code = code_of(by, fault, name);
	for (size_t i = 0; i < sum->count; i++)
		if (same_code(&sum->codes[i], &code))
			return i;
	if (sum->count == CHANGED_BY_MAX) {
		*rc = VMSNAP_ERR_NOT_FOUND;
		return 0;
	}
	code.function = arena_string(&by->strings, code.function);
	if (!code.function)
		*rc = VMSNAP_ERR_NO_MEMORY;
	else
		sum->codes[sum->count++] = code;
	return sum->count - 1;
}

/* ---- the pages of a range --------------------------------------------------------------------- */

/* What is only mapped nobody wrote; and what became the process's own may have been let go of by others. */
static bool is_told(const struct vmsnap_blamed *blamed)
{
	bool maybe = blamed->became == VMSNAP_BECAME_EXCLUSIVE || blamed->became == VMSNAP_BECAME_SWAPPED_IN;
	return blamed->became != VMSNAP_BECAME_MAPPED && !blamed->inherited && (blamed->count || !maybe);
}

static bool is_doubtful(const struct changed_by *by, const struct vmsnap_blamed *blamed)
{
	bool doubtful = blamed->doubtful;
	for (size_t i = 0; i < blamed->count; i++)
		doubtful |= vmsnap_blame_fault(by->blame, blamed->first + i)->kind == VMSNAP_FAULT_UNKNOWN;
	return doubtful;
}

/* Where nobody tracked what is written, that is known of what the pages hold. */
static uint64_t *without_fault(const struct changed_by *by, const struct vmsnap_blamed *blamed, bool touched,
                               struct changed_by_sum *sum)
{
	bool tracked = vmsnap_info(vmsnap_diff_b(by->diff))->known.written;
	if (touched)
		return &sum->touched;
	return blamed->became == VMSNAP_BECAME_WRITTEN && !tracked ? &sum->silent : &sum->unseen;
}

static int add_blamed(struct changed_by *by, const struct vmsnap_blamed *blamed, uint64_t bytes, bool touched,
                      struct changed_by_sum *sum)
{
	size_t which = 0;
	int rc = VMSNAP_OK;
	bool several = is_doubtful(by, blamed);
	if (!blamed->count)
		*without_fault(by, blamed, touched, sum) += bytes;
	for (size_t i = 0; !rc && !several && i < blamed->count; i++) {
		size_t other = find_code(by, sum, vmsnap_blame_fault(by->blame, blamed->first + i), &rc);
		several = i && other != which;
		which = other;
	}
	if (rc == VMSNAP_ERR_NOT_FOUND)
		sum->more += bytes;
	else if (several)
		sum->several += bytes;
	else if (!rc && blamed->count)
		sum->codes[which].bytes += bytes;
	return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
}

static size_t first_of(const struct changed_by *by, uint64_t address)
{
	size_t low = 0, high = by->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (vmsnap_blame_at(by->blame, middle)->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int changed_by_add(struct changed_by *by, struct changed_by_part part, struct changed_by_sum *sum)
{
	int rc = VMSNAP_OK;
	for (size_t i = first_of(by, part.start); !rc && i < by->count; i++) {
		const struct vmsnap_blamed *blamed = vmsnap_blame_at(by->blame, i);
		if (blamed->start >= part.end)
			break;
		uint64_t start = blamed->start > part.start ? blamed->start : part.start;
		uint64_t end = blamed->end < part.end ? blamed->end : part.end;
		if (is_told(blamed))
			rc = add_blamed(by, blamed, end - start, part.touched, sum);
	}
	return rc;
}

/* Codes that only may have done it go. */
void changed_by_order(struct changed_by_sum *sum)
{
	size_t kept = 0;
	for (size_t i = 0; i < sum->count; i++) {
		struct changed_by_code code = sum->codes[i];
		size_t at = kept;
		if (!code.bytes)
			continue;
		for (; at > 0 && sum->codes[at - 1].bytes < code.bytes; at--)
			sum->codes[at] = sum->codes[at - 1];
		sum->codes[at] = code;
		kept++;
	}
	sum->count = kept;
}
