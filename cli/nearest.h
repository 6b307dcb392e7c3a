/* nearest.h - what somebody may have meant who mistyped a word. */
#ifndef VMSNAP_CLI_NEAREST_H
#define VMSNAP_CLI_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *wanted;
	const char *best; /* NULL while nothing is near enough */
	size_t distance;
};

void nearest_init(struct nearest *nearest, const char *wanted);
void nearest_try(struct nearest *nearest, const char *candidate);

#endif
