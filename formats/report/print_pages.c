/* print_pages.c - page by page or run by run: vmsnap_print_pages(). */
#include <string.h>

#include "emitter.h"
#include "error.h"
#include "filter_record.h"
#include "frame_columns.h"
#include "identity_text.h"
#include "mapping_columns.h"
#include "page_state.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"

enum {
	PAGES_START,
	PAGES_END,
	PAGES_PAGES,
	PAGES_SIZE,
	PAGES_STATE,
	PAGES_FRAME,
	PAGES_PFN,
	PAGES_SWAP,
	PAGES_FLAGS,
	PAGES_FLAGS_UNKNOWN,
	PAGES_WRITTEN,
	PAGES_COUNTED,
	PAGES_NODE,
	PAGES_KERNEL,
	PAGES_DUMPED,
	PAGES_MAPPING,
	PAGES_VMA,
};
static const struct column pages_columns[] = {
	[PAGES_START] = { "start", "START", COLUMN_ADDRESS, 0, "where the run begins", NULL },
	[PAGES_END] = { NULL, "END", COLUMN_ADDRESS, COLUMN_SECONDARY, "where it ends", NULL },
	[PAGES_PAGES] = { "pages", "PAGES", COLUMN_COUNT, COLUMN_STAYS, "how many pages it has", NULL },
	[PAGES_SIZE] = { NULL, "SIZE", COLUMN_BYTES, COLUMN_SECONDARY, "the same in bytes", NULL },
	[PAGES_STATE] = { "state", "STATE", COLUMN_WORD, COLUMN_YIELDS,
	                  "present, swapped, guard or marker; swapped? if that is not known", NULL },
	[PAGES_FRAME] = { NULL, "PFN/SWAP", COLUMN_FRAME, COLUMN_YIELDS,
	                  "frame of the first page, or area and slot in swap", NULL },
	[PAGES_PFN] = { "pfn", .type = COLUMN_HEX },
	[PAGES_SWAP] = { "swap", .type = COLUMN_RECORD, .of = &swap_schema },
	[PAGES_FLAGS] = { "flags", "FLAGS", COLUMN_FLAGS, COLUMN_STAYS,
	                  "file, exclusive, soft_dirty, uffd_wp, guard, zero, huge", NULL },
	[PAGES_FLAGS_UNKNOWN] = { "flags_unknown", .type = COLUMN_FLAGS, .flags = COLUMN_OPTIONAL },
	[PAGES_WRITTEN] = { "written", "WRITTEN", COLUMN_WORD, COLUMN_SPARSE | COLUMN_OPTIONAL,
	                    "yes, no, maybe: since the snapshot before", NULL },
	[PAGES_COUNTED] = { "mapped_times", "MAPPED", COLUMN_COUNT, COLUMN_SECONDARY | COLUMN_OPTIONAL,
	                    "how often each frame is mapped, by all processes (capture --kpage)", NULL },
	[PAGES_NODE] = { "node", "NODE", COLUMN_COUNT, COLUMN_SECONDARY | COLUMN_OPTIONAL, "its NUMA node (--kpage)",
	                 NULL },
	[PAGES_KERNEL] = { "kernel_flags", "KERNEL", COLUMN_FLAGS, COLUMN_SECONDARY | COLUMN_OPTIONAL,
	                   "what the kernel's table says of it: lru, dirty, ksm, ... (--kpage)", NULL },
	[PAGES_DUMPED] = { "dumped", "DUMPED", COLUMN_WORD, COLUMN_SPARSE | COLUMN_OPTIONAL,
	                   "of a core file: bytes, hole, not, cut, listed", NULL },
	[PAGES_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, 0, "the file, or what it is called", NULL },
	MAPPING_COLUMNS_OF(PAGES_VMA),
};
static const uint32_t pages_shown[] = { PAGES_START,   PAGES_END,   PAGES_PAGES,  PAGES_SIZE,
	                                PAGES_STATE,   PAGES_FRAME, PAGES_FLAGS,  MAPPING_SHOWN(PAGES_VMA),
	                                PAGES_COUNTED, PAGES_NODE,  PAGES_KERNEL, PAGES_MAPPING,
	                                PAGES_WRITTEN, PAGES_DUMPED };
const struct row_schema pages_schema = ROW_SCHEMA_SHOWN(pages_columns, pages_shown);

