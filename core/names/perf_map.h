/* perf_map.h - the functions that a process made itself while it ran (JIT), which it names in
 * /tmp/perf-PID.map for profilers: lines of address, length and name, hexadecimal.
 *
 * The file is in a folder where everybody may write, and may be anything: it is read only if it is
 * a regular file that belongs to the process's user, which nobody else may write to, and which
 * has been written since the process began. */
#ifndef VMSNAP_PERF_MAP_H
#define VMSNAP_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names_path.h"
#include "vmsnap.h"
#include "work.h"

/* It only grows, into gigabytes if a process runs long.  What is newest stands at its end. */
enum { PERF_MAP_BYTES_MAX = 64 << 20, PERF_MAP_SYMBOLS_MAX = 1 << 20 };

struct perf_symbol {
	uint64_t start, end;
	const char *name; /* into the text */
};

struct perf_map {
	struct perf_symbol *items; /* malloc'ed; by address, not overlapping */
	size_t count;
	char *text; /* malloc'ed */
	char path[64];
};

/* VMSNAP_ERR_NOT_FOUND: there is none, or none to believe; *why: a sentence without its subject, or
 * NULL if there is nothing to say.  It may be said too where all is well but not whole.  Otherwise
 * VMSNAP_OK or a code of work.h.  `process` may have ended: then its file is looked for where we
 * are, if it was in our PID namespace. */
int perf_map_read(const struct names_process *process, const struct vmsnap_info *info, struct work *work,
                  struct perf_map *out, const char **why);
/* Of the text alone, which becomes the map's: len bytes and room for a NUL.  Where code was made in
 * the place of older code, even of some of it, the older is gone. */
int perf_map_parse(char *text, size_t len, struct work *work, struct perf_map *out);
void perf_map_free(struct perf_map *map);

/* Index of the first symbol that ends above the address; count if none does. */
size_t perf_map_from(const struct perf_map *map, uint64_t address);
/* Whether functions can be in there that the process made: executable memory of no file. */
bool perf_map_concerns(const struct vmsnap_vma *vma);

#endif
