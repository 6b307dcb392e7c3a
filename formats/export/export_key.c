#define _GNU_SOURCE
#include "export_key.h"

#include <string.h>

#include "error.h"
#include "sha256.h"

struct digest {
	uint8_t *bytes;
	size_t len;
};

static void digest_add(struct digest *digest, const void *bytes, size_t len)
{
	memcpy(digest->bytes + digest->len, bytes, len);
	digest->len += len;
}

static void digest_number(struct digest *digest, uint64_t number)
{
	uint8_t bytes[sizeof(number)];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	digest_add(digest, bytes, sizeof(bytes));
}

/* Of short texts, whose lengths go along, so that no two say the same. */
static void digest_text(struct digest *digest, const char *text)
{
	size_t len = strnlen(text, 255);
	digest_number(digest, len);
	digest_add(digest, text, len);
}

void export_key(const struct vmsnap *snap, const char *host, uint8_t out[EXPORT_KEY_BYTES])
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	uint8_t bytes[2 * (8 + 255) + 5 * 8], sum[SHA256_BYTES];
	struct digest digest = { .bytes = bytes };
	digest_text(&digest, host ? host : *info->machine_hash ? info->machine_hash : info->host);
	digest_text(&digest, info->boot_id);
	digest_number(&digest, info->tgid);
	digest_number(&digest, info->start_time);
	digest_number(&digest, (uint64_t)info->taken);
	digest_number(&digest, (uint64_t)info->monotonic);
	sha256(bytes, digest.len, sum);
	memcpy(out, sum, EXPORT_KEY_BYTES);
}

uint64_t export_object(const struct vmsnap_vma *vma)
{
	size_t name = strlen(vma->name), room = name + vma->build_id_len + 4 * 8;
	CLEANUP_FREE uint8_t *bytes = malloc(room);
	uint8_t sum[SHA256_BYTES];
	uint64_t object = 0;
	if (!bytes)
		return UINT64_MAX;
	struct digest digest = { .bytes = bytes };
	digest_number(&digest, vma->dev_major);
	digest_number(&digest, vma->dev_minor);
	digest_number(&digest, vma->inode);
	digest_number(&digest, vma->build_id_len);
	digest_add(&digest, vma->build_id ? (const void *)vma->build_id : "", vma->build_id_len);
	digest_add(&digest, vma->name, name);
	sha256(bytes, digest.len, sum);
	for (size_t i = 0; i < sizeof(object); i++)
		object = object << 8 | sum[i];
	return object & INT64_MAX;
}
