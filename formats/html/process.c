/* One process at one instant: its pages into the tracks, its mappings and status lines into lists. */
#include <string.h>

#include "error.h"
#include "report.h"

/* ---- pages ------------------------------------------------------------------------------ */

struct run_list {
	struct track_run *items;
	size_t count, room;
};

static int list_run(struct vmsnap_html *html, const struct vmsnap *snap, const struct vmsnap_run *run,
                    struct run_list *list)
{
	int rc = VMSNAP_OK;
	for (uint64_t at = run->start, end; !rc && at < run->end; at = end) {
		enum state state = state_at(snap, run, at, &end);
		struct track_run *item = REPORT_ROOM(html, list->items, list->count, list->room, &rc);
		if (!item)
			break;
		item->page = at / html->page_size;
		item->pages = (end - at) / html->page_size;
		bool framed = run->flags & VMSNAP_PAGE_PRESENT && run->pfn;
		item->frame = framed ? run->pfn + (at - run->start) / html->page_size : 0;
		item->value = (uint8_t)state;
		rc = work_step(&html->work);
	}
	return rc;
}

/* A layer's ranges, as far as they are in what is told of. */
static int list_layer(struct vmsnap_html *html, const struct vmsnap *snap, int layer,
                      uint8_t (*value_of)(uint64_t value), struct run_list *list)
{
	uint64_t end = html->options.end ? html->options.end : UINT64_MAX;
	struct vmsnap_layer_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_layer_range(snap, layer, i, &range); i++) {
		uint64_t from = range.start > html->options.start ? range.start : html->options.start;
		uint64_t to = range.end < end ? range.end : end;
		uint8_t value = value_of(range.value);
		if (from >= to || !value)
			continue;
		struct track_run *item = REPORT_ROOM(html, list->items, list->count, list->room, &rc);
		if (item)
			*item = (struct track_run){ .page = from / html->page_size,
				                    .pages = (to - from) / html->page_size,
				                    .value = value };
		rc = rc ? rc : work_step(&html->work);
	}
	return rc;
}

static uint8_t state_of_dumped(uint64_t dumped)
{
	return (uint8_t)state_dumped(dumped);
}

static uint8_t whatever(uint64_t value)
{
	return value != 0;
}

static int list_states(struct vmsnap_html *html, const struct vmsnap *snap, struct run_list *list)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	int rc = VMSNAP_OK;
	vmsnap_run_iter_init(&it, snap, html->options.start, html->options.end ? html->options.end : UINT64_MAX);
	while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK)
		rc = list_run(html, snap, &run, list);
	return rc;
}

/* The one that it was forked from, if that is told of this instant already: they share most frames. */
static const struct report_process *parent_of(const struct vmsnap_html *html, const struct report_process *child,
                                              const struct vmsnap *snap)
{
	for (const struct report_process *each = html->processes; each < child; each++)
		if (each->last && each->last_instant == html->instant_count - 1 &&
		    vmsnap_info(each->last)->pid == vmsnap_info(snap)->ppid)
			return each;
	return NULL;
}

static int add_states(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                      struct vmsnap_error *err)
{
	struct run_list list = { 0 };
	int rc = vmsnap_info(snap)->known.states_unknown
	                 ? list_layer(html, snap, VMSNAP_LAYER_DUMPED, state_of_dumped, &list)
	                 : list_states(html, snap, &list);
	const struct report_process *parent = process->last ? NULL : parent_of(html, process, snap);
	if (parent) {
		process->frames_of = (uint32_t)(parent - html->processes) + 1;
		process->states.parent = &parent->states;
	}
	rc = rc ? work_fail(&html->work, rc, err) : track_add(&process->states, list.items, list.count, err);
	process->states.parent = NULL;
	work_free(&html->work, list.items, list.room, sizeof(*list.items));
	return rc;
}

/* The pages that a debugger had written to. */
static int add_touched(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                       struct vmsnap_error *err)
{
	struct run_list list = { 0 };
	int rc = list_layer(html, snap, VMSNAP_LAYER_DEBUGGER_WRITES, whatever, &list);
	rc = rc ? work_fail(&html->work, rc, err) : track_add(&process->touched, list.items, list.count, err);
	work_free(&html->work, list.items, list.room, sizeof(*list.items));
	return rc;
}

/* ---- what became of them since the instant before ---------------------------------------- */

static int note_change(struct vmsnap_html *html, struct report_process *process, const struct report_change *change)
{
	int rc = VMSNAP_OK;
	struct report_change *item =
	        REPORT_ROOM(html, process->changes, process->change_count, process->change_room, &rc);
	if (item)
		*item = *change;
	return rc;
}

