/* show_text.c - what stands above and below the table of mappings. */
#include "show_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bar_text.h"
#include "filter_record.h"
#include "format_value.h"
#include "identity_text.h"
#include "page_shares.h"
#include "page_state.h"
#include "snapshot_record.h"
#include "status_value.h"
#include "sums.h"
#include "text_color.h"
#include "text_fit.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The line that says what was not known; nothing if all was.  briefly: of what stands in the table as it is as a rule.
 */
static void put_unknown(struct text *text, const struct vmsnap *snap, bool briefly)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct vmsnap_known *known = &info->known;
	char page_size[96], unread[96];
	uint64_t missing = pages_unread(snap);
	snprintf(unread, sizeof(unread), "all of %s of pages, which could not be read",
	         word_size(text->style, missing).text);
	snprintf(page_size, sizeof(page_size), "page size (%s is assumed)",
	         word_size(text->style, info->page_size).text);
	const struct {
		bool known;
		const char *what;
	} things[] = {
		{ !info->page_size_assumed, page_size },
		{ !known->states_unknown, "which pages were present (a core file does not tell)" },
		{ !missing, unread },
		{ known->pfn || known->states_unknown, missing ? "PFNs" : "PFNs (root would know)" },
		{ known->soft_dirty || briefly || known->states_unknown, "soft-dirty" },
		{ known->exclusive || known->states_unknown, "exclusive" },
		{ known->zero || known->states_unknown, "zero page" },
		{ known->huge || briefly || known->states_unknown, "huge" },
	};
	const char *before = "unknown   ";
	bool any = false;
	for (size_t i = 0; i < COUNT_OF(things); i++) {
		if (things[i].known)
			continue;
		text_string(text, before);
		text_string(text, things[i].what);
		before = ", ";
		any = true;
	}
	if (any)
		text_string(text, "\n");
}

static void put_field(struct text *text, const char *name, const char *value)
{
	if (!*value)
		return;
	text_format(text, "%-10s", name);
	fit_whole(text, value);
	text_string(text, "\n");
}

/* "3 of 1200 threads (4711, 4712, …)"; of files that do not tell which, "some thread". */
static void put_missed(struct text *text, const struct vmsnap *snap)
{
	enum { NAMED_MAX = 3 };
	size_t count = vmsnap_thread_count(snap), missed = 0;
	for (size_t i = 0; i < count; i++)
		missed += vmsnap_thread(snap, i)->missed;
	if (!missed) {
		text_string(text,
		            vmsnap_info(snap)->memory_with_count ? "another process of its memory" : "some thread");
		return;
	}
	text_format(text, "%zu of %zu thread%s (", missed, count, count == 1 ? "" : "s");
	size_t named = 0;
	for (size_t i = 0; i < count && named < NAMED_MAX; i++)
		if (vmsnap_thread(snap, i)->missed)
			text_format(text, "%s%" PRIu32, named++ ? ", " : "", vmsnap_thread(snap, i)->tid);
	text_string(text, missed > NAMED_MAX ? ", …)" : ")");
}

/* Whether what was read is of one instant, as vmsnap_one_instant() has it. */
static void put_instant(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	/* Nobody looked at a process: the kernel, or a debugger, held it while it wrote the core. */
	if (info->source == VMSNAP_SOURCE_CORE)
		return;
	text_format(text, "%-10s", "instant");
	if (!vmsnap_consistent_known(info)) {
		text_string(text, *info->tool ? "recorded; whether it stood still is not known\n"
		                              : "whether it stood still is not known\n");
		return;
	}
	if (info->freeze == VMSNAP_FREEZE_FULL && !snapshot_stood(snap))
		text_string(text, "not paused: it waited in the kernel for another process of its memory");
	else if (info->freeze == VMSNAP_FREEZE_FULL)
		text_format(text, "frozen for %s", word_duration(info->pause).text);
	else if (info->freeze == VMSNAP_FREEZE_DEBUGGER)
		text_string(text, "stopped by its tracer (a debugger, or vmsnap)");
	else if (info->freeze == VMSNAP_FREEZE_PARTIAL) {
		if (info->pause)
			text_format(text, "partly frozen for %s: ", word_duration(info->pause).text);
		else
			text_string(text, "not frozen: ");
		put_missed(text, snap);
		text_string(text, " could not be stopped");
	} else
		text_string(text, "not frozen");
	if (!info->consistent && info->memory_with_count)
		text_string(text, "; INCONSISTENT: its memory was in use meanwhile");
	else if (!info->consistent)
		text_string(text, "; INCONSISTENT: the map changed meanwhile");
	else if (info->freeze == VMSNAP_FREEZE_NONE || info->freeze == VMSNAP_FREEZE_PARTIAL)
		text_string(text, "; the map did not change meanwhile, its pages may have");
	if (info->known_until)
		text_format(text, "; INCOMPLETE: nothing is known from %" PRIx64 " on", info->known_until);
	text_string(text, "\n");
}