enum { DOCUMENT_SNAPSHOT, DOCUMENT_PAGE_SIZE, DOCUMENT_KNOWN, DOCUMENT_FILTER, DOCUMENT_RUNS };
static const struct column document_columns[] = {
	[DOCUMENT_SNAPSHOT] = { "snapshot", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_PAGE_SIZE] = { "page_size", .type = COLUMN_BYTES },
	[DOCUMENT_KNOWN] = { "known", .type = COLUMN_RECORD, .of = &known_schema },
	[DOCUMENT_FILTER] = { "filter", NULL, COLUMN_RECORD, COLUMN_OPTIONAL, NULL, &filter_schema },
	[DOCUMENT_RUNS] = { "runs", .type = COLUMN_ROWS, .of = &pages_schema },
};
const struct row_schema pages_document_schema = ROW_SCHEMA(document_columns);

/* Runs, cut where a mapping begins or ends, where another answer begins to whether they were written, and into
 * pages if so asked. */
struct cut_runs {
	const struct vmsnap *snap;
	bool written_known;
	unsigned layers; /* 1 << enum vmsnap_layer: where their values change, too */
	struct vmsnap_run_iter it;
	/* Where states are unknown: of what a core file has of pages, the next. */
	bool dumped;
	size_t dumped_next;
	uint64_t start, end;
	struct vmsnap_run rest; /* of the run that is being cut; empty if start == end */
	size_t vma;
	bool each_page;
};

struct request {
	const struct vmsnap *snap;
	uint64_t start, end;
	bool each_page, fold;
	struct filter filter;
};

/* Those layers of the kernel's that a column is wanted of. */
static unsigned layers_wanted(const struct row *row, const struct vmsnap *snap)
{
	static const struct {
		unsigned column;
		int layer;
	} told[] = { { PAGES_COUNTED, VMSNAP_LAYER_KPAGE_COUNT },
		     { PAGES_NODE, VMSNAP_LAYER_NODE },
		     { PAGES_KERNEL, VMSNAP_LAYER_KPAGE_FLAGS } };
	unsigned layers = 0;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (row_wants(row, told[i].column) && vmsnap_layer_known(snap, told[i].layer))
			layers |= 1u << told[i].layer;
	return layers;
}

static void cut_runs_init(struct cut_runs *runs, const struct request *request, unsigned layers)
{
	*runs = (struct cut_runs){ .snap = request->snap,
		                   .written_known = vmsnap_info(request->snap)->known.written,
		                   .layers = layers,
		                   .each_page = request->each_page };
	vmsnap_run_iter_init(&runs->it, request->snap, request->start, request->end);
	runs->dumped = vmsnap_info(request->snap)->known.states_unknown;
	runs->start = request->start;
	runs->end = request->end;
	if (runs->dumped)
		runs->layers |= 1u << VMSNAP_LAYER_DUMPED;
}

/* Ranges that a core file has something of, or not: no states, but all that is known of pages. */
static bool next_dumped(struct cut_runs *runs, struct vmsnap_run *run)
{
	struct vmsnap_layer_range range;
	while (!vmsnap_layer_range(runs->snap, VMSNAP_LAYER_DUMPED, runs->dumped_next++, &range)) {
		uint64_t start = range.start > runs->start ? range.start : runs->start;
		uint64_t end = range.end < runs->end ? range.end : runs->end;
		*run = (struct vmsnap_run){ .start = start, .end = end };
		if (start < end)
			return true;
	}
	return false;
}

static bool next_run(struct cut_runs *runs, struct vmsnap_run *run)
{
	return runs->dumped ? next_dumped(runs, run) : vmsnap_run_next(&runs->it, run) == VMSNAP_OK;
}

/* Where the mapping at `address`, or the gap there, ends. */
static uint64_t border_after(struct cut_runs *runs, uint64_t address, const struct vmsnap_vma **vma)
{
	const struct vmsnap_vma *next;
	while ((next = vmsnap_vma(runs->snap, runs->vma)) && next->end <= address)
		runs->vma++;
	*vma = next && next->start <= address ? next : NULL;
	if (!next)
		return UINT64_MAX;
	return *vma ? next->end : next->start;
}

