/* print_aslr.c - two runs of one program, mapping by mapping: vmsnap_print_aslr(). */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aslr_text.h"
#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"
#include "vma_record.h"

/* One side of a sum, or of a mapping. */
enum { SIDE_SIZE, SIDE_RESIDENT, SIDE_SWAPPED, SIDE_PRIVATE, SIDE_EXCLUSIVE, PART_START, PART_END, PART_VMA };
#define SIDE_COLUMNS                                                                                                   \
	[SIDE_SIZE] = { "size", .type = COLUMN_BYTES }, [SIDE_RESIDENT] = { "resident", .type = COLUMN_BYTES },        \
	[SIDE_SWAPPED] = { "swapped", .type = COLUMN_BYTES }, [SIDE_PRIVATE] = { "private", .type = COLUMN_BYTES },    \
	[SIDE_EXCLUSIVE] = { "exclusive", .type = COLUMN_BYTES }
static const struct column side_columns[] = { SIDE_COLUMNS };
static const struct row_schema side_schema = ROW_SCHEMA(side_columns);
static const struct column part_columns[] = {
	SIDE_COLUMNS,
	[PART_START] = { "start", .type = COLUMN_ADDRESS },
	[PART_END] = { "end", .type = COLUMN_ADDRESS },
	[PART_VMA] = { "vma", .type = COLUMN_RECORD, .of = &vma_schema },
};
static const struct row_schema part_schema = ROW_SCHEMA(part_columns);

enum { CONTENTS_COMPARED, CONTENTS_SAME, CONTENTS_ADDRESSES };
static const struct column contents_columns[] = {
	[CONTENTS_COMPARED] = { "compared", .type = COLUMN_COUNT },
	[CONTENTS_SAME] = { "same", .type = COLUMN_COUNT },
	[CONTENTS_ADDRESSES] = { "same_but_addresses", .type = COLUMN_COUNT },
};
static const struct row_schema contents_schema = ROW_SCHEMA(contents_columns);

