/* fuzz.h - what the fuzz targets share: what libFuzzer calls, and how a target says
 * that a promise was broken. */
#ifndef VMSNAP_FUZZ_H
#define VMSNAP_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): release builds check too.  abort() is what libFuzzer catches. */
#define FUZZ_CHECK(promise)                                                                                            \
	do {                                                                                                           \
		if (!(promise)) {                                                                                      \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #promise);                  \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* Choices that depend on nothing but the input, so that a crash comes back. */
static inline uint32_t fuzz_hash(const uint8_t *data, size_t size)
{
	uint32_t hash = UINT32_C(2166136261);
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * UINT32_C(16777619);
	return hash ^ hash >> 15;
}

#endif
