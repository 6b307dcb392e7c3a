#!/usr/bin/env python3
"""many_globals.py [COUNT] - writes a C program with so many global variables, of one to
40 ints each, half of them initialised.  For each line "FIRST STEP" that it reads, the
program writes to every STEPth variable from FIRST on; then it says "ready" again."""

import sys

USUAL = 50000

MAIN = """
int main(void)
{
	char line[64];
	unsigned first, step;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%u %u", &first, &step) == 2 && step)
			for (unsigned i = first; i < sizeof(all) / sizeof(all[0]); i += step)
				all[i][0]++;
		puts("ready");
		fflush(stdout);
	}
	return 0;
}
"""


def ints(index):
    return 1 + index * 7 % 40


def name(index):
    return f"variable_number_{index:06d}"


def source(count=USUAL):
    lines = ["#include <stdio.h>"]
    for i in range(count):
        lines.append(f"int {name(i)}[{ints(i)}]{f' = {{ {i} }}' if i % 2 else ''};")
    lines += ["int *const all[] = {", *(f"\t{name(i)}," for i in range(count)), "};"]
    return "\n".join(lines) + "\n" + MAIN


if __name__ == "__main__":
    sys.stdout.write(source(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL))
