#define _GNU_SOURCE
#include "bundle.h"

#include <string.h>

/* Made by CMake of formats/report_html/bundle.html. */
#include "bundle_bytes.h"

static const char mark[] = "@@DATA@@";

const char *bundle_part(int part, size_t *len)
{
	const char *at = (const char *)bundle_bytes, *end = at + sizeof(bundle_bytes);
	for (;; part--) {
		const char *next = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1);
		if (!part || !next) {
			*len = (size_t)((next ? next : end) - at);
			return at;
		}
		at = next + sizeof(mark) - 1;
	}
}
