/* preload_words.h - what VMSNAP_SELF says: FILE[,signal=USR2][,start][,exit][,room=64M]. */
#ifndef VMSNAP_PRELOAD_WORDS_H
#define VMSNAP_PRELOAD_WORDS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { PRELOAD_WRONG = 256 };

struct preload_words {
	char path[PATH_MAX];
	int signal; /* 0: none */
	bool at_start, at_exit;
	size_t room; /* 0: as much as it takes */
};

/* False: it cannot be understood, *wrong is a line that says why. */
bool preload_words_read(const char *value, struct preload_words *out, char wrong[PRELOAD_WRONG]);

#endif
