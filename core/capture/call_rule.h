/* call_rule.h - what the unwind tables of a program (.eh_frame_hdr, .eh_frame) say of one instruction.  They are read
 * from its file, or from those pages of a process's memory that are there, and may be anything. */
#ifndef VMSNAP_CALL_RULE_H
#define VMSNAP_CALL_RULE_H

#include <stdbool.h>
#include <stdint.h>

struct object_file;

/* A program or library, as it is mapped. */
struct call_object {
	uint32_t pid;                  /* 0: none */
	uint64_t code_start, code_end; /* one executable mapping of it */
	uint64_t base;                 /* its first mapping; of code of no file, that of the code */
	struct object_file *file;      /* NULL: of none, or it cannot be read */
	bool c_library;
	uint64_t table, count; /* .eh_frame_hdr, and its entries; count 0: none */
};
/* How to get from a frame to that of the caller, where an instruction is. */
struct call_rule {
	uint32_t pid;
	bool known;  /* what follows .called */
	bool called; /* the instruction that ends with the byte at .at is a call */
	bool c_library;
	bool from_bp;  /* the frame's address is counted from rbp, not from rsp */
	bool bp_saved; /* in the frame; else it is the caller's still */
	bool bp_lost;  /* or is somewhere else */
	int64_t frame, ra, bp;
	uint64_t at;
};

/* Where they are: by the ELF header at .base.  Without any, .count stays 0. */
void call_table_find(struct call_object *object);
/* .from_bp, .frame, .ra, .bp_saved, .bp.  False: they do not say, or in words that are not known here. */
bool call_rule_find(const struct call_object *object, uint64_t at, struct call_rule *rule);

#endif
