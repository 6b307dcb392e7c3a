/* print_pages.c - page by page or run by run: vmsnap_print_pages(). */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "print_parts.h"

enum {
	PAGES_START,
	PAGES_END,
	PAGES_PAGES,
	PAGES_SIZE,
	PAGES_STATE,
	PAGES_FRAME,
	PAGES_FLAGS,
	PAGES_MAPPING,
	PAGES_COLUMNS
};
static const struct table_column pages_columns[PAGES_COLUMNS] = {
	[PAGES_START] = { "START", 0 },
	[PAGES_END] = { "END", TABLE_EXTRA },
	[PAGES_PAGES] = { "PAGES", TABLE_RIGHT },
	[PAGES_SIZE] = { "SIZE", TABLE_RIGHT | TABLE_EXTRA },
	[PAGES_STATE] = { "STATE", 0 },
	[PAGES_FRAME] = { "PFN/SWAP", TABLE_RIGHT },
	[PAGES_FLAGS] = { "FLAGS", 0 },
	[PAGES_MAPPING] = { "MAPPING", TABLE_CUT_LEFT },
};

/* Runs, cut where a mapping begins or ends, and into pages if so asked. */
struct pieces {
	const struct vmsnap *snap;
	struct vmsnap_run_iter it;
	struct vmsnap_run rest; /* of the run that is being cut; empty if start == end */
	size_t vma;
	bool each_page;
};

struct request {
	const struct vmsnap *snap;
	uint64_t start, end;
	bool each_page;
};

static void pieces_init(struct pieces *pieces, const struct request *request)
{
	*pieces = (struct pieces){ .snap = request->snap, .each_page = request->each_page };
	vmsnap_run_iter_init(&pieces->it, request->snap, request->start, request->end);
}

/* Where the mapping at `address`, or the gap there, ends. */
static uint64_t border_after(struct pieces *pieces, uint64_t address, const struct vmsnap_vma **vma)
{
	const struct vmsnap_vma *next;
	while ((next = vmsnap_vma(pieces->snap, pieces->vma)) && next->end <= address)
		pieces->vma++;
	*vma = next && next->start <= address ? next : NULL;
	if (!next)
		return UINT64_MAX;
	return *vma ? next->end : next->start;
}

static bool pieces_next(struct pieces *pieces, struct vmsnap_run *piece, const struct vmsnap_vma **vma)
{
	uint64_t page_size = vmsnap_info(pieces->snap)->page_size;
	struct vmsnap_run *rest = &pieces->rest;
	if (rest->start == rest->end && vmsnap_run_next(&pieces->it, rest) != VMSNAP_OK)
		return false;
	uint64_t border = border_after(pieces, rest->start, vma);
	*piece = *rest;
	if (border < piece->end)
		piece->end = border;
	if (pieces->each_page)
		piece->end = piece->start + page_size;
	uint64_t pages = (piece->end - piece->start) / page_size;
	rest->start = piece->end;
	/* A hidden frame (0) does not count up. */
	rest->pfn += rest->pfn ? pages : 0;
	rest->swap_offset += rest->swap_offset || rest->swap_type ? pages : 0;
	return true;
}

static void pages_json(struct text *text, const struct request *request)
{
	struct json json;
	struct pieces pieces;
	struct vmsnap_run piece;
	const struct vmsnap_vma *vma;
	json_begin(&json, text, "vmsnap.pages/1");
	json_number(&json, "page_size", vmsnap_info(request->snap)->page_size);
	json_known(&json, request->snap);
	json_rows(&json, "runs");
	pieces_init(&pieces, request);
	while (!text_failed(text) && pieces_next(&pieces, &piece, &vma)) {
		json_object(&json, NULL);
		json_hex(&json, "start", piece.start);
		json_number(&json, "pages", pages_of(request->snap, piece.end - piece.start));
		json_string(&json, "state", page_state_name(piece.flags));
		json_frame(&json, request->snap, &piece);
		json_page_flags(&json, "flags", piece.flags);
		json_end(&json);
	}
	json_end(&json);
	json_finish(&json);
}

static void frame_cell(struct table *table, const struct vmsnap *snap, const struct vmsnap_run *piece)
{
	bool known = vmsnap_info(snap)->known.pfn;
	if (piece->flags & VMSNAP_PAGE_PRESENT) {
		table_word(table, PAGES_FRAME, known && piece->pfn ? word_hex(piece->pfn) : (struct word){ "?" });
	} else if (piece->flags & VMSNAP_PAGE_SWAPPED) {
		struct word word = { "?" };
		if (known)
			snprintf(word.text, sizeof(word.text), "%u:0x%" PRIx64, piece->swap_type, piece->swap_offset);
		table_word(table, PAGES_FRAME, word);
	}
}

static int pages_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	const struct request *request = ctx;
	struct pieces pieces;
	struct vmsnap_run piece;
	const struct vmsnap_vma *vma;
	(void)err;
	pieces_init(&pieces, request);
	while (!text_failed(table->text) && pieces_next(&pieces, &piece, &vma)) {
		table_word(table, PAGES_START, word_address(piece.start));
		table_word(table, PAGES_END, word_address(piece.end));
		table_word(table, PAGES_PAGES, word_number(pages_of(request->snap, piece.end - piece.start)));
		table_word(table, PAGES_SIZE, word_size(table->text->style, piece.end - piece.start));
		table_literal(table, PAGES_STATE, page_state_name(piece.flags));
		frame_cell(table, request->snap, &piece);
		table_word(table, PAGES_FLAGS, page_flags_word(piece.flags));
		if (vma)
			table_name(table, PAGES_MAPPING, vma->name, strlen(vma->name));
		table_end_row(table);
	}
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_print_pages(const struct vmsnap *snap, uint64_t start, uint64_t end, bool each_page,
                                  const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct request request = { .snap = snap, .start = start, .end = end, .each_page = each_page };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	if (start >= end)
		return fail(err, VMSNAP_ERR_ARGUMENT, "expected a range START-END with START below END");
	text_limit(&text, &snap, 1);
	if (text.style->json)
		pages_json(&text, &request);
	else
		rc = table_print(&text, pages_columns, PAGES_COLUMNS, pages_rows, &request, err);
	return rc ? rc : text_close(&text, err);
}
