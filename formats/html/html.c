/* html.c - vmsnap_html_*(): instants and processes of a page, and its parts in their order. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "bundle.h"
#include "error.h"
#include "fork_time.h"
#include "options.h"
#include "report.h"

enum { HTML_MEMORY = 1 << 30, HTML_PAGES_MAX = 64 << 20 };
static const unsigned html_strip = VMSNAP_STRIP_PFNS | VMSNAP_STRIP_CMDLINE | VMSNAP_STRIP_NAMES | VMSNAP_STRIP_HOST |
                                   VMSNAP_STRIP_CONTENTS | VMSNAP_STRIP_FAULTS;

VMSNAP_API int vmsnap_html_new(const struct vmsnap_html_options *options, struct vmsnap_html **out,
                               struct vmsnap_error *err)
{
	struct vmsnap_html_options taken;
	int rc = options_take(&taken, sizeof(taken), options, "struct vmsnap_html_options", err);
	if (rc)
		return rc;
	if (taken.strip & ~html_strip)
		return fail(err, VMSNAP_ERR_ARGUMENT, "there is nothing to strip by 0x%x", taken.strip & ~html_strip);
	if (taken.end && taken.end <= taken.start)
		return fail(err, VMSNAP_ERR_ARGUMENT, "the range ends before it begins");
	struct vmsnap_html *html = calloc(1, sizeof(*html));
	if (!html)
		return fail_no_memory(err);
	html->options = taken;
	html->work =
	        (struct work){ .limit = HTML_MEMORY, .cancelled = taken.cancelled, .cancel_ctx = taken.cancel_ctx };
	html->strings.work = html->bytes.work = &html->work;
	const char *title = taken.title ? taken.title : "";
	html->title = strings_add(&html->strings, title, strlen(title));
	*out = html;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_html_free(struct vmsnap_html *html)
{
	if (!html)
		return;
	for (size_t i = 0; i < html->process_count; i++)
		process_free(html, &html->processes[i]);
	for (size_t i = 0; i < html->fork_count; i++)
		fork_free(&html->forks[i]);
	code_free(html);
	strings_free(&html->strings);
	free(html->processes);
	free(html->forks);
	free(html->instants);
	free(html->places);
	free(html->names);
	free(html->values);
	free(html->compared);
	spill_free(&html->bytes);
	free(html);
}

/* ---- snapshots -------------------------------------------------------------------------- */

static uint32_t string_of(struct vmsnap_html *html, const char *string)
{
	return strings_add(&html->strings, string, strlen(string));
}

/* Who is not there at the last instant is skipped; forks can be looked at. */
static int end_instant(struct vmsnap_html *html, struct vmsnap_error *err)
{
	uint32_t now = (uint32_t)html->instant_count - 1;
	int rc = VMSNAP_OK;
	if (!html->instant_count || html->ended)
		return VMSNAP_OK;
	html->ended = true;
	for (size_t i = 0; !rc && i < html->process_count; i++) {
		struct report_process *process = &html->processes[i];
		if (process->last_instant == now)
			continue;
		rc = track_skip(&process->states, err);
		rc = rc ? rc : track_skip(&process->written, err);
		rc = rc ? rc : track_skip(&process->touched, err);
	}
	rc = rc ? rc : code_end_instant(html, err);
	return rc ? rc : forks_add(html, err);
}

static int begin_instant(struct vmsnap_html *html, const struct vmsnap *snap, struct vmsnap_error *err)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	int rc = end_instant(html, err);
	if (rc)
		return rc;
	struct report_instant *instant =
	        REPORT_ROOM(html, html->instants, html->instant_count, html->instant_room, &rc);
	if (rc)
		return work_fail(&html->work, rc, err);
	*instant = (struct report_instant){ .taken = info->taken,
		                            .monotonic = info->monotonic,
		                            .pause = info->pause,
		                            .held = info->freeze == VMSNAP_FREEZE_DEBUGGER,
		                            .label = string_of(html, info->label),
		                            .reason = string_of(html, info->reason) };
	html->ended = false;
	return VMSNAP_OK;
}

static void know(struct vmsnap_html *html, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	bool host = !(html->options.strip & VMSNAP_STRIP_HOST);
	if (!html->page_size) {
		html->page_size = info->page_size;
		html->known = info->known;
		html->host = host ? string_of(html, info->host) : string_of(html, "");
		html->kernel = string_of(html, info->kernel);
		html->arch = string_of(html, info->arch);
		html->tool = string_of(html, info->tool);
	}
	html->known.pfn &= info->known.pfn;
	html->known.exclusive &= info->known.exclusive;
	html->known.zero &= info->known.zero;
	html->known.huge &= info->known.huge;
	html->known.exclusive_huge &= info->known.exclusive_huge;
}

