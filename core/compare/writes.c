#include "writes.h"

#include <string.h>

#include "facts.h"

struct writes writes_between(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *in_a = &a->info, *in_b = &b->info;
	bool boot = facts_same_boot(a, b);
	struct writes writes = {
		.a = a, .b = b, .frames = in_a->known.pfn && in_b->known.pfn && boot, .asked = UINT64_MAX
	};
	writes.one_instant = boot && in_a->monotonic && in_a->monotonic == in_b->monotonic;
	writes.one_look = a == b || (writes.one_instant && facts_same_process(a, b) && in_a->taken == in_b->taken);
	writes.told = !writes.one_look && vmsnap_contents_kind(a) != VMSNAP_CONTENTS_NONE &&
	              vmsnap_contents_kind(b) != VMSNAP_CONTENTS_NONE && in_a->page_size == in_b->page_size;
	return writes;
}

static enum writes_answer compare_page(const struct writes *writes, uint64_t at, uint64_t shift)
{
	uint8_t in_a[VMSNAP_CONTENTS_HASH_SIZE], in_b[VMSNAP_CONTENTS_HASH_SIZE];
	if (vmsnap_contents_hash(writes->a, at + shift, in_a) || vmsnap_contents_hash(writes->b, at, in_b))
		return WRITES_UNKNOWN;
	return memcmp(in_a, in_b, sizeof(in_a)) ? WRITES_SOME : WRITES_NONE;
}

static enum writes_answer moved_at(const struct writes *writes, uint64_t at, uint64_t shift, uint64_t *until)
{
	uint64_t page_size = writes->b->info.page_size;
	enum writes_answer answer = compare_page(writes, at, shift);
	for (uint64_t next = at + page_size; next < *until; next += page_size)
		if (compare_page(writes, next, shift) != answer)
			*until = next;
	return answer;
}

enum writes_answer writes_at(struct writes *writes, uint64_t at, uint64_t shift, uint64_t *until)
{
	if (!writes->told)
		return WRITES_UNKNOWN;
	if (shift)
		return moved_at(writes, at, shift, until);
	if (at < writes->asked || at > writes->last) {
		uint64_t end;
		writes->asked = at;
		if (vmsnap_contents_compare(writes->a, writes->b, at, &writes->start, &end, &writes->differ))
			writes->start = writes->last = UINT64_MAX;
		else
			writes->last = end - 1;
	}
	bool inside = writes->start <= at;
	uint64_t edge = inside ? writes->last : writes->start - 1;
	if (edge < *until - 1)
		*until = edge + 1;
	return !inside ? WRITES_UNKNOWN : writes->differ ? WRITES_SOME : WRITES_NONE;
}
