#define _GNU_SOURCE
#include "elf_cache.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "snapshot.h"

static int identity_copy(struct elf_cache *known, const struct vmsnap_vma *vma)
{
	known->identity = (struct vmsnap_vma){ .inode = vma->inode,
		                               .dev_major = vma->dev_major,
		                               .dev_minor = vma->dev_minor,
		                               .unknown = vma->unknown,
		                               .build_id_len = vma->build_id ? vma->build_id_len : 0 };
	known->identity.name = arena_string(&known->strings, vma->name);
	if (known->identity.build_id_len) {
		known->identity.build_id = (uint8_t *)arena_copy(&known->strings, vma->build_id, vma->build_id_len);
		if (!known->identity.build_id)
			return VMSNAP_ERR_NO_MEMORY;
	}
	return known->identity.name ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

int elf_cache_new(int fd, const struct vmsnap_vma *vma, struct elf_cache **out)
{
	struct elf_cache *known = calloc(1, sizeof(*known));
	if (!known)
		return VMSNAP_ERR_NO_MEMORY;
	int rc = identity_copy(known, vma);
	if (!rc && fstat(fd, &known->stamp) < 0)
		rc = VMSNAP_ERR_NOT_FOUND;
	if (!rc && elf_file_read(fd, &known->strings, &known->elf))
		rc = VMSNAP_ERR_NOT_FOUND;
	if (rc) {
		elf_cache_free(known);
		return rc;
	}
	*out = known;
	return VMSNAP_OK;
}

void elf_cache_free(struct elf_cache *known)
{
	if (!known)
		return;
	symbols_free(&known->symbols);
	dwarf_types_free(known->types);
	arena_free(&known->strings);
	free(known);
}

uint64_t elf_cache_bytes(const struct elf_cache *known)
{
	return sizeof(*known) + known->strings.total + symbols_bytes(&known->symbols) + dwarf_types_bytes(known->types);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool elf_cache_unchanged(const struct elf_cache *known, int fd)
{
	const struct stat *then = &known->stamp;
	struct stat now;
	return fstat(fd, &now) == 0 && now.st_dev == then->st_dev && now.st_ino == then->st_ino &&
	       now.st_size == then->st_size && same_time(&now.st_mtim, &then->st_mtim) &&
	       same_time(&now.st_ctim, &then->st_ctim);
}

static int order_of_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return a_len ? memcmp(a, b, a_len) : 0;
}

static size_t id_len(const struct vmsnap_vma *vma)
{
	return vma->build_id ? vma->build_id_len : 0;
}

static int order_by_numbers(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	int order = vma_file_order(a, b);
	return order ? order : order_of_bytes(a->build_id, id_len(a), b->build_id, id_len(b));
}

int identity_order(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	int order = order_by_numbers(a, b);
	return order ? order : strcmp(a->name, b->name);
}

int identity_order_of_file(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	int order = order_by_numbers(a, b);
	return order || id_len(a) ? order : strcmp(a->name, b->name);
}
