#define _GNU_SOURCE
#include "memory_stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

const char *const memory_value_names[MEMORY_VALUES] = { "resident", "exclusive", "swapped", "shared" };

static void measure(struct memory_stack *stack)
{
	const struct vmsnap_vma *vma = stack->vma;
	struct vmsnap_sums sums;
	vmsnap_sum(stack->snap, vma->start, vma->end, &sums);
	stack->bytes[MEMORY_RESIDENT] = sums.resident;
	stack->bytes[MEMORY_EXCLUSIVE] = sums.exclusive;
	stack->bytes[MEMORY_SWAPPED] = sums.swapped;
	stack->bytes[MEMORY_SHARED] = sums.resident - sums.exclusive;
	stack->unknown = 0;
	if (sums.resident && (!vmsnap_info(stack->snap)->known.exclusive || sums.exclusive_unknown))
		stack->unknown |= 1u << MEMORY_EXCLUSIVE | 1u << MEMORY_SHARED;
	if (sums.swapped_unknown || sums.swap_unknown)
		stack->unknown |= 1u << MEMORY_SWAPPED;
	for (int i = 0; i < MEMORY_VALUES; i++)
		if (stack->unknown & 1u << i)
			stack->bytes[i] = 0;
}

static void name_leaf(struct memory_stack *stack)
{
	const struct vmsnap_vma *vma = stack->vma;
	const char *slash = *vma->name == '/' ? strrchr(vma->name, '/') : NULL, *name = vma->name;
	if (slash && slash[1])
		name = slash + 1;
	snprintf(stack->leaf, sizeof(stack->leaf), "%s %c%c%c%c", *name ? name : "[anonymous]",
	         vma->perms & VMSNAP_PERM_READ ? 'r' : '-', vma->perms & VMSNAP_PERM_WRITE ? 'w' : '-',
	         vma->perms & VMSNAP_PERM_EXEC ? 'x' : '-', vma->perms & VMSNAP_PERM_SHARED ? 's' : 'p');
}

static int stacks_of(const struct vmsnap *snap, const uint8_t *kinds, struct work *work, memory_fn each, void *ctx,
                     struct vmsnap_error *err)
{
	struct memory_stack stack = { .snap = snap };
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && (stack.vma = vmsnap_vma(snap, i)); i++) {
		if (work_step(work))
			return fail(err, VMSNAP_ERR_CANCELLED, "cancelled");
		stack.kind = vmsnap_mapping_kind_name(kinds[i]);
		measure(&stack);
		name_leaf(&stack);
		if (stack.bytes[MEMORY_RESIDENT] || stack.bytes[MEMORY_SWAPPED])
			rc = each(ctx, &stack, err);
	}
	return rc;
}

int memory_stacks_each(const struct vmsnap *const *snaps, size_t count, struct work *work, memory_fn each, void *ctx,
                       struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++) {
		CLEANUP_FREE uint8_t *kinds = malloc(vmsnap_vma_count(snaps[i]) + 1);
		if (!kinds)
			return fail_no_memory(err);
		rc = vmsnap_mapping_kinds(snaps[i], NULL, kinds, err);
		rc = rc ? rc : stacks_of(snaps[i], kinds, work, each, ctx, err);
	}
	return rc;
}

static int note_known(void *ctx, const struct memory_stack *stack, struct vmsnap_error *err)
{
	unsigned *known = ctx;
	(void)err;
	*known |= ~stack->unknown;
	return VMSNAP_OK;
}

int memory_stacks_known(const struct vmsnap *const *snaps, size_t count, struct work *work, unsigned *known,
                        struct vmsnap_error *err)
{
	*known = 0;
	int rc = memory_stacks_each(snaps, count, work, note_known, known, err);
	*known &= (1u << MEMORY_VALUES) - 1;
	return rc;
}
