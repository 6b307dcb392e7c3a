/* print_page.c - everything about one address: vmsnap_print_page(). */
#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "frame_columns.h"
#include "name_columns.h"
#include "page_state.h"
#include "page_text.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"
#include "touched_columns.h"
#include "value_text.h"
#include "vma_record.h"

enum { GAP_START, GAP_END };
static const struct column gap_columns[] = {
	[GAP_START] = { "start", .type = COLUMN_ADDRESS },
	[GAP_END] = { "end", .type = COLUMN_ADDRESS },
};
static const struct row_schema gap_schema = ROW_SCHEMA(gap_columns);

enum { SEGMENT_INDEX, SEGMENT_PERMS, SEGMENT_SECTION, SEGMENT_ELF_ADDRESS };
static const struct column segment_columns[] = {
	[SEGMENT_INDEX] = { "index", .type = COLUMN_COUNT },
	[SEGMENT_PERMS] = { "perms", .type = COLUMN_WORD },
	[SEGMENT_SECTION] = { "section", .type = COLUMN_NAME },
	[SEGMENT_ELF_ADDRESS] = { "elf_address", .type = COLUMN_HEX },
};
static const struct row_schema segment_schema = ROW_SCHEMA(segment_columns);

enum { PART_ADDRESS, PART_SIZE, PART_VARIABLE, PART_PATH, PART_TYPE, PART_KIND, PART_VALUE, PART_OBJECT };
static const struct column part_columns[] = {
	[PART_ADDRESS] = { "address", .type = COLUMN_ADDRESS }, [PART_SIZE] = { "size", .type = COLUMN_BYTES },
	[PART_VARIABLE] = { "name", .type = COLUMN_NAME },      [PART_PATH] = { "path", .type = COLUMN_NAME },
	[PART_TYPE] = { "type", .type = COLUMN_NAME },          [PART_KIND] = { "kind", .type = COLUMN_WORD },
	[PART_VALUE] = { "value", .type = COLUMN_NAME },        [PART_OBJECT] = { "object", .type = COLUMN_PATH },
};
static const struct row_schema part_schema = ROW_SCHEMA(part_columns);

enum {
	PAGE_ADDRESS,
	PAGE_KNOWN,
	PAGE_MAPPED,
	PAGE_VMA,
	PAGE_GAP,
	PAGE_STATE,
	PAGE_PFN,
	PAGE_SWAP,
	PAGE_PHYSICAL,
	PAGE_FLAGS,
	PAGE_FLAGS_UNKNOWN,
	PAGE_FILE_OFFSET,
	PAGE_SEGMENT,
	PAGE_NAME,
	PAGE_NAMES,
	PAGE_NAMES_TOTAL,
	PAGE_TOUCHED,
	PAGE_WRITTEN,
	PAGE_CONTENTS,
	PAGE_COUNTED,
	PAGE_NODE,
	PAGE_KERNEL,
	PAGE_VALUES,
	PAGE_DUMPED,
};
static const struct column document_columns[] = {
	[PAGE_ADDRESS] = { "address", .type = COLUMN_HEX },
	[PAGE_KNOWN] = { "known", .type = COLUMN_RECORD, .of = &known_schema },
	[PAGE_MAPPED] = { "mapped", .type = COLUMN_BOOL },
	[PAGE_VMA] = { "vma", .type = COLUMN_RECORD, .of = &vma_schema },
	[PAGE_GAP] = { "gap", .type = COLUMN_RECORD, .of = &gap_schema },
	[PAGE_STATE] = { "state", .type = COLUMN_WORD },
	[PAGE_PFN] = { "pfn", .type = COLUMN_HEX },
	[PAGE_SWAP] = { "swap", .type = COLUMN_RECORD, .of = &swap_schema },
	[PAGE_PHYSICAL] = { "physical", .type = COLUMN_HEX },
	[PAGE_FLAGS] = { "flags", .type = COLUMN_FLAGS },
	[PAGE_FLAGS_UNKNOWN] = { "flags_unknown", .type = COLUMN_FLAGS, .flags = COLUMN_OPTIONAL },
	[PAGE_FILE_OFFSET] = { "file_offset", .type = COLUMN_OFFSET },
	[PAGE_SEGMENT] = { "segment", .type = COLUMN_RECORD, .of = &segment_schema },
	[PAGE_NAME] = { "name", .type = COLUMN_RECORD, .of = &name_schema },
	[PAGE_NAMES] = { "names", .type = COLUMN_RECORDS, .of = &name_schema },
	[PAGE_NAMES_TOTAL] = { "names_total", .type = COLUMN_COUNT },
	[PAGE_TOUCHED] = { "touched", .type = COLUMN_LIST },
	[PAGE_WRITTEN] = { "written", .type = COLUMN_WORD, .flags = COLUMN_OPTIONAL },
	[PAGE_CONTENTS] = { "contents", .type = COLUMN_WORD },
	[PAGE_COUNTED] = { "mapped_times", .type = COLUMN_COUNT, .flags = COLUMN_OPTIONAL },
	[PAGE_NODE] = { "node", .type = COLUMN_COUNT, .flags = COLUMN_OPTIONAL },
	[PAGE_KERNEL] = { "kernel_flags", .type = COLUMN_FLAGS, .flags = COLUMN_OPTIONAL },
	[PAGE_VALUES] = { "values", .type = COLUMN_ROWS, .of = &part_schema },
	[PAGE_DUMPED] = { "dumped", .type = COLUMN_WORD, .flags = COLUMN_OPTIONAL },
};
const struct row_schema page_document_schema = ROW_SCHEMA(document_columns);

