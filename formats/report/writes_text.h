/* writes_text.h - of how many pages it is not known whether they were written to, and what would tell. */
#ifndef VMSNAP_WRITES_TEXT_H
#define VMSNAP_WRITES_TEXT_H

#include "text_out.h"

/* Whose pages: of one process at two times, of two processes, of several at two times. */
enum writes_of { WRITES_OF_PROCESS, WRITES_OF_TWO, WRITES_OF_PROCESSES };
/* One sentence; for pages 0 none. */
void put_writes_unknown(struct text *text, uint64_t pages, uint64_t page_size, enum writes_of of);

#endif
