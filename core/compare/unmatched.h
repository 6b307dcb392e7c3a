/* unmatched.h - what of one snapshot the other has not at its place. */
#ifndef VMSNAP_UNMATCHED_H
#define VMSNAP_UNMATCHED_H

#include <stddef.h>
#include <stdint.h>

/* A range of a VMA where the other snapshot maps something else, or nothing. */
struct unmatched {
	size_t vma;
	uint64_t start, end;
};
struct unmatched_list {
	struct unmatched *items;
	size_t count, capacity;
};

#endif
