#include "instruction_access.h"

#include <stdbool.h>

struct decoding {
	const uint8_t *at, *end;
	unsigned prefix; /* 0x66, 0xf2, 0xf3, or 0 */
	bool vex, evex;
	unsigned map; /* 0: one byte, 1: 0f, 2: 0f 38, 3: 0f 3a */
	uint8_t opcode;
};

static unsigned take(struct decoding *d)
{
	return d->at < d->end ? *d->at++ : 0x100;
}

/* ---- up to the opcode ------------------------------------------------------------------- */

static bool is_prefix(unsigned byte)
{
	return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0xf0 || byte == 0x2e || byte == 0x36 ||
	       byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65 || byte == 0x67;
}

static unsigned prefix_of(unsigned pp)
{
	static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2 };
	return prefixes[pp & 3];
}

/* VEX and EVEX have map and prefix within them. */
static bool take_vex(struct decoding *d, unsigned first)
{
	unsigned a = take(d), b = first == 0xc5 ? a : take(d), c = first == 0x62 ? take(d) : b;
	d->vex = true;
	d->evex = first == 0x62;
	d->map = first == 0xc5 ? 1 : a & (d->evex ? 7 : 0x1f);
	d->prefix = prefix_of(b);
	return c < 0x100 && d->map >= 1 && d->map <= 3;
}

static bool take_opcode(struct decoding *d)
{
	unsigned byte = take(d);
	for (; is_prefix(byte); byte = take(d))
		if (byte == 0x66 || byte == 0xf2 || byte == 0xf3)
			d->prefix = d->prefix == 0xf2 || d->prefix == 0xf3 ? d->prefix : byte;
	if ((byte & 0xf0) == 0x40) /* REX */
		byte = take(d);
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62) {
		if (!take_vex(d, byte))
			return false;
		byte = take(d);
	} else if (byte == 0x0f) {
		byte = take(d);
		d->map = byte == 0x38 ? 2 : byte == 0x3a ? 3 : 1;
		if (d->map != 1)
			byte = take(d);
	}
	d->opcode = (uint8_t)byte;
	return byte < 0x100;
}

/* ---- what it does ----------------------------------------------------------------------- */

/* Bits of the ModR/M byte's middle field for which it writes. */
static enum instruction_access by_field(unsigned modrm, unsigned writes)
{
	return writes & (1u << (modrm >> 3 & 7)) ? ACCESS_WRITES : ACCESS_READS;
}

/* One byte, without ModR/M: the stack, strings. */
static enum instruction_access of_implied(unsigned opcode)
{
	if (opcode >= 0x50 && opcode <= 0x57)
		return ACCESS_WRITES;
	if (opcode >= 0x58 && opcode <= 0x5f)
		return ACCESS_READS;
	switch (opcode) {
	case 0x68: /* push */
	case 0x6a:
	case 0x9c:
	case 0xa2: /* mov to a fixed address */
	case 0xa3:
	case 0xaa: /* stos */
	case 0xab:
	case 0xc8: /* enter */
	case 0xe8: /* call */
		return ACCESS_WRITES;
	case 0xa4: /* movs */
	case 0xa5:
		return ACCESS_COPIES;
	case 0x9d:
	case 0xa0:
	case 0xa1:
	case 0xa6:
	case 0xa7:
	case 0xac:
	case 0xad:
	case 0xae:
	case 0xaf:
	case 0xc2: /* ret */
	case 0xc3:
	case 0xc9: /* leave */
		return ACCESS_READS;
	default:
		return ACCESS_UNKNOWN;
	}
}

static enum instruction_access of_x87(unsigned opcode, unsigned modrm)
{
	switch (opcode) {
	case 0xd9:
		return by_field(modrm, 0xcc);
	case 0xdb:
		return by_field(modrm, 0x8e);
	case 0xdd:
	case 0xdf:
		return by_field(modrm, 0xce);
	default:
		return ACCESS_READS;
	}
}

