/* strings.h - all strings of a report, each once; long ones are cut. */
#ifndef VMSNAP_HTML_STRINGS_H
#define VMSNAP_HTML_STRINGS_H

#include "work.h"

enum { STRING_MAX = 4096 };

struct strings {
	struct string {
		char *bytes; /* not ended by a NUL */
		uint32_t len, hash;
	} * items;
	size_t count, room;
	uint32_t *slots; /* index + 1, by hash; 0: free */
	size_t slot_count;
	struct work *work;
	int failed; /* enum vmsnap_rc: sticks */
};
/* Its number; number 0 is "". */
uint32_t strings_add(struct strings *strings, const char *bytes, size_t len);
void strings_free(struct strings *strings);

#endif
