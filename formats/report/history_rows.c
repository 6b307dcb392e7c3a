#include "history_rows.h"

#include "diff_view.h"
#include "emitter.h"
#include "error.h"
#include "format_value.h"
#include "frame_columns.h"
#include "page_state.h"
#include "relation_text.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"
#include "touched_by.h"
#include "touched_columns.h"

enum {
	HIST_SNAPSHOT,
	HIST_PID,
	HIST_KNOWN,
	HIST_MAPPED,
	HIST_MAPPING,
	HIST_STATE,
	HIST_PFN,
	HIST_SWAP,
	HIST_PHYSICAL,
	HIST_FLAGS,
	HIST_FLAGS_UNKNOWN,
	HIST_TOUCHED_BY,
	HIST_TOUCHED,
	HIST_CHANGES,
	HIST_WHAT,
	HIST_FRAMES_COMPARED,
	HIST_MOVED_FROM,
	HIST_MOVED_TO,
	HIST_REPLACED,
	HIST_NOT_COMPARED,
	HIST_WRITES_KNOWN,
	HIST_TAKEN,
	HIST_INDEX,
};
static const struct column history_columns[] = {
	[HIST_SNAPSHOT] = { "snapshot", "SNAPSHOT", COLUMN_NAME, COLUMN_LONG, "what it is called", NULL },
	[HIST_PID] = { "pid", "PID", COLUMN_COUNT, 0, "of the process", NULL },
	[HIST_KNOWN] = { "known", NULL, COLUMN_RECORD, 0, NULL, &known_schema },
	[HIST_MAPPED] = { "mapped", NULL, COLUMN_BOOL, 0, NULL, NULL },
	[HIST_MAPPING] = { "mapping", "MAPPING", COLUMN_NAME, COLUMN_SECONDARY, "the file, or what it is called",
	                   NULL },
	[HIST_STATE] = { "state", "STATE", COLUMN_WORD, 0, "present, swapped, absent, unmapped, …", NULL },
	[HIST_PFN] = { "pfn", "PFN", COLUMN_HEX, 0, "the page's frame", NULL },
	[HIST_SWAP] = { "swap", NULL, COLUMN_RECORD, 0, NULL, &swap_schema },
	[HIST_PHYSICAL] = { "physical", "PHYSICAL", COLUMN_HEX, COLUMN_YIELDS, "the physical address", NULL },
	[HIST_FLAGS] = { "flags", "FLAGS", COLUMN_FLAGS, 0, "file, exclusive, soft_dirty, …", NULL },
	[HIST_FLAGS_UNKNOWN] = { "flags_unknown", NULL, COLUMN_FLAGS, COLUMN_OPTIONAL, NULL, NULL },
	[HIST_TOUCHED_BY] = { "touched", NULL, COLUMN_LIST, 0, NULL, NULL },
	[HIST_TOUCHED] = { NULL, "TOUCHED", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "what a debugger wrote there",
	                   NULL },
	[HIST_CHANGES] = { "changes", NULL, COLUMN_FLAGS, 0, NULL, NULL },
	[HIST_WHAT] = { NULL, "WHAT HAPPENED", COLUMN_TEXT, COLUMN_STAYS, "since the snapshot before", NULL },
	[HIST_FRAMES_COMPARED] = { "frames_compared", NULL, COLUMN_BOOL, 0, NULL, NULL },
	[HIST_MOVED_FROM] = { "moved_from", NULL, COLUMN_HEX, 0, NULL, NULL },
	[HIST_MOVED_TO] = { "moved_to", NULL, COLUMN_HEX, 0, NULL, NULL },
	[HIST_REPLACED] = { "replaced", NULL, COLUMN_BOOL, 0, NULL, NULL },
	[HIST_NOT_COMPARED] = { "not_compared", NULL, COLUMN_WORD, 0, NULL, NULL },
	[HIST_WRITES_KNOWN] = { "writes_known", NULL, COLUMN_BOOL, 0, NULL, NULL },
	/* Of snapshots in a file: */
	[HIST_TAKEN] = { "taken", "TAKEN", COLUMN_TIME, COLUMN_OPTIONAL, "when", NULL },
	[HIST_INDEX] = { "index", NULL, COLUMN_COUNT, COLUMN_OPTIONAL, NULL, NULL },
};
static const uint32_t history_shown[] = { HIST_SNAPSHOT, HIST_PID,     HIST_STATE,   HIST_PFN, HIST_PHYSICAL,
	                                  HIST_FLAGS,    HIST_TOUCHED, HIST_MAPPING, HIST_WHAT };
