/* proto.h - messages of Protocol Buffers, as far as a profile needs them: numbers, bytes, lists of numbers.  A library
 * for that (protobuf-c, which brings generated code of a megabyte's worth) would be one more thing to install for these
 * few lines. */
#ifndef VMSNAP_PROTO_H
#define VMSNAP_PROTO_H

#include <stddef.h>
#include <stdint.h>

/* A message in the making. */
struct proto {
	uint8_t *data;
	size_t len, room;
	int failed;
};
void proto_number(struct proto *proto, unsigned field, uint64_t value); /* 0 is left out: that is what it means */
void proto_bytes(struct proto *proto, unsigned field, const void *bytes, size_t len);
void proto_numbers(struct proto *proto, unsigned field, const uint64_t *values, size_t count); /* packed */
void proto_message(struct proto *proto, unsigned field, const struct proto *inner);
void proto_append(struct proto *proto, const struct proto *fields); /* of a message that goes on */
void proto_free(struct proto *proto);

#endif
