/* print_history.c - how the page of one address went through snapshots:
 * vmsnap_print_history(). */
#include <string.h>

#include "diff_facts.h"
#include "error.h"
#include "print_page_touched.h"
#include "print_parts.h"
#include "vma_match.h"

enum {
	HIST_SNAPSHOT,
	HIST_PID,
	HIST_STATE,
	HIST_PFN,
	HIST_PHYSICAL,
	HIST_FLAGS,
	HIST_TOUCHED,
	HIST_MAPPING,
	HIST_WHAT,
	HIST_COLUMNS
};
static const struct table_column history_columns[HIST_COLUMNS] = {
	[HIST_SNAPSHOT] = { "SNAPSHOT", TABLE_CUT_RIGHT },
	[HIST_PID] = { "PID", TABLE_RIGHT },
	[HIST_STATE] = { "STATE", 0 },
	[HIST_PFN] = { "PFN", TABLE_RIGHT },
	[HIST_PHYSICAL] = { "PHYSICAL", TABLE_RIGHT },
	[HIST_FLAGS] = { "FLAGS", 0 },
	[HIST_TOUCHED] = { "TOUCHED", TABLE_HIDE_EMPTY | TABLE_CUT_RIGHT },
	[HIST_MAPPING] = { "MAPPING", TABLE_EXTRA },
	[HIST_WHAT] = { "WHAT HAPPENED", TABLE_CUT_RIGHT },
};

struct history {
	const struct vmsnap *const *snaps;
	const char *const *names;
	size_t count;
	uint64_t address;
};

/* One row: the page, and what happened since the row before of the same process. */
struct moment {
	const struct vmsnap *snap;
	const char *name;
	const struct vmsnap_vma *vma;
	struct vmsnap_run page; /* flags 0: absent */
	const char *state;
	bool physical_known;
	uint64_t physical;
	bool compared; /* there is such a row */
	bool frames_unknown;
	uint32_t changes; /* 1 << enum vmsnap_page_change, or-ed */
};

static const char *name_of(const struct history *history, size_t index)
{
	const char *name = history->names ? history->names[index] : NULL;
	return name ? name : vmsnap_info(history->snaps[index])->label;
}

static bool same_process(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *x = vmsnap_info(a), *y = vmsnap_info(b);
	return x->pid == y->pid && x->start_time == y->start_time && x->page_size == y->page_size &&
	       facts_same_boot(a, b);
}

static const struct vmsnap *before(const struct history *history, size_t index)
{
	for (size_t i = index; i-- > 0;)
		if (same_process(history->snaps[i], history->snaps[index]))
			return history->snaps[i];
	return NULL;
}

static uint32_t facts_between(const struct vmsnap *a, const struct vmsnap *b, uint64_t address)
{
	struct facts_context context = facts_context_of(a, b);
	const struct vmsnap_vma *vma_a = vmsnap_vma_at(a, address), *vma_b = vmsnap_vma_at(b, address);
	uint64_t entry_a, entry_b;
	if (vma_b && vma_is_private_file(vma_b)) {
		context.private_text = ((vma_a ? vma_a->perms : 0) | vma_b->perms) & VMSNAP_PERM_EXEC;
		context.same_file = vma_a && vma_same_backing(vma_a, vma_b);
	}
	vmsnap_pages_read(a, address, 1, &entry_a);
	vmsnap_pages_read(b, address, 1, &entry_b);
	return page_facts(entry_a, entry_b, &context);
}

/* Whether it cannot be told if a page that stayed got another frame. */
static bool frames_unknown(const struct vmsnap *a, const struct vmsnap_run *page_b, const struct vmsnap *b,
                           uint64_t address)
{
	struct vmsnap_run page_a;
	if (vmsnap_page_at(a, address, &page_a) || !(page_a.flags & page_b->flags & VMSNAP_PAGE_PRESENT))
		return false;
	return !facts_context_of(a, b).frames || !page_a.pfn || !page_b->pfn;
}

static struct moment moment_at(const struct history *history, size_t index)
{
	const struct vmsnap *snap = history->snaps[index], *last = before(history, index);
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct moment moment = { .snap = snap, .name = name_of(history, index) };
	moment.vma = vmsnap_vma_at(snap, history->address);
	if (vmsnap_page_at(snap, history->address, &moment.page))
		moment.page = (struct vmsnap_run){ 0 };
	moment.state = !moment.vma && !moment.page.flags ? "unmapped" : page_state_name(moment.page.flags);
	moment.physical_known = (moment.page.flags & VMSNAP_PAGE_PRESENT) && info->known.pfn && moment.page.pfn;
	moment.physical = moment.page.pfn * info->page_size + (history->address & (info->page_size - 1));
	moment.compared = last;
	if (last) {
		moment.changes = facts_between(last, snap, history->address);
		moment.frames_unknown = frames_unknown(last, &moment.page, snap, history->address);
	}
	return moment;
}

/* ---- the table ----------------------------------------------------------------------- */

