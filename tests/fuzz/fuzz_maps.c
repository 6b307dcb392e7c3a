/* fuzz_maps.c - the text of /proc/PID/maps.  Names in it belong to the target. */
#include <string.h>

#include "fuzz.h"
#include "maps.h"

static const char *copy_of(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	FUZZ_CHECK(copy);
	memcpy(copy, data, size);
	return copy;
}

static void check_vmas(const struct vmsnap *snap)
{
	uint64_t end = 0;
	for (size_t i = 0; i < snap->vma_count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[i];
		FUZZ_CHECK(vma->start >= end && vma->start < vma->end && vma->perms < 16);
		FUZZ_CHECK(!((vma->start | vma->end | vma->offset) & 4095));
		FUZZ_CHECK(vma->name && strlen(vma->name) < 1u << 20);
		end = vma->end;
	}
}

/* Whatever was mapped lies in a range, or its pages would not be read. */
static void check_ranges(const struct vmsnap *snap, const char *text, size_t size, uint64_t join)
{
	struct address_range *ranges;
	size_t count;
	FUZZ_CHECK(maps_ranges(text, size, join, &ranges, &count, NULL) == VMSNAP_OK);
	for (size_t v = 0; v < snap->vma_count; v++) {
		bool inside = false;
		for (size_t i = 0; i < count && !inside; i++)
			inside = snap->vmas[v].start >= ranges[i].start && snap->vmas[v].end <= ranges[i].end;
		FUZZ_CHECK(inside);
	}
	free(ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = copy_of(data, size);
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_error err = { 0 };
	FUZZ_CHECK(snap);
	snap->info.page_size = 4096;
	int rc = maps_parse(text, size, snap, &err);
	FUZZ_CHECK(rc == VMSNAP_OK || (rc == VMSNAP_ERR_PROC && err.code == rc && err.position && err.message[0]));
	check_vmas(snap);
	if (!rc) {
		check_ranges(snap, text, size, 0);
		check_ranges(snap, text, size, 1 << 20);
	} else {
		struct address_range *ranges;
		size_t count;
		if (!maps_ranges(text, size, 1 << 20, &ranges, &count, &err))
			free(ranges);
	}
	vmsnap_unref(snap);
	free((void *)(uintptr_t)text);
	return 0;
}
