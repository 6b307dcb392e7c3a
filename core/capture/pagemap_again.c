#define _GNU_SOURCE
#include "pagemap_again.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "procdir.h"
#include "scan.h"

enum { WAIT_US = 250, WAIT_MAX_MS = 20, LOOKS = 2, CHUNK = 512 };

/* ---- what is in swap, says the kernel ------------------------------------------------ */

/* "VmSwap:	     128 kB" in pages; SWAP_UNKNOWN if there is no such line. */
uint64_t pagemap_swap_told(const struct proc_text *text, const char *key, uint64_t page_size)
{
	if (!text->len)
		return SWAP_UNKNOWN;
	struct cursor c = { text->text, text->text + text->len };
	size_t key_len = strlen(key);
	while (c.at < c.end) {
		struct cursor line = take_until(&c, '\n');
		uint64_t kilobytes;
		if ((size_t)(line.end - line.at) <= key_len || memcmp(line.at, key, key_len) != 0)
			continue;
		line.at += key_len;
		while (take_char(&line, ' ') || take_char(&line, '\t'))
			;
		return take_decimal(&line, &kilobytes) ? kilobytes * 1024 / page_size : SWAP_UNKNOWN;
	}
	return SWAP_UNKNOWN;
}

static uint64_t pages_told(const struct pagemap_again *again, const char *file, const char *key)
{
	struct proc_text text = { 0 };
	uint64_t pages = SWAP_UNKNOWN;
	if (!procdir_read(again->memory, file, &text) && text.len)
		pages = pagemap_swap_told(&text, key, again->page_size);
	proc_text_free(&text);
	return pages;
}

struct count {
	uint64_t swapped; /* pages that look so */
	uint64_t either;  /* and may be markers of userfaultfd */
};

static struct count count_swapped(const struct run_list *runs)
{
	struct count count = { 0, 0 };
	for (size_t i = 0; i < runs->count; i++) {
		uint64_t entry = runs->items[i].entry;
		if (!(entry & ENTRY_SWAPPED))
			continue;
		*(entry & ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP) ? &count.either : &count.swapped) +=
		        run_pages(&runs->items[i]);
	}
	return count;
}

/* ---- reading ------------------------------------------------------------------------- */

static int read_run(const struct pagemap_again *again, const struct run *run, struct run_list *out)
{
	uint64_t entries[CHUNK], at = run_start(run), left = run_pages(run);
	while (left) {
		size_t count = left < CHUNK ? (size_t)left : CHUNK;
		ssize_t got;
		do
			got = pread(again->pagemap, entries, count * 8, (off_t)(at / again->page_size * 8));
		while (got < 0 && errno == EINTR);
		if (got < 8)
			return got < 0 ? errno : 0;
		for (size_t i = 0; i < (size_t)got / 8; i++, at += again->page_size, left--) {
			uint64_t entry = entry_normal(entries[i]);
			if ((entry & (ENTRY_POPULATED | ENTRY_FLAG(VMSNAP_PAGE_GUARD | VMSNAP_PAGE_UFFD_WP))) &&
			    run_list_append(out, again->page_size, at, 1, entry))
				return ENOMEM;
		}
	}
	return 0;
}

/* What is unsettled of `from`, read again; the rest of it only if it `keeps`. */
static int read_round(const struct pagemap_again *again, const struct run_list *from, bool keeps, struct run_list *out)
{
	int error = 0;
	for (size_t i = 0; !error && i < from->count; i++) {
		const struct run *run = &from->items[i];
		if (pagemap_unsettled(run->entry, again->frames))
			error = read_run(again, run, out);
		else if (keeps && run_list_append(out, again->page_size, run_start(run), run_pages(run), run->entry))
			error = ENOMEM;
	}
	return error;
}

static int read_next(struct pagemap_again *again, const struct run_list *first)
{
	struct run_list out = { 0 };
	watchdog_kick(again->dog);
	int error = read_round(again, first ? first : &again->runs, !first, &out);
	run_list_free(&again->runs);
	again->runs = out;
	again->replaces = true;
	return error;
}

/* Waits a little; false if that has been enough. */
static bool wait_for_it(const struct pagemap_again *again, uint64_t began, int *error)
{
	if (!again->live || monotonic_now() - began > WAIT_MAX_MS * UINT64_C(1000000))
		return false;
	if (atomic_load_explicit(again->cancel, memory_order_relaxed)) {
		*error = ECANCELED;
		return false;
	}
	nanosleep(&(struct timespec){ .tv_nsec = WAIT_US * 1000L }, NULL);
	return true;
}

/* ---- with frames --------------------------------------------------------------------- */

static bool all_settled(const struct run_list *runs)
{
	for (size_t i = 0; i < runs->count; i++)
		if (pagemap_unsettled(runs->items[i].entry, true))
			return false;
	return true;
}