static int by_target(const void *x, const void *y, const void *ctx)
{
	const struct track_move *a = x, *b = y;
	(void)ctx;
	return a->to < b->to ? -1 : a->to > b->to;
}

struct moves {
	struct track_move *items;
	size_t count, room;
};

static int list_moves(struct vmsnap_html *html, struct report_process *process, const struct vmsnap_diff *diff,
                      struct moves *moves)
{
	struct vmsnap_diff_vma vma;
	uint64_t page_size = html->page_size;
	uint32_t instant = (uint32_t)html->instant_count - 1;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_diff_vma(diff, i, &vma); i++) {
		if (vma.change == VMSNAP_VMA_CHANGE_REPLACED && vma.b)
			rc = note_change(html, process,
			                 &(struct report_change){ instant, vma.b->start / page_size,
			                                          vma.b->start / page_size,
			                                          (vma.b->end - vma.b->start) / page_size, true });
		if (vma.change != VMSNAP_VMA_CHANGE_MOVED)
			continue;
		struct track_move *move = REPORT_ROOM(html, moves->items, moves->count, moves->room, &rc);
		if (!move)
			break;
		*move = (struct track_move){ vma.from / page_size, vma.to / page_size, vma.length / page_size };
		rc = note_change(html, process,
		                 &(struct report_change){ instant, move->from, move->to, move->pages, false });
	}
	return rc ? rc : work_sort(&html->work, moves->items, moves->count, sizeof(*moves->items), by_target, NULL);
}

static int add_moves(struct vmsnap_html *html, struct report_process *process, const struct vmsnap_diff *diff,
                     struct vmsnap_error *err)
{
	struct moves moves = { 0 };
	int rc = list_moves(html, process, diff, &moves);
	if (rc)
		rc = work_fail(&html->work, rc, err);
	else if (moves.count)
		rc = track_moved(&process->states, moves.items, moves.count, err);
	work_free(&html->work, moves.items, moves.room, sizeof(*moves.items));
	return rc;
}

/* 1: the pages that are known to be written to since the instant before. */
static int add_written(struct vmsnap_html *html, struct report_process *process, const struct vmsnap_diff *diff,
                       struct vmsnap_error *err)
{
	struct run_list list = { 0 };
	struct vmsnap_diff_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_diff_range(diff, i, &range); i++) {
		if (!(range.kinds & 1u << VMSNAP_KIND_WRITTEN))
			continue;
		struct track_run *item = REPORT_ROOM(html, list.items, list.count, list.room, &rc);
		if (item)
			*item = (struct track_run){ .page = range.start / html->page_size,
				                    .pages = (range.end - range.start) / html->page_size,
				                    .value = 1 };
	}
	if (rc)
		rc = work_fail(&html->work, rc, err);
	else
		rc = track_add(&process->written, list.items, list.count, err);
	work_free(&html->work, list.items, list.room, sizeof(*list.items));
	return rc;
}

/* Of a part of a process nobody has counted it. */
static int add_shared(struct vmsnap_html *html, struct report_process *process, const struct vmsnap_diff *diff,
                      struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	if (!vmsnap_info(process->last)->known.exclusive || html->options.end)
		return VMSNAP_OK;
	struct report_shared *shared =
	        REPORT_ROOM(html, process->shared, process->shared_count, process->shared_room, &rc);
	if (!shared)
		return work_fail(&html->work, rc, err);
	shared->instant = process->last_instant;
	shared->pages = vmsnap_diff_total(diff, VMSNAP_TOTAL_SHARED_A);
	shared->more = vmsnap_diff_total(diff, VMSNAP_TOTAL_SHARED_UNKNOWN_A) != 0;
	return VMSNAP_OK;
}

static int name_changed(struct vmsnap_html *html, struct report_process *process, const struct vmsnap_diff *diff,
                        struct vmsnap_error *err)
{
	struct vmsnap_diff_range range;
	int rc = VMSNAP_OK;
	uint32_t wanted = 1u << VMSNAP_KIND_COPIED | 1u << VMSNAP_KIND_NEW | 1u << VMSNAP_KIND_WRITTEN;
	for (size_t i = 0; !rc && !vmsnap_diff_range(diff, i, &range); i++)
		if (range.kinds & wanted)
			rc = names_of_pages(html, process, range.start, range.end, err);
	return rc;
}

static int compare_with_last(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                             struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = { .size = sizeof(options),
		                                  .cancelled = html->options.cancelled,
		                                  .cancel_ctx = html->options.cancel_ctx };
	struct vmsnap_diff *diff;
	int rc = vmsnap_diff_new_with(process->last, snap, &options, &diff, err);
	if (rc)
		return rc;
	rc = add_moves(html, process, diff, err);
	rc = rc ? rc : add_written(html, process, diff, err);
	rc = rc ? rc : add_shared(html, process, diff, err);
	rc = rc ? rc : name_changed(html, process, diff, err);
	vmsnap_diff_free(diff);
	return rc;
}

