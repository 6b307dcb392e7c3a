#include "source_build_ids.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_id.h"
#include "elf_file.h"
#include "error.h"
#include "identity.h"
#include "vma_names.h"

struct mapped {
	const struct vmsnap_capture_source *source;
	char name[64];
	bool cancelled;
};

/* As pread_all(). */
static ssize_t read_mapped(void *ctx, void *into, size_t len, uint64_t offset)
{
	struct mapped *mapped = ctx;
	size_t have = 0;
	while (have < len) {
		int64_t got = mapped->source->read(mapped->source->ctx, mapped->name, offset + have,
		                                   (char *)into + have, len - have);
		mapped->cancelled |= got == -ECANCELED;
		if (got < 0 || got > (int64_t)(len - have)) {
			errno = got < 0 ? (int)-got : EIO;
			return -1;
		}
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* Shared memory is no program, and to read it could fetch it back from swap. */
static bool is_wanted(struct vmsnap_vma *const *mappings, size_t count)
{
	bool executable = false;
	for (size_t i = 0; i < count; i++)
		executable |= (mappings[i]->perms & VMSNAP_PERM_EXEC) != 0;
	return executable && !vma_names_shared_memory(mappings[0]);
}

/* All mappings of one file, that of its beginning first. */
static int ask(const struct vmsnap_capture_source *source, struct vmsnap *snap, struct vmsnap_vma *const *mappings,
               size_t count)
{
	struct mapped mapped = { .source = source };
	struct elf_window window;
	uint8_t id[BUILD_ID_MAX];
	size_t len;
	if (!is_wanted(mappings, count))
		return VMSNAP_OK;
	snprintf(mapped.name, sizeof(mapped.name), "map_files/%" PRIx64 "-%" PRIx64, mappings[0]->start,
	         mappings[0]->end);
	elf_window_init_reader(&window, read_mapped, &mapped);
	if (build_id_in(&window, id, sizeof(id), &len))
		return mapped.cancelled ? VMSNAP_ERR_CANCELLED : VMSNAP_OK;
	const uint8_t *copy = (const uint8_t *)arena_copy(&snap->strings, id, len);
	if (!copy)
		return VMSNAP_ERR_NO_MEMORY;
	identity_set_build_id(snap, mappings, count, copy, len);
	return VMSNAP_OK;
}

int source_build_ids(const struct vmsnap_capture_source *source, struct vmsnap *snap)
{
	size_t count = 0;
	CLEANUP_FREE struct vmsnap_vma **mappings = identity_by_file(snap, &count);
	int rc = mappings ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0, end; !rc && i < count; i = end) {
		for (end = i + 1; end < count && !vma_file_order(mappings[i], mappings[end]);)
			end++;
		rc = ask(source, snap, &mappings[i], end - i);
	}
	return rc;
}
