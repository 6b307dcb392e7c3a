/* told_writes - private memory whose first bytes say which page it is: told "OFFSET VALUE" it writes that byte,
 * and says so. */
#define _GNU_SOURCE
#include "target.h"

enum { PAGES = 32 };

int main(void)
{
	die_with_parent();
	char *memory = map_apart(PAGES);
	for (int page = 0; page < PAGES; page++)
		memory[page * PAGE] = (char)(page + 1);
	say_range("memory", memory, PAGES * PAGE);
	for (;;) {
		char *value, *line = next_command();
		unsigned long offset = strtoul(line, &value, 10);
		if (offset < PAGES * PAGE)
			memory[offset] = (char)strtoul(value, NULL, 10);
	}
}
