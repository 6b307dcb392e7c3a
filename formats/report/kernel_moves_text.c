#include "kernel_moves_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "format_value.h"

const char *kernel_moves_word(enum kernel_moves moves)
{
	static const char *const words[] = { NULL, "moved", "may_have_moved", "may_have_merged" };
	return words[moves];
}

void put_kernel_moves(struct fit_line *line, enum kernel_moves moves, uint64_t pages)
{
	static const char *const words[] = { NULL, "the kernel moved pages meanwhile",
		                             "the kernel may have moved pages meanwhile",
		                             "KSM may have merged pages meanwhile" };
	char counted[64];
	if (moves == KERNEL_MOVED_NONE)
		return;
	snprintf(counted, sizeof(counted), "the kernel moved %" PRIu64 " page%s meanwhile", pages, word_plural(pages));
	fit_glue(line, ";");
	fit_words(line, moves == KERNEL_MOVED && pages ? counted : words[moves]);
}
