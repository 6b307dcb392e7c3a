/* engine.c - all questions to the library.  What ranges and verdicts will tell more of one
 * day (new, gone, copied; where a page was) comes in here. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "admin_set.h"
#include "sequences.h"

/* ---- captures ---- */

static bool pagemap_read(pid_t pid, uint64_t entries[ARENA])
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = ARENA * sizeof(entries[0]);
	bool ok = fd >= 0 && pread(fd, entries, size, (off_t)(arena_start / page_bytes * 8)) == (ssize_t)size;
	if (fd >= 0)
		close(fd);
	return ok;
}

bool can_see_frames(void)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)&entry / page_bytes * 8)) == 8;
	if (fd >= 0)
		close(fd);
	return ok && frame_of(entry);
}

/* What pagemap does not tell is left out: the zero page, huge pages, hidden frames. */
static uint64_t comparable_entry(uint64_t entry, bool frames)
{
	uint64_t only = ~(ENTRY_ZERO_BIT | UINT64_C(1) << 60);
	if (!frames)
		only &= ~(ENTRY_DIRTY_BIT - 1);
	return entry & only;
}

static void check_capture(const struct view *view, const uint64_t raw[ARENA])
{
	bool frames = vmsnap_info(view->snap)->known.pfn;
	for (int i = 0; i < ARENA; i++)
		if (comparable_entry(view->pages[i], frames) != comparable_entry(raw[i], frames))
			broken(CAPTURE, i, "%s has %llx, pagemap %llx", view->name, (unsigned long long)view->pages[i],
			       (unsigned long long)raw[i]);
}

enum capture_result view_capture(struct view *view, pid_t pid, bool hide_frames)
{
	uint64_t before[ARENA], after[ARENA];
	struct vmsnap_error err;
	struct vmsnap_capture_options options = { .size = sizeof(options),
		                                  .label = view->name,
		                                  .freeze_timeout_ms = 10000 };
	if (!pagemap_read(pid, before))
		return CAPTURE_FAILED;
	if (hide_frames)
		admin_set(false);
	int rc = vmsnap_capture(pid, &options, &view->snap, &err);
	if (hide_frames)
		admin_set(true);
	if (rc)
		fprintf(stderr, "cannot capture: %s\n", err.message);
	if (rc || !pagemap_read(pid, after))
		return CAPTURE_FAILED;
	vmsnap_pages_read(view->snap, arena_start, ARENA, view->pages);
	if (memcmp(before, after, sizeof(before)) != 0)
		return DISTURBED;
	check_capture(view, after);
	return CAPTURED;
}

void view_free(struct view *view)
{
	vmsnap_unref(view->snap);
	view->snap = NULL;
}

/* ---- the arena ---- */

static int clamp_page(uint64_t address)
{
	if (address <= arena_start)
		return 0;
	uint64_t page = (address - arena_start) / page_bytes;
	return page > ARENA ? ARENA : (int)page;
}

void vma_pages(const struct vmsnap_vma *vma, int *first, int *end)
{
	*first = clamp_page(vma->start);
	*end = clamp_page(vma->end);
}

bool vma_has(const struct vmsnap_vma *vma, int page)
{
	uint64_t address = arena_start + (uint64_t)page * page_bytes;
	return vma->start <= address && address < vma->end;
}

static uint64_t copied_in(const struct view *a, const struct view *b, uint64_t start, uint64_t end,
                          bool (*is_copy)(uint64_t a, uint64_t b))
{
	static uint64_t in_a[512], in_b[512];
	uint64_t copied = 0;
	for (uint64_t at = start; at < end; at += 512 * page_bytes) {
		size_t left = (size_t)((end - at) / page_bytes), count = left < 512 ? left : 512;
		vmsnap_pages_read(a->snap, at, count, in_a);
		vmsnap_pages_read(b->snap, at, count, in_b);
		for (size_t page = 0; page < count; page++)
			copied += is_copy(in_a[page], in_b[page]);
	}
	return copied;
}

/* Run by run: a sanitizer reserves terabytes. */
uint64_t copied_outside(const struct view *a, const struct view *b, bool (*is_copy)(uint64_t a, uint64_t b))
{
	uint64_t copied = 0, arena_end = arena_start + ARENA * page_bytes;
	const struct vmsnap_vma *vma;
	for (size_t i = 0; (vma = vmsnap_vma(b->snap, i)); i++) {
		struct vmsnap_run_iter it;
		struct vmsnap_run run;
		if ((vma->perms & VMSNAP_PERM_SHARED) || (vma->start < arena_end && vma->end > arena_start))
			continue;
		vmsnap_run_iter_init(&it, b->snap, vma->start, vma->end);
		while (vmsnap_run_next(&it, &run) == VMSNAP_OK)
			copied += copied_in(a, b, run.start, run.end, is_copy);
	}
	return copied;
}

/* ---- facts ---- */

static void sum_changes(uint64_t *pages, const struct vmsnap_diff_range *range)
{
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		if (range->changes & 1u << i)
			pages[i] += (range->end - range->start) / page_bytes;
}

static void check_totals(const struct vmsnap_diff *diff, const uint64_t *pages)
{
	uint64_t rows[VMSNAP_VMA_CHANGE_COUNT] = { 0 };
	struct vmsnap_diff_vma row;
	for (size_t i = 0; !vmsnap_diff_vma(diff, i, &row); i++)
		rows[row.change]++;
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		if (vmsnap_diff_pages(diff, i) != pages[i])
			broken(TOTALS, NOWHERE, "%s: total %llu, ranges %llu", vmsnap_page_change_name(i),
			       (unsigned long long)vmsnap_diff_pages(diff, i), (unsigned long long)pages[i]);
	for (int i = 0; i < VMSNAP_VMA_CHANGE_COUNT; i++)
		if (vmsnap_diff_vma_rows(diff, i) != rows[i])
			broken(TOTALS, NOWHERE, "%s: total %llu, rows %llu", vmsnap_vma_change_name(i),
			       (unsigned long long)vmsnap_diff_vma_rows(diff, i), (unsigned long long)rows[i]);
}