/* written: enum vmsnap_page_written of all of it. */
static bool cut_runs_next(struct cut_runs *runs, struct vmsnap_run *run, const struct vmsnap_vma **vma, int *written)
{
	uint64_t page_size = vmsnap_info(runs->snap)->page_size;
	struct vmsnap_run *rest = &runs->rest;
	if (rest->start == rest->end && !next_run(runs, rest))
		return false;
	uint64_t border = border_after(runs, rest->start, vma);
	*run = *rest;
	if (border < run->end)
		run->end = border;
	*written = runs->written_known ? vmsnap_written_at(runs->snap, run->start, &border) : VMSNAP_PAGE_MAYBE_WRITTEN;
	if (runs->written_known && border < run->end)
		run->end = border;
	for (int layer = 0; runs->layers && layer < VMSNAP_LAYER_COUNT; layer++) {
		uint64_t value;
		if (!(runs->layers & 1u << layer))
			continue;
		(void)vmsnap_layer_at(runs->snap, layer, run->start, &value, &border);
		if (border < run->end)
			run->end = border;
	}
	if (runs->each_page)
		run->end = run->start + page_size;
	uint64_t pages = (run->end - run->start) / page_size;
	rest->start = run->end;
	/* A hidden frame (0) does not count up. */
	rest->pfn += rest->pfn ? pages : 0;
	rest->swap_offset += rest->swap_offset || rest->swap_type ? pages : 0;
	return true;
}

static void put_kernel(struct row *row, const struct vmsnap *snap, unsigned layers, uint64_t address)
{
	uint64_t value;
	if (layers & 1u << VMSNAP_LAYER_KPAGE_COUNT &&
	    !vmsnap_layer_at(snap, VMSNAP_LAYER_KPAGE_COUNT, address, &value, NULL))
		row_put_count(row, PAGES_COUNTED, value);
	if (layers & 1u << VMSNAP_LAYER_NODE && !vmsnap_layer_at(snap, VMSNAP_LAYER_NODE, address, &value, NULL))
		row_put_count(row, PAGES_NODE, value);
	if (layers & 1u << VMSNAP_LAYER_KPAGE_FLAGS &&
	    !vmsnap_layer_at(snap, VMSNAP_LAYER_KPAGE_FLAGS, address, &value, NULL))
		row_put_flags(row, PAGES_KERNEL, (uint32_t)value, 0, vmsnap_kpage_flag_name);
}

/* What is told in one row. */
struct told_run {
	struct vmsnap_run run; /* empty: none */
	const struct vmsnap_vma *vma;
	int written;
	bool folded; /* it goes on in other frames */
};

static void put_row(struct row *row, const struct vmsnap *snap, const struct told_run *told, unsigned layers)
{
	const struct vmsnap_run *run = &told->run;
	const struct vmsnap_vma *vma = told->vma;
	bool populated = run->flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED);
	struct page_flags flags = page_flags_told(snap, run);
	row_put_address(row, PAGES_START, run->start);
	row_put_address(row, PAGES_END, run->end);
	row_put_count(row, PAGES_PAGES, pages_of(snap, run->end - run->start));
	row_put_bytes(row, PAGES_SIZE, run->end - run->start);
	uint64_t dumped;
	if (vmsnap_info(snap)->known.states_unknown)
		row_put_unknown(row, PAGES_STATE);
	else
		row_put_word(row, PAGES_STATE, page_state_name(run));
	if (!told->folded)
		row_put_frame(row, PAGES_FRAME, run, vmsnap_info(snap)->known.pfn);
	put_frame_columns(row, PAGES_PFN, PAGES_SWAP, snap, run);
	row_put_flags(row, PAGES_FLAGS, flags.bits, flags.unknown, page_flag_name);
	if (flags.unknown)
		row_put_flags(row, PAGES_FLAGS_UNKNOWN, flags.unknown, 0, page_flag_name);
	if (vmsnap_info(snap)->known.written && populated)
		row_put_word(row, PAGES_WRITTEN, vmsnap_page_written_name(told->written));
	put_kernel(row, snap, layers, run->start);
	if (!vmsnap_layer_at(snap, VMSNAP_LAYER_DUMPED, run->start, &dumped, NULL))
		row_put_word(row, PAGES_DUMPED, vmsnap_page_dumped_name((int)dumped));
	if (vma)
		row_put_name(row, PAGES_MAPPING, vma->name);
	put_mapping_columns(row, PAGES_VMA, vma);
	row_end(row);
}

/* Whether nothing but frames tells a run from the one before it.  Those of one state count up as they do, or a run
 * would not end. */
