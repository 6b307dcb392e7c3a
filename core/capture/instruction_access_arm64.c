#include "instruction_access.h"

#include <stdbool.h>

/* The Arm Architecture Reference Manual, "Top-level encodings for A64"; an instruction has 32 bits everywhere. */

static uint32_t bits(uint32_t word, int high, int low)
{
	return word >> low & ((UINT32_C(2) << (high - low)) - 1);
}

static enum instruction_access by_bit(uint32_t word, int load)
{
	return bits(word, load, load) ? ACCESS_READS : ACCESS_WRITES;
}

/* LDADD, SWP and their like, and LDAPR, which is among them. */
static enum instruction_access atomic(uint32_t word)
{
	return bits(word, 15, 12) == 0xc ? ACCESS_READS : ACCESS_WRITES;
}

/* One register: its address is a register and a number, or another register. */
static enum instruction_access one_register(uint32_t word)
{
	bool vector = bits(word, 26, 26), prefetch = !vector && bits(word, 31, 30) == 3 && bits(word, 23, 22) == 2;
	bool whole_number = bits(word, 24, 24), other_forms = !whole_number && bits(word, 21, 21);
	if (other_forms && bits(word, 11, 10) == 0)
		return vector ? ACCESS_UNKNOWN : atomic(word);
	if (other_forms && bits(word, 11, 10) != 2) /* LDRAA */
		return vector ? ACCESS_UNKNOWN : ACCESS_READS;
	if (prefetch)
		return ACCESS_UNKNOWN;
	/* Of vectors one more size hides in the upper bit. */
	return vector ? by_bit(word, 22) : bits(word, 23, 22) ? ACCESS_READS : ACCESS_WRITES;
}

/* LDXR, STXR, LDAR, STLR, and CAS, which does both. */
static enum instruction_access exclusive(uint32_t word)
{
	bool compares = bits(word, 21, 21) && (bits(word, 23, 23) || !bits(word, 31, 31));
	return compares ? ACCESS_WRITES : by_bit(word, 22);
}

static enum instruction_access literal(uint32_t word)
{
	return bits(word, 31, 30) == 3 ? ACCESS_UNKNOWN : ACCESS_READS;
}

static enum instruction_access load_or_store(uint32_t word)
{
	bool vector = bits(word, 26, 26), other = bits(word, 24, 24);
	switch (bits(word, 29, 28)) {
	case 0: /* of vectors, structures of them */
		return vector ? by_bit(word, 22) : other ? ACCESS_UNKNOWN : exclusive(word);
	case 1: /* the others: LDAPUR, and what has to do with tags */
		return other ? ACCESS_UNKNOWN : literal(word);
	case 2: /* pairs */
		return by_bit(word, 22);
	default:
		return one_register(word);
	}
}

enum instruction_access instruction_access_arm64(const uint8_t *bytes, size_t len)
{
	if (len < 4)
		return ACCESS_UNKNOWN;
	uint32_t word =
	        (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
	/* DC ZVA, with which C libraries fill memory with zeros. */
	if (word >> 5 == 0xd50b7420 >> 5)
		return ACCESS_WRITES;
	return bits(word, 27, 27) && !bits(word, 25, 25) ? load_or_store(word) : ACCESS_UNKNOWN;
}
