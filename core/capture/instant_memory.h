/* instant_memory.h - whose memory stood while it was read, and what each snapshot may say of that. */
#ifndef VMSNAP_INSTANT_MEMORY_H
#define VMSNAP_INSTANT_MEMORY_H

#include "instant_processes.h"

/* While they stand: who has whose memory. */
int instant_note_memory(struct capture *capture);
bool instant_has_memory_of(const struct capture *capture, size_t index, size_t other);
/* Afterwards, or of what was never stopped: how it was frozen, and whether it is consistent. */
int instant_judge(struct capture *capture);

#endif
