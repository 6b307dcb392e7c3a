/* kernel_moves_text.h - that the kernel moved pages meanwhile, as part of an answer. */
#ifndef VMSNAP_KERNEL_MOVES_TEXT_H
#define VMSNAP_KERNEL_MOVES_TEXT_H

#include "kernel_moves.h"
#include "text_fit.h"

/* "; the kernel moved 12 pages meanwhile"; of none nothing. */
void put_kernel_moves(struct fit_line *line, enum kernel_moves moves, uint64_t pages);
/* For JSON; NULL: none. */
const char *kernel_moves_word(enum kernel_moves moves);

#endif
