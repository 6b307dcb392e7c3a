#include "text_limit.h"

#include "compared.h"
#include "spare.h"

void text_limit(struct text *text, const struct vmsnap *const *snaps, size_t count)
{
	text->work.limit = work_on(snaps, count).limit;
}

void text_limit_diff(struct text *text, const struct vmsnap_diff *diff)
{
	text->work.limit = diff_memory_left(diff);
}

void text_limit_cow(struct text *text, const struct vmsnap_cow *cow)
{
	text->work.limit = cow_memory_left(cow);
}
