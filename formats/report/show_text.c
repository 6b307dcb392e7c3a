/* show_text.c - what stands above and below the table of mappings. */
#include "show_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "filter_record.h"
#include "format_value.h"
#include "identity_text.h"
#include "snapshot_record.h"
#include "status_value.h"
#include "text_fit.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The line that says what was not known; nothing if all was. */
static void put_unknown(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct vmsnap_known *known = &info->known;
	char page_size[96];
	snprintf(page_size, sizeof(page_size), "page size (%s is assumed)",
	         word_size(text->style, info->page_size).text);
	const struct {
		bool known;
		const char *what;
	} things[] = {
		{ !info->page_size_assumed, page_size },
		{ known->pfn, "PFNs (root would know)" },
		{ known->soft_dirty, "soft-dirty" },
		{ known->exclusive, "exclusive" },
		{ known->zero, "zero page" },
		{ known->huge, "huge" },
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
		text_string(text, "held by a debugger");
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

void put_show_heading(struct text *text, const struct vmsnap *snap, const struct filter *filter)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	put_title(text, snap);
	text_format(text, "%-10s%u", "process", info->tgid ? info->tgid : info->pid);
	if (*info->comm) {
		text_string(text, " ");
		fit_whole(text, info->comm);
	}
	if (info->tgid && info->tgid != info->pid)
		text_format(text, ", its thread %u", info->pid);
	text_format(text, ", parent %u, user %u\n", info->ppid, info->uid);
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
	put_unknown(text, snap);
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
