/* soak_driver - does the same thing very often in one process, and checks each time.
 *
 *   watch PID BOARD TIMES SECONDS   captures of tests/soak/busy, at least so many and so long
 *   append PID FILE TIMES           snapshots of it, added to one file
 *
 * Exit status 0, or 1 after a line "WRONG: …". */
#include "self.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	/* Not malloc's, which is watched. */
	static char buffer[4096];
	setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
	if (argc == 6 && !strcmp(argv[1], "watch"))
		return watch(argc - 2, argv + 2);
	if (argc == 5 && !strcmp(argv[1], "append"))
		return append(argc - 2, argv + 2);
	fputs("usage: soak_driver watch PID BOARD TIMES SECONDS | append PID FILE TIMES\n", stderr);
	return 2;
}