static const uint32_t file_history_shown[] = { HIST_SNAPSHOT, HIST_TAKEN, HIST_PID,     HIST_STATE,   HIST_PFN,
	                                       HIST_PHYSICAL, HIST_FLAGS, HIST_TOUCHED, HIST_MAPPING, HIST_WHAT };
const struct row_schema history_schema = ROW_SCHEMA_SHOWN(history_columns, history_shown);
static const struct row_schema file_history_schema = ROW_SCHEMA_SHOWN(history_columns, file_history_shown);

/* The same process, or an earlier one that had its number. */
bool moment_same_number(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *x = vmsnap_info(a), *y = vmsnap_info(b);
	return x->pid == y->pid && x->page_size == y->page_size && same_boot(a, b);
}

void moment_look(struct moment *moment, const struct vmsnap *snap, uint64_t address)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	*moment = (struct moment){ .snap = snap, .address = address, .vma = vmsnap_vma_at(snap, address) };
	if (vmsnap_page_at(snap, address, &moment->page))
		moment->page = (struct vmsnap_run){ 0 };
	moment->state = !moment->vma && !moment->page.flags ? "unmapped" : page_state_name(&moment->page);
	moment->physical_known = (moment->page.flags & VMSNAP_PAGE_PRESENT) && info->known.pfn && moment->page.pfn;
	moment->physical = moment->page.pfn * info->page_size + (address & (info->page_size - 1));
}

int moment_compare(struct moment *moment, const struct vmsnap *last, struct text *text, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = text_compare_options(text);
	moment->compared = true;
	return vmsnap_page_compare(last, moment->snap, moment->address, &options, &moment->diff, err);
}

/* ---- rows ---------------------------------------------------------------------------- */

static void put_frame(struct row *row, const struct moment *moment)
{
	bool hidden = (moment->page.flags & VMSNAP_PAGE_PRESENT) && !moment->physical_known;
	if (hidden)
		row_put_unknown(row, HIST_PFN);
	put_frame_columns(row, HIST_PFN, HIST_SWAP, moment->snap, &moment->page);
	if (hidden)
		row_put_unknown(row, HIST_PHYSICAL);
	else if (moment->physical_known)
		row_put_hex(row, HIST_PHYSICAL, moment->physical);
}

static void put_flags(struct row *row, const struct moment *moment)
{
	struct page_flags flags = page_flags_told(moment->snap, &moment->page);
	row_put_flags(row, HIST_FLAGS, flags.bits, flags.unknown, page_flag_name);
	if (flags.unknown)
		row_put_flags(row, HIST_FLAGS_UNKNOWN, flags.unknown, 0, page_flag_name);
}

static void add_words(struct row *row, const char **comma, const char *words, const char *more)
{
	row_text(row, HIST_WHAT, *comma);
	row_text(row, HIST_WHAT, words);
	row_text(row, HIST_WHAT, more);
	*comma = ",";
}

static void put_what(struct row *row, const struct vmsnap_page_diff *diff)
{
	const char *comma = "";
	if (diff->moved)
		add_words(row, &comma, "moved from ", word_address(diff->from).text);
	if (diff->moved_away)
		add_words(row, &comma, "moved to ", word_address(diff->to).text);
	if (diff->replaced)
		add_words(row, &comma, "replaced", "");
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		if (diff->changes & 1u << i)
			add_words(row, &comma, vmsnap_page_change_name(i), "");
	if (diff->frames_unknown)
		add_words(row, &comma, vmsnap_page_change_name(VMSNAP_CHANGE_PFN_CHANGED), "?");
	if (diff->writes_unknown)
		add_words(row, &comma, vmsnap_page_change_name(VMSNAP_CHANGE_WRITTEN), "?");
}

