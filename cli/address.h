/* address.h - addresses as people write them. */
#ifndef VMSNAP_CLI_ADDRESS_H
#define VMSNAP_CLI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmsnap.h"

/* Whether it looks like what address_range_parse() takes. */
bool address_is_range(const char *text);
/* Both return STATUS_OK, or STATUS_TROUBLE after saying what was expected. */
int address_parse(const char *text, uint64_t *address);
/* ADDRESS (its page), START-END or START+LENGTH, widened to whole pages. */
int address_range_parse(const char *text, uint64_t page_size, uint64_t *start, uint64_t *end);
/* The same to the byte, but for an ADDRESS alone. */
int address_bytes_parse(const char *text, uint64_t page_size, uint64_t *start, uint64_t *end);
/* Tells on standard error if nothing at all is mapped in a range of the snapshot that the word names. */
void range_tell_empty(const struct vmsnap *snap, const char *word, uint64_t start, uint64_t end);

#endif
