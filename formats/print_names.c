#include "print_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text_fit.h"

/* ---- the few -------------------------------------------------------------------- */

static bool says_more(const struct vmsnap_name *name, const struct vmsnap_name *than)
{
	if (name->kind != than->kind)
		return name->kind < than->kind;
	return name->size > than->size;
}

static bool count_name(void *ctx, const struct vmsnap_name *name)
{
	struct top_names *top = ctx;
	if (!name->symbol || (top->total && name->address <= top->last))
		return true;
	top->total++;
	top->last = name->address;
	size_t at = top->kept < TOP_NAMES ? top->kept++ : TOP_NAMES;
	while (at && says_more(name, &top->best[at - 1])) {
		if (at < TOP_NAMES)
			top->best[at] = top->best[at - 1];
		at--;
	}
	if (at < TOP_NAMES)
		top->best[at] = *name;
	return true;
}

int top_names_add(struct top_names *top, struct vmsnap_names *names, uint64_t start, uint64_t end,
                  struct vmsnap_error *err)
{
	if (!names)
		return VMSNAP_OK;
	int rc = vmsnap_names_in(names, start, end, count_name, top, err);
	return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
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
static size_t names_that_fit(const struct top_names *top, const struct text *text, size_t room)
{
	size_t fit = 1, width = 0;
	for (size_t i = 0; i < top->kept; i++) {
		const char *symbol = top->best[i].symbol;
		width += fit_width(text, symbol, strlen(symbol)) + (i ? 2 : 0);
		if (width > room)
			break;
		if (width + strlen(how_many_more(top, i + 1).text) <= room)
			fit = i + 1;
	}
	return fit < top->kept ? fit : top->kept;
}

void top_names_put(const struct top_names *top, struct text *text, size_t column)
{
	size_t room = fit_room(text, column), count = names_that_fit(top, text, room);
	struct word more = how_many_more(top, count);
	size_t more_width = strlen(more.text);
	for (size_t i = 0; i < count; i++) {
		const char *symbol = top->best[i].symbol;
		text_string(text, i ? ", " : "");
		/* Alone, it may have to be cut; among others it fits. */
		size_t left = count > 1 ? SIZE_MAX : room > more_width + FIT_LEAST ? room - more_width : FIT_LEAST;
		fit_name(text, symbol, strlen(symbol), left);
	}
	text_string(text, more.text);
}

void top_names_cell(const struct top_names *top, struct table *table, size_t column)
{
	table_literal(table, column, "");
	for (size_t i = 0; i < top->kept; i++) {
		table_add_literal(table, column, i ? "," : "");
		table_add_name(table, column, top->best[i].symbol, strlen(top->best[i].symbol));
	}
	if (top->total > top->kept) {
		table_add_literal(table, column, ",+");
		table_add_literal(table, column, word_number(top->total - top->kept).text);
	}
}

/* ---- JSON ------------------------------------------------------------------------ */

struct listing {
	struct json *json;
	uint64_t start, total;
};

static void json_name(struct listing *listing, const struct vmsnap_name *name)
{
	struct json *json = listing->json;
	json_object(json, NULL);
	if (name->symbol)
		json_string(json, "symbol", name->symbol);
	else
		json_null(json, "symbol");
	json_number(json, "offset", listing->start > name->address ? listing->start - name->address : 0);
	json_number_or_null(json, "size", name->size, name->size);
	json_string_or_null(json, "object", name->object ? name->object : "");
	json_hex(json, "address", name->address);
	json_end(json);
}

static bool list_name(void *ctx, const struct vmsnap_name *name)
{
	struct listing *listing = ctx;
	if (!name->symbol)
		return true;
	if (listing->total++ < JSON_NAMES_MAX)
		json_name(listing, name);
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
		json_name(&listing, &mapping);
	json_end(json);
	json_number_or_null(json, "names_total", listing.total, names != NULL);
	return rc;
}
