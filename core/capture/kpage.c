#define _GNU_SOURCE
#include "kpage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "mapcount.h"

enum { WORDS = 512, ENTRIES = 8192, BATCH = 1 << 16, NODES_MOST = 1 << 16, SORT_BITS = 11, SORT_SIZE = 1 << SORT_BITS };

/* ---- many frames at a time ---------------------------------------------------------------- */

/* A page, as it is looked at: in the order of its frame. */
struct page {
	uint64_t frame;
	uint32_t index; /* among those that are looked at, which are in the order of addresses */
};

static bool is_sorted(const struct page *pages, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (pages[i].frame < pages[i - 1].frame)
			return false;
	return true;
}

/* By some bits of the frame; those that are equal stay as they are. */
static void sort_by_bits(const struct page *from, struct page *to, size_t count, unsigned shift)
{
	size_t places[SORT_SIZE] = { 0 }, next = 0;
	for (size_t i = 0; i < count; i++)
		places[from[i].frame >> shift & (SORT_SIZE - 1)]++;
	for (size_t digit = 0; digit < SORT_SIZE; digit++) {
		size_t some = places[digit];
		places[digit] = next;
		next += some;
	}
	for (size_t i = 0; i < count; i++)
		to[places[from[i].frame >> shift & (SORT_SIZE - 1)]++] = from[i];
}

/* The kernel gives out frames upwards and downwards, and neighbours are read in one call: somebody may stand and
 * wait, and this takes a tenth of the time of qsort(3). */
static int sort_by_frame(struct page *pages, size_t count)
{
	if (is_sorted(pages, count))
		return 0;
	uint64_t highest = 0;
	struct page *spare = malloc(count * sizeof(*spare)), *from = pages, *to = spare;
	if (!spare)
		return ENOMEM;
	for (size_t i = 0; i < count; i++)
		highest |= pages[i].frame;
	for (unsigned shift = 0; shift < 64 && highest >> shift; shift += SORT_BITS) {
		sort_by_bits(from, to, count, shift);
		struct page *other = from;
		from = to;
		to = other;
	}
	if (from != pages)
		memcpy(pages, from, count * sizeof(*pages));
	free(spare);
	return 0;
}

static long read_raw(int fd, uint64_t *words, uint64_t first, uint64_t count)
{
	long got;
	do
		got = raw_syscall4(SYS_pread64, fd, (long)(uintptr_t)words, (long)(count * sizeof(*words)),
		                   (long)(first * sizeof(*words)));
	while (got == -EINTR);
	return got;
}

/* Who waits; NULL: nobody does. */
static int tick(const struct kpage_target *target)
{
	if (!target)
		return 0;
	watchdog_kick(target->dog);
	realtime_check(target->realtime);
	return atomic_load_explicit(target->cancel, memory_order_relaxed) ? ECANCELED : 0;
}

/* The words of a table of the kernel's for frames that are in order; out: by index.  A call takes as long as some
 * frames more.  Uses no libc, as what is mapped of it by us would count (own_mappings.h).  *told: false if something
 * cannot be read. */
static int read_table(int fd, const struct page *pages, size_t count, uint64_t *out, const struct kpage_target *target,
                      bool *told)
{
	enum { JOIN_FRAMES = 6 };
	uint64_t words[WORDS];
	int error = 0;
	for (size_t i = 0, end; *told && !error && i < count; i = end) {
		uint64_t first = pages[i].frame;
		for (end = i + 1; end < count && pages[end].frame - pages[end - 1].frame <= JOIN_FRAMES &&
		                  pages[end].frame - first < WORDS;
		     end++)
			;
		uint64_t some = pages[end - 1].frame - first + 1;
		*told = read_raw(fd, words, first, some) == (long)(some * sizeof(*words));
		for (size_t n = i; n < end; n++)
			out[pages[n].index] = words[pages[n].frame - first];
		error = tick(target);
	}
	return error;
}

/* The entries of pages at addresses that are in order, as they are by now; 0 of those that cannot be read. */
static void read_entries(int pagemap, uint64_t page_size, const uint64_t *addresses, size_t count, uint64_t *entries,
                         const struct kpage_target *target)
{
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && end - i < ENTRIES && addresses[end] == addresses[end - 1] + page_size;
		     end++)
			;
		long size = (long)((end - i) * sizeof(*entries));
		if (read_raw(pagemap, entries + i, addresses[i] / page_size, end - i) != size)
			memset(entries + i, 0, (size_t)size);
		(void)tick(target);
	}
}

