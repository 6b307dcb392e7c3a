#include "payloads.h"

#include "file_snap_keys.h"

void payloads_free(struct payloads *payloads)
{
	for (size_t i = 0; i < payloads->count; i++)
		bytes_free(&payloads->items[i].bytes);
	payloads->count = 0;
}

static size_t find(const struct payloads *payloads, uint32_t type)
{
	size_t i = 0;
	while (i < payloads->count && payloads->items[i].type != type)
		i++;
	return i;
}

const struct bytes *payloads_find(const struct payloads *payloads, uint32_t type)
{
	size_t i = find(payloads, type);
	return i < payloads->count ? &payloads->items[i].bytes : NULL;
}

struct bytes *payloads_place(struct payloads *payloads, uint32_t type)
{
	size_t i = find(payloads, type);
	if (i == PAYLOADS_MAX)
		return NULL;
	if (i == payloads->count) {
		payloads->items[i].type = type;
		payloads->items[i].bytes = (struct bytes){ 0 };
		payloads->count++;
	}
	return &payloads->items[i].bytes;
}

void payloads_remove(struct payloads *payloads, uint32_t type)
{
	size_t i = find(payloads, type);
	if (i == payloads->count)
		return;
	bytes_free(&payloads->items[i].bytes);
	payloads->items[i] = payloads->items[--payloads->count];
}

bool payloads_copy(struct payloads *to, const struct payloads *from)
{
	*to = (struct payloads){ 0 };
	for (size_t i = 0; i < from->count; i++) {
		struct bytes *bytes = payloads_place(to, from->items[i].type);
		put_bytes(bytes, from->items[i].bytes.data, from->items[i].bytes.len);
		if (bytes->failed) {
			payloads_free(to);
			return false;
		}
	}
	return true;
}

uint64_t payloads_size(const struct payloads *payloads)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < payloads->count; i++)
		sum += payloads->items[i].bytes.len;
	return sum;
}

bool snap_split(struct cursor snap, struct bytes *finding, struct bytes *rest)
{
	while (cursor_left(&snap)) {
		const uint8_t *start = snap.at, *value;
		uint64_t key, len;
		if (!take_varint(&snap, &key) || !take_varint(&snap, &len) || !take_bytes(&snap, len, &value))
			return false;
		put_bytes(snap_key_finds(key) ? finding : rest, start, (size_t)(snap.at - start));
	}
	return true;
}
