#include "dwarf_file.h"

#include <stdlib.h>

#include "error.h"

void dwarf_fails(struct dwarf_file *file, int rc)
{
	file->failed = rc;
	if (rc && file->skeleton)
		file->skeleton->file->failed = rc;
}

bool dwarf_steps_left(struct dwarf_file *file, uint64_t steps)
{
	if (file->failed)
		return false;
	if (steps > file->steps) {
		dwarf_fails(file, VMSNAP_ERR_TOO_LARGE);
		return false;
	}
	file->steps -= steps;
	dwarf_fails(file, work_step(file->work));
	return !file->failed;
}

void *dwarf_room(struct dwarf_file *file, void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	size_t more = *capacity ? *capacity * 2 : 16;
	void *larger = realloc(items, more * size);
	if (!larger) {
		dwarf_fails(file, VMSNAP_ERR_NO_MEMORY);
		return NULL;
	}
	*capacity = more;
	return larger;
}