static bool is_in(uint64_t entry, uint64_t frame)
{
	return (entry & ENTRY_PRESENT) && (entry & ENTRY_FRAME_MASK) == frame;
}

/* ---- while the target stands ------------------------------------------------------------ */

/* Pages that may be mapped by others: pagemap tells of the rest that they are mapped once. */
static bool may_be_others(const struct run *run)
{
	return (run->entry & ENTRY_PRESENT) && (run->entry & ENTRY_FRAME_MASK) &&
	       !(run->entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE));
}

/* In the order of addresses, but for `pages`. */
struct counting {
	size_t count;
	struct page *pages;
	uint64_t *addresses, *frames, *counts, *entries; /* one allocation */
};

static int find_counted(const struct kpage_target *target, struct counting *out)
{
	const struct run_list *runs = target->runs;
	uint64_t count = 0, at = 0;
	for (size_t i = 0; i < runs->count; i++)
		count += may_be_others(&runs->items[i]) ? run_pages(&runs->items[i]) : 0;
	if (!count || count > UINT32_MAX)
		return count ? ENOMEM : 0;
	out->pages = malloc(count * sizeof(*out->pages));
	out->addresses = calloc(count, 4 * sizeof(*out->addresses));
	if (!out->pages || !out->addresses)
		return ENOMEM;
	out->frames = out->addresses + count;
	out->counts = out->frames + count;
	out->entries = out->counts + count;
	out->count = count;
	for (size_t i = 0; i < runs->count; i++) {
		const struct run *run = &runs->items[i];
		for (uint64_t n = 0; may_be_others(run) && n < run_pages(run); n++, at++) {
			out->addresses[at] = run_start(run) + n * target->page_size;
			out->frames[at] = (run->entry & ENTRY_FRAME_MASK) + n;
			/* So that no page of it has to be made while libc is not used. */
			out->counts[at] = UINT64_MAX;
			out->pages[at] = (struct page){ out->frames[at], (uint32_t)at };
		}
	}
	return sort_by_frame(out->pages, out->count);
}

/* Of pages that the kernel has moved meanwhile, the count was another's. */
static int keep_counts(struct layer *layer, const struct kpage_target *target, const struct counting *counting)
{
	int error = 0;
	read_entries(target->pagemap, target->page_size, counting->addresses, counting->count, counting->entries,
	             target);
	for (size_t i = 0; !error && i < counting->count; i++) {
		uint64_t at = counting->addresses[i];
		if (is_in(counting->entries[i], counting->frames[i]) &&
		    layer_append(layer, at, at + target->page_size, counting->counts[i]))
			error = ENOMEM;
	}
	return error;
}

static int take_counts(struct kpage *kpage, const struct kpage_target *target)
{
	CLEANUP_CLOSE int kpagecount = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	struct counting counting = { 0 };
	bool told = kpagecount >= 0;
	int error = told ? find_counted(target, &counting) : 0;
	if (!error && counting.count && target->own)
		own_mappings_drop(target->own);
	if (!error && counting.count)
		error = read_table(kpagecount, counting.pages, counting.count, counting.counts, target, &told);
	if (!error && counting.count && told)
		error = keep_counts(&kpage->counts, target, &counting);
	kpage->counts.known = told && !error;
	free(counting.pages);
	free(counting.addresses);
	return error;
}

/* Of pages at these addresses; what is none of the process's memory, or not there, is negative. */
static bool ask_nodes(pid_t pid, void **addresses, size_t count, int *nodes)
{
	return !syscall(SYS_move_pages, pid, count, addresses, NULL, nodes, 0);
}

