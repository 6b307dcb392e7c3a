/* object_file.h - the file of a program or library that a process has mapped, for those of its bytes that are not in
 * the process's memory: who read them there would put their pages into it. */
#ifndef VMSNAP_OBJECT_FILE_H
#define VMSNAP_OBJECT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object_range {
	uint64_t start, end, offset; /* offset: in the file */
};
struct object_file;
/* By the kernel's link to what is mapped at `range`, or by its name as the process sees it.  NULL: it cannot be opened,
 * or reading it would fetch memory of the process from swap. */
struct object_file *object_file_open(uint32_t pid, const struct object_range *range, const char *name, uint64_t inode);
/* One more mapping of it. */
void object_file_add(struct object_file *file, const struct object_range *range);
/* All of them, in one mapping, as the file has them; or false.  file NULL: false. */
bool object_file_bytes(const struct object_file *file, uint64_t address, void *out, size_t len);
/* NULL is none. */
void object_file_close(struct object_file *file);

#endif