static void put_taken(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	if (info->taken)
		text_format(text, "%-10s%s\n", "taken", word_time_local(info->taken).text);
	put_instant(text, snap);
}

/* "shared with process 4712: one address space" */
static void put_memory(struct text *text, const struct vmsnap_info *info)
{
	size_t count = info->memory_with_count;
	if (!count)
		return;
	struct fit_line line = fit_line(text, 10, 10);
	text_string(text, "memory    ");
	fit_words(&line, count == 1 ? "one address space with process" : "one address space with processes");
	for (size_t i = 0; i < count; i++) {
		char pid[16];
		if (i)
			fit_glue(&line, ",");
		snprintf(pid, sizeof(pid), "%" PRIu32, info->memory_with[i]);
		fit_piece(&line, pid);
	}
	text_string(text, "\n");
}

/* "12.3M, as bytes" */
static void put_contents(struct text *text, const struct vmsnap *snap)
{
	int kind = vmsnap_contents_kind(snap);
	if (kind != VMSNAP_CONTENTS_NONE)
		text_format(text, "%-10s%s of pages, %s\n", "contents",
		            word_size(text->style, vmsnap_contents_bytes(snap)).text,
		            kind == VMSNAP_CONTENTS_HASHES ? "as hashes only" : "with their bytes");
}

/* "kernel's  flags of pages (read 3.10 ms after), how often they are mapped, their nodes" */
static void put_kernel_tables(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const char *before = "pages     ";
	if (vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS)) {
		text_format(text, "%sthe kernel's flags", before);
		if (info->kpage_read > info->monotonic && info->monotonic)
			text_format(text, ", as of %s later",
			            word_duration((uint64_t)(info->kpage_read - info->monotonic)).text);
		before = "; ";
	}
	if (vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_COUNT)) {
		text_format(text, "%show often they are mapped", before);
		before = "; ";
	}
	if (vmsnap_layer_known(snap, VMSNAP_LAYER_NODE)) {
		text_format(text, "%stheir NUMA nodes", before);
		before = "; ";
	}
	if (*before == ';')
		text_string(text, "\n");
}

/* ---- what it comes to ---------------------------------------------------------------------- */

struct totals {
	struct vmsnap_sums sums;
	struct page_shares shares;
	size_t mappings;
};

static void add_totals(struct totals *totals, const struct vmsnap *snap, const struct filter *filter)
{
	const struct vmsnap_vma *vma;
	*totals = (struct totals){ .mappings = 0 };
	for (size_t i = 0; (vma = vmsnap_vma(snap, i)); i++) {
		struct vmsnap_sums sums;
		if (!filter_takes_vma(filter, vma) || !filter_sum(filter, snap, vma, &sums))
			continue;
		struct page_shares shares = page_shares_of(snap, filter, vma, &sums);
		sums_add(&totals->sums, &sums);
		page_shares_add(&totals->shares, &shares);
		totals->mappings++;
	}
}

enum { LEGEND_PARTS = 7 };

/* What no colour tells of what the legend has. */
static void put_remark(struct fit_line *line, uint64_t bytes, const char *what)
{
	char words[64];
	if (!bytes)
		return;
	snprintf(words, sizeof(words), "%s %s", word_size(line->text->style, bytes).text, what);
	color_start(line->text, COLOR_DIM);
	fit_piece(line, words);
	color_end(line->text, COLOR_DIM);
}