static int take_nodes(struct kpage *kpage, const struct kpage_target *target)
{
	void *addresses[WORDS];
	int nodes[WORDS];
	bool told = true;
	for (size_t i = 0; told && i < target->runs->count; i++) {
		const struct run *run = &target->runs->items[i];
		for (uint64_t done = 0; told && (run->entry & ENTRY_PRESENT) && done < run_pages(run);) {
			uint64_t left = run_pages(run) - done, some = left < WORDS ? left : WORDS;
			uint64_t start = run_start(run) + done * target->page_size;
			for (uint64_t n = 0; n < some; n++)
				addresses[n] = (void *)(uintptr_t)(start + n * target->page_size);
			told = ask_nodes(target->pid, addresses, some, nodes);
			for (uint64_t n = 0; told && n < some; n++) {
				uint64_t at = start + n * target->page_size;
				if (nodes[n] >= 0 &&
				    layer_append(&kpage->nodes_of, at, at + target->page_size, (uint64_t)nodes[n]))
					return ENOMEM;
			}
			done += some;
			watchdog_kick(target->dog);
			realtime_check(target->realtime);
			if (atomic_load_explicit(target->cancel, memory_order_relaxed))
				return ECANCELED;
		}
	}
	kpage->nodes_of.known = told;
	return 0;
}

int kpage_take(struct kpage *kpage, const struct kpage_target *target, bool frames)
{
	int error = 0;
	layer_free(&kpage->counts);
	layer_free(&kpage->nodes_of);
	if (kpage->tables && frames)
		error = take_counts(kpage, target);
	if (!error && kpage->nodes && !frames)
		error = take_nodes(kpage, target);
	return error;
}

/* ---- afterwards ------------------------------------------------------------------------- */

/* Many pages, in the order of addresses. */
struct batch {
	size_t count;
	uint64_t addresses[BATCH], frames[BATCH], flags[BATCH], entries[BATCH];
	struct page pages[BATCH];
	void *asked[BATCH];
	int nodes[BATCH];
};

struct finishing {
	struct kpage *kpage;
	struct vmsnap *snap;
	pid_t pid;
	int pagemap, kpageflags;
	bool tables, nodes, exact; /* what can be told */
	size_t next;               /* of the counts that were read */
	struct batch *batch;
};

static void read_nodes(struct finishing *finishing)
{
	struct batch *batch = finishing->batch;
	for (size_t i = 0; i < batch->count; i++)
		batch->asked[i] = (void *)(uintptr_t)batch->addresses[i];
	finishing->nodes = ask_nodes(finishing->pid, batch->asked, batch->count, batch->nodes);
}

/* What was counted of a page while the process stood. */
static bool count_of(struct finishing *finishing, const struct run *run, uint64_t address, uint64_t *count)
{
	const struct layer *counts = &finishing->kpage->counts;
	*count = 1;
	bool told = entry_exclusive_known(run->entry, true, finishing->snap->info.known.exclusive_huge);
	if (told && (run->entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)))
		return true;
	while (finishing->next < counts->count && counts->items[finishing->next].end <= address)
		finishing->next++;
	if (finishing->next == counts->count || counts->items[finishing->next].start > address)
		return false;
	*count = counts->items[finishing->next].value;
	return true;
}

static int put(struct finishing *finishing, enum vmsnap_layer layer, uint64_t address, uint64_t value)
{
	return layer_append(&finishing->snap->layers[layer], address, address + finishing->snap->info.page_size, value);
}

static int put_batch(struct finishing *finishing)
{
	struct batch *batch = finishing->batch;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < batch->count; i++) {
		if (!is_in(batch->entries[i], batch->frames[i]))
			continue;
		if (finishing->tables)
			rc = put(finishing, VMSNAP_LAYER_KPAGE_FLAGS, batch->addresses[i], batch->flags[i]);
		if (!rc && finishing->nodes && batch->nodes[i] >= 0 && batch->nodes[i] < NODES_MOST)
			rc = put(finishing, VMSNAP_LAYER_NODE, batch->addresses[i], (uint64_t)batch->nodes[i]);
	}
	return rc;
}

static int finish_batch(struct finishing *finishing)
{
	struct batch *batch = finishing->batch;
	if (finishing->tables && sort_by_frame(batch->pages, batch->count))
		return VMSNAP_ERR_NO_MEMORY;
	if (finishing->tables)
		(void)read_table(finishing->kpageflags, batch->pages, batch->count, batch->flags, NULL,
		                 &finishing->tables);
	if (finishing->nodes && batch->count)
		read_nodes(finishing);
	read_entries(finishing->pagemap, finishing->snap->info.page_size, batch->addresses, batch->count,
	             batch->entries, NULL);
	int rc = put_batch(finishing);
	batch->count = 0;
	return rc;
}

