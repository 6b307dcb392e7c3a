/* rewriter MIB - has that much memory, a quarter of it noise, and for each line it is sent writes 25 bytes
 * into each of 1 % of its pages, any of its first half. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 4096, BYTES = 25 };

static uint32_t next(uint32_t *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

int main(int argc, char **argv)
{
	size_t size = (size_t)atoi(argc > 1 ? argv[1] : "16") << 20, pages = size / PAGE;
	char *memory = aligned_alloc(PAGE, size), line[64];
	uint32_t state = 1;
	if (!memory)
		return 1;
	for (size_t i = 0; i < size; i += sizeof(uint64_t))
		*(uint64_t *)(void *)(memory + i) = i % PAGE < PAGE / 4 ? i * 0x9e3779b97f4a7c15ULL : i / 64;
	do {
		puts("ready");
		fflush(stdout);
		for (size_t i = 0; i < pages / 100 + 1; i++) {
			char *page = memory + next(&state) % (pages / 2) * PAGE;
			for (int byte = 0; byte < BYTES; byte++) {
				size_t at = next(&state) % PAGE;
				page[at] = (char)next(&state);
			}
		}
	} while (fgets(line, sizeof(line), stdin));
	return 0;
}