static struct report_process *process_of(struct vmsnap_html *html, const struct vmsnap *snap)
{
	for (size_t i = html->process_count; i-- > 0;)
		if (vmsnap_same_process(html->processes[i].last, snap))
			return &html->processes[i];
	return NULL;
}

static int process_new(struct vmsnap_html *html, const struct vmsnap *snap, struct report_process **out,
                       struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	struct report_process *process =
	        REPORT_ROOM(html, html->processes, html->process_count, html->process_room, &rc);
	if (rc)
		return work_fail(&html->work, rc, err);
	process->first_instant = (uint32_t)html->instant_count - 1;
	if (!fork_before(snap, snap, &process->age))
		process->age = 0;
	track_init(&process->states, true, &html->work);
	track_init(&process->written, false, &html->work);
	track_init(&process->touched, false, &html->work);
	for (size_t i = 1; !rc && i < html->instant_count; i++) {
		rc = track_skip(&process->states, err);
		rc = rc ? rc : track_skip(&process->written, err);
		rc = rc ? rc : track_skip(&process->touched, err);
	}
	*out = process;
	return rc;
}

static int check_order(const struct vmsnap_html *html, const struct vmsnap *snap, struct vmsnap_error *err)
{
	const struct vmsnap *before = html->newest;
	if (!before)
		return VMSNAP_OK;
	const struct vmsnap_info *a = vmsnap_info(before), *b = vmsnap_info(snap);
	if (a->page_size != b->page_size || strcmp(a->boot_id, b->boot_id) != 0)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "these are of two machines, or of two boots of one: a page shows what belongs together");
	if (a->known.states_unknown != b->known.states_unknown)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "core files are on a page of their own: they do not tell which pages were present");
	if (b->monotonic < a->monotonic)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "a snapshot of process %" PRIu32 " is older than the one before it", b->pid);
	return VMSNAP_OK;
}

/* One process has one state at an instant: where clocks were not read, the second is a later one. */
static bool goes_on(struct vmsnap_html *html, const struct vmsnap *snap)
{
	if (!html->newest || !vmsnap_same_instant(html->newest, snap))
		return false;
	const struct report_process *process = process_of(html, snap);
	return !process || process->last_instant != html->instant_count - 1;
}

static int add_checked(struct vmsnap_html *html, const struct vmsnap *snap, uint64_t number, struct vmsnap_error *err)
{
	int rc = goes_on(html, snap) ? VMSNAP_OK : begin_instant(html, snap, err);
	if (rc)
		return rc;
	know(html, snap);
	struct report_process *process = process_of(html, snap);
	rc = process ? VMSNAP_OK : process_new(html, snap, &process, err);
	rc = rc ? rc : process_add(html, process, snap, err);
	if (rc)
		return rc;
	html->newest = process->last;
	rc = code_note(html, process->last, err);
	if (rc)
		return rc;
	struct report_place *place = REPORT_ROOM(html, html->places, html->place_count, html->place_room, &rc);
	if (rc)
		return work_fail(&html->work, rc, err);
	*place = (struct report_place){ (uint32_t)html->instant_count - 1, (uint32_t)(process - html->processes),
		                        number, vmsnap_info(snap)->page_moves };
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_html_add(struct vmsnap_html *html, const struct vmsnap *snap, uint64_t number,
                               struct vmsnap_error *err)
{
	if (html->failed)
		return fail(err, VMSNAP_ERR_ARGUMENT, "this page failed before: it can only be freed");
	int rc = check_order(html, snap, err);
	if (rc)
		return rc;
	rc = add_checked(html, snap, number, err);
	html->failed = rc != VMSNAP_OK;
	return rc;
}

/* ---- the page --------------------------------------------------------------------------- */

struct numbers {
	uint64_t *value_bytes, *frame_bytes;
	struct spill values, frames, head;
};

enum { OF_PROCESS = 3, OF_FORK = 2 };

static size_t track_count(const struct vmsnap_html *html)
{
	return OF_PROCESS * html->process_count + OF_FORK * html->fork_count;
}

static const struct track *track_at(const struct vmsnap_html *html, size_t index)
{
	size_t of_processes = OF_PROCESS * html->process_count;
	if (index >= of_processes) {
		const struct report_fork *fork = &html->forks[(index - of_processes) / OF_FORK];
		return (index - of_processes) % OF_FORK ? &fork->inferred : &fork->verdicts;
	}
	const struct report_process *process = &html->processes[index / OF_PROCESS];
	const struct track *tracks[OF_PROCESS] = { &process->states, &process->written, &process->touched };
	return tracks[index % OF_PROCESS];
}

static int write_tracks(const struct vmsnap_html *html, struct numbers *numbers, struct vmsnap_error *err)
{
	bool frames = !(html->options.strip & VMSNAP_STRIP_PFNS) && html->known.pfn;
	uint64_t *value_bytes = numbers->value_bytes, *frame_bytes = numbers->frame_bytes;
	uint64_t pages = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < track_count(html); i++) {
		const struct track *track = track_at(html, i);
		pages += track_pages(track);
		rc = track_write_values(track, &numbers->values, value_bytes, err);
		value_bytes += track->instants;
		if (rc || !track->frames || !frames)
			continue;
		rc = track_write_frames(track, &numbers->frames, frame_bytes, err);
		frame_bytes += track->instants;
	}
	if (!rc && pages > HTML_PAGES_MAX)
		return fail(err, VMSNAP_ERR_TOO_LARGE,
		            "%" PRIu64 " pages are more than a browser shows: choose a range (--range START-END)",
		            pages);
	return rc;
}

