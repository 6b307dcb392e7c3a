#define _GNU_SOURCE
#include "name_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format_value.h"
#include "shorten.h"
#include "text_fit.h"

static bool is_main_thread(const struct naming *naming, uint32_t tid)
{
	for (size_t i = 0; i < NAMING_SNAPSHOTS; i++)
		if (naming->main_threads[i] == tid)
			return true;
	return false;
}

static const char *symbol_of(const struct naming *naming, const struct vmsnap_name *name)
{
	const char *demangled = naming && naming->names ? vmsnap_names_demangle(naming->names, name->symbol) : NULL;
	return demangled ? demangled : name->symbol ? name->symbol : "";
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
	const char *symbol = symbol_of(naming, name);
	uint64_t most = strlen(symbol) + len + sizeof(thread) + sizeof(frame) + sizeof(" in ()");
	int rc = work_charge(&text->work, most);
	text_stop(text, rc);
	if (rc)
		return NULL;
	rc = asprintf(&words, "%s%s%s%s%s%s", symbol, len ? " in " : "", function, calls, frame, thread);
	if (rc < 0) {
		text_stop(text, VMSNAP_ERR_NO_MEMORY);
		words = NULL;
	} else if (!text->style->raw && (len || symbol != name->symbol)) {
		shorten_templates(words);
	}
	work_release(&text->work, words ? most - (strlen(words) + 1) : most);
	return words;
}

void name_words_free(char *words, struct text *text)
{
	if (words)
		work_release(&text->work, strlen(words) + 1);
	free(words);
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
