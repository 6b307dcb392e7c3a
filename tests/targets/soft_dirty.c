/* soft_dirty - 16 pages that were written; told to go on, it writes two of them again. */
#define _GNU_SOURCE
#include "target.h"

int main(void)
{
	die_with_parent();
	char *memory = map_private(16 * PAGE);
	write_pages(memory, 0, 16, 1);
	say_range("written", memory, 16 * PAGE);
	next_command();
	write_pages(memory, 3, 4, 1);
	write_pages(memory, 7, 8, 1);
	stand_still();
}
