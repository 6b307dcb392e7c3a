#include "strings.h"

#include <string.h>

static uint32_t hash_of(const char *bytes, size_t len)
{
	uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * UINT32_C(16777619);
	return hash;
}

static uint32_t *slot_of(const struct strings *strings, uint32_t hash, const char *bytes, size_t len)
{
	for (size_t i = hash & (strings->slot_count - 1);; i = (i + 1) & (strings->slot_count - 1)) {
		uint32_t *slot = &strings->slots[i];
		const struct string *item = *slot ? &strings->items[*slot - 1] : NULL;
		if (!item || (item->hash == hash && item->len == len && !memcmp(item->bytes, bytes, len)))
			return slot;
	}
}

static void grow(struct strings *strings)
{
	size_t old = strings->slot_count, more = old ? 2 * old : 256;
	if (2 * strings->count < old)
		return;
	uint32_t *slots = work_array(strings->work, more, sizeof(*slots), &strings->failed);
	if (strings->failed)
		return;
	work_free(strings->work, strings->slots, old, sizeof(*slots));
	strings->slots = slots;
	strings->slot_count = more;
	for (size_t i = 0; i < strings->count; i++) {
		const struct string *item = &strings->items[i];
		*slot_of(strings, item->hash, item->bytes, item->len) = (uint32_t)i + 1;
	}
}

static uint32_t add_new(struct strings *strings, uint32_t *slot, const char *bytes, size_t len, uint32_t hash)
{
	if (!WORK_ROOM(strings->work, strings->items, strings->count, &strings->room, &strings->failed))
		return 0;
	char *copy = work_array(strings->work, len + 1, 1, &strings->failed);
	if (strings->failed)
		return 0;
	memcpy(copy, bytes, len);
	strings->items[strings->count] = (struct string){ .bytes = copy, .len = (uint32_t)len, .hash = hash };
	*slot = (uint32_t)++strings->count;
	return *slot - 1;
}

/* A label may have megabytes, and stands wherever its instant is named. */
static uint32_t add_cut(struct strings *strings, const char *bytes)
{
	static const char dots[] = "\xe2\x80\xa6";
	char cut[STRING_MAX];
	size_t len = sizeof(cut) - (sizeof(dots) - 1);
	while (len && ((uint8_t)bytes[len] & 0xc0) == 0x80 && len + 8 > sizeof(cut))
		len--; /* not within a character */
	memcpy(cut, bytes, len);
	memcpy(cut + len, dots, sizeof(dots) - 1);
	return strings_add(strings, cut, len + sizeof(dots) - 1);
}

uint32_t strings_add(struct strings *strings, const char *bytes, size_t len)
{
	if (len && !strings->count)
		strings_add(strings, "", 0);
	if (len > STRING_MAX)
		return add_cut(strings, bytes);
	grow(strings);
	if (strings->failed)
		return 0;
	uint32_t hash = hash_of(bytes, len);
	uint32_t *slot = slot_of(strings, hash, bytes, len);
	return *slot ? *slot - 1 : add_new(strings, slot, bytes, len, hash);
}

void strings_free(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		work_free(strings->work, strings->items[i].bytes, strings->items[i].len + 1, 1);
	work_free(strings->work, strings->items, strings->room, sizeof(*strings->items));
	work_free(strings->work, strings->slots, strings->slot_count, sizeof(*strings->slots));
	*strings = (struct strings){ 0 };
}
