#define _GNU_SOURCE
#include "fork_began.h"

#include <inttypes.h>
#include <time.h>

#include "say.h"

/* So often or so long, and who wants the answer has waited enough. */
enum { LOOKS_MOST = 64, SECONDS_MOST = 2 };

/* Both sides of a fork, at one instant. */
struct sides {
	struct vmsnap *parent, *child;
};

static void sides_drop(struct sides *sides)
{
	vmsnap_unref(sides->parent);
	vmsnap_unref(sides->child);
	*sides = (struct sides){ NULL, NULL };
}

/* What is lost of the fork at an instant, in pages; nothing, if that cannot be told. */
static uint64_t lost_at(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base_parent,
                        const struct vmsnap *base_child)
{
	static const int lost[] = { VMSNAP_VERDICT_COPIED_BY_PARENT, VMSNAP_VERDICT_COPIED_BY_CHILD,
		                    VMSNAP_VERDICT_COPIED_BY_BOTH, VMSNAP_VERDICT_COPIED };
	struct vmsnap_cow *cow;
	uint64_t pages = 0;
	if (vmsnap_cow_new_between(parent, child, base_parent, base_child, NULL, &cow, NULL))
		return 0;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		pages += vmsnap_cow_pages(cow, lost[i]) - vmsnap_cow_touched_pages(cow, lost[i]);
	vmsnap_cow_free(cow);
	return pages;
}

/* Whose it is can be had without its pages. */
static struct vmsnap **side_of(const struct vmsnap_file *file, size_t index, const struct vmsnap *parent,
                               const struct vmsnap *child, struct sides *sides)
{
	struct vmsnap *snap;
	if (vmsnap_file_peek(file, index, &snap, NULL))
		return NULL;
	struct vmsnap **side = vmsnap_same_process(snap, parent)  ? &sides->parent
	                       : vmsnap_same_process(snap, child) ? &sides->child
	                                                          : NULL;
	vmsnap_unref(snap);
	return side && !*side ? side : NULL;
}

/* Those of snapshots first to end of the file that are of the same processes; NULL: none, or it cannot be read. */
static struct sides sides_in(const struct vmsnap_file *file, size_t first, size_t end, const struct vmsnap *parent,
                             const struct vmsnap *child)
{
	struct sides sides = { NULL, NULL };
	for (size_t i = first; i < end; i++) {
		struct vmsnap **side = side_of(file, i, parent, child, &sides);
		if (side && vmsnap_file_load(file, i, side, NULL))
			*side = NULL;
	}
	if (!sides.parent || !sides.child)
		sides_drop(&sides);
	return sides;
}

static const struct vmsnap *only_child(const struct vmsnap_set *tree)
{
	const struct vmsnap *snap, *found = NULL;
	for (size_t i = 0; (snap = vmsnap_set_at(tree, i)); i++)
		if (vmsnap_set_parent(tree, snap)) {
			if (found)
				return NULL;
			found = snap;
		}
	return found;
}

/* Milliseconds, at least one; 0: not known. */
static uint64_t since(const struct vmsnap *earlier, const struct vmsnap *later)
{
	int64_t from = vmsnap_info(earlier)->monotonic, to = vmsnap_info(later)->monotonic;
	return from > 0 && to > from ? (uint64_t)(to - from) / 1000000 + 1 : 0;
}

static bool has_waited(time_t begun)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec >= begun + SECONDS_MOST;
}

void fork_began(const struct vmsnap_file *file, size_t from, size_t to, const struct chosen *tree,
                const struct chosen *base)
{
	const struct vmsnap *child = only_child(tree->set),
	                    *parent = child ? vmsnap_set_parent(tree->set, child) : NULL;
	const struct vmsnap *base_parent = parent ? vmsnap_set_same(base->set, parent) : NULL;
	const struct vmsnap *base_child = child ? vmsnap_set_same(base->set, child) : NULL;
	if (!base_parent || !base_child)
		return;
	struct timespec begun;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	uint64_t before = lost_at(base_parent, base_child, base_parent, base_child);
	for (size_t at = from, looks = 0, first, count; at < to && looks < LOOKS_MOST; at = first + count, looks++) {
		if (has_waited(begun.tv_sec) || vmsnap_file_instant(file, at, &first, &count, NULL))
			return;
		struct sides now = sides_in(file, first, first + count, parent, child);
		bool more = now.parent && lost_at(now.parent, now.child, base_parent, base_child) > before;
		uint64_t after = now.parent ? since(base_parent, now.parent) : 0;
		sides_drop(&now);
		if (!more)
			continue;
		if (after)
			say("%s %" PRIu64 ".%02" PRIu64 " s after the base (snapshots %zu..%zu)",
			    before ? "more was copied by" : "copying had begun by", after / 1000, after / 10 % 100,
			    first + 1, first + count);
		return;
	}
}
