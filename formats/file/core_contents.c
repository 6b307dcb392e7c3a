#define _GNU_SOURCE
#include "core_contents.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "error.h"
#include "file_error.h"

/* ---- the file, as long as a snapshot of it lives ------------------------------------------ */

static int read_place(void *ctx, uint64_t place, void *to, size_t len, struct vmsnap_error *err)
{
	return file_source_read(ctx, place, to, len, err);
}

static void free_source(void *ctx)
{
	file_source_close(ctx);
	free(ctx);
}

/* What is in memory is the caller's, and may be gone before the snapshot is. */
static int keep_source(const struct file_source *source, struct work *work, struct page_source *out,
                       struct vmsnap_error *err)
{
	struct file_source *own = calloc(1, sizeof(*own));
	if (!own)
		return fail_no_memory(err);
	*own = (struct file_source){
		.name = strdup(source->name), .fd = -1, .base = source->base, .size = source->size
	};
	int rc = own->name ? VMSNAP_OK : fail_no_memory(err);
	if (!rc && source->bytes) {
		rc = work_charge(work, source->size);
		own->owned = rc ? NULL : malloc((size_t)source->size + 1);
		if (own->owned)
			own->bytes = memcpy(own->owned, source->bytes, (size_t)source->size);
		else
			rc = work_fail(work, rc ? rc : VMSNAP_ERR_NO_MEMORY, err);
	} else if (!rc) {
		own->fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
		own->owns_fd = own->fd >= 0;
		if (own->fd < 0)
			rc = fail_sys(err, errno, "cannot keep %.200s open", source->name);
	}
	if (rc)
		free_source(own);
	else
		*out = (struct page_source){ read_place, free_source, own };
	return rc;
}

/* ---- which pages ---------------------------------------------------------------------------- */

struct making {
	const struct file_source *source;
	struct vmsnap *snap;
	uint64_t page_size;
	struct work *work;
	struct vmsnap_error *err;
	uint64_t cut;
	uint64_t left; /* of the file: segments that all show the same bytes are none of a core */
	bool bytes;    /* pages are not too large */
};

static int out_of(struct making *making, int rc)
{
	return work_fail(making->work, rc, making->err);
}

static int note(struct making *making, uint64_t start, uint64_t end, enum vmsnap_page_dumped dumped)
{
	struct layer *layer = &making->snap->layers[VMSNAP_LAYER_DUMPED];
	size_t before = layer->count;
	if (start >= end)
		return VMSNAP_OK;
	int rc = work_step(making->work);
	rc = rc ? rc : layer_append(layer, start, end, dumped);
	/* What grows by halves may take twice what it holds. */
	if (!rc && layer->count > before)
		rc = work_charge(making->work, 2 * sizeof(*layer->items));
	return rc ? out_of(making, rc) : VMSNAP_OK;
}

static int add_bytes(struct making *making, uint64_t start, uint64_t end, uint64_t place)
{
	struct contents *contents = &making->snap->contents;
	size_t before = contents->range_count;
	int rc = note(making, start, end, VMSNAP_DUMPED_BYTES);
	if (rc || !making->bytes || start >= end)
		return rc;
	rc = contents_add_backed(contents, making->page_size, start, (end - start) / making->page_size, place);
	if (!rc && contents->range_count > before)
		rc = work_charge(making->work, 2 * (sizeof(*contents->ranges) + sizeof(uint64_t)));
	return rc ? out_of(making, rc) : VMSNAP_OK;
}

/* Where, from `place` on, the file has data; the end, if it has none, or does not tell. */
static uint64_t next_data(const struct making *making, uint64_t place, uint64_t end)
{
	const struct file_source *source = making->source;
	off_t found = source->fd < 0 ? -1 : lseek(source->fd, (off_t)(source->base + place), SEEK_DATA);
	if (found < 0)
		return source->fd >= 0 && errno == ENXIO ? end : place;
	uint64_t at = (uint64_t)found - source->base;
	return at < end ? at : end;
}

static uint64_t next_hole(const struct making *making, uint64_t place, uint64_t end)
{
	const struct file_source *source = making->source;
	off_t found = source->fd < 0 ? -1 : lseek(source->fd, (off_t)(source->base + place), SEEK_HOLE);
	uint64_t at = found < 0 ? end : (uint64_t)found - source->base;
	return at < end ? at : end;
}

/* Pages that lie one after the other in the file.  One that is partly data is. */
static int add_stored(struct making *making, uint64_t start, uint64_t end, uint64_t place)
{
	uint64_t mask = making->page_size - 1, last = place + (end - start);
	int rc = VMSNAP_OK;
	while (!rc && start < end) {
		uint64_t data = next_data(making, place, last), hole_len = (data - place) & ~mask;
		rc = note(making, start, start + hole_len, VMSNAP_DUMPED_HOLE);
		start += hole_len;
		place += hole_len;
		if (rc || start >= end)
			break;
		uint64_t hole = next_hole(making, data > place ? data : place, last);
		uint64_t len = ((hole > place ? hole - place : 1) + mask) & ~mask;
		len = len < end - start ? len : end - start;
		rc = add_bytes(making, start, start + len, place);
		start += len;
		place += len;
	}
	return rc;
}

static int add_load(struct making *making, const struct core_load *load)
{
	uint64_t mask = making->page_size - 1, first = (load->address + mask) & ~mask, skipped = first - load->address;
	uint64_t size = load->size > skipped ? (load->size - skipped) & ~mask : 0;
	uint64_t place = load->offset + skipped, file_size = making->source->size;
	uint64_t there = place < file_size ? (file_size - place) & ~mask : 0;
	there = there < size ? there : size;
	if (there > making->left)
		return file_bad(making->source->name, making->err, VMSNAP_ERR_CORRUPT, 0,
		                "its segments have more bytes than the file");
	making->left -= there;
	if (load->listed)
		return note(making, load->start, load->end, VMSNAP_DUMPED_LISTED);
	if (load->size && load->offset + load->size > file_size)
		making->cut = file_size;
	int rc = note(making, load->start, first < load->end ? first : load->end, VMSNAP_DUMPED_NOT);
	rc = rc ? rc : add_stored(making, first, first + there, place);
	rc = rc ? rc : note(making, first + there, first + size, VMSNAP_DUMPED_CUT);
	return rc ? rc : note(making, first + size, load->end, VMSNAP_DUMPED_NOT);
}

int core_contents_make(const struct core_memory *memory, struct vmsnap *snap, struct work *work, uint64_t *cut,
                       struct vmsnap_error *err)
{
	const struct file_source *source = memory->elf->source;
	struct making making = { .source = source,
		                 .snap = snap,
		                 .page_size = snap->info.page_size,
		                 .work = work,
		                 .err = err,
		                 .left = source->size,
		                 .bytes = snap->info.page_size <= CONTENTS_PAGE_MAX };
	struct page_source own;
	/* Looking for holes moves where the caller's descriptor stands. */
	off_t stood = source->fd >= 0 ? lseek(source->fd, 0, SEEK_CUR) : -1;
	int rc = making.bytes ? keep_source(source, work, &own, err) : VMSNAP_OK;
	if (!rc && making.bytes && contents_back(&snap->contents, &own))
		rc = fail_no_memory(err);
	snap->layers[VMSNAP_LAYER_DUMPED].known = true;
	for (size_t i = 0; !rc && i < memory->count; i++)
		rc = add_load(&making, &memory->loads[i]);
	if (stood >= 0)
		(void)lseek(source->fd, stood, SEEK_SET);
	*cut = making.cut;
	return rc;
}
