#include "text_limit.h"

void text_limit(struct text *text, const struct vmsnap *const *snaps, size_t count)
{
	text->work.limit = vmsnap_memory_left(snaps, count);
}

void text_limit_diff(struct text *text, const struct vmsnap_diff *diff)
{
	text->work.limit = vmsnap_diff_memory_left(diff);
}

void text_limit_cow(struct text *text, const struct vmsnap_cow *cow)
{
	text->work.limit = vmsnap_cow_memory_left(cow);
}
