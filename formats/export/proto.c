#include "proto.h"

#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, VARINT_MAX = 10 };

static void put(struct proto *proto, const void *bytes, size_t len)
{
	if (proto->failed || !len)
		return;
	if (proto->room - proto->len < len) {
		size_t room = 2 * proto->room + len + 64;
		uint8_t *data = realloc(proto->data, room);
		if (!data) {
			proto->failed = 1;
			return;
		}
		proto->data = data;
		proto->room = room;
	}
	memcpy(proto->data + proto->len, bytes, len);
	proto->len += len;
}

static size_t varint(uint8_t out[VARINT_MAX], uint64_t value)
{
	size_t len = 0;
	for (; value > 0x7f; value >>= 7)
		out[len++] = (uint8_t)(value | 0x80);
	out[len++] = (uint8_t)value;
	return len;
}

static void put_varint(struct proto *proto, uint64_t value)
{
	uint8_t bytes[VARINT_MAX];
	put(proto, bytes, varint(bytes, value));
}

void proto_number(struct proto *proto, unsigned field, uint64_t value)
{
	if (!value)
		return;
	put_varint(proto, field << 3 | WIRE_VARINT);
	put_varint(proto, value);
}

void proto_bytes(struct proto *proto, unsigned field, const void *bytes, size_t len)
{
	put_varint(proto, field << 3 | WIRE_BYTES);
	put_varint(proto, len);
	put(proto, bytes, len);
}

void proto_numbers(struct proto *proto, unsigned field, const uint64_t *values, size_t count)
{
	uint8_t bytes[VARINT_MAX];
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += varint(bytes, values[i]);
	put_varint(proto, field << 3 | WIRE_BYTES);
	put_varint(proto, len);
	for (size_t i = 0; i < count; i++)
		put_varint(proto, values[i]);
}

void proto_message(struct proto *proto, unsigned field, const struct proto *inner)
{
	proto->failed |= inner->failed;
	proto_bytes(proto, field, inner->data, inner->len);
}

void proto_append(struct proto *proto, const struct proto *fields)
{
	proto->failed |= fields->failed;
	put(proto, fields->data, fields->len);
}

void proto_free(struct proto *proto)
{
	free(proto->data);
	*proto = (struct proto){ 0 };
}
