#include "new_code.h"

#include <stddef.h>
#include <string.h>

enum { WRITE_EXEC = VMSNAP_PERM_WRITE | VMSNAP_PERM_EXEC };

const char *new_code_kind_name(int kind)
{
	return kind == NEW_CODE_LAID_OVER ? "laid_over" : kind == NEW_CODE_WRITABLE ? "writable" : NULL;
}

struct new_code_walk new_code_begin(const struct vmsnap *a, const struct vmsnap *b)
{
	return (struct new_code_walk){ .a = a, .b = b };
}

static bool is_code_of_file(const struct vmsnap_vma *vma)
{
	return vmsnap_vma_has_file(vma) && (vma->perms & VMSNAP_PERM_EXEC);
}

static bool same_file(const struct vmsnap_vma *x, const struct vmsnap_vma *y)
{
	if ((x->unknown | y->unknown) & VMSNAP_VMA_UNKNOWN_FILE)
		return vmsnap_vma_has_file(x) && vmsnap_vma_has_file(y) && !strcmp(x->name, y->name);
	return x->inode == y->inode && x->dev_major == y->dev_major && x->dev_minor == y->dev_minor;
}

/* The same bytes of the same file at an address that both have. */
static bool same_bytes(const struct vmsnap_vma *x, const struct vmsnap_vma *y)
{
	return same_file(x, y) && x->start - x->offset == y->start - y->offset;
}

/* Whether B has at the address what A's mapping, or one beside it of the same file, has there. */
static bool still_there(const struct vmsnap *b, const struct vmsnap_vma *of_a, const struct vmsnap_vma *code,
                        uint64_t address)
{
	const struct vmsnap_vma *there = vmsnap_vma_at(b, address);
	return of_a && same_file(of_a, code) && there && same_bytes(there, of_a);
}

/* Of a mapping of A's: whether part of it, or of the file around it, is where it was. */
static bool rest_is_there(const struct new_code_walk *walk, size_t index)
{
	const struct vmsnap_vma *code = vmsnap_vma(walk->a, index), *next = vmsnap_vma(walk->a, index + 1);
	const struct vmsnap_vma *last = index ? vmsnap_vma(walk->a, index - 1) : NULL;
	return still_there(walk->b, code, code, code->start) || still_there(walk->b, code, code, code->end - 1) ||
	       still_there(walk->b, last, code, last ? last->start : 0) ||
	       still_there(walk->b, next, code, next ? next->start : 0);
}

/* What B's mapping is to the part of A's that lies in its place. */
static bool overlap_is_new(struct new_code_walk *walk, const struct vmsnap_vma *now, struct new_code *out)
{
	const struct vmsnap_vma *was = vmsnap_vma(walk->a, walk->at_a);
	uint64_t start = was->start > now->start ? was->start : now->start;
	uint64_t end = was->end < now->end ? was->end : now->end;
	walk->was += end - start;
	if ((was->perms & WRITE_EXEC) == WRITE_EXEC)
		walk->writable += end - start;
	if (!is_code_of_file(was) || same_bytes(was, now) || !rest_is_there(walk, walk->at_a))
		return false;
	*out = (struct new_code){ NEW_CODE_LAID_OVER, start, end, now, was };
	return true;
}

static const struct vmsnap_vma *next_of_a(const struct new_code_walk *walk, const struct vmsnap_vma *now)
{
	const struct vmsnap_vma *was = vmsnap_vma(walk->a, walk->at_a);
	return was && was->start < now->end ? was : NULL;
}

/* A's first mapping that may overlap the next of B's. */
static void turn_to_next(struct new_code_walk *walk)
{
	const struct vmsnap_vma *now = vmsnap_vma(walk->b, ++walk->at_b), *was;
	while (now && (was = vmsnap_vma(walk->a, walk->first_a)) && was->end <= now->start)
		walk->first_a++;
	walk->at_a = walk->first_a;
	walk->was = walk->writable = 0;
}

static bool became_writable(const struct new_code_walk *walk, const struct vmsnap_vma *now)
{
	return (now->perms & WRITE_EXEC) == WRITE_EXEC && (!walk->writable || walk->writable < walk->was);
}

bool new_code_next(struct new_code_walk *walk, struct new_code *out)
{
	const struct vmsnap_vma *now;
	while ((now = vmsnap_vma(walk->b, walk->at_b))) {
		while ((now->perms & VMSNAP_PERM_EXEC) && next_of_a(walk, now)) {
			bool found = overlap_is_new(walk, now, out);
			walk->at_a++;
			if (found)
				return true;
		}
		bool writable = became_writable(walk, now);
		*out = (struct new_code){ NEW_CODE_WRITABLE, now->start, now->end, now, NULL };
		turn_to_next(walk);
		if (writable)
			return true;
	}
	return false;
}