static int settle_with_frames(struct pagemap_again *again, const struct run_list *runs)
{
	uint64_t began = monotonic_now();
	int error = read_next(again, runs);
	while (!error && !all_settled(&again->runs) && wait_for_it(again, began, &error))
		error = read_next(again, NULL);
	return error;
}

/* ---- without ------------------------------------------------------------------------- */

/* Sets flags of all that looks swapped, or of what may be a marker. */
static void set_flags(struct run_list *runs, bool only_either, uint64_t set, uint64_t clear)
{
	for (size_t i = 0; i < runs->count; i++) {
		uint64_t *entry = &runs->items[i].entry;
		if (!(*entry & ENTRY_SWAPPED) || (only_either && !(*entry & ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP))))
			continue;
		*entry = (*entry & ~clear) | set;
	}
}

/* Whether as many look swapped as are: then these are.  What may be a marker is one if the others are all. */
static bool accounted(struct pagemap_again *again, uint64_t in_swap)
{
	if (in_swap == SWAP_UNKNOWN)
		return false;
	struct count count = count_swapped(&again->runs);
	if (count.swapped == in_swap)
		set_flags(&again->runs, true, 0, ENTRY_DOUBTFUL | ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY));
	return count.swapped == in_swap || count.swapped + count.either == in_swap;
}

/* Shared memory in swap is in smaps_rollup, too, but in no page table: there may be more. */
static void doubt(struct pagemap_again *again, uint64_t in_swap)
{
	struct count count = count_swapped(&again->runs);
	if (in_swap == SWAP_UNKNOWN || count.swapped + count.either > in_swap)
		set_flags(&again->runs, false, ENTRY_DOUBTFUL, 0);
}

/* Pages go to swap also while the target stands: as many that look so and as many that are could be others.  So
 * the count must have been the same before, or what is on the move has had the time to come back. */
static int settle_without_frames(struct pagemap_again *again, const struct run_list *runs)
{
	uint64_t began = monotonic_now(), in_swap = pages_told(again, "status", "VmSwap:");
	struct count count = count_swapped(runs);
	if (in_swap == again->swap_before && count.swapped == in_swap && !count.either)
		return 0;
	int error = read_next(again, runs);
	uint64_t counted = error ? SWAP_UNKNOWN : pages_told(again, "smaps_rollup", "Swap:");
	in_swap = counted == SWAP_UNKNOWN ? in_swap : counted;
	for (int look = again->live ? 0 : LOOKS; !error; look++) {
		if (look >= LOOKS && accounted(again, in_swap))
			return 0;
		if (!wait_for_it(again, began, &error)) {
			doubt(again, in_swap);
			return error;
		}
		error = read_next(again, NULL);
	}
	return error;
}

int pagemap_read_again(struct pagemap_again *again, const struct run_list *runs)
{
	return again->frames ? settle_with_frames(again, runs) : settle_without_frames(again, runs);
}

int pagemap_read_one_again(struct pagemap_again *again, const struct run_list *one)
{
	uint64_t began = monotonic_now();
	if (again->frames)
		return settle_with_frames(again, one);
	int error = read_next(again, one);
	uint64_t in_swap = pages_told(again, "status", "VmSwap:");
	bool some = in_swap && in_swap != SWAP_UNKNOWN;
	for (int look = 0; !error && count_swapped(&again->runs).swapped && !(some && look >= LOOKS); look++) {
		if (!wait_for_it(again, began, &error))
			break;
		error = read_next(again, NULL);
	}
	if (!some)
		doubt(again, SWAP_UNKNOWN);
	return error;
}

/* ---- afterwards ---------------------------------------------------------------------- */

/* The list without what was unsettled in it, and with what that turned out to be. */
static int merge(const struct pagemap_again *again, const struct run_list *runs, struct run_list *out)
{
	const struct run_list *more = &again->runs;
	int rc = run_list_reserve(out, runs->count + more->count, false);
	for (size_t i = 0, k = 0; !rc && (i < runs->count || k < more->count);) {
		bool take_more = i == runs->count ||
		                 (k < more->count && run_start(&more->items[k]) <= run_start(&runs->items[i]));
		const struct run *run = take_more ? &more->items[k++] : &runs->items[i++];
		if (take_more || !pagemap_unsettled(run->entry, again->frames))
			rc = run_list_append(out, again->page_size, run_start(run), run_pages(run), run->entry);
	}
	return rc;
}

int pagemap_again_apply(struct pagemap_again *again, const struct pagemap_probe *probe, struct run_list *runs)
{
	struct run_list out = { 0 };
	if (!again->replaces)
		return VMSNAP_OK;
	int rc = pagemap_apply_marks(probe, again->page_size, &again->marks, &again->runs);
	rc = rc ? rc : merge(again, runs, &out);
	if (rc) {
		run_list_free(&out);
		return rc;
	}
	run_list_free(runs);
	*runs = out;
	return VMSNAP_OK;
}

void pagemap_again_free(struct pagemap_again *again)
{
	run_list_free(&again->runs);
	free(again->marks.items);
	*again = (struct pagemap_again){ 0 };
}
