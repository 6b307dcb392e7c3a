/* call_frames.h - who called: from a function that holds an address, its registers and some words of its stack, by the
 * unwind tables of the program (.eh_frame).
 *
 * Frame pointers leave out the one that called a function without a frame of its own, as those of the C library are
 * that call the kernel.  The tables say where its return address is, and that address is believed only if the
 * instruction before it is a call.  x86-64; on others, nothing is told. Source: Linux Standard Base, "DWARF
 * Extensions"; DWARF 5, 6.4; System V ABI, AMD64, 3.6. */
#ifndef VMSNAP_CALL_FRAMES_H
#define VMSNAP_CALL_FRAMES_H

#include <stddef.h>

#include "call_rule.h"
#include "pid_list.h"

enum { CALL_FRAMES_MAX = 8, CALL_OBJECTS = 32, CALL_SLOTS = 1 << 12 };

struct call_frames {
	struct call_object *objects; /* malloc'ed when first needed */
	struct call_rule *rules;     /* malloc'ed when first needed */
	size_t next;
};
struct call_state {
	uint32_t pid;
	uint64_t at;           /* the instruction */
	uint64_t sp, bp;       /* its registers */
	const uint64_t *words; /* of the stack, from .sp on as it was first */
	size_t count;
};
/* Those that called, innermost first, each as the last byte of the instruction that did, as far as the words reach.
 * *outside: which is the first outside of the C library, if .at is in it; as many as there are: none. */
size_t call_frames_find(struct call_frames *frames, const struct call_state *state, uint64_t out[CALL_FRAMES_MAX],
                        size_t *outside);
/* These processes have ended, or execute another program. */
void call_frames_forget(struct call_frames *frames, const struct pid_list *pids);
void call_frames_free(struct call_frames *frames);

#endif