enum {
	ROW_KIND,
	ROW_DIFFERS,
	ROW_A,
	ROW_B,
	ROW_CONTENTS,
	ROW_GROUP,
	ROW_START_A,
	ROW_START_B,
	ROW_PERM,
	ROW_SIZE_A,
	ROW_SIZE,
	ROW_DSIZE,
	ROW_RESIDENT_A,
	ROW_RESIDENT,
	ROW_DRESIDENT,
	ROW_PRIVATE_A,
	ROW_PRIVATE,
	ROW_DPRIVATE,
	ROW_SWAPPED,
	ROW_EXCLUSIVE,
	ROW_OTHERS,
	ROW_CHANGE,
	ROW_MAPPING,
};
static const struct column aslr_columns[] = {
	[ROW_KIND] = { "kind", "KIND", COLUMN_WORD, COLUMN_SECONDARY, "file, behind (a file), heap, stack, arena, ...",
	               NULL },
	[ROW_DIFFERS] = { "differs", .type = COLUMN_FLAGS },
	[ROW_A] = { "a", .type = COLUMN_RECORD, .of = &part_schema },
	[ROW_B] = { "b", .type = COLUMN_RECORD, .of = &part_schema },
	[ROW_CONTENTS] = { "contents", .type = COLUMN_RECORD, .of = &contents_schema },
	[ROW_GROUP] = { "group", .type = COLUMN_COUNT },
	[ROW_START_A] = { NULL, "START_A", COLUMN_ADDRESS, COLUMN_SECONDARY, "where it begins in A", NULL },
	[ROW_START_B] = { NULL, "START_B", COLUMN_ADDRESS, COLUMN_SECONDARY, "where it begins in B", NULL },
	[ROW_PERM] = { NULL, "PERM", COLUMN_WORD, COLUMN_YIELDS,
	               "rwx, and p for private or s for shared; in B, if it is there", NULL },
	[ROW_SIZE_A] = { NULL, "SIZE_A", COLUMN_BYTES, COLUMN_SECONDARY, "its size in A", NULL },
	[ROW_SIZE] = { NULL, "SIZE", COLUMN_BYTES, COLUMN_YIELDS, "its size in B", NULL },
	[ROW_DSIZE] = { NULL, "DSIZE", COLUMN_DELTA, COLUMN_STAYS, "by how much it is larger in B", NULL },
	[ROW_RESIDENT_A] = { NULL, "RES_A", COLUMN_BYTES, COLUMN_SECONDARY, "present pages in A", NULL },
	[ROW_RESIDENT] = { NULL, "RES", COLUMN_BYTES, COLUMN_YIELDS, "present pages in B", NULL },
	[ROW_DRESIDENT] = { NULL, "DRES", COLUMN_DELTA, 0, "by how much that is more", NULL },
	[ROW_PRIVATE_A] = { NULL, "PRIV_A", COLUMN_BYTES, COLUMN_SECONDARY, "pages of its own in A", NULL },
	[ROW_PRIVATE] = { NULL, "PRIV", COLUMN_BYTES, COLUMN_YIELDS,
	                  "pages of its own in B: of a file, copies that were written", NULL },
	[ROW_DPRIVATE] = { NULL, "DPRIV", COLUMN_DELTA, COLUMN_STAYS, "by how much that is more", NULL },
	[ROW_SWAPPED] = { NULL, "SWAPPED", COLUMN_BYTES, COLUMN_SECONDARY, "pages in swap in B", NULL },
	[ROW_EXCLUSIVE] = { NULL, "EXCL", COLUMN_BYTES, COLUMN_SECONDARY, "present pages mapped there only, in B",
	                    NULL },
	[ROW_OTHERS] = { NULL, "DIFFER", COLUMN_COUNT, COLUMN_SPARSE,
	                 "pages that hold something else, and not only other addresses", NULL },
	[ROW_CHANGE] = { NULL, "CHANGE", COLUMN_TEXT, COLUMN_SPARSE, "of the mapping itself", NULL },
	[ROW_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, COLUMN_STAYS, "the file, or what it is called or known to be",
	                  NULL },
};
static const uint32_t aslr_shown[] = { ROW_START_A,   ROW_START_B, ROW_SIZE_A,     ROW_SIZE,     ROW_DSIZE,
	                               ROW_PERM,      ROW_KIND,    ROW_RESIDENT_A, ROW_RESIDENT, ROW_DRESIDENT,
	                               ROW_PRIVATE_A, ROW_PRIVATE, ROW_DPRIVATE,   ROW_SWAPPED,  ROW_EXCLUSIVE,
	                               ROW_OTHERS,    ROW_CHANGE,  ROW_MAPPING };
const struct row_schema aslr_schema = ROW_SCHEMA_SHOWN(aslr_columns, aslr_shown);

/* Of all, and of a group. */
enum {
	SUMS_A,
	SUMS_B,
	SUMS_CONTENTS,
	SUMS_ONLY_A,
	SUMS_ONLY_B,
	SUMS_BOTH,
	SUMS_DIFFER,
	GROUP_KIND,
	GROUP_NAME_A,
	GROUP_NAME_B
};
#define ASLR_SUMS_COLUMNS                                                                                              \
	[SUMS_A] = { "a", .type = COLUMN_RECORD, .of = &side_schema },                                                 \
	[SUMS_B] = { "b", .type = COLUMN_RECORD, .of = &side_schema },                                                 \
	[SUMS_CONTENTS] = { "contents", .type = COLUMN_RECORD, .of = &contents_schema },                               \
	[SUMS_ONLY_A] = { "only_a", .type = COLUMN_COUNT }, [SUMS_ONLY_B] = { "only_b", .type = COLUMN_COUNT },        \
	[SUMS_BOTH] = { "both", .type = COLUMN_COUNT }, [SUMS_DIFFER] = { "differ", .type = COLUMN_COUNT }
static const struct column total_columns[] = { ASLR_SUMS_COLUMNS };
static const struct row_schema total_schema = ROW_SCHEMA(total_columns);
static const struct column group_columns[] = {
	ASLR_SUMS_COLUMNS,
	[GROUP_KIND] = { "kind", .type = COLUMN_WORD },
	[GROUP_NAME_A] = { "name_a", .type = COLUMN_NAME },
	[GROUP_NAME_B] = { "name_b", .type = COLUMN_NAME },
};
static const struct row_schema group_schema = ROW_SCHEMA(group_columns);

