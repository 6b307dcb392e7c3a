/* inflater.h - inflates payloads fast: with libdeflate where there is one, which takes a third of
 * the time that zlib does.  What zlib inflates becomes the same; of what zlib refuses, a crafted
 * stream that uses a code which stands for nothing may pass, if its checksum is right. */
#ifndef VMSNAP_INFLATER_H
#define VMSNAP_INFLATER_H

#include <stddef.h>
#include <stdint.h>

/* For one thread at a time. */
struct inflater;
struct inflater *inflater_new(void); /* NULL: no memory */
void inflater_free(struct inflater *inflater);
/* As inflate_payload(), for payloads so small that nobody wants to cancel. */
int inflater_inflate(struct inflater *inflater, const uint8_t *stored, size_t stored_len, uint8_t *raw, size_t raw_len);

#endif