/* ---- mappings --------------------------------------------------------------------------- */

static uint32_t add_string(struct vmsnap_html *html, const char *string)
{
	return strings_add(&html->strings, string, strlen(string));
}

static uint32_t perms_string(struct vmsnap_html *html, uint32_t perms)
{
	char text[] = { perms & VMSNAP_PERM_READ ? 'r' : '-', perms & VMSNAP_PERM_WRITE ? 'w' : '-',
		        perms & VMSNAP_PERM_EXEC ? 'x' : '-', perms & VMSNAP_PERM_SHARED ? 's' : 'p' };
	return strings_add(&html->strings, text, sizeof(text));
}

static uint32_t label_of(struct vmsnap_html *html, const struct report_process *process, size_t index)
{
	struct vmsnap_name name;
	if (!process->names || vmsnap_name_of_mapping(process->names, index, &name))
		return 0;
	return add_string(html, name.symbol ? name.symbol : name.object ? name.object : "");
}

static bool same_vma(const struct report_vma *a, const struct report_vma *b)
{
	return a->page == b->page && a->end == b->end && a->offset == b->offset && a->perms == b->perms &&
	       a->name == b->name && a->memory == b->memory && a->deleted == b->deleted;
}

static struct report_vma make_vma(struct vmsnap_html *html, const struct vmsnap_vma *vma)
{
	uint32_t now = (uint32_t)html->instant_count - 1;
	return (struct report_vma){
		.page = vma->start / html->page_size,
		.end = vma->end / html->page_size,
		.offset = vma->offset,
		.perms = perms_string(html, vma->perms),
		.name = add_string(html, vma->name),
		.memory = (uint8_t)rule_memory_of(vma),
		.deleted = vma->deleted,
		.first = now,
		.last = now,
	};
}

/* Of those that were there at the instant before, by address, the one that is as `now`. */
static struct report_vma *vma_as_before(struct report_process *process, size_t *next, const struct report_vma *now)
{
	while (*next < process->current_count && process->vmas[process->current[*next]].page < now->page)
		++*next;
	if (*next >= process->current_count)
		return NULL;
	struct report_vma *vma = &process->vmas[process->current[*next]];
	return same_vma(vma, now) ? vma : NULL;
}

static int add_vma(struct vmsnap_html *html, struct report_process *process, size_t index, size_t *next,
                   uint32_t *place)
{
	struct report_vma now = make_vma(html, vmsnap_vma(process->last, index));
	struct report_vma *vma = vma_as_before(process, next, &now);
	int rc = VMSNAP_OK;
	if (!vma) {
		now.label = label_of(html, process, index);
		vma = REPORT_ROOM(html, process->vmas, process->vma_count, process->vma_room, &rc);
		if (rc)
			return rc;
		*vma = now;
	}
	vma->last = now.last;
	*place = (uint32_t)(vma - process->vmas);
	return html->strings.failed;
}

static int add_vmas(struct vmsnap_html *html, struct report_process *process)
{
	size_t count = vmsnap_vma_count(process->last), found = 0, next = 0;
	int rc = VMSNAP_OK;
	uint32_t *current = work_array(&html->work, count, sizeof(*current), &rc);
	for (size_t i = 0; !rc && i < count; i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(process->last, i);
		if (html->options.end && (vma->start >= html->options.end || vma->end <= html->options.start))
			continue;
		rc = add_vma(html, process, i, &next, &current[found++]);
	}
	work_free(&html->work, process->current, process->current_room, sizeof(*current));
	process->current = current;
	process->current_count = rc ? 0 : found;
	process->current_room = current ? count : 0;
	return rc;
}

/* ---- status ----------------------------------------------------------------------------- */

enum { STATUS_MOST = 256 }; /* the kernel writes some 60 */

static struct report_status *status_of(struct vmsnap_html *html, struct report_process *process, size_t index,
                                       uint32_t key, int *rc)
{
	if (index < process->status_count && process->status[index].key == key)
		return &process->status[index];
	for (size_t i = 0; i < process->status_count; i++)
		if (process->status[i].key == key)
			return &process->status[i];
	if (process->status_count >= STATUS_MOST)
		return NULL;
	struct report_status *status =
	        REPORT_ROOM(html, process->status, process->status_count, process->status_room, rc);
	if (status)
		status->key = key;
	return status;
}

