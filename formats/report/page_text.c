/* page_text.c - everything about one address, in lines. */
#include "page_text.h"

#include <inttypes.h>
#include <string.h>

#include "format_value.h"
#include "mapping_label.h"
#include "merged.h"
#include "name_text.h"
#include "page_state.h"
#include "text_color.h"
#include "text_fit.h"
#include "touched_text.h"
#include "value_text.h"

static void put_key(struct text *text, const char *key)
{
	color_start(text, COLOR_DIM);
	text_format(text, "%-12s", key);
	color_end(text, COLOR_DIM);
}

static void put_mapping_name(struct text *text, const struct place *place)
{
	size_t index = (size_t)(place->vma - vmsnap_vma(place->snap, 0));
	struct mapping_label label = mapping_label(text, place->naming.names, place->vma, index);
	const char *words = label.words ? label.words : "(anonymous)";
	fit_path(text, *place->vma->name ? place->vma->name : words, FIT_MOST);
	mapping_label_free(&label, text);
}

static void put_mapping(struct text *text, const struct place *place)
{
	const struct vmsnap_vma *vma = place->vma;
	put_key(text, vma ? "mapping" : "gap");
	if (vma) {
		text_format(text, "%s-%s %s ", word_address(vma->start).text, word_address(vma->end).text,
		            word_perms(vma).text);
		put_mapping_name(text, place);
	} else {
		text_format(text, "%s-", word_address(place->gap_start).text);
		text_string(text, place->gap_end ? word_address(place->gap_end).text : "10000000000000000");
		text_format(text, " (%s unmapped)",
		            word_size(text->style, place->gap_end - place->gap_start - !place->gap_end).text);
	}
	text_string(text, "\n");
}

static void put_frame(struct text *text, const struct place *place)
{
	const struct vmsnap_run *page = &place->page;
	if (page->flags & VMSNAP_PAGE_PRESENT) {
		put_key(text, "PFN");
		text_format(text, "%s\n",
		            place_physical_known(place) ? word_hex(page->pfn).text : "? (root would know)");
		put_key(text, "physical");
		text_format(text, "%s\n", place_physical_known(place) ? word_hex(place_physical(place)).text : "?");
	} else if (page->flags & VMSNAP_PAGE_SWAPPED && !vmsnap_page_unread(page)) {
		put_key(text, "swap");
		if (vmsnap_info(place->snap)->known.pfn)
			text_format(text, "area %u, slot %s\n", page->swap_type, word_hex(page->swap_offset).text);
		else
			text_string(text, "? (root would know)\n");
	}
}

static void put_flags(struct text *text, const struct place *place)
{
	const struct vmsnap_known *known = &vmsnap_info(place->snap)->known;
	struct page_flags flags = page_flags_told(place->snap, &place->page);
	uint32_t bits = flags.bits;
	bool any = false;
	put_key(text, "flags");
	for (int i = 0; i < 32; i++) {
		if (!(bits & UINT32_C(1) << i))
			continue;
		text_string(text, any ? "," : "");
		text_string(text, page_flag_name(i));
		any = true;
	}
	text_string(text, any ? "" : "none");
	if (place->page.flags & VMSNAP_PAGE_PRESENT) {
		text_string(text, flags.unknown ? ", exclusive?" : "");
		text_string(text, known->zero ? "" : ", zero?");
		text_string(text, known->huge ? "" : ", huge?");
		text_string(text, known->soft_dirty ? "" : ", soft_dirty?");
	}
	text_string(text, "\n");
}

/* For a name of the program; without memory it is left to text_close() to tell. */
static void put_words(struct text *text, const struct naming *naming, const struct vmsnap_name *name, size_t room)
{
	char *words = name_words(naming, name, text);
	if (words)
		fit_name(text, words, strlen(words), room);
	name_words_free(words, text);
}

static void put_name(struct text *text, const struct place *place)
{
	const struct vmsnap_name *name = &place->name;
	put_key(text, "name");
	if (name->symbol) {
		put_words(text, &place->naming, name, SIZE_MAX);
		if (place->address > name->address)
			text_format(text, "+%s", word_hex(place->address - name->address).text);
		if (name->size)
			text_format(text, " (%" PRIu64 " bytes)", name->size);
		if (name->object && *name->object)
			text_string(text, " in ");
	}
	if (name->object)
		fit_path(text, name->object, FIT_MOST);
	text_string(text, "\n");
}

enum { KEY_WIDTH = 12 };

/* The names that say most first, each with where it begins. */
static void put_on_page(struct text *text, const struct place *place)
{
	const struct top_names *top = &place->on_page;
	for (size_t i = 0; i < top->kept; i++) {
		const struct vmsnap_name *name = &top->best[i];
		struct word where = word_address(name->address), size = word_number(name->size);
		size_t column = KEY_WIDTH + strlen(where.text) + 2 + strlen(size.text) + strlen(" ( bytes)");
		put_key(text, i ? "" : "on the page");
		text_format(text, "%s  ", where.text);
		put_words(text, &place->naming, name, fit_room(text, column));
		if (name->size)
			text_format(text, " (%s bytes)", size.text);
		text_string(text, "\n");
	}
	if (top->total <= top->kept)
		return;
	put_key(text, "");
	text_format(text, "and %" PRIu64 " more\n", top->total - top->kept);
}