enum { DOCUMENT_A, DOCUMENT_B, DOCUMENT_MAPPINGS, DOCUMENT_GROUPS, DOCUMENT_TOTAL };
static const struct column document_columns[] = {
	[DOCUMENT_A] = { "a", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_B] = { "b", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_MAPPINGS] = { "mappings", .type = COLUMN_ROWS, .of = &aslr_schema },
	[DOCUMENT_GROUPS] = { "groups", .type = COLUMN_ROWS, .of = &group_schema },
	[DOCUMENT_TOTAL] = { "total", .type = COLUMN_RECORD, .of = &total_schema },
};
const struct row_schema aslr_document_schema = ROW_SCHEMA(document_columns);

struct printed {
	const struct vmsnap_aslr *aslr;
	unsigned flags;
};

/* ---- rows --------------------------------------------------------------------------- */

static const char *difference_name(int bit)
{
	return vmsnap_aslr_difference_name(bit);
}

/* A core file does not tell. */
static bool has_states(const struct vmsnap *snap)
{
	return !vmsnap_info(snap)->known.states_unknown;
}

static void put_side(struct row *record, const struct vmsnap *snap, const struct vmsnap_aslr_side *side)
{
	bool known = vmsnap_info(snap)->known.exclusive && !side->exclusive_unknown;
	row_put_bytes(record, SIDE_SIZE, side->size);
	if (!has_states(snap))
		return;
	row_put_bytes(record, SIDE_RESIDENT, side->resident);
	row_put_bytes_known(record, SIDE_SWAPPED, side->swapped, !side->swapped_unknown);
	row_put_bytes_known(record, SIDE_PRIVATE, side->private_bytes, !side->swapped_unknown);
	row_put_bytes_known(record, SIDE_EXCLUSIVE, side->exclusive, known);
}

static void put_part(struct row *row, unsigned column, const struct vmsnap *snap, const struct vmsnap_vma *vma,
                     uint64_t start, uint64_t end, const struct vmsnap_aslr_side *side)
{
	if (!vma || !row_wants(row, column))
		return;
	struct row record = row_open(row, column);
	put_side(&record, snap, side);
	row_put_address(&record, PART_START, start);
	row_put_end(&record, PART_END, end);
	put_vma(&record, PART_VMA, vma);
	row_end(&record);
}

static void put_contents(struct row *row, unsigned column, const struct vmsnap_aslr *aslr,
                         const struct vmsnap_aslr_contents *contents)
{
	if (!vmsnap_aslr_contents_known(aslr) || !row_wants(row, column))
		return;
	struct row record = row_open(row, column);
	row_put_count(&record, CONTENTS_COMPARED, contents->compared);
	row_put_count(&record, CONTENTS_SAME, contents->same);
	row_put_count(&record, CONTENTS_ADDRESSES, contents->same_but_addresses);
	row_end(&record);
}

static void put_delta(struct row *row, unsigned column, uint64_t a, uint64_t b)
{
	row_put_delta(row, column, b < a, b < a ? a - b : b - a);
}

/* What the numbers beside it do not say. */
static void put_change(struct row *row, const struct vmsnap_aslr_row *told)
{
	static const struct {
		int difference;
		const char *words;
	} changes[] = { { VMSNAP_ASLR_ONLY_A, "only in A" },
		        { VMSNAP_ASLR_ONLY_B, "only in B" },
		        { VMSNAP_ASLR_NAME, "other file" },
		        { VMSNAP_ASLR_BUILD_ID, "other build" } };
	bool any = false;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (!(told->differs & 1u << changes[i].difference))
			continue;
		row_text(row, ROW_CHANGE, any ? ", " : "");
		row_text(row, ROW_CHANGE, changes[i].words);
		any = true;
	}
	if (told->differs & 1u << VMSNAP_ASLR_PERMISSIONS) {
		row_text(row, ROW_CHANGE, any ? ", was " : "was ");
		row_text(row, ROW_CHANGE, word_perms(told->a).text);
	}
}

/* "behind libc.so.6"; NULL if there is no memory for it. */
static char *behind_words(const struct vmsnap_aslr *aslr, const struct vmsnap_aslr_row *told)
{
	struct vmsnap_aslr_sums sums;
	char *words = NULL;
	if (vmsnap_aslr_group(aslr, told->group, &sums))
		return NULL;
	const char *name = *sums.name_b ? sums.name_b : sums.name_a, *slash = strrchr(name, '/');
	return asprintf(&words, "behind %s", slash && slash[1] ? slash + 1 : name) < 0 ? NULL : words;
}