static int status_put(struct vmsnap_html *html, struct report_status *status, uint32_t value)
{
	int rc = VMSNAP_OK;
	if (html->instant_count > status->room) {
		size_t room = html->instant_count + html->instant_count / 2 + 8;
		uint32_t *values = work_array(&html->work, room, sizeof(*values), &rc);
		if (!values)
			return rc;
		if (status->values)
			memcpy(values, status->values, status->room * sizeof(*values));
		work_free(&html->work, status->values, status->room, sizeof(*values));
		status->values = values;
		status->room = room;
	}
	status->values[html->instant_count - 1] = value + 1;
	return rc;
}

struct status_adding {
	struct vmsnap_html *html;
	struct report_process *process;
	size_t count;
	int rc;
};

/* Whether to go on: not with more than there is room for, so that none of the rest is kept as a string either. */
static bool add_status_line(void *ctx, const struct vmsnap_status_field *field)
{
	struct status_adding *adding = ctx;
	struct vmsnap_html *html = adding->html;
	uint32_t key = strings_add(&html->strings, field->key, field->key_len);
	struct report_status *status = status_of(html, adding->process, adding->count++, key, &adding->rc);
	if (status)
		adding->rc = status_put(html, status, strings_add(&html->strings, field->text, field->text_len));
	return !adding->rc && adding->count < STATUS_MOST;
}

static int add_status(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                      struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = { .size = sizeof(options),
		                                  .cancelled = html->work.cancelled,
		                                  .cancel_ctx = html->work.cancel_ctx };
	struct status_adding adding = { .html = html, .process = process };
	int rc = vmsnap_status_keys(snap, &options, add_status_line, &adding, err);
	if (rc)
		return rc;
	rc = adding.rc ? adding.rc : html->strings.failed;
	return rc ? work_fail(&html->work, rc, err) : VMSNAP_OK;
}

/* ---- all of it --------------------------------------------------------------------------- */

static void bind_names(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap)
{
	if (html->options.strip & VMSNAP_STRIP_NAMES)
		return;
	if (process->names && vmsnap_names_rebind(process->names, snap, NULL) == VMSNAP_OK)
		return;
	vmsnap_names_free(process->names);
	if (vmsnap_names_new(snap, html->options.sysroot, &process->names, NULL))
		process->names = NULL; /* a page without names is better than none */
	if (!process->names)
		return;
	vmsnap_names_set_cancelled(process->names, html->options.cancelled, html->options.cancel_ctx);
	vmsnap_names_set_demangled(process->names, !html->options.raw_symbols);
}

/* A fork leaves the stacks of the parent's other threads in the child. */
static void borrow_names(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap)
{
	for (size_t i = html->process_count; process->names && i-- > 0;) {
		const struct vmsnap *other = html->processes[i].last;
		if (other && vmsnap_info(other)->pid == vmsnap_info(snap)->ppid) {
			(void)vmsnap_names_add_fallback(process->names, other, NULL);
			return;
		}
	}
}

int process_add(struct vmsnap_html *html, struct report_process *process, const struct vmsnap *snap,
                struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	bind_names(html, process, snap);
	borrow_names(html, process, snap);
	if (process->last)
		rc = compare_with_last(html, process, snap, err);
	else
		rc = track_add(&process->written, NULL, 0, err);
	rc = rc || !process->last ? rc : changed_bytes_add(html, process, snap, err);
	rc = rc ? rc : add_states(html, process, snap, err);
	rc = rc ? rc : add_touched(html, process, snap, err);
	if (rc)
		return rc;
	vmsnap_unref(process->last);
	process->last = vmsnap_ref(snap);
	rc = add_vmas(html, process);
	if (rc)
		return work_fail(&html->work, rc, err);
	rc = add_status(html, process, snap, err);
	if (rc)
		return rc;
	process->last_instant = (uint32_t)html->instant_count - 1;
	return VMSNAP_OK;
}

void process_free(struct vmsnap_html *html, struct report_process *process)
{
	vmsnap_unref(process->last);
	vmsnap_names_free(process->names);
	track_free(&process->states);
	track_free(&process->written);
	track_free(&process->touched);
	for (size_t i = 0; i < process->status_count; i++)
		work_free(&html->work, process->status[i].values, process->status[i].room, sizeof(uint32_t));
	work_free(&html->work, process->status, process->status_room, sizeof(*process->status));
	work_free(&html->work, process->vmas, process->vma_room, sizeof(*process->vmas));
	work_free(&html->work, process->current, process->current_room, sizeof(*process->current));
	work_free(&html->work, process->changes, process->change_room, sizeof(*process->changes));
	work_free(&html->work, process->shared, process->shared_room, sizeof(*process->shared));
}
