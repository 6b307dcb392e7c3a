/* print_page.c - everything about one address: vmsnap_print_page(). */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "print_name_pages.h"
#include "print_page_touched.h"
#include "print_parts.h"
#include "text_color.h"
#include "text_fit.h"

/* What is known of the address; found once, printed twice. */
struct place {
	const struct vmsnap *snap;
	uint64_t address;
	const struct vmsnap_vma *vma; /* NULL: in a gap */
	uint64_t gap_start, gap_end;  /* gap_end 0: 2^64 */
	bool populated;
	struct vmsnap_run page;
	bool has_name, has_segment;
	struct vmsnap_name name;
	struct vmsnap_segment segment;
	struct naming naming;
	uint64_t page_start, page_end;
	struct top_names on_page;
	struct page_touched touched;
};

static void find_gap(struct place *place)
{
	size_t low = 0, high = vmsnap_vma_count(place->snap);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (vmsnap_vma(place->snap, middle)->end <= place->address)
			low = middle + 1;
		else
			high = middle;
	}
	const struct vmsnap_vma *next = vmsnap_vma(place->snap, low);
	place->gap_start = low ? vmsnap_vma(place->snap, low - 1)->end : 0;
	place->gap_end = next ? next->start : 0;
}

static void find_place(struct place *place, struct vmsnap_names *names)
{
	place->vma = vmsnap_vma_at(place->snap, place->address);
	place->populated = vmsnap_page_at(place->snap, place->address, &place->page) == VMSNAP_OK;
	if (!place->vma)
		find_gap(place);
	if (!names || !place->vma)
		return;
	place->has_name = vmsnap_name_at(names, place->address, &place->name) == VMSNAP_OK;
	place->has_segment = vmsnap_segment_at(names, place->address, &place->segment) == VMSNAP_OK;
}

static int find_names(struct place *place, struct vmsnap_names *names, struct work *work, struct vmsnap_error *err)
{
	uint64_t page_size = vmsnap_info(place->snap)->page_size;
	place->page_start = place->address - place->address % page_size;
	place->page_end = place->page_start < UINT64_MAX - page_size ? place->page_start + page_size : UINT64_MAX;
	place->naming = naming_of(names, place->snap, NULL, NULL);
	top_names_init(&place->on_page, &place->naming);
	int rc = top_names_add(&place->on_page, place->page_start, place->page_end, err);
	if (rc)
		return rc;
	rc = page_touched_init(&place->touched, place->snap, place->address, work);
	return rc ? work_fail(work, rc, err) : VMSNAP_OK;
}

static const char *state_of(const struct place *place)
{
	if (!place->vma && !place->populated)
		return "unmapped";
	return place->populated ? page_state_name(place->page.flags) : "absent";
}

static bool physical_known(const struct place *place)
{
	return place->populated && (place->page.flags & VMSNAP_PAGE_PRESENT) && vmsnap_info(place->snap)->known.pfn &&
	       place->page.pfn;
}

static uint64_t physical(const struct place *place)
{
	uint64_t page_size = vmsnap_info(place->snap)->page_size;
	return place->page.pfn * page_size + (place->address & (page_size - 1));
}

static bool of_file(const struct place *place)
{
	return place->vma && place->vma->inode;
}

/* ---- JSON ----------------------------------------------------------------------- */

static void json_gap(struct json *json, const struct place *place)
{
	if (place->vma) {
		json_null(json, "gap");
		return;
	}
	json_object(json, "gap");
	json_hex(json, "start", place->gap_start);
	/* The last gap ends at 2^64, which a half-open range must say. */
	if (place->gap_end)
		json_hex(json, "end", place->gap_end);
	else
		json_string(json, "end", "0x10000000000000000");
	json_end(json);
}

static void json_segment(struct json *json, const struct place *place)
{
	if (!place->has_segment) {
		json_null(json, "segment");
		return;
	}
	json_object(json, "segment");
	json_number(json, "index", place->segment.index);
	json_string(json, "perms", word_perm_bits(place->segment.perms).text);
	json_string_or_null(json, "section", place->segment.section);
	json_hex(json, "elf_address", place->segment.elf_address);
	json_end(json);
}

static int page_json(struct text *text, const struct place *place, struct vmsnap_error *err)
{
	struct json json;
	json_begin(&json, text, "vmsnap.page/1");
	json_hex(&json, "address", place->address);
	json_known(&json, place->snap);
	json_bool(&json, "mapped", place->vma);
	json_vma(&json, "vma", place->snap, place->vma, SIZE_MAX);
	json_gap(&json, place);
	json_string(&json, "state", state_of(place));
	struct vmsnap_run none = { 0 };
	json_frame(&json, place->snap, place->populated ? &place->page : &none);
	if (physical_known(place))
		json_hex(&json, "physical", physical(place));
	else
		json_null(&json, "physical");
	json_page_flags(&json, "flags", place->populated ? place->page.flags : 0);
	if (of_file(place))
		json_number(&json, "file_offset", place->vma->offset + (place->address - place->vma->start));
	else
		json_null(&json, "file_offset");
	json_segment(&json, place);
	if (place->has_name)
		json_name(&json, "name", &place->name, place->address - place->name.address);
	else
		json_null(&json, "name");
	int rc = json_names(&json, place->naming.names, place->page_start, place->page_end, err);
	if (rc)
		return rc;
	json_page_touched(&json, &place->touched);
	json_finish(&json);
	return VMSNAP_OK;
}

/* ---- text ----------------------------------------------------------------------- */

static void put_key(struct text *text, const char *key)
{
	color_start(text, COLOR_DIM);
	text_format(text, "%-12s", key);
	color_end(text, COLOR_DIM);
}

static void put_mapping(struct text *text, const struct place *place)
{
	const struct vmsnap_vma *vma = place->vma;
	put_key(text, vma ? "mapping" : "gap");
	if (vma) {
		text_format(text, "%s-%s %s ", word_address(vma->start).text, word_address(vma->end).text,
		            word_perms(vma).text);
		fit_path(text, *vma->name ? vma->name : "(anonymous)", FIT_MOST);
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
		text_format(text, "%s\n", physical_known(place) ? word_hex(page->pfn).text : "? (root would know)");
		put_key(text, "physical");
		text_format(text, "%s\n", physical_known(place) ? word_hex(physical(place)).text : "?");
	} else if (page->flags & VMSNAP_PAGE_SWAPPED) {
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
	struct word flags = page_flags_word(place->page.flags);
	put_key(text, "flags");
	text_string(text, *flags.text ? flags.text : "none");
	if (place->page.flags & VMSNAP_PAGE_PRESENT) {
		text_string(text, known->exclusive ? "" : ", exclusive?");
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

static void page_text(struct text *text, const struct place *place)
{
	put_key(text, "address");
	text_format(text, "%s\n", word_hex(place->address).text);
	put_mapping(text, place);
	put_key(text, "state");
	text_format(text, "%s\n", state_of(place));
	if (place->populated) {
		put_frame(text, place);
		put_flags(text, place);
	}
	if (of_file(place)) {
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
	put_on_page(text, place);
	put_touched(text, &place->touched);
}

VMSNAP_API int vmsnap_print_page(const struct vmsnap *snap, struct vmsnap_names *names, uint64_t address,
                                 const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct place place = { .snap = snap, .address = address };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, &snap, 1);
	find_place(&place, names);
	rc = find_names(&place, names, &text.work, err);
	if (!rc && text.style->json)
		rc = page_json(&text, &place, err);
	else if (!rc)
		page_text(&text, &place);
	page_touched_free(&place.touched, &text.work);
	return rc ? rc : text_close(&text, err);
}