static void frame_cells(struct table *table, const struct moment *moment)
{
	table_literal(table, HIST_PFN, "");
	table_literal(table, HIST_PHYSICAL, "");
	if (moment->physical_known) {
		table_word(table, HIST_PFN, word_hex(moment->page.pfn));
		table_word(table, HIST_PHYSICAL, word_hex(moment->physical));
	} else if (moment->page.flags & VMSNAP_PAGE_PRESENT) {
		table_literal(table, HIST_PFN, "?");
		table_literal(table, HIST_PHYSICAL, "?");
	}
}

static void flags_cell(struct table *table, const struct moment *moment)
{
	const struct vmsnap_known *known = &vmsnap_info(moment->snap)->known;
	struct word flags = page_flags_word(moment->page.flags);
	table_word(table, HIST_FLAGS, flags);
	if ((moment->page.flags & VMSNAP_PAGE_PRESENT) && !known->exclusive)
		table_add_literal(table, HIST_FLAGS, *flags.text ? ",exclusive?" : "exclusive?");
}

static void what_cell(struct table *table, const struct moment *moment)
{
	const char *comma = "";
	table_literal(table, HIST_WHAT, "");
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++) {
		if (!(moment->changes & 1u << i))
			continue;
		table_add_literal(table, HIST_WHAT, comma);
		table_add_literal(table, HIST_WHAT, vmsnap_page_change_name(i));
		comma = ",";
	}
	if (moment->frames_unknown) {
		table_add_literal(table, HIST_WHAT, comma);
		table_add_literal(table, HIST_WHAT, vmsnap_page_change_name(VMSNAP_CHANGE_PFN_CHANGED));
		table_add_literal(table, HIST_WHAT, "?");
	}
}

static int history_row(struct table *table, const struct history *history, size_t index, struct vmsnap_error *err)
{
	const struct moment moment = moment_at(history, index);
	struct work *work = &table->text->work;
	struct page_touched touched;
	int rc = page_touched_init(&touched, moment.snap, history->address, work);
	if (rc)
		return work_fail(work, rc, err);
	table_name(table, HIST_SNAPSHOT, moment.name, strlen(moment.name));
	table_word(table, HIST_PID, word_number(vmsnap_info(moment.snap)->pid));
	table_literal(table, HIST_STATE, moment.state);
	frame_cells(table, &moment);
	flags_cell(table, &moment);
	touched_reasons_cell(&touched.reasons, touched.touched, table, HIST_TOUCHED);
	if (moment.vma)
		table_name(table, HIST_MAPPING, moment.vma->name, strlen(moment.vma->name));
	what_cell(table, &moment);
	table_end_row(table);
	page_touched_free(&touched, work);
	return VMSNAP_OK;
}

static int history_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	const struct history *history = ctx;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < history->count && !text_unwanted(table->text); i++)
		rc = history_row(table, history, i, err);
	return rc;
}

/* ---- JSON ----------------------------------------------------------------------------- */

static void json_changes(struct json *json, const struct moment *moment)
{
	if (!moment->compared) {
		json_null(json, "changes");
		json_null(json, "frames_compared");
		return;
	}
	json_array(json, "changes");
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		if (moment->changes & 1u << i)
			json_string(json, NULL, vmsnap_page_change_name(i));
	json_end(json);
	json_bool(json, "frames_compared", !moment->frames_unknown);
}

static int json_row(struct json *json, const struct history *history, size_t index, struct vmsnap_error *err)
{
	const struct moment moment = moment_at(history, index);
	struct work *work = &json->text->work;
	struct page_touched touched;
	int rc = page_touched_init(&touched, moment.snap, history->address, work);
	if (rc)
		return work_fail(work, rc, err);
	json_object(json, NULL);
	json_string_or_null(json, "snapshot", moment.name);
	json_number(json, "pid", vmsnap_info(moment.snap)->pid);
	json_known(json, moment.snap);
	json_bool(json, "mapped", moment.vma);
	json_string_or_null(json, "mapping", moment.vma ? moment.vma->name : "");
	json_string(json, "state", moment.state);
	json_frame(json, moment.snap, &moment.page);
	if (moment.physical_known)
		json_hex(json, "physical", moment.physical);
	else
		json_null(json, "physical");
	json_page_flags(json, "flags", moment.page.flags);
	json_page_touched(json, &touched);
	json_changes(json, &moment);
	json_end(json);
	page_touched_free(&touched, work);
	return VMSNAP_OK;
}

static int history_json(struct text *text, const struct history *history, struct vmsnap_error *err)
{
	struct json json;
	int rc = VMSNAP_OK;
	json_begin(&json, text, "vmsnap.history/1");
	json_hex(&json, "address", history->address);
	json_rows(&json, "rows");
	for (size_t i = 0; !rc && i < history->count && !text_unwanted(text); i++)
		rc = json_row(&json, history, i, err);
	if (rc)
		return rc;
	json_end(&json);
	json_finish(&json);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_print_history(const struct vmsnap *const *snaps, const char *const *names, size_t count,
                                    uint64_t address, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct history history = { .snaps = snaps, .names = names, .count = count, .address = address };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit(&text, snaps, count);
	if (text.style->json)
		rc = history_json(&text, &history, err);
	else
		rc = table_print(&text, history_columns, HIST_COLUMNS, TABLE_USUAL, history_rows, &history, err);
	return rc ? rc : text_close(&text, err);
}