/* For scripts the kernel's word is left alone. */
static void put_mapping(struct row *row, const struct vmsnap_aslr *aslr, const struct vmsnap_aslr_row *told)
{
	const struct vmsnap_vma *vma = told->b ? told->b : told->a;
	char *words = NULL;
	if (told->kind == VMSNAP_ASLR_BEHIND && !row->text->style->raw && row_wants(row, ROW_MAPPING))
		words = behind_words(aslr, told);
	row_put_name(row, ROW_MAPPING,
	             words                                 ? words
	             : *vma->name || row->text->style->raw ? vma->name
	                                                   : aslr_kind_words(told->kind));
	free(words);
}

static void put_states(struct row *row, const struct vmsnap *snap, const struct vmsnap_aslr_side *side)
{
	bool known = vmsnap_info(snap)->known.exclusive;
	if (!has_states(snap)) {
		row_put_unknown(row, ROW_SWAPPED);
		row_put_unknown(row, ROW_EXCLUSIVE);
		return;
	}
	row_put_bytes_least(row, ROW_SWAPPED, side->swapped, side->swapped_unknown);
	row_put_bytes_least(row, ROW_EXCLUSIVE, side->exclusive, side->exclusive_unknown + !known);
}

static void put_private(struct row *row, unsigned column, const struct vmsnap_aslr_side *side, bool told)
{
	if (told)
		row_put_bytes_least(row, column, side->private_bytes, side->swapped_unknown);
	else
		row_put_unknown(row, column);
}

static void put_columns(struct row *row, const struct vmsnap_aslr *aslr, const struct vmsnap_aslr_row *told)
{
	const struct vmsnap_vma *vma = told->b ? told->b : told->a;
	const struct vmsnap_aslr_side *a = &told->in_a, *b = &told->in_b;
	if (told->a)
		row_put_address(row, ROW_START_A, told->start_a);
	if (told->b)
		row_put_address(row, ROW_START_B, told->start_b);
	row_put_word(row, ROW_PERM, word_perms(vma).text);
	if (told->a)
		row_put_bytes(row, ROW_SIZE_A, a->size);
	if (told->b)
		row_put_bytes(row, ROW_SIZE, b->size);
	put_delta(row, ROW_DSIZE, a->size, b->size);
	bool in_a = has_states(vmsnap_aslr_a(aslr)), in_b = has_states(vmsnap_aslr_b(aslr));
	if (told->a)
		row_put_bytes_known(row, ROW_RESIDENT_A, a->resident, in_a);
	if (told->b)
		row_put_bytes_known(row, ROW_RESIDENT, b->resident, in_b);
	if (in_a && in_b)
		put_delta(row, ROW_DRESIDENT, a->resident, b->resident);
	if (told->a)
		put_private(row, ROW_PRIVATE_A, a, in_a);
	if (told->b)
		put_private(row, ROW_PRIVATE, b, in_b);
	if (in_a && in_b)
		put_delta(row, ROW_DPRIVATE, a->private_bytes, b->private_bytes);
	if (told->b)
		put_states(row, vmsnap_aslr_b(aslr), b);
	uint64_t others = told->contents.compared - told->contents.same - told->contents.same_but_addresses;
	if (others)
		row_put_count(row, ROW_OTHERS, others);
	put_change(row, told);
	put_mapping(row, aslr, told);
}

static int mapping_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	const struct vmsnap_aslr *aslr = printed->aslr;
	struct vmsnap_aslr_row told;
	bool all = row->text->style->json || printed->flags & VMSNAP_PRINT_LONG;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_aslr_row(aslr, i, &told); i++) {
		if (!all && !told.differs)
			continue;
		row_put_word(row, ROW_KIND, vmsnap_aslr_kind_name(told.kind));
		row_put_flags(row, ROW_DIFFERS, told.differs, 0, difference_name);
		put_part(row, ROW_A, vmsnap_aslr_a(aslr), told.a, told.start_a, told.end_a, &told.in_a);
		put_part(row, ROW_B, vmsnap_aslr_b(aslr), told.b, told.start_b, told.end_b, &told.in_b);
		put_contents(row, ROW_CONTENTS, aslr, &told.contents);
		row_put_count(row, ROW_GROUP, told.group);
		put_columns(row, aslr, &told);
		row_end(row);
	}
	return VMSNAP_OK;
}

