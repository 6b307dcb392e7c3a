#include "who_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "format_value.h"
#include "text_fit.h"

/* "5 mappings", "1 mapping" */
static void put_count(struct text *text, uint64_t count, const char *what, const char *more)
{
	text_format(text, "%s %s%s", word_number(count).text, what, count == 1 ? "" : more);
}

static void put_flags(struct text *text, uint64_t flags)
{
	const char *before = ": ", *name;
	for (int bit = 0; bit < VMSNAP_KPAGE_BITS; bit++) {
		if (!(flags >> bit & 1) || !(name = vmsnap_kpage_flag_name(bit)))
			continue;
		text_string(text, before);
		text_string(text, name);
		before = ", ";
	}
}

/* ---- a frame --------------------------------------------------------------------------- */

/* Why the kernel counts more than were found. */
static void put_missing(struct text *text, const struct vmsnap_who_info *info, uint64_t missing)
{
	if (info->unreadable) {
		text_format(text, ": %s in ", word_number(missing).text);
		put_count(text, info->unreadable, "process", "es");
		text_string(text, " that cannot be read, or not seen from here");
	} else
		text_format(text, ": %s not seen from here (of another PID namespace, or gone by then)",
		            word_number(missing).text);
}

static void put_reconciled(struct text *text, const struct vmsnap_who_info *info)
{
	const uint64_t zero = UINT64_C(1) << VMSNAP_KPAGE_ZERO_PAGE;
	text_format(text, "%-10s%s found", "mapped", word_number(info->found).text);
	if (info->flags != UINT64_MAX && (info->flags & zero)) {
		text_string(text, "; of the zero page the kernel counts none\n");
		return;
	}
	if (info->counted == UINT64_MAX) {
		text_string(text, "; what the kernel counts is not known (/proc/kpagecount)\n");
		return;
	}
	text_format(text, ", the kernel counts %s", word_number(info->counted).text);
	if (info->counted_then != info->counted && info->counted_then != UINT64_MAX)
		text_format(text, " (%s before)", word_number(info->counted_then).text);
	bool large = info->flags >> VMSNAP_KPAGE_COMPOUND_HEAD & 3;
	if (!info->count_exact && large)
		text_string(text, ", an average over its large page");
	else if (info->found < info->counted)
		put_missing(text, info, info->counted - info->found);
	else if (info->found > info->counted)
		text_format(text, ": %s let go meanwhile", word_number(info->found - info->counted).text);
	text_string(text, "\n");
}

static void put_frame(struct text *text, const struct vmsnap_who_info *info)
{
	text_format(text, "%-10s0x%" PRIx64 ", physical 0x%" PRIx64, "frame", info->pfn, info->pfn * info->page_size);
	if (info->flags != UINT64_MAX)
		put_flags(text, info->flags);
	text_string(text, "\n");
	if (!info->live) {
		text_format(text, "%-10s%s found\n", "mapped", word_number(info->found).text);
		return;
	}
	put_reconciled(text, info);
	if (info->moved)
		text_format(text, "%-10s%s\n", "moved", "the page asked about is in another frame by now");
}

/* ---- a file ---------------------------------------------------------------------------- */

static void put_cached(struct text *text, const struct vmsnap_who_info *info)
{
	text_format(text, "%-10s", "cached");
	if (info->cached == UINT64_MAX) {
		text_string(text, "not known: it takes the file's owner, or who may write to it\n");
		return;
	}
	/* The cache has whole pages, the last of which the file may not fill. */
	uint64_t cached = info->cached < info->bytes ? info->cached : info->bytes;
	uint64_t dirty = info->dirty < cached ? info->dirty : cached;
	text_format(text, "%s of %s in the page cache", word_size(text->style, cached).text,
	            word_size(text->style, info->bytes).text);
	if (info->dirty != UINT64_MAX)
		text_format(text, ", %s dirty", word_size(text->style, dirty).text);
	else
		text_string(text, "; how much is dirty is not known");
	text_string(text, "\n");
}

static void put_file(struct text *text, const struct vmsnap_who_info *info)
{
	bool page =
	        !info->by_name && info->cached == UINT64_MAX && info->bytes == info->page_size && !info->frames_known;
	text_format(text, "%-10s", "file");
	fit_whole(text, info->path);
	if (!info->by_name)
		text_format(text, " (%02" PRIx32 ":%02" PRIx32 ", inode %" PRIu64 ")", info->dev_major, info->dev_minor,
		            info->inode);
	text_string(text, "\n");
	if (page)
		text_format(text,
		            "%-10sat 0x%" PRIx64 ": frames are not known here (root would), its place in the file is\n",
		            "page", info->offset);
	else if (info->by_name)
		text_format(text, "%-10s%smappings that are called so\n", "by name",
		            info->live ? "no file that can be opened: " : "");
	else
		put_cached(text, info);
	text_format(text, "%-10s", "mapped");
	put_count(text, info->found, "mapping", "s");
	text_string(text, "\n");
}

/* ---- whom it looked at ----------------------------------------------------------------- */

static void put_looked(struct text *text, const struct vmsnap_who_info *info)
{
	text_format(text, "%-10sat ", "looked");
	put_count(text, info->looked, info->live ? "process" : "snapshot", info->live ? "es" : "s");
	if (info->unreadable && info->live)
		text_format(text, ", of which %s cannot be read%s", word_number(info->unreadable).text,
		            info->frames_known ? "" : " (root may)");
	else if (info->unreadable)
		text_format(text, ", of which %s have no frames, or are of another boot",
		            word_number(info->unreadable).text);
	if (info->went)
		text_format(text, "; %s ended meanwhile", word_number(info->went).text);
	if (info->came)
		text_format(text, "; %s began meanwhile", word_number(info->came).text);
	text_string(text, "\n");
}

void put_who_heading(struct text *text, const struct vmsnap_who *who)
{
	struct vmsnap_who_info info;
	vmsnap_who_info(who, &info);
	if (info.kind == VMSNAP_WHO_FILE)
		put_file(text, &info);
	else if (info.kind == VMSNAP_WHO_FRAME)
		put_frame(text, &info);
	else
		text_format(text, "%-10sslot %" PRIu64 " of area %" PRIu32 "\n%-10s%s found\n", "swap",
		            info.swap_offset, info.swap_type, "mapped", word_number(info.found).text);
	put_looked(text, &info);
	text_blank(text);
}
