/* The JSON of a page: all but the tracks. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "moves_count.h"
#include "report.h"

static void put_strings(struct json *json, const struct vmsnap_html *html)
{
	json_array(json, "strings");
	for (size_t i = 0; i < html->strings.count; i++)
		json_bytes(json, NULL, html->strings.items[i].bytes, html->strings.items[i].len);
	json_end(json);
}

/* What is in no state: of a core file, what was left out of it. */
static const char *words_for(const struct vmsnap_html *html, bool absent, const char *words)
{
	return absent && html->known.states_unknown ? "left out of the core file" : words;
}

static void put_classes(struct json *json, const struct vmsnap_html *html)
{
	json_array(json, "classes"); /* name, words, letter, whether something happened */
	for (int i = 0; i < REPORT_CLASSES; i++) {
		const struct report_class_text *text = report_class_text(i);
		json_array(json, NULL);
		json_string(json, NULL, text->name);
		json_string(json, NULL, words_for(html, i == REPORT_UNTOUCHED, text->words));
		json_string(json, NULL, text->letter);
		json_bool(json, NULL, i >= REPORT_COPIED);
		json_end(json);
	}
	json_end(json);
}

static void put_states(struct json *json, const struct vmsnap_html *html)
{
	char present[STATES]; /* in a frame: 1 */
	json_array(json, "states");
	for (int i = 0; i < STATES; i++) {
		json_string(json, NULL, words_for(html, i == STATE_ABSENT, state_words((enum state)i)));
		present[i] = state_flags((enum state)i) & VMSNAP_PAGE_PRESENT ? '1' : '0';
	}
	json_end(json);
	json_bytes(json, "present", present, STATES);
}

/* Classes as letters of the alphabet: A is the first. */
static void put_rules(struct json *json, const struct rules *rules)
{
	char text[sizeof(rules->changed)];
	const uint8_t *changed = (const uint8_t *)rules->changed;
	for (size_t i = 0; i < STATES; i++)
		text[i] = (char)('A' + rules->quiet[i]);
	json_object(json, "rules");
	json_bytes(json, "quiet", text, STATES);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('A' + changed[i]);
	json_bytes(json, "changed", text, sizeof(text));
	json_end(json);
}

static void put_verdicts(struct json *json)
{
	json_array(json, "verdicts"); /* name, class */
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		json_array(json, NULL);
		json_string(json, NULL, vmsnap_verdict_name(i));
		json_number(json, NULL, (uint64_t)report_class_of_verdict(i));
		json_end(json);
	}
	json_end(json);
}

static void put_since(struct json *json, int64_t us)
{
	json_signed(json, NULL, us < 0, us < 0 ? 0 - (uint64_t)us : (uint64_t)us);
}

/* By the clock that nobody sets, where it was read. */
static int64_t since_first(const struct vmsnap_html *html, const struct report_instant *instant)
{
	const struct report_instant *first = &html->instants[0];
	if (first->monotonic && instant->monotonic >= first->monotonic)
		return (instant->monotonic - first->monotonic) / 1000;
	return (instant->taken - first->taken) / 1000;
}

/* The least count that says something: others are told as more than that.  Which of one instant was read first, nobody
 * knows here; all are of one boot. */
static uint64_t least_moves(const struct vmsnap_html *html)
{
	uint64_t moved, least = 0;
	for (size_t i = 0; i < html->place_count; i++) {
		uint64_t count = html->places[i].page_moves;
		if (moves_between(count, count, &moved) && (!least || count < least))
			least = count;
	}
	return least;
}

/* As many pages the kernel had moved since that, plus 2 (1: KSM may have merged some of this process; 0: not known),
 * and how often KSM parted some. */
static void put_moves(struct json *json, uint64_t since, uint64_t count)
{
	uint64_t moved, low = (UINT64_C(1) << MOVES_BITS) - 1;
	bool known = moves_between(since, count, &moved);
	uint64_t parted = known ? ((count - 1) >> MOVES_BITS) - ((since - 1) >> MOVES_BITS) : 0;
	json_number(json, NULL, known ? ((count - since) & low) + 2 : count == MOVES_MERGED);
	json_number(json, NULL, parted);
}