/* "= shared 157M   p private 37.3M   f file 9.30M": the bar's parts, in its colours or letters; huge, merged: bytes of
 * them that are so. */
static void put_legend(struct text *text, const struct bar_part *parts, uint64_t huge, uint64_t merged)
{
	static const char *const names[LEGEND_PARTS] = { "shared",   "private", "shared or private, not known",
		                                         "file",     "swapped", "swapped, maybe",
		                                         "not known" };
	struct fit_line line = fit_line(text, 0, 0);
	bool blocks = text->style->unicode && text->style->color != VMSNAP_COLOR_NONE;
	line.gap = 2;
	for (size_t i = 0; i < LEGEND_PARTS; i++) {
		int page_class = parts[i].page_class;
		struct word size = word_size(text->style, parts[i].size);
		char letter[] = { page_class == CLASS_HOLE ? '?' : class_letter(page_class), '\0' };
		if (!parts[i].size)
			continue;
		fit_next(&line, 2 + strlen(names[i]) + 1 + strlen(size.text));
		if (page_class == CLASS_HOLE)
			color_start(text, COLOR_DIM);
		else if (blocks)
			color_start_sample(text, page_class);
		else
			color_start(text, page_class);
		text_string(text, !blocks ? letter : page_class == CLASS_HOLE ? "░" : "█");
		color_end(text, page_class == CLASS_HOLE ? COLOR_DIM : page_class);
		text_format(text, " %s ", names[i]);
		color_start(text, COLOR_BOLD);
		text_string(text, size.text);
		color_end(text, COLOR_BOLD);
	}
	put_remark(&line, merged, "merged by KSM");
	put_remark(&line, huge, "in huge pages");
	if (!line.fresh)
		text_string(text, "\n");
}

static void put_shares(struct text *text, const struct page_shares *shares, uint64_t huge)
{
	const struct bar_part parts[LEGEND_PARTS] = {
		{ shares->shared, CLASS_SHARED, false },   { shares->own, CLASS_PRIVATE, false },
		{ shares->unknown, CLASS_HOLE, false },    { shares->file, CLASS_FILE, false },
		{ shares->swapped, CLASS_SWAPPED, false }, { shares->swapped_unknown, CLASS_HOLE, false },
		{ shares->unread, CLASS_HOLE, false },
	};
	put_legend(text, parts, huge, shares->merged);
	put_bar(text, parts, LEGEND_PARTS);
}

/* ", frozen for 38.8 ms", where nothing is amiss. */
static bool stood_still(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	return vmsnap_consistent_known(info) && info->consistent &&
	       (info->freeze == VMSNAP_FREEZE_DEBUGGER || (info->freeze == VMSNAP_FREEZE_FULL && snapshot_stood(snap)));
}

static void put_when(struct fit_line *line, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	char words[96];
	color_start(line->text, COLOR_DIM);
	if (stood_still(snap)) {
		fit_glue(line, ",");
		snprintf(words, sizeof(words), "frozen %s", word_duration(info->pause).text);
		fit_piece(line, info->freeze == VMSNAP_FREEZE_FULL ? words : "stopped by its tracer");
	}
	if (info->taken) {
		fit_glue(line, ",");
		fit_piece(line, word_time_local(info->taken).text);
	}
	color_end(line->text, COLOR_DIM);
}

/* "redis-server 3140 "save +9", 204M resident of 260M in 121 mappings, frozen 38.8 ms, 2026-01-31 12:00:00.000 +0000"
 */
