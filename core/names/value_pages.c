#define _GNU_SOURCE
#include "value_pages.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "contents.h"
#include "pread_all.h"
#include "snapshot.h"

void value_pages_init(struct value_pages *pages, const struct vmsnap *snap, struct vmsnap_names *names)
{
	*pages = (struct value_pages){ .snap = snap, .names = names, .fd = -1 };
}

void value_pages_close(struct value_pages *pages)
{
	if (pages->fd >= 0)
		close(pages->fd);
	pages->fd = -1;
}

bool value_pages_kept(const struct value_pages *pages, uint64_t address)
{
	uint64_t page_size = pages->snap->info.page_size;
	return contents_has(&pages->snap->contents, page_size, address & ~(page_size - 1));
}

/* Whether the page, in this snapshot, was no copy of the process's own: then it is what the file has. */
static const struct vmsnap_vma *unwritten_mapping(const struct value_pages *pages, uint64_t address)
{
	struct vmsnap_run page;
	const struct vmsnap_vma *vma = vmsnap_vma_at(pages->snap, address);
	const struct vmsnap_vma *other = vmsnap_vma_at(pages->names->snap, address);
	if (!vma || !other || !vma->inode || pages->snap->info.known.states_unknown || vma->perms & VMSNAP_PERM_SHARED)
		return NULL;
	bool same = identity_order_of_file(vma, other) == 0 && vma->offset - vma->start == other->offset - other->start;
	if (!same)
		return NULL;
	if (vmsnap_page_at(pages->snap, address, &page))
		return vma; /* absent */
	return (page.flags & VMSNAP_PAGE_PRESENT) && (page.flags & VMSNAP_PAGE_FILE) ? vma : NULL;
}

/* Beyond the end of the file there is nothing in its last page. */
static bool read_file(struct value_pages *pages, const struct object *object, uint64_t offset, uint8_t *to, size_t len)
{
	if (pages->object != object) {
		value_pages_close(pages);
		pages->object = object;
		pages->fd = objects_open(&pages->names->objects, object);
	}
	return pages->fd >= 0 && pread_all(pages->fd, to, len, offset) == (ssize_t)len;
}

static bool read_part(struct value_pages *pages, const struct object *object, uint64_t address, uint8_t *to, size_t len)
{
	size_t got = 0;
	if (!vmsnap_contents_read(pages->snap, address, to, len, &got, NULL) && got == len)
		return true;
	const struct vmsnap_vma *vma = object ? unwritten_mapping(pages, address) : NULL;
	return vma && read_file(pages, object, vma->offset + (address - vma->start), to, len);
}

bool value_pages_read(struct value_pages *pages, const struct object *object, uint64_t address, void *to, size_t len)
{
	uint64_t page_size = pages->snap->info.page_size;
	for (size_t done = 0; done < len;) {
		uint64_t at = address + done, left = page_size - (at & (page_size - 1));
		size_t part = len - done < left ? len - done : (size_t)left;
		if (!read_part(pages, object, at, (uint8_t *)to + done, part))
			return false;
		done += part;
	}
	return true;
}