static void put_instants(struct json *json, const struct vmsnap_html *html)
{
	json_array(json, "instants"); /* us since the first, label, reason, pause in us, us since the first by the date,
	                                 1: held */
	for (size_t i = 0; i < html->instant_count; i++) {
		const struct report_instant *instant = &html->instants[i];
		json_array(json, NULL);
		put_since(json, since_first(html, instant));
		json_number(json, NULL, instant->label);
		json_number(json, NULL, instant->reason);
		json_number(json, NULL, instant->pause / 1000);
		put_since(json, (instant->taken - html->instants[0].taken) / 1000);
		json_number(json, NULL, instant->held);
		json_end(json);
	}
	json_end(json);
	json_array(json, "places"); /* instant, process, number in the file, what the kernel moved */
	uint64_t since = least_moves(html);
	for (size_t i = 0; i < html->place_count; i++) {
		json_number(json, NULL, html->places[i].instant);
		json_number(json, NULL, html->places[i].process);
		json_number(json, NULL, html->places[i].number);
		put_moves(json, since, html->places[i].page_moves);
	}
	json_end(json);
}

static void put_vmas(struct json *json, const struct report_process *process)
{
	json_array(json,
	           "vmas"); /* start, end, permissions, name, label, offset in KiB, memory, deleted, first, last */
	for (size_t i = 0; i < process->vma_count; i++) {
		const struct report_vma *vma = &process->vmas[i];
		json_number(json, NULL, vma->page);
		json_number(json, NULL, vma->end);
		json_number(json, NULL, vma->perms);
		json_number(json, NULL, vma->name);
		json_number(json, NULL, vma->label);
		json_number(json, NULL, vma->offset >> 10);
		json_number(json, NULL, vma->memory);
		json_number(json, NULL, vma->deleted);
		json_number(json, NULL, vma->first);
		json_number(json, NULL, vma->last);
	}
	json_end(json);
}

static void put_changes(struct json *json, const struct report_process *process)
{
	json_array(json, "changes"); /* instant, from, page, pages, replaced */
	for (size_t i = 0; i < process->change_count; i++) {
		const struct report_change *change = &process->changes[i];
		json_number(json, NULL, change->instant);
		json_number(json, NULL, change->from);
		json_number(json, NULL, change->page);
		json_number(json, NULL, change->pages);
		json_number(json, NULL, change->replaced);
	}
	json_end(json);
}

static void put_shared(struct json *json, const struct report_process *process)
{
	json_array(json, "shared"); /* instant, pages that a write would copy, 1: or more */
	for (size_t i = 0; i < process->shared_count; i++) {
		const struct report_shared *shared = &process->shared[i];
		json_number(json, NULL, shared->instant);
		json_number(json, NULL, shared->pages);
		json_number(json, NULL, shared->more);
	}
	json_end(json);
}

static uint32_t status_value(const struct report_status *status, size_t instant)
{
	return instant < status->room ? status->values[instant] : 0;
}

/* key, value, instant from which it has it, value, instant, … : value 0 is none, others are strings plus 1. */
static void put_status(struct json *json, const struct vmsnap_html *html, const struct report_process *process)
{
	json_array(json, "status");
	for (size_t i = 0; i < process->status_count; i++) {
		const struct report_status *status = &process->status[i];
		uint32_t last = 0;
		json_array(json, NULL);
		json_number(json, NULL, status->key);
		for (size_t k = process->first_instant; k < html->instant_count; k++) {
			uint32_t value = status_value(status, k);
			if (value == last)
				continue;
			json_number(json, NULL, k);
			json_number(json, NULL, value);
			last = value;
		}
		json_end(json);
	}
	json_end(json);
}

static void put_command_line(struct json *json, const struct vmsnap_html *html, const struct vmsnap_info *info)
{
	bool wanted = info->cmdline && !(html->options.strip & VMSNAP_STRIP_CMDLINE);
	size_t at = 0, end = info->cmdline_len < STRING_MAX ? info->cmdline_len : STRING_MAX;
	json_array(json, "cmdline");
	while (wanted && at < end) {
		size_t len = strnlen(info->cmdline + at, end - at);
		json_bytes(json, NULL, info->cmdline + at, len);
		at += len + 1;
	}
	json_end(json);
}