/* Memory is named: the byte behind the opcode says so. */
static enum instruction_access of_one_byte(unsigned opcode, unsigned modrm)
{
	if (opcode < 0x40)
		return (opcode & 7) > 3 ? ACCESS_UNKNOWN
		       : (opcode & 7) > 1 || (opcode & 0x38) == 0x38 ? ACCESS_READS
		                                                     : ACCESS_WRITES;
	if (opcode >= 0xd8 && opcode <= 0xdf)
		return of_x87(opcode, modrm);
	switch (opcode) {
	case 0x63:
	case 0x69:
	case 0x6b:
	case 0x84:
	case 0x85:
	case 0x8a:
	case 0x8b:
	case 0x8e:
		return ACCESS_READS;
	case 0x80:
	case 0x81:
	case 0x83:
		return by_field(modrm, 0x7f); /* but for cmp */
	case 0x86:
	case 0x87:
	case 0x88:
	case 0x89:
	case 0x8c:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
	case 0xfe:
		return ACCESS_WRITES;
	case 0xf6:
	case 0xf7:
		return by_field(modrm, 0x0c); /* not, neg */
	case 0xff: /* inc, dec; jmp; of call and push also the stack is written */
		return (modrm >> 3 & 7) < 2 ? ACCESS_WRITES : (modrm >> 3 & 7) == 4 ? ACCESS_READS : ACCESS_UNKNOWN;
	default:
		return ACCESS_UNKNOWN;
	}
}

/* 0f: most of it reads. */
static enum instruction_access of_two_bytes(const struct decoding *d, unsigned modrm)
{
	unsigned opcode = d->opcode;
	if (opcode >= 0x90 && opcode <= 0x9f)
		return d->vex && opcode != 0x91 ? ACCESS_READS : ACCESS_WRITES;
	switch (opcode) {
	case 0x11:
	case 0x13:
	case 0x17:
	case 0x29:
	case 0x2b:
	case 0x7f:
	case 0xa4:
	case 0xa5:
	case 0xab:
	case 0xac:
	case 0xad:
	case 0xb0:
	case 0xb1:
	case 0xb3:
	case 0xbb:
	case 0xc0:
	case 0xc1:
	case 0xc3:
	case 0xd6:
	case 0xe7:
		return ACCESS_WRITES;
	case 0x7e:
		return d->prefix == 0xf3 ? ACCESS_READS : ACCESS_WRITES;
	case 0xae:
		return (modrm >> 3 & 7) == 6 ? ACCESS_UNKNOWN : by_field(modrm, 0x19);
	case 0xba:
		return by_field(modrm, 0xe0);
	case 0xc7:
		return (modrm >> 3 & 7) == 1 ? ACCESS_WRITES : ACCESS_UNKNOWN;
	case 0xf7: /* masked moves to what rdi points to */
	case 0x01:
	case 0x00:
		return ACCESS_UNKNOWN;
	default:
		return ACCESS_READS;
	}
}

static enum instruction_access of_three_bytes(const struct decoding *d)
{
	unsigned opcode = d->opcode;
	bool narrows = (opcode & 0xf0) >= 0x10 && (opcode & 0xf0) <= 0x30 && (opcode & 0x0f) <= 5;
	if (d->map == 3)
		return (opcode >= 0x14 && opcode <= 0x17) || opcode == 0x1d ||
		                       (d->vex && (opcode == 0x19 || opcode == 0x39 || opcode == 0x1b || opcode == 0x3b))
		               ? ACCESS_WRITES
		               : ACCESS_READS;
	if (!d->vex)
		return opcode == 0xf1 && d->prefix != 0xf2 ? ACCESS_WRITES : ACCESS_READS;
	if (opcode == 0x2e || opcode == 0x2f || opcode == 0x8e)
		return ACCESS_WRITES;
	if (d->evex && ((narrows && d->prefix == 0xf3) || opcode == 0x63 || opcode == 0x8a || opcode == 0x8b ||
	                (opcode >= 0xa0 && opcode <= 0xa3)))
		return ACCESS_WRITES;
	return ACCESS_READS;
}

enum instruction_access instruction_access_x86(const uint8_t *bytes, size_t len)
{
	struct decoding d = { .at = bytes, .end = bytes + (len < INSTRUCTION_MAX ? len : INSTRUCTION_MAX) };
	if (!take_opcode(&d))
		return ACCESS_UNKNOWN;
	enum instruction_access implied = d.map || d.vex ? ACCESS_UNKNOWN : of_implied(d.opcode);
	if (implied != ACCESS_UNKNOWN)
		return implied;
	unsigned modrm = take(&d);
	bool memory = modrm < 0xc0;
	if (!memory && !d.map && d.opcode == 0xff && modrm < 0x100) /* call and push of a register */
		return (modrm >> 3 & 7) == 2 || (modrm >> 3 & 7) == 6 ? ACCESS_WRITES : ACCESS_UNKNOWN;
	if (!memory)
		return ACCESS_UNKNOWN;
	return d.map == 0 ? of_one_byte(d.opcode, modrm) : d.map == 1 ? of_two_bytes(&d, modrm) : of_three_bytes(&d);
}