static void put_written(struct text *text, const struct place *place)
{
	bool soft_dirty = vmsnap_info(place->snap)->known.written == VMSNAP_WRITTEN_SOFT_DIRTY;
	if (!place_written(place))
		return;
	put_key(text, "written");
	text_format(text, "%s, since the snapshot before (%s)\n", place_written(place),
	            soft_dirty ? "soft-dirty" : "userfaultfd");
}

/* What the kernel's own tables say of the frame. */
static void put_kernel(struct text *text, const struct place *place)
{
	const char *before = "", *name;
	uint64_t value;
	if (!vmsnap_layer_at(place->snap, VMSNAP_LAYER_KPAGE_COUNT, place->address, &value, NULL)) {
		put_key(text, "mapped");
		text_format(text, "%s time%s, by all processes\n", word_number(value).text, word_plural(value));
	}
	if (!vmsnap_layer_at(place->snap, VMSNAP_LAYER_NODE, place->address, &value, NULL)) {
		put_key(text, "NUMA node");
		text_format(text, "%" PRIu64 "\n", value);
	}
	if (vmsnap_layer_at(place->snap, VMSNAP_LAYER_KPAGE_FLAGS, place->address, &value, NULL))
		return;
	put_key(text, "kernel");
	for (int bit = 0; bit < VMSNAP_KPAGE_BITS; bit++) {
		if (!(value >> bit & 1) || !(name = vmsnap_kpage_flag_name(bit)))
			continue;
		text_string(text, before);
		text_string(text, name);
		before = ",";
	}
	text_string(text, *before ? "\n" : "no flags\n");
}

static void put_contents(struct text *text, const struct place *place)
{
	int kind = place_contents(place);
	if (kind == VMSNAP_CONTENTS_NONE)
		return;
	put_key(text, "contents");
	text_format(text, "%s\n", kind == VMSNAP_CONTENTS_HASHES ? "only a hash is kept" : "kept (vmsnap dump)");
}

/* "orders[3].qty = 7 (short int)", and of a union each member. */
static void put_value(struct text *text, const struct place *place)
{
	struct vmsnap_value_change change;
	for (size_t i = 0; place->value && !vmsnap_value_change(place->value, i, &change); i++) {
		struct value_words words = value_words_of(&change.after);
		put_key(text, i ? "" : "value");
		fit_whole(text, change.symbol);
		fit_whole(text, change.path);
		text_string(text, *change.function ? " in " : "");
		fit_whole(text, change.function);
		text_string(text, *change.function ? "() = " : " = ");
		fit_name(text, words.text, words.len, SIZE_MAX);
		if (change.type && *change.type) {
			text_string(text, " (");
			fit_whole(text, change.type);
			text_string(text, ")");
		}
		text_string(text, "\n");
	}
}

static void put_touched(struct text *text, const struct page_touched *touched)
{
	struct fit_line line = fit_line(text, KEY_WIDTH, KEY_WIDTH);
	if (!touched->touched)
		return;
	put_key(text, "touched");
	fit_words(&line, "by gdb");
	fit_glue(&line, touched->reasons.count ? ":" : "");
	touched_reasons_put(&touched->reasons, &line, "", "", false);
	text_string(text, "\n");
}

/* What a core file has of it. */
static void put_dumped(struct text *text, const struct place *place)
{
	static const char *const words[] = {
		[VMSNAP_DUMPED_BYTES] = "its bytes are in the core",
		[VMSNAP_DUMPED_HOLE] = "a hole of the core: zeros, as far as it tells",
		[VMSNAP_DUMPED_NOT] = "left out of the core",
		[VMSNAP_DUMPED_CUT] = "missing: the core was cut off before it",
		[VMSNAP_DUMPED_LISTED] = "left out of the core, which only lists the file",
	};
	uint64_t dumped;
	if (vmsnap_layer_at(place->snap, VMSNAP_LAYER_DUMPED, place->address, &dumped, NULL) ||
	    dumped >= sizeof(words) / sizeof(words[0]) || !words[dumped])
		return;
	put_key(text, "dumped");
	text_format(text, "%s\n", words[dumped]);
}

static bool is_merged(const struct place *place)
{
	uint64_t end;
	return place->populated && merged_at(place->snap, &place->page, place->address, &end);
}

void put_page_text(struct text *text, const struct place *place)
{
	put_key(text, "address");
	text_format(text, "%s\n", word_hex(place->address).text);
	put_mapping(text, place);
	put_key(text, "state");
	text_format(text, "%s%s\n", place_state(place) ? place_state(place) : "?",
	            is_merged(place) ? ", merged with others that hold the same (KSM)" : "");
	put_dumped(text, place);
	if (place->populated) {
		put_frame(text, place);
		put_flags(text, place);
		put_kernel(text, place);
		put_written(text, place);
		put_contents(text, place);
	}
	if (place_of_file(place)) {
		put_key(text, "file offset");
		text_format(text, "%s\n", word_hex(place->vma->offset + (place->address - place->vma->start)).text);
	}
	if (place->has_segment) {
		put_key(text, "segment");
		text_format(text, "program header %u, %s", place->segment.index,
		            word_perm_bits(place->segment.perms).text);
		text_string(text, *place->segment.section ? ", section " : "");
		fit_whole(text, place->segment.section);
		text_string(text, "\n");
	}
	if (place->has_name)
		put_name(text, place);
	put_value(text, place);
	put_on_page(text, place);
	put_touched(text, &place->touched);
}