static void put_summary(struct text *text, const struct vmsnap *snap, const struct filter *filter,
                        const struct totals *totals)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct fit_line line = fit_line(text, 0, 2);
	char words[160], of[32] = "";
	color_start(text, COLOR_BOLD);
	if (*info->comm) {
		fit_next(&line, fit_width(text, info->comm, strlen(info->comm)));
		fit_whole(text, info->comm);
	}
	fit_words(&line, word_process_alone(info).text);
	color_end(text, COLOR_BOLD);
	if (info->tgid && info->tgid != info->pid) {
		snprintf(words, sizeof(words), "thread %u", info->pid);
		fit_glue(&line, ",");
		fit_words(&line, words);
	}
	if (*info->label) {
		fit_next(&line, fit_width(text, info->label, strlen(info->label)) + 2);
		text_string(text, "\"");
		fit_whole(text, info->label);
		text_string(text, "\"");
	}
	fit_glue(&line, ",");
	if (filter->any)
		snprintf(of, sizeof(of), "%zu of ", totals->mappings);
	size_t count = vmsnap_vma_count(snap);
	/* What a core has of it stands below. */
	snprintf(words, sizeof(words), "%s%s%s in %s%zu mapping%s",
	         info->known.states_unknown
	                 ? ""
	                 : word_size_least(text->style, totals->sums.resident, pages_unread(snap)).text,
	         info->known.states_unknown ? "" : " resident of ", word_size(text->style, totals->sums.size).text, of,
	         count, word_plural(count));
	fit_words(&line, words);
	put_when(&line, snap);
	text_string(text, "\n");
}

/* ---- all above the table ------------------------------------------------------------------- */

static void put_details(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	text_format(text, "%-10s%s", "process", word_process(info).text);
	if (*info->comm) {
		text_string(text, " ");
		fit_whole(text, info->comm);
	}
	if (info->tgid && info->tgid != info->pid)
		text_format(text, ", its thread %u", info->pid);
	if (info->tgid || info->pid)
		text_format(text, ", parent %u, user %u", info->ppid, info->uid);
	text_string(text, "\n");
	put_field(text, "exe", info->exe);
	put_field(text, "label", info->label);
	put_field(text, "why", info->reason);
	put_taken(text, snap);
	put_memory(text, info);
	put_field(text, "kernel", info->kernel);
	put_field(text, "machine", info->machine_hash);
	/* The root is where everybody is that nobody has put elsewhere. */
	if (strcmp(info->cgroup, "/") != 0)
		put_field(text, "cgroup", info->cgroup);
	put_field(text, "unit", info->unit);
	put_field(text, "container", info->container);
	put_contents(text, snap);
	put_kernel_tables(text, snap);
}

void put_show_heading(struct text *text, const struct vmsnap *snap, const struct filter *filter, unsigned flags)
{
	bool briefly = !(flags & VMSNAP_PRINT_LONG);
	struct totals totals;
	add_totals(&totals, snap, filter);
	put_title(text, snap);
	if (briefly)
		put_summary(text, snap, filter, &totals);
	else
		put_details(text, snap);
	put_shares(text, &totals.shares, vmsnap_info(snap)->known.huge ? totals.sums.huge : 0);
	if (briefly && !stood_still(snap))
		put_instant(text, snap);
	if (briefly && vmsnap_info(snap)->source == VMSNAP_SOURCE_CORE)
		put_field(text, "why", vmsnap_info(snap)->reason);
	if (briefly) {
		put_memory(text, vmsnap_info(snap));
		put_contents(text, snap);
	}
	put_unknown(text, snap, briefly);
	put_filter_line(text, filter);
	put_filter_unknown(text, snap, filter);
	text_blank(text);
}

/* Not counted in VmRSS, but resident. */
#define HUGETLB "HugetlbPages"

/* Hardly any process has pages of hugetlbfs. */
static bool is_told(const struct vmsnap_status_field *field)
{
	return field->number || field->key_len != strlen(HUGETLB) || memcmp(field->key, HUGETLB, field->key_len) != 0;
}

void put_show_status(struct text *text, const struct vmsnap *snap)
{
	static const char *const keys[] = { "VmRSS", "RssAnon", "RssFile", "RssShmem",
		                            "VmHWM", "VmSwap",  HUGETLB,   "Threads" };
	struct fit_line line = fit_line(text, 10, 10);
	bool any = false;
	line.gap = 2;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct vmsnap_status_field field;
		if (vmsnap_status_find(snap, keys[i], &field) || !is_told(&field))
			continue;
		if (!any)
			text_blank(text);
		text_string(text, any ? "" : "status    ");
		size_t key = strlen(keys[i]) + 1, room = fit_room(text, line.indent + key);
		size_t value = status_value_width(text, &field);
		fit_next(&line, key + (value < room ? value : room));
		text_format(text, "%s ", keys[i]);
		text_status_value(text, &field, room);
		any = true;
	}
	if (any)
		text_string(text, "\n");
}