static bool continues(const struct vmsnap *snap, const struct told_run *before, const struct told_run *now)
{
	struct page_flags a = page_flags_told(snap, &before->run), b = page_flags_told(snap, &now->run);
	return before->run.end == now->run.start && before->run.flags == now->run.flags && before->vma == now->vma &&
	       before->written == now->written && a.bits == b.bits && a.unknown == b.unknown &&
	       !strcmp(page_state_name(&before->run), page_state_name(&now->run));
}

/* For people: thousands of runs may differ in nothing but their frames. */
static void fold_row(struct row *row, const struct vmsnap *snap, struct told_run *kept, const struct told_run *now)
{
	if (kept->run.start != kept->run.end && now && continues(snap, kept, now)) {
		kept->run.end = now->run.end;
		kept->folded = true;
		return;
	}
	if (kept->run.start != kept->run.end)
		put_row(row, snap, kept, 0);
	if (now)
		*kept = *now;
}

static int run_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct request *request = ctx;
	uint64_t page_size = vmsnap_info(request->snap)->page_size;
	bool fold = request->fold && !row->text->style->json && !row->text->style->raw;
	struct cut_runs runs;
	struct told_run now = { .folded = false }, kept = { .folded = false };
	(void)err;
	unsigned layers = layers_wanted(row, request->snap);
	fold &= !layers && !vmsnap_info(request->snap)->known.states_unknown; /* what each frame is was asked for */
	cut_runs_init(&runs, request, layers);
	while (!text_failed(row->text) && cut_runs_next(&runs, &now.run, &now.vma, &now.written)) {
		if (!filter_takes_vma(&request->filter, now.vma) ||
		    !filter_cut_run(&request->filter, page_size, &now.run))
			continue;
		if (fold)
			fold_row(row, request->snap, &kept, &now);
		else
			put_row(row, request->snap, &now, layers);
	}
	fold_row(row, request->snap, &kept, NULL);
	return VMSNAP_OK;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct request *request = ctx;
	put_snapshot(document, DOCUMENT_SNAPSHOT, request->snap);
	row_put_bytes(document, DOCUMENT_PAGE_SIZE, vmsnap_info(request->snap)->page_size);
	put_known(document, DOCUMENT_KNOWN, request->snap);
	put_filter(document, DOCUMENT_FILTER, request->snap, &request->filter);
	return row_rows(document, DOCUMENT_RUNS, run_rows, ctx, err);
}

static int pages_table(struct text *text, struct request *request, struct vmsnap_error *err)
{
	int rc = emit_table_check(text, &pages_schema, err);
	if (rc)
		return rc;
	put_title(text, request->snap);
	rc = emit_table(text, &pages_schema, run_rows, request, err);
	if (!rc && request->filter.unknown && !text->style->raw && !text->style->no_headings) {
		text_string(text, "\n");
		put_filter_unknown(text, request->snap, &request->filter);
	}
	return rc;
}

VMSNAP_API int vmsnap_print_pages(const struct vmsnap *snap, uint64_t start, uint64_t end, bool each_page,
                                  const struct vmsnap_output *out, struct vmsnap_error *err)
{
	unsigned flags = each_page ? VMSNAP_PRINT_EACH_PAGE : VMSNAP_PRINT_LONG;
	return vmsnap_print_pages_with(snap, start, end, flags, out, err);
}

VMSNAP_API int vmsnap_print_pages_with(const struct vmsnap *snap, uint64_t start, uint64_t end, unsigned flags,
                                       const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct request request = { .snap = snap, .start = start, .end = end };
	request.each_page = flags & VMSNAP_PRINT_EACH_PAGE;
	request.fold = !(flags & (VMSNAP_PRINT_EACH_PAGE | VMSNAP_PRINT_LONG));
	struct text text;
	int rc = text_open_filtered(&text, out, err);
	rc = rc ? rc : filter_init(&request.filter, text.out.filter, err);
	rc = rc ? rc : filter_fit(&request.filter, snap, err);
	if (rc)
		return rc;
	if (start >= end)
		return fail(err, VMSNAP_ERR_ARGUMENT, "expected a range START-END with START below END");
	text_limit(&text, &snap, 1);
	rc = filter_count_unknown(&request.filter, snap, start, end, &text.work);
	if (rc)
		return work_fail(&text.work, rc, err);
	if (text.style->json)
		rc = emit_json(&text, "vmsnap.pages/1", &pages_document_schema, fill_document, &request, err);
	else
		rc = pages_table(&text, &request, err);
	return rc ? rc : text_close(&text, err);
}