/* us from the first instant to when it was made, to 10 ms; not there: that is not known. */
static void put_started(struct json *json, const struct vmsnap_html *html, const struct report_process *process)
{
	if (!process->age || process->age / 1000 > INT64_MAX / 2)
		return;
	int64_t us = since_first(html, &html->instants[process->first_instant]) - (int64_t)(process->age / 1000);
	json_signed(json, "started_us", us < 0, us < 0 ? 0 - (uint64_t)us : (uint64_t)us);
}

static void put_process(struct json *json, const struct vmsnap_html *html, const struct report_process *process)
{
	const struct vmsnap_info *info = vmsnap_info(process->last);
	json_object(json, NULL);
	json_number(json, "pid", info->pid);
	json_number(json, "ppid", info->ppid);
	json_string(json, "comm", info->comm);
	json_string(json, "exe", info->exe);
	put_command_line(json, html, info);
	put_started(json, html, process);
	json_number(json, "first", process->first_instant);
	json_number(json, "last", process->last_instant);
	json_string(json, "freeze", vmsnap_freeze_name((int)info->freeze));
	put_vmas(json, process);
	put_changes(json, process);
	put_shared(json, process);
	put_status(json, html, process);
	json_end(json);
}

static void put_lengths(struct json *json, const char *key, const uint64_t *bytes, size_t count)
{
	json_array(json, key);
	for (size_t i = 0; i < count; i++)
		json_number(json, NULL, bytes[i]);
	json_end(json);
}

static void put_segments(struct json *json, const struct track *track)
{
	uint64_t page, pages, last = 0;
	json_array(json, "segments"); /* gap, length */
	for (size_t i = 0; track_segment(track, &i, &page, &pages);) {
		json_number(json, NULL, page - last);
		json_number(json, NULL, pages);
		last = page + pages;
	}
	json_end(json);
}

struct tracks {
	struct json *json;
	const struct vmsnap_html *html;
	const uint64_t *value_bytes, *frame_bytes;
};

static void put_track(struct tracks *tracks, const struct track *track, const char *kind, size_t process)
{
	json_object(tracks->json, NULL);
	json_string(tracks->json, "kind", kind);
	json_number(tracks->json, "process", process);
	put_segments(tracks->json, track);
	put_lengths(tracks->json, "values", tracks->value_bytes, track->instants);
	tracks->value_bytes += track->instants;
	if (track->frames && tracks->frame_bytes) {
		put_lengths(tracks->json, "frames", tracks->frame_bytes, track->instants);
		tracks->frame_bytes += track->instants;
	}
}

static void put_tracks(struct tracks *tracks)
{
	const struct vmsnap_html *html = tracks->html;
	struct json *json = tracks->json;
	json_array(json, "tracks");
	for (size_t i = 0; i < html->process_count; i++) {
		put_track(tracks, &html->processes[i].states, "states", i);
		if (html->processes[i].frames_of)
			json_number(json, "frames_of", html->processes[i].frames_of - 1);
		json_end(json);
		put_track(tracks, &html->processes[i].written, "written", i);
		json_end(json);
		put_track(tracks, &html->processes[i].touched, "touched", i);
		json_end(json);
	}
	for (size_t i = 0; i < html->fork_count; i++) {
		put_track(tracks, &html->forks[i].verdicts, "verdicts", html->forks[i].parent);
		json_number(json, "child", html->forks[i].child);
		json_number(json, "base", html->forks[i].base_instant);
		json_number(json, "warning", html->forks[i].warning);
		json_end(json);
		put_track(tracks, &html->forks[i].inferred, "inferred", html->forks[i].parent);
		json_number(json, "child", html->forks[i].child);
		json_end(json);
	}
	json_end(json);
}