static int add_page(struct finishing *finishing, uint64_t address, uint64_t frame)
{
	struct batch *batch = finishing->batch;
	batch->addresses[batch->count] = address;
	batch->frames[batch->count] = frame;
	batch->pages[batch->count] = (struct page){ frame, (uint32_t)batch->count };
	return ++batch->count == BATCH ? finish_batch(finishing) : VMSNAP_OK;
}

/* Flags and nodes, of all pages that have frames. */
static int finish_pages(struct finishing *finishing)
{
	const struct run_list *runs = &finishing->snap->runs;
	uint64_t page_size = finishing->snap->info.page_size;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < runs->count; i++) {
		const struct run *run = &runs->items[i];
		uint64_t frame = run->entry & ENTRY_FRAME_MASK;
		for (uint64_t n = 0; !rc && (run->entry & ENTRY_PRESENT) && frame && n < run_pages(run); n++)
			rc = add_page(finishing, run_start(run) + n * page_size, frame + n);
	}
	return rc ? rc : finish_batch(finishing);
}

/* Where the kernel counts only the average of a large page, that is no count of any page of it. */
static bool may_be_average(const struct finishing *finishing, uint64_t address)
{
	uint64_t flags;
	if (finishing->exact)
		return false;
	return vmsnap_layer_at(finishing->snap, VMSNAP_LAYER_KPAGE_FLAGS, address, &flags, NULL) ||
	       (flags & (UINT64_C(1) << VMSNAP_KPAGE_COMPOUND_HEAD | UINT64_C(1) << VMSNAP_KPAGE_COMPOUND_TAIL));
}

static int finish_counts(struct finishing *finishing)
{
	const struct run_list *runs = &finishing->snap->runs;
	uint64_t page_size = finishing->snap->info.page_size, count;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < runs->count; i++) {
		const struct run *run = &runs->items[i];
		for (uint64_t n = 0; !rc && (run->entry & ENTRY_PRESENT) && n < run_pages(run); n++) {
			uint64_t address = run_start(run) + n * page_size;
			if (count_of(finishing, run, address, &count) && !may_be_average(finishing, address))
				rc = put(finishing, VMSNAP_LAYER_KPAGE_COUNT, address, count);
		}
	}
	return rc;
}

static int finish_with_frames(struct finishing *finishing)
{
	struct vmsnap *snap = finishing->snap;
	struct kpage *kpage = finishing->kpage;
	CLEANUP_CLOSE int kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE struct batch *batch = malloc(sizeof(*batch));
	if (!batch)
		return VMSNAP_ERR_NO_MEMORY;
	batch->count = 0;
	finishing->batch = batch;
	finishing->kpageflags = kpageflags;
	finishing->tables = kpage->tables && kpageflags >= 0 && finishing->pagemap >= 0;
	finishing->nodes = kpage->nodes && finishing->pagemap >= 0;
	finishing->exact = mapcount_is_exact();
	int rc = finishing->tables || finishing->nodes ? finish_pages(finishing) : VMSNAP_OK;
	snap->layers[VMSNAP_LAYER_KPAGE_FLAGS].known = finishing->tables;
	snap->layers[VMSNAP_LAYER_NODE].known = finishing->nodes;
	if (finishing->tables)
		snap->info.kpage_read = (int64_t)monotonic_now();
	if (rc || !kpage->counts.known)
		return rc;
	snap->layers[VMSNAP_LAYER_KPAGE_COUNT].known = true;
	return finish_counts(finishing);
}

int kpage_finish(struct kpage *kpage, struct vmsnap *snap, pid_t pid, int pagemap)
{
	struct finishing finishing = { .kpage = kpage, .snap = snap, .pid = pid, .pagemap = pagemap };
	if (!kpage->tables && !kpage->nodes)
		return VMSNAP_OK;
	if (snap->info.known.pfn)
		return finish_with_frames(&finishing);
	snap->layers[VMSNAP_LAYER_NODE] = kpage->nodes_of;
	kpage->nodes_of = (struct layer){ 0 };
	return VMSNAP_OK;
}

void kpage_free(struct kpage *kpage)
{
	layer_free(&kpage->counts);
	layer_free(&kpage->nodes_of);
}
