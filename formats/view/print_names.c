#define _GNU_SOURCE
#include "print_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "text_fit.h"

/* ---- one name -------------------------------------------------------------------- */

static uint32_t main_thread(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = snap ? vmsnap_info(snap) : NULL;
	return !info ? 0 : info->tgid ? info->tgid : info->pid;
}

struct naming naming_of(struct vmsnap_names *names, const struct vmsnap *a, const struct vmsnap *b,
                        const struct vmsnap *c)
{
	return (struct naming){ names, { main_thread(a), main_thread(b), main_thread(c) } };
}

static bool is_main_thread(const struct naming *naming, uint32_t tid)
{
	for (size_t i = 0; i < NAMING_SNAPSHOTS; i++)
		if (naming->main_threads[i] == tid)
			return true;
	return false;
}

bool name_in_frame(const struct vmsnap_name *name)
{
	return name->kind == VMSNAP_NAME_LOCAL || name->kind == VMSNAP_NAME_ARGUMENT;
}

char *name_words(const struct naming *naming, const struct vmsnap_name *name, struct text *text)
{
	char *words = NULL, thread[32] = "", frame[16] = "";
	const char *function = name_in_frame(name) && name->function ? name->function : "";
	bool other = name->tid && !is_main_thread(naming, name->tid);
	if (other && name->kind != VMSNAP_NAME_THREAD_STACK)
		snprintf(thread, sizeof(thread), " of thread %" PRIu32, name->tid);
	else if (name->kind == VMSNAP_NAME_THREAD_LOCAL)
		snprintf(thread, sizeof(thread), " (thread-local)");
	if (name_in_frame(name))
		snprintf(frame, sizeof(frame), " #%" PRIu32, name->frame);
	size_t len = strlen(function);
	/* C++ functions are told with their parameters already. */
	const char *calls = len && function[len - 1] != ')' ? "()" : "";
	const char *symbol = name->symbol ? name->symbol : "";
	uint64_t most = strlen(symbol) + len + sizeof(thread) + sizeof(frame) + sizeof(" in ()");
	int rc = work_charge(&text->work, most);
	text_stop(text, rc);
	if (rc)
		return NULL;
	rc = asprintf(&words, "%s%s%s%s%s%s", symbol, len ? " in " : "", function, calls, frame, thread);
	if (rc < 0) {
		text_stop(text, VMSNAP_ERR_NO_MEMORY);
		words = NULL;
	}
	work_release(&text->work, words ? most - ((uint64_t)rc + 1) : most);
	return words;
}

void name_words_free(char *words, struct text *text)
{
	if (words)
		work_release(&text->work, strlen(words) + 1);
	free(words);
}

static int class_of(int kind)
{
	switch (kind) {
	case VMSNAP_NAME_LOCAL:
	case VMSNAP_NAME_ARGUMENT:
		return 0;
	case VMSNAP_NAME_THREAD_LOCAL:
		return 1;
	case VMSNAP_NAME_OBJECT:
		return 2;
	case VMSNAP_NAME_FUNCTION:
		return 3;
	case VMSNAP_NAME_OTHER_SYMBOL:
		return 4;
	default:
		return 5;
	}
}

int name_order(const struct vmsnap_name *a, const struct vmsnap_name *b)
{
	int class_a = class_of(a->kind), class_b = class_of(b->kind);
	if (class_a != class_b)
		return class_a - class_b;
	if (name_in_frame(a) && a->frame != b->frame)
		return a->frame < b->frame ? -1 : 1;
	return (a->size < b->size) - (a->size > b->size);
}

/* ---- the few -------------------------------------------------------------------- */

void top_names_init(struct top_names *top, const struct naming *naming)
{
	top->naming = naming;
	top->kept = 0;
	top->total = 0;
	top->end = 0;
}

void top_names_count(struct top_names *top, const struct vmsnap_name *name)
{
	top->total++;
	size_t at = top->kept < TOP_NAMES ? top->kept++ : TOP_NAMES;
	while (at && name_order(name, &top->best[at - 1]) < 0) {
		if (at < TOP_NAMES)
			top->best[at] = top->best[at - 1];
		at--;
	}
	if (at < TOP_NAMES)
		top->best[at] = *name;
}

static bool count_name(void *ctx, const struct vmsnap_name *name)
{
	struct top_names *top = ctx;
	/* What begins before the end of the last range, and reaches this one, was there. */
	if (name->symbol && !(top->total && name->address < top->end))
		top_names_count(top, name);
	return true;
}

int top_names_add(struct top_names *top, uint64_t start, uint64_t end, struct vmsnap_error *err)
{
	if (!top->naming->names)
		return VMSNAP_OK;
	int rc = vmsnap_names_in(top->naming->names, start, end, count_name, top, err);
	top->end = end;
	return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
}

/* ---- in a line -------------------------------------------------------------------- */

/* The best names in words. */
struct listed {
	char *words[LINE_NAMES];
	size_t count;
};

static void listed_init(struct listed *listed, const struct top_names *top, struct text *text)
{
	listed->count = 0;
	while (listed->count < top->kept && listed->count < LINE_NAMES) {
		char *words = name_words(top->naming, &top->best[listed->count], text);
		if (!words)
			return;
		listed->words[listed->count++] = words;
	}
}

