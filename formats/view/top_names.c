#include "top_names.h"

/* ---- one name -------------------------------------------------------------------- */

static uint32_t main_thread(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = snap ? vmsnap_info(snap) : NULL;
	return !info ? 0 : info->tgid ? info->tgid : info->pid;
}

struct naming naming_of(struct vmsnap_names *names, const struct vmsnap *a, const struct vmsnap *b,
                        const struct vmsnap *c)
{
	return (struct naming){ names, { main_thread(a), main_thread(b), main_thread(c) } };
}

bool name_in_frame(const struct vmsnap_name *name)
{
	return name->kind == VMSNAP_NAME_LOCAL || name->kind == VMSNAP_NAME_ARGUMENT;
}

static int class_of(int kind)
{
	switch (kind) {
	case VMSNAP_NAME_LOCAL:
	case VMSNAP_NAME_ARGUMENT:
		return 0;
	case VMSNAP_NAME_THREAD_LOCAL:
		return 1;
	case VMSNAP_NAME_OBJECT:
		return 2;
	case VMSNAP_NAME_FUNCTION:
		return 3;
	case VMSNAP_NAME_OTHER_SYMBOL:
		return 4;
	default:
		return 5;
	}
}

int name_order(const struct vmsnap_name *a, const struct vmsnap_name *b)
{
	int class_a = class_of(a->kind), class_b = class_of(b->kind);
	if (class_a != class_b)
		return class_a - class_b;
	if (name_in_frame(a) && a->frame != b->frame)
		return a->frame < b->frame ? -1 : 1;
	return (a->size < b->size) - (a->size > b->size);
}

/* ---- the few -------------------------------------------------------------------- */

void top_names_init(struct top_names *top, const struct naming *naming)
{
	top->naming = naming;
	top->kept = 0;
	top->total = 0;
	top->end = 0;
}

void top_names_count(struct top_names *top, const struct vmsnap_name *name)
{
	top->total++;
	size_t at = top->kept < TOP_NAMES ? top->kept++ : TOP_NAMES;
	while (at && name_order(name, &top->best[at - 1]) < 0) {
		if (at < TOP_NAMES)
			top->best[at] = top->best[at - 1];
		at--;
	}
	if (at < TOP_NAMES)
		top->best[at] = *name;
}

static bool count_name(void *ctx, const struct vmsnap_name *name)
{
	struct top_names *top = ctx;
	/* What begins before the end of the last range, and reaches this one, was there. */
	if (name->symbol && !(top->total && name->address < top->end))
		top_names_count(top, name);
	return true;
}

int top_names_add(struct top_names *top, uint64_t start, uint64_t end, struct vmsnap_error *err)
{
	if (!top->naming->names)
		return VMSNAP_OK;
	int rc = vmsnap_names_in(top->naming->names, start, end, count_name, top, err);
	top->end = end;
	return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
}