static void put_gap(struct row *document, const struct place *place)
{
	struct row record = row_open(document, PAGE_GAP);
	row_put_address(&record, GAP_START, place->gap_start);
	row_put_end(&record, GAP_END, place->gap_end);
	row_end(&record);
}

static void put_segment(struct row *document, const struct vmsnap_segment *segment)
{
	struct row record = row_open(document, PAGE_SEGMENT);
	row_put_count(&record, SEGMENT_INDEX, segment->index);
	row_put_word(&record, SEGMENT_PERMS, word_perm_bits(segment->perms).text);
	row_put_name_if_any(&record, SEGMENT_SECTION, segment->section);
	row_put_hex(&record, SEGMENT_ELF_ADDRESS, segment->elf_address);
	row_end(&record);
}

static void put_mapping(struct row *document, const struct place *place)
{
	row_put_bool(document, PAGE_MAPPED, place->vma);
	put_vma(document, PAGE_VMA, place->vma);
	if (!place->vma)
		put_gap(document, place);
}

static void put_state(struct row *document, const struct place *place)
{
	const struct vmsnap_run none = { 0 }, *page = place->populated ? &place->page : &none;
	if (place_state(place))
		row_put_word(document, PAGE_STATE, place_state(place));
	put_frame_columns(document, PAGE_PFN, PAGE_SWAP, place->snap, page);
	if (place_physical_known(place))
		row_put_hex(document, PAGE_PHYSICAL, place_physical(place));
	struct page_flags flags = page_flags_told(place->snap, page);
	row_put_flags(document, PAGE_FLAGS, flags.bits, 0, page_flag_name);
	if (flags.unknown)
		row_put_flags(document, PAGE_FLAGS_UNKNOWN, flags.unknown, 0, page_flag_name);
}

static void put_kernel(struct row *document, const struct place *place)
{
	uint64_t value;
	if (!vmsnap_layer_at(place->snap, VMSNAP_LAYER_KPAGE_COUNT, place->address, &value, NULL))
		row_put_count(document, PAGE_COUNTED, value);
	if (!vmsnap_layer_at(place->snap, VMSNAP_LAYER_NODE, place->address, &value, NULL))
		row_put_count(document, PAGE_NODE, value);
	if (!vmsnap_layer_at(place->snap, VMSNAP_LAYER_KPAGE_FLAGS, place->address, &value, NULL))
		row_put_flags(document, PAGE_KERNEL, (uint32_t)value, 0, vmsnap_kpage_flag_name);
}

static int value_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct place *place = ctx;
	struct vmsnap_value_change change;
	(void)err;
	for (size_t i = 0; place->value && !vmsnap_value_change(place->value, i, &change); i++) {
		struct value_words words = value_words_of(&change.after);
		row_put_address(row, PART_ADDRESS, change.address);
		row_put_bytes(row, PART_SIZE, change.size);
		row_put_name(row, PART_VARIABLE, change.symbol);
		row_put_name(row, PART_PATH, change.path);
		if (change.type)
			row_put_name(row, PART_TYPE, change.type);
		row_put_word(row, PART_KIND, vmsnap_value_kind_name(change.after.kind));
		row_put_bytes_of(row, PART_VALUE, words.text, words.len);
		row_put_name(row, PART_OBJECT, change.object);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct place *place = ctx;
	row_put_hex(document, PAGE_ADDRESS, place->address);
	put_known(document, PAGE_KNOWN, place->snap);
	put_mapping(document, place);
	put_state(document, place);
	if (place_of_file(place))
		row_put_offset(document, PAGE_FILE_OFFSET, place->vma->offset + (place->address - place->vma->start));
	if (place->has_segment)
		put_segment(document, &place->segment);
	if (place->has_name)
		put_name(document, PAGE_NAME, place->naming.names, &place->name, place->address - place->name.address);
	int rc = put_names(document, PAGE_NAMES, PAGE_NAMES_TOTAL, place->naming.names, place->page_start,
	                   place->page_end, err);
	if (!rc)
		put_touched_list(document, PAGE_TOUCHED, place->touched.touched, &place->touched.reasons);
	if (!rc && place_written(place))
		row_put_word(document, PAGE_WRITTEN, place_written(place));
	if (!rc)
		row_put_word(document, PAGE_CONTENTS, vmsnap_contents_name(place_contents(place)));
	if (!rc)
		put_kernel(document, place);
	rc = rc ? rc : row_rows(document, PAGE_VALUES, value_rows, ctx, err);
	if (!rc && place_dumped(place))
		row_put_word(document, PAGE_DUMPED, place_dumped(place));
	return rc;
}

VMSNAP_API int vmsnap_print_page(const struct vmsnap *snap, struct vmsnap_names *names, uint64_t address,
                                 const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct place place;
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, &snap, 1);
	rc = place_init(&place, snap, address, names, &text.work, err);
	if (!rc && text.style->json)
		rc = emit_json(&text, "vmsnap.page/1", &page_document_schema, fill_document, &place, err);
	else if (!rc)
		put_page_text(&text, &place);
	place_free(&place, &text.work);
	return rc ? rc : text_close(&text, err);
}