static void listed_free(struct listed *listed, struct text *text)
{
	while (listed->count)
		name_words_free(listed->words[--listed->count], text);
}

/* What follows when the first `count` are written; "" if those are all. */
static struct word how_many_more(const struct top_names *top, size_t count)
{
	struct word word = { "" };
	if (top->total > count)
		snprintf(word.text, sizeof(word.text), ", and %" PRIu64 " more", top->total - count);
	return word;
}

/* How many names fit, with how many more there are; at least one. */
static size_t names_that_fit(const struct top_names *top, const struct listed *listed, const struct text *text,
                             size_t room)
{
	size_t fit = 1, width = 0;
	for (size_t i = 0; i < listed->count; i++) {
		width += fit_width(text, listed->words[i], strlen(listed->words[i])) + (i ? 2 : 0);
		if (width > room)
			break;
		if (width + strlen(how_many_more(top, i + 1).text) <= room)
			fit = i + 1;
	}
	return fit < listed->count ? fit : listed->count;
}

void top_names_put(const struct top_names *top, struct text *text, size_t column)
{
	struct listed listed;
	listed_init(&listed, top, text);
	size_t room = fit_room(text, column), count = names_that_fit(top, &listed, text, room);
	struct word more = how_many_more(top, count);
	size_t more_width = strlen(more.text);
	for (size_t i = 0; i < count; i++) {
		text_string(text, i ? ", " : "");
		/* Alone, it may have to be cut; among others it fits. */
		size_t left = count > 1 ? SIZE_MAX : room > more_width + FIT_LEAST ? room - more_width : FIT_LEAST;
		fit_name(text, listed.words[i], strlen(listed.words[i]), left);
	}
	text_string(text, more.text);
	listed_free(&listed, text);
}

void top_names_cell(const struct top_names *top, struct table *table, size_t column)
{
	struct listed listed;
	listed_init(&listed, top, table->text);
	table_literal(table, column, "");
	for (size_t i = 0; i < listed.count; i++) {
		table_add_literal(table, column, i ? "," : "");
		table_add_name(table, column, listed.words[i], strlen(listed.words[i]));
	}
	if (top->total > listed.count) {
		table_add_literal(table, column, ",+");
		table_add_literal(table, column, word_number(top->total - listed.count).text);
	}
	listed_free(&listed, table->text);
}

/* ---- JSON ------------------------------------------------------------------------ */

static const char *kind_word(int kind)
{
	static const char *const words[] = {
		[VMSNAP_NAME_OBJECT] = "variable",     [VMSNAP_NAME_FUNCTION] = "function",
		[VMSNAP_NAME_OTHER_SYMBOL] = "symbol", [VMSNAP_NAME_THREAD_STACK] = "thread_stack",
		[VMSNAP_NAME_MAPPING] = "mapping",     [VMSNAP_NAME_LOCAL] = "local",
		[VMSNAP_NAME_ARGUMENT] = "argument",   [VMSNAP_NAME_THREAD_LOCAL] = "thread_local",
	};
	return kind >= 0 && (size_t)kind < sizeof(words) / sizeof(words[0]) ? words[kind] : "symbol";
}

void json_name(struct json *json, const char *key, const struct vmsnap_name *name, uint64_t offset)
{
	json_object(json, key);
	if (name->symbol)
		json_string(json, "symbol", name->symbol);
	else
		json_null(json, "symbol");
	json_number(json, "offset", offset);
	json_number_or_null(json, "size", name->size, name->size);
	json_string_or_null(json, "object", name->object ? name->object : "");
	json_hex(json, "address", name->address);
	json_string(json, "kind", kind_word(name->kind));
	json_string_or_null(json, "function", name->function ? name->function : "");
	json_number_or_null(json, "frame", name->frame, name_in_frame(name));
	json_number_or_null(json, "tid", name->tid, name->tid);
	json_end(json);
}

struct listing {
	struct json *json;
	uint64_t start, total;
};

static bool list_name(void *ctx, const struct vmsnap_name *name)
{
	struct listing *listing = ctx;
	uint64_t offset = listing->start > name->address ? listing->start - name->address : 0;
	if (!name->symbol)
		return true;
	if (listing->total++ < JSON_NAMES_MAX)
		json_name(listing->json, NULL, name, offset);
	return !text_failed(listing->json->text);
}

int json_names(struct json *json, struct vmsnap_names *names, uint64_t start, uint64_t end, struct vmsnap_error *err)
{
	struct listing listing = { .json = json, .start = start };
	struct vmsnap_name mapping;
	int rc = VMSNAP_OK;
	json_array(json, "names");
	if (names)
		rc = vmsnap_names_in(names, start, end, list_name, &listing, err);
	if (rc == VMSNAP_ERR_NOT_FOUND)
		rc = VMSNAP_OK;
	if (names && !rc && !listing.total && vmsnap_name_at(names, start, &mapping) == VMSNAP_OK)
		json_name(json, NULL, &mapping, start > mapping.address ? start - mapping.address : 0);
	json_end(json);
	json_number_or_null(json, "names_total", listing.total, names != NULL);
	return rc;
}
