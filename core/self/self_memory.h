/* self_memory.h - what a capture of oneself is made in: memory that was there before, and nothing else.
 *
 * No function that is declared here calls libc, or another shared object, or touches what prepare did not: the
 * first call of a function that is bound late takes locks and writes, and so may malloc(), stdio and gettext.
 * tests/reader/test_self_calls.py looks at what they call. */
#ifndef VMSNAP_SELF_MEMORY_H
#define VMSNAP_SELF_MEMORY_H

#include <stdatomic.h>

#include "pagemap.h"
#include "vmsnap/self.h"

enum {
	SELF_STATUS_ROOM = 8192,
	SELF_STAT_ROOM = 1024,
	SELF_ENTRIES = 512,
	SELF_REGIONS = 64,
	SELF_BUFFER = 4096,
	SELF_WORD = 128,
	SELF_PATH = 4096,
	SELF_SECTION_RUNS = 2048, /* in a section PAGE */
	SELF_SECTION_STATES = 64,
	SELF_LEAST = 64 << 10,
};

/* A line of maps. */
struct self_vma {
	uint64_t start, end, offset, inode;
	uint32_t dev_major, dev_minor, perms;
	uint32_t name, name_len; /* in the text */
};

/* What does not change while a program runs. */
struct self_identity {
	char host[SELF_WORD], kernel[SELF_WORD], arch[SELF_WORD], boot_id[SELF_WORD], machine_hash[SELF_WORD];
	char label[SELF_WORD], reason[SELF_WORD];
	char exe[SELF_PATH], cgroup[SELF_PATH], cmdline[SELF_PATH];
	size_t cmdline_len; /* 0: unknown, or longer */
	uint64_t pid_namespace;
};

/* What goes to a file: first only counted, then written. */
struct self_sink {
	int fd, error;
	bool writing;
	uint32_t crc;
	uint64_t count;
	size_t fill;
	uint32_t headers_crc; /* of the sections since SNAP */
	uint64_t bytes;
	uint32_t sections;
};

/* Of a page that is mapped, and for whose state there was no room: as the model has what could not be read. */
#define SELF_UNREAD (ENTRY_DOUBTFUL | ENTRY_FLAG(VMSNAP_PAGE_ZERO))

#define SELF_MAGIC UINT64_C(0x566d734e61507365)

struct vmsnap_self {
	uint64_t magic;
	size_t bytes; /* of all of it */
	void *mapped; /* to be given back; NULL: the caller's */
	uint32_t pid; /* who prepared it */
	atomic_bool busy;
	struct pagemap_probe probe;
	uint64_t page_size;
	struct self_identity identity;

	struct vmsnap_self_told told;
	bool consistent;
	int64_t taken, monotonic;
	uint64_t boottime;
	char status[SELF_STATUS_ROOM], stat[SELF_STAT_ROOM];
	size_t status_len, stat_len;

	/* In the room behind this struct, one after the other. */
	char *text; /* maps: whole lines */
	size_t text_len;
	struct self_vma *vmas;
	size_t vma_count;
	struct run *runs;
	size_t run_count, run_room;

	struct page_region regions[SELF_REGIONS];
	uint64_t entries[SELF_ENTRIES];
	char buffer[SELF_BUFFER];
	struct self_sink sink;
	uint64_t blocks[SELF_SECTION_RUNS];
	uint32_t states[SELF_SECTION_STATES];
};

static inline char *self_room(struct vmsnap_self *self)
{
	return (char *)(self + 1);
}
static inline char *self_end(struct vmsnap_self *self)
{
	return (char *)self + self->bytes;
}

/* The number that follows "KEY" at the beginning of a line, and blanks: of status.  UINT64_MAX if there is no such
 * line.  `index`: of several. */
uint64_t self_number(const char *text, size_t len, const char *key, unsigned index);
/* The rest of the line that begins with KEY. */
const char *self_line(const char *text, size_t len, const char *key, size_t *line_len);
/* Field `index` of stat, counted from 1; its second one may hold anything. */
uint64_t self_stat_field(const struct vmsnap_self *self, unsigned index);
/* Whether it may be used here; then self_release(). */
int self_acquire(struct vmsnap_self *self);
void self_release(struct vmsnap_self *self);

#endif