static int write_head(void *ctx, const char *text, size_t len)
{
	spill_put(ctx, text, len);
	return 0;
}

static int make_numbers(struct vmsnap_html *html, struct numbers *numbers, struct vmsnap_error *err)
{
	struct rules rules;
	bool frames = !(html->options.strip & VMSNAP_STRIP_PFNS) && html->known.pfn;
	int rc = write_tracks(html, numbers, err);
	rc = rc ? rc : rules_make(&rules, &html->known, err);
	rc = rc ? rc
	        : head_write(html, &rules, numbers->value_bytes, frames ? numbers->frame_bytes : NULL, write_head,
	                     &numbers->head, err);
	rc = rc ? rc : spill_end(&numbers->head, err);
	rc = rc ? rc : spill_end(&numbers->values, err);
	rc = rc ? rc : spill_end(&html->bytes, err);
	return rc ? rc : spill_end(&numbers->frames, err);
}

static int put_bundle(int part, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err)
{
	size_t len;
	const char *text = bundle_part(part, &len);
	int failed = write(ctx, text, len);
	return failed ? fail_sys(err, failed, "cannot write the page") : VMSNAP_OK;
}

static int write_parts(const struct vmsnap_html *html, const struct numbers *numbers, vmsnap_write_fn write, void *ctx,
                       struct vmsnap_error *err)
{
	const struct spill *blobs[] = { &numbers->head, &numbers->values, &numbers->frames, &html->bytes };
	int rc = put_bundle(0, write, ctx, err);
	rc = rc ? rc : plain_write(html, write, ctx, err);
	rc = rc ? rc : put_bundle(1, write, ctx, err);
	for (int i = 0; !rc && i < BUNDLE_PARTS - 2; i++) {
		rc = blobs[i]->size ? blob_write(blobs[i], write, ctx, err) : VMSNAP_OK;
		rc = rc ? rc : put_bundle(i + 2, write, ctx, err);
	}
	return rc;
}

static int write_page(struct vmsnap_html *html, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err)
{
	struct numbers numbers = { .values.work = &html->work, .frames.work = &html->work, .head.work = &html->work };
	size_t count = track_count(html) * html->instant_count;
	int rc = VMSNAP_OK;
	numbers.value_bytes = work_array(&html->work, count, sizeof(uint64_t), &rc);
	numbers.frame_bytes = work_array(&html->work, count, sizeof(uint64_t), &rc);
	names_sort(html, &rc);
	rc = rc ? work_fail(&html->work, rc, err) : make_numbers(html, &numbers, err);
	rc = rc ? rc : write_parts(html, &numbers, write, ctx, err);
	work_free(&html->work, numbers.value_bytes, count, sizeof(uint64_t));
	work_free(&html->work, numbers.frame_bytes, count, sizeof(uint64_t));
	spill_free(&numbers.values);
	spill_free(&numbers.frames);
	spill_free(&numbers.head);
	return rc;
}

VMSNAP_API int vmsnap_html_write(struct vmsnap_html *html, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err)
{
	if (html->failed || !html->instant_count)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "there is nothing to show: no snapshot was added, or adding one failed");
	html->failed = true; /* once */
	int rc = end_instant(html, err);
	rc = rc ? rc : names_to_search(html, err);
	return rc ? rc : write_page(html, write, ctx, err);
}