/* ---- sums ------------------------------------------------------------------------------ */

static void put_sums_side(struct row *row, unsigned column, const struct vmsnap *snap,
                          const struct vmsnap_aslr_side *side)
{
	struct row record = row_open(row, column);
	put_side(&record, snap, side);
	row_end(&record);
}

static void put_sums(struct row *row, const struct vmsnap_aslr *aslr, const struct vmsnap_aslr_sums *sums)
{
	put_sums_side(row, SUMS_A, vmsnap_aslr_a(aslr), &sums->in_a);
	put_sums_side(row, SUMS_B, vmsnap_aslr_b(aslr), &sums->in_b);
	put_contents(row, SUMS_CONTENTS, aslr, &sums->contents);
	row_put_count(row, SUMS_ONLY_A, sums->only_a);
	row_put_count(row, SUMS_ONLY_B, sums->only_b);
	row_put_count(row, SUMS_BOTH, sums->both);
	row_put_count(row, SUMS_DIFFER, sums->differ);
}

static int group_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct vmsnap_aslr *aslr = ((const struct printed *)ctx)->aslr;
	struct vmsnap_aslr_sums sums;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_aslr_group(aslr, i, &sums); i++) {
		put_sums(row, aslr, &sums);
		row_put_word(row, GROUP_KIND, vmsnap_aslr_kind_name(sums.kind));
		row_put_name(row, GROUP_NAME_A, sums.name_a);
		row_put_name(row, GROUP_NAME_B, sums.name_b);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	bool only_totals = printed->flags & VMSNAP_PRINT_TOTALS_ONLY;
	struct vmsnap_aslr_sums all;
	put_snapshot(document, DOCUMENT_A, vmsnap_aslr_a(printed->aslr));
	put_snapshot(document, DOCUMENT_B, vmsnap_aslr_b(printed->aslr));
	int rc = row_rows(document, DOCUMENT_MAPPINGS, only_totals ? rows_none : mapping_rows, ctx, err);
	rc = rc ? rc : row_rows(document, DOCUMENT_GROUPS, group_rows, ctx, err);
	rc = rc ? rc : vmsnap_aslr_group(printed->aslr, VMSNAP_ASLR_ALL, &all);
	if (rc)
		return rc;
	struct row record = row_open(document, DOCUMENT_TOTAL);
	put_sums(&record, printed->aslr, &all);
	row_end(&record);
	return VMSNAP_OK;
}

static int aslr_text(struct text *text, struct printed *printed, struct vmsnap_error *err)
{
	/* For a script: the table and nothing else. */
	bool bare = text->style->raw || text->style->no_headings;
	int rc = emit_table_check(text, &aslr_schema, err);
	if (!rc && !bare)
		rc = put_aslr_summary(text, printed->aslr);
	bool rows = vmsnap_aslr_any(printed->aslr) || printed->flags & VMSNAP_PRINT_LONG || bare;
	if (!rc && rows && !(printed->flags & VMSNAP_PRINT_TOTALS_ONLY))
		rc = emit_table(text, &aslr_schema, mapping_rows, printed, err);
	if (!rc && !bare && !vmsnap_aslr_any(printed->aslr))
		text_string(text, vmsnap_aslr_contents_known(printed->aslr)
		                          ? "No differences but the addresses.\n"
		                          : "No differences but the addresses. What pages hold was not compared: "
		                            "capture --hash.\n");
	if (!rc && !bare)
		put_aslr_contents(text, printed->aslr);
	return rc;
}

VMSNAP_API int vmsnap_print_aslr(const struct vmsnap_aslr *aslr, unsigned flags, const struct vmsnap_output *out,
                                 struct vmsnap_error *err)
{
	struct printed printed = { aslr, flags };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text.work.limit = vmsnap_aslr_memory_left(aslr);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.aslr/1", &aslr_document_schema, fill_document, &printed, err);
	else
		rc = aslr_text(&text, &printed, err);
	return rc ? rc : text_close(&text, err);
}