static void put_changes(struct row *row, const struct moment *moment)
{
	const struct vmsnap_page_diff *diff = &moment->diff;
	if (!moment->compared)
		return;
	if (diff->relation != VMSNAP_RELATION_COMPARABLE) {
		row_text(row, HIST_WHAT, relation_words(diff->relation));
		put_not_compared(row, HIST_NOT_COMPARED, diff->relation);
		return;
	}
	row_put_flags(row, HIST_CHANGES, diff->changes, 0, vmsnap_page_change_name);
	put_what(row, diff);
	row_put_bool(row, HIST_FRAMES_COMPARED, !diff->frames_unknown);
	if (diff->moved)
		row_put_hex(row, HIST_MOVED_FROM, diff->from);
	if (diff->moved_away)
		row_put_hex(row, HIST_MOVED_TO, diff->to);
	row_put_bool(row, HIST_REPLACED, diff->replaced);
	row_put_bool(row, HIST_WRITES_KNOWN, !diff->writes_unknown);
}

int put_moment(struct row *row, const struct moment *moment, struct vmsnap_error *err)
{
	struct work *work = &row->text->work;
	struct page_touched touched;
	int rc = page_touched_init(&touched, moment->snap, moment->address, work);
	if (rc)
		return work_fail(work, rc, err);
	row_put_name_if_any(row, HIST_SNAPSHOT, moment->name);
	row_put_count(row, HIST_PID, vmsnap_info(moment->snap)->pid);
	put_known(row, HIST_KNOWN, moment->snap);
	row_put_bool(row, HIST_MAPPED, moment->vma);
	row_put_name_if_any(row, HIST_MAPPING, moment->vma ? moment->vma->name : "");
	if (moment->vma && vmsnap_info(moment->snap)->known.states_unknown)
		row_put_unknown(row, HIST_STATE);
	else
		row_put_word(row, HIST_STATE, moment->state);
	put_frame(row, moment);
	put_flags(row, moment);
	put_touched_list(row, HIST_TOUCHED_BY, touched.touched, &touched.reasons);
	put_touched_text(row, HIST_TOUCHED, touched.touched, &touched.reasons);
	put_changes(row, moment);
	if (moment->number && moment->one_day)
		row_put_clock(row, HIST_TAKEN, vmsnap_info(moment->snap)->taken);
	else if (moment->number)
		row_put_time(row, HIST_TAKEN, vmsnap_info(moment->snap)->taken);
	if (moment->number)
		row_put_count(row, HIST_INDEX, moment->number);
	row_end(row);
	page_touched_free(&touched, work);
	return VMSNAP_OK;
}

/* ---- all of it ----------------------------------------------------------------------- */

enum { DOCUMENT_ADDRESS, DOCUMENT_ROWS };
static const struct column document_columns[] = {
	[DOCUMENT_ADDRESS] = { "address", .type = COLUMN_HEX },
	[DOCUMENT_ROWS] = { "rows", .type = COLUMN_ROWS, .of = &history_schema },
};
const struct row_schema history_document_schema = ROW_SCHEMA(document_columns);

struct history_document {
	rows_fn rows;
	void *ctx;
	uint64_t address;
};

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct history_document *history = ctx;
	row_put_hex(document, DOCUMENT_ADDRESS, history->address);
	return row_rows(document, DOCUMENT_ROWS, history->rows, history->ctx, err);
}

int put_history(struct text *text, rows_fn rows, bool of_file, void *ctx, uint64_t address, struct vmsnap_error *err)
{
	struct history_document history = { rows, ctx, address };
	if (text->style->json)
		return emit_json(text, "vmsnap.history/1", &history_document_schema, fill_document, &history, err);
	if (of_file)
		return emit_table_once(text, &file_history_schema, rows, ctx, err);
	return emit_table(text, &history_schema, rows, ctx, err);
}