static void put_names(struct json *json, const struct vmsnap_html *html)
{
	json_array(json, "names"); /* process, page, offset in it, size, symbol, kind, object */
	for (size_t i = 0; i < html->name_count; i++) {
		const struct report_name *name = &html->names[i];
		json_number(json, NULL, name->process);
		json_number(json, NULL, name->address / html->page_size);
		json_number(json, NULL, name->address % html->page_size);
		json_number(json, NULL, name->size);
		json_number(json, NULL, name->symbol);
		json_number(json, NULL, name->kind);
		json_number(json, NULL, name->object);
	}
	json_end(json);
	json_bool(json, "names_left_out", html->names_left_out);
}

static void put_values(struct json *json, const struct vmsnap_html *html)
{
	json_array(json, "values"); /* process, instant, page, offset in it, size, name, type, object, before, now */
	for (size_t i = 0; i < html->value_count; i++) {
		const struct report_value *value = &html->values[i];
		json_number(json, NULL, value->process);
		json_number(json, NULL, value->instant);
		json_number(json, NULL, value->address / html->page_size);
		json_number(json, NULL, value->address % html->page_size);
		json_number(json, NULL, value->size);
		json_number(json, NULL, value->name);
		json_number(json, NULL, value->type);
		json_number(json, NULL, value->object);
		json_number(json, NULL, value->before);
		json_number(json, NULL, value->now);
	}
	json_end(json);
}

static void put_contents(struct json *json, const struct vmsnap_html *html)
{
	json_object(json, "contents");
	json_bool(json, "wanted", html->options.contents && !(html->options.strip & VMSNAP_STRIP_CONTENTS));
	json_number(json, "bytes_left_out", html->bytes_left_out);
	json_number(json, "values_left_out", html->values_left_out);
	json_array(json, "compared"); /* process, instant: with the one before */
	for (size_t i = 0; i < html->compared_count; i++) {
		json_number(json, NULL, html->compared[i].process);
		json_number(json, NULL, html->compared[i].instant);
	}
	json_end(json);
	put_values(json, html);
	json_end(json);
}

static void put_known(struct json *json, const struct vmsnap_html *html)
{
	bool frames = html->known.pfn && !(html->options.strip & VMSNAP_STRIP_PFNS);
	json_object(json, "known");
	json_bool(json, "states", !html->known.states_unknown);
	json_bool(json, "pfn", html->known.pfn);
	json_bool(json, "frames", frames);
	json_bool(json, "exclusive", html->known.exclusive);
	json_bool(json, "zero", html->known.zero);
	json_bool(json, "huge", html->known.huge);
	json_end(json);
}

static void put_identity(struct json *json, const struct vmsnap_html *html)
{
	int64_t began = html->instants[0].taken / 1000;
	json_number(json, "page_size", html->page_size);
	json_signed(json, "began_us", began < 0, began < 0 ? 0 - (uint64_t)began : (uint64_t)began);
	json_number(json, "title", html->title);
	json_number(json, "host", html->host);
	json_number(json, "kernel", html->kernel);
	json_number(json, "arch", html->arch);
	json_number(json, "tool", html->tool);
	put_known(json, html);
}

int head_write(const struct vmsnap_html *html, const struct rules *rules, const uint64_t *value_bytes,
               const uint64_t *frame_bytes, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err)
{
	struct vmsnap_output out = { .size = sizeof(out),
		                     .write = write,
		                     .ctx = ctx,
		                     .style = { .size = sizeof(out.style), .json = true, .unicode = true } };
	struct text text;
	struct json json;
	struct tracks tracks = { &json, html, value_bytes, frame_bytes };
	int rc = text_open(&text, &out, err);
	if (rc)
		return rc;
	json_begin_line(&json, &text, "vmsnap.report/1");
	put_identity(&json, html);
	put_strings(&json, html);
	put_classes(&json, html);
	put_states(&json, html);
	put_rules(&json, rules);
	put_verdicts(&json);
	put_instants(&json, html);
	json_array(&json, "processes");
	for (size_t i = 0; i < html->process_count; i++)
		put_process(&json, html, &html->processes[i]);
	json_end(&json);
	put_tracks(&tracks);
	put_names(&json, html);
	put_contents(&json, html);
	code_write(html, &json);
	json_finish(&json);
	return text_close(&text, err);
}