bool told_diff(const struct view *a, const struct view *b, struct told_diff *out)
{
	uint64_t pages[VMSNAP_CHANGE_COUNT] = { 0 }, last = 0;
	struct vmsnap_diff_range range;
	*out = (struct told_diff){ 0 };
	if (vmsnap_diff_new(a->snap, b->snap, &out->diff, NULL))
		return false;
	for (size_t i = 0; !vmsnap_diff_range(out->diff, i, &range); i++) {
		if (range.start < last || range.start >= range.end || !range.changes)
			broken(TOTALS, NOWHERE, "ranges not in order, or with nothing in them");
		last = range.start;
		sum_changes(pages, &range);
		for (int page = clamp_page(range.start); page < clamp_page(range.end); page++)
			out->changes[page] |= range.changes;
	}
	check_totals(out->diff, pages);
	return true;
}

void told_diff_free(struct told_diff *told)
{
	vmsnap_diff_free(told->diff);
}

const char *changes_text(uint32_t changes)
{
	static char texts[4][256];
	static int next;
	char *text = texts[next++ % 4];
	size_t used = 0;
	snprintf(text, sizeof(texts[0]), "nothing");
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		if (changes & 1u << i)
			used += (size_t)snprintf(text + used, sizeof(texts[0]) - used, "%s%s", used ? "," : "",
			                         vmsnap_page_change_name(i));
	return text;
}

/* ---- what is printed ---- */

struct printed {
	char text[1 << 16];
	size_t used;
};

static int keep(void *ctx, const char *text, size_t len)
{
	struct printed *printed = ctx;
	size_t room = sizeof(printed->text) - 1 - printed->used;
	memcpy(printed->text + printed->used, text, len < room ? len : room);
	printed->used += len < room ? len : room;
	printed->text[printed->used] = 0;
	return 0;
}

static struct vmsnap_output output_to(struct printed *printed, bool json)
{
	printed->used = 0;
	printed->text[0] = 0;
	return (struct vmsnap_output){ .size = sizeof(struct vmsnap_output),
		                       .style = { .size = sizeof(struct vmsnap_style), .json = json, .bytes = true },
		                       .write = keep,
		                       .ctx = printed };
}

/* The array of names behind the last "changes". */
static int64_t changes_of_json(const char *json)
{
	const char *at = NULL, *end;
	int64_t changes = 0;
	for (const char *next = json; (next = strstr(next, "\"changes\"")); next++)
		at = next;
	if (!at || !(at = strchr(at, '[')) || !(end = strchr(at, ']')))
		return NOT_COMPARED;
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++) {
		char name[64];
		snprintf(name, sizeof(name), "\"%s\"", vmsnap_page_change_name(i));
		const char *found = strstr(at, name);
		changes |= found && found < end ? 1 << i : 0;
	}
	return changes;
}

int64_t told_history(const struct view *a, const struct view *b, int page)
{
	static struct printed printed;
	const struct vmsnap *const snaps[] = { a->snap, b->snap };
	struct vmsnap_output out = output_to(&printed, true);
	if (vmsnap_print_history(snaps, NULL, 2, arena_start + (uint64_t)page * page_bytes, &out, NULL))
		return NOT_COMPARED;
	return changes_of_json(printed.text);
}

/* "…: 16384 copied": the number before the word. */
uint64_t told_copied(const struct told_diff *told)
{
	static struct printed printed;
	struct vmsnap_output out = output_to(&printed, false);
	if (vmsnap_print_diff(told->diff, NULL, VMSNAP_PRINT_TOTALS_ONLY, &out, NULL))
		return 0;
	const char *word = strstr(printed.text, " copied"), *at = word;
	while (at && at > printed.text && ((at[-1] >= '0' && at[-1] <= '9') || at[-1] == ','))
		at--;
	uint64_t bytes = 0;
	for (; at && at < word; at++)
		bytes = *at == ',' ? bytes : bytes * 10 + (uint64_t)(*at - '0');
	return bytes;
}

/* ---- verdicts ---- */

bool told_cow(const struct view *parent, const struct view *child, const struct view *base, struct told_cow *out)
{
	uint64_t sums[VMSNAP_VERDICT_COUNT] = { 0 };
	struct vmsnap_cow_range range;
	*out = (struct told_cow){ 0 };
	for (int i = 0; i < ARENA; i++)
		out->verdicts[i] = NO_VERDICT;
	if (vmsnap_cow_new(parent->snap, child->snap, base ? base->snap : NULL, &out->cow, NULL))
		return false;
	for (size_t i = 0; !vmsnap_cow_range(out->cow, i, &range); i++) {
		sums[range.verdict] += (range.end - range.start) / page_bytes;
		for (int page = clamp_page(range.start); page < clamp_page(range.end); page++) {
			out->all[page] |= 1u << range.verdict;
			if (out->verdicts[page] != NO_VERDICT)
				continue;
			out->verdicts[page] = range.verdict;
			out->inferred[page] = range.inferred;
			out->moved[page] = range.moved;
		}
	}
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		if (vmsnap_cow_pages(out->cow, i) != sums[i])
			broken(COW_TOTALS, NOWHERE, "%s: total %llu, ranges %llu", vmsnap_verdict_name(i),
			       (unsigned long long)vmsnap_cow_pages(out->cow, i), (unsigned long long)sums[i]);
	return true;
}

void told_cow_free(struct told_cow *told)
{
	vmsnap_cow_free(told->cow);
}
