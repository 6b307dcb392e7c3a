#include "fork_when.h"

/* So much at either end is not the most of it. */
enum { PARTS = 20 };

struct looking {
	fork_look_fn look;
	void *ctx;
	size_t count;
};

/* The neighbours between which more than so much is lost for the first time, or as near as it can be told.  Of the
 * first look not more is lost, of the last one more. */
static void search(const struct looking *looking, uint64_t bytes, struct fork_look *below, struct fork_look *above)
{
	for (size_t low = 0, high = looking->count - 1; high - low > 1;) {
		size_t middle = low + (high - low) / 2;
		struct fork_look look;
		if (!looking->look(looking->ctx, middle, &look))
			return;
		bool more = look.lost > bytes;
		*(more ? above : below) = look;
		*(more ? &high : &low) = middle;
	}
}

void fork_when(size_t count, fork_look_fn look, void *ctx, struct fork_when *when)
{
	const struct looking looking = { look, ctx, count };
	struct fork_look first, last;
	when->known = false;
	if (count < 2 || !look(ctx, 0, &first) || !look(ctx, count - 1, &last) || last.lost <= first.lost)
		return;
	struct fork_look none = first, some = first.lost ? first : last, early = first, next = last, late = first,
	                 done = last;
	uint64_t little = last.lost / PARTS;
	if (!first.lost)
		search(&looking, 0, &none, &some);
	if (first.lost <= little)
		search(&looking, little, &early, &next);
	if (first.lost < last.lost - little)
		search(&looking, last.lost - little - 1, &late, &done);
	if (done.at <= early.at || done.lost <= early.lost)
		return;
	when->known = true;
	when->none_known = !first.lost;
	when->none = none.at;
	when->first = some.at;
	when->first_lost = some.lost;
	when->lost = last.lost;
	when->from = early.at;
	when->to = done.at;
	when->most = done.lost - early.lost;
}

static bool look_there(void *ctx, size_t index, struct fork_look *look)
{
	const struct fork_look *const *looks = ctx;
	*look = (*looks)[index];
	return true;
}

void fork_when_of(const struct fork_look *looks, size_t count, struct fork_when *when)
{
	fork_when(count, look_there, &looks, when);
}
