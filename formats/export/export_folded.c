#define _GNU_SOURCE
/* export_folded.c - stacks for flame graphs, a line each: "process;outermost;...;innermost PAGES"; of snapshots without
 * page faults what is resident: "process;library;libc.so.6 r-xp BYTES". */
#include <inttypes.h>
#include <string.h>

#include "blamed_stacks.h"
#include "error.h"
#include "folded_name.h"
#include "memory_stacks.h"

static void put_frame(struct vmsnap_export *e, const char *name)
{
	for (size_t left = strlen(name); left;) {
		struct escaped escaped;
		folded_one(name, left, &escaped);
		export_bytes(e, escaped.text, escaped.len);
		name += escaped.used;
		left -= escaped.used;
	}
}

static int put_stack(void *ctx, const struct blamed_stack *stack, struct vmsnap_error *err)
{
	struct vmsnap_export *e = ctx;
	char name[BLAMED_NAME_MAX], room[64];
	const char *remark = blamed_remark(stack, room);
	uint64_t pages = 0;
	for (int i = 0; i < BLAMED_VALUES; i++)
		pages += stack->pages[i];
	put_frame(e, vmsnap_info(stack->snap)->comm);
	for (size_t i = stack->count; i-- > 0;) {
		export_text(e, ";");
		blamed_name(stack, stack->frames[i], name);
		put_frame(e, name);
	}
	if (remark) {
		export_text(e, ";");
		put_frame(e, remark);
	}
	export_printf(e, " %" PRIu64 "\n", pages);
	return e->failed ? export_flush(e, err) : VMSNAP_OK;
}

static int put_memory(void *ctx, const struct memory_stack *stack, struct vmsnap_error *err)
{
	struct vmsnap_export *e = ctx;
	if (!stack->bytes[MEMORY_RESIDENT])
		return VMSNAP_OK;
	put_frame(e, vmsnap_info(stack->snap)->comm);
	export_printf(e, ";%s;", stack->kind);
	put_frame(e, stack->leaf);
	export_printf(e, " %" PRIu64 "\n", stack->bytes[MEMORY_RESIDENT]);
	return e->failed ? export_flush(e, err) : VMSNAP_OK;
}

static int folded_open(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct blamed_stacks *stacks = e->state;
	(void)err;
	stacks->raw_symbols = e->options.raw_symbols;
	return VMSNAP_OK;
}

static int folded_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err)
{
	return blamed_stacks_add(e->state, snaps, count, &e->work, put_stack, e, err);
}

static int folded_finish(struct vmsnap_export *e, struct vmsnap_error *err)
{
	const struct blamed_stacks *stacks = e->state;
	return stacks->any ? VMSNAP_OK
	                   : memory_stacks_each(stacks->latest, stacks->count, &e->work, put_memory, e, err);
}

static void folded_free(struct vmsnap_export *e)
{
	blamed_stacks_free(e->state);
}

const struct exporter exporter_folded = {
	.name = "folded",
	.state_size = sizeof(struct blamed_stacks),
	.open = folded_open,
	.add = folded_add,
	.finish = folded_finish,
	.free = folded_free,
};
