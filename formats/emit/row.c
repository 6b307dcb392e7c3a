#include "row.h"

#include <assert.h>
#include <string.h>

#include "format_value.h"

static const struct column *column_of(const struct row *row, unsigned column)
{
	return &row->schema->columns[column];
}

static void begin(struct row *row)
{
	if (!row->begun && row->emitter->ops->begin_row)
		row->emitter->ops->begin_row(row->emitter);
	row->begun = true;
}

/* Those from `next` up to `column` are nothing. */
static void pass_until(struct row *row, unsigned column)
{
	const struct emitter_ops *ops = row->emitter->ops;
	while (ops->pass && row->next < column)
		ops->pass(row->emitter, column_of(row, row->next++));
	row->next = column;
}

/* Whether anybody wants the column, which is the next to be put. */
static bool reach(struct row *row, unsigned column)
{
	if (!row->emitter)
		return false;
	/* The program's doing, never the input's. */
	assert(column >= row->next && column < row->schema->count);
	if (!row->begun)
		begin(row);
	if (column > row->next)
		pass_until(row, column);
	row->next = column + 1;
	return true;
}

static void put(struct row *row, unsigned column, const struct value *value)
{
	if (reach(row, column))
		row->emitter->ops->put(row->emitter, column_of(row, column), value);
}

static void put_number(struct row *row, unsigned column, uint64_t number)
{
	put(row, column, &(struct value){ .number = number });
}

bool row_wants(const struct row *row, unsigned column)
{
	return row->emitter && row->emitter->ops->wants(row->emitter, column_of(row, column));
}

void row_put_address(struct row *row, unsigned column, uint64_t address)
{
	put_number(row, column, address);
}

void row_put_end(struct row *row, unsigned column, uint64_t end)
{
	put(row, column, &(struct value){ .number = end, .special = !end });
}

void row_put_hex(struct row *row, unsigned column, uint64_t number)
{
	put_number(row, column, number);
}

void row_put_offset(struct row *row, unsigned column, uint64_t offset)
{
	put_number(row, column, offset);
}

void row_put_bytes(struct row *row, unsigned column, uint64_t bytes)
{
	put_number(row, column, bytes);
}

void row_put_bytes_known(struct row *row, unsigned column, uint64_t bytes, bool known)
{
	put(row, column, &(struct value){ .number = bytes, .unknown = !known });
}

void row_put_bytes_least(struct row *row, unsigned column, uint64_t bytes, uint64_t unknown)
{
	put(row, column, &(struct value){ .number = bytes, .special = unknown });
}

void row_put_delta(struct row *row, unsigned column, bool less, uint64_t bytes)
{
	put(row, column, &(struct value){ .number = bytes, .special = less });
}

void row_put_change(struct row *row, unsigned column, const uint64_t *was, uint64_t bytes)
{
	put(row, column, &(struct value){ .number = bytes, .more = was ? *was : 0, .special = was });
}

void row_put_count(struct row *row, unsigned column, uint64_t count)
{
	put_number(row, column, count);
}

void row_put_count_known(struct row *row, unsigned column, uint64_t count, bool known)
{
	put(row, column, &(struct value){ .number = count, .unknown = !known });
}

void row_put_bool(struct row *row, unsigned column, bool value)
{
	put_number(row, column, value);
}

void row_put_word(struct row *row, unsigned column, const char *word)
{
	row_put_name(row, column, word);
}

/* Without those that have no name: a later kernel's, or a file's that says what no kernel does. */
static uint32_t named_bits(uint32_t bits, const char *(*name)(int bit))
{
	uint32_t named = 0;
	for (; bits; bits &= bits - 1)
		named |= name(__builtin_ctz(bits)) ? bits & -bits : 0;
	return named;
}

void row_put_flags(struct row *row, unsigned column, uint32_t bits, uint32_t unknown, const char *(*name)(int bit))
{
	put(row, column,
	    &(struct value){ .number = named_bits(bits, name), .more = named_bits(unknown, name), .name = name });
}

void row_put_build_id(struct row *row, unsigned column, const uint8_t *id, size_t len)
{
	if (id && len)
		put(row, column, &(struct value){ .of = id, .len = len });
}

void row_put_bytes_of(struct row *row, unsigned column, const char *bytes, size_t len)
{
	put(row, column, &(struct value){ .bytes = bytes, .len = len });
}

void row_put_name(struct row *row, unsigned column, const char *name)
{
	row_put_bytes_of(row, column, name, strlen(name));
}

void row_put_name_if_any(struct row *row, unsigned column, const char *name)
{
	if (*name)
		row_put_name(row, column, name);
}

void row_put_time(struct row *row, unsigned column, int64_t ns)
{
	if (ns)
		put_number(row, column, (uint64_t)ns);
}

void row_put_clock(struct row *row, unsigned column, int64_t ns)
{
	if (ns)
		put(row, column, &(struct value){ .number = (uint64_t)ns, .special = true });
}

void row_put_time_briefly(struct row *row, unsigned column, int64_t ns)
{
	if (ns)
		put(row, column, &(struct value){ .number = (uint64_t)ns, .special = true, .more = 1 });
}

void row_put_duration(struct row *row, unsigned column, uint64_t ns)
{
	put_number(row, column, ns);
}

void row_put_status(struct row *row, unsigned column, const struct vmsnap_status_field *field)
{
	if (field->key_len)
		put(row, column, &(struct value){ .of = field });
}

void row_put_share(struct row *row, unsigned column, uint64_t part, uint64_t whole)
{
	if (whole)
		put(row, column, &(struct value){ .number = part, .more = whole });
}

void row_put_frame(struct row *row, unsigned column, const struct vmsnap_run *page, bool known)
{
	bool present = page->flags & VMSNAP_PAGE_PRESENT;
	/* A frame of 0 in a snapshot that knows them was hidden all the same. */
	if (present || (page->flags & VMSNAP_PAGE_SWAPPED))
		put(row, column, &(struct value){ .of = page, .unknown = !known || (present && !page->pfn) });
}

void row_put_strip(struct row *row, unsigned column, const struct strip_of *strip)
{
	put(row, column, &(struct value){ .of = strip });
}

void row_put_unknown(struct row *row, unsigned column)
{
	put(row, column, &(struct value){ .unknown = true });
}

void row_put_counts(struct row *row, unsigned column, const uint64_t *counts, int count, uint32_t unknown,
                    const char *(*name)(int index))
{
	put(row, column, &(struct value){ .of = counts, .number = (uint64_t)count, .more = unknown, .name = name });
}

/* ---- texts -------------------------------------------------------------------------- */

static void piece(struct row *row, unsigned column, const char *bytes, size_t len, bool ours)
{
	/* The first piece comes to the column, the others find it there. */
	if (!row->emitter || (row->next != column + 1 && !reach(row, column)))
		return;
	if (row->emitter->ops->piece)
		row->emitter->ops->piece(row->emitter, column_of(row, column), bytes, len, ours);
}

void row_text(struct row *row, unsigned column, const char *words)
{
	piece(row, column, words, strlen(words), true);
}

void row_text_name(struct row *row, unsigned column, const char *name, size_t len)
{
	piece(row, column, name, len, false);
}

void row_text_delta(struct row *row, unsigned column, bool less, uint64_t bytes)
{
	row_text(row, column, word_delta(row->text->style, less, bytes).text);
}

void row_text_more(struct row *row, unsigned column)
{
	row_text(row, column, row->text->style->unicode ? "…" : "...");
}

void row_mark(struct row *row, unsigned column, int color)
{
	if (row->emitter && row->emitter->ops->mark)
		row->emitter->ops->mark(row->emitter, column_of(row, column), color);
}

void row_mark_all(struct row *row, int color)
{
	if (row->emitter && row->emitter->ops->mark)
		row->emitter->ops->mark(row->emitter, NULL, color);
}

/* ---- rows --------------------------------------------------------------------------- */

static bool is_record(const struct row *row)
{
	return row->within && row->within->type != COLUMN_ROWS && row->within->type != COLUMN_RECORDS;
}

void row_end(struct row *row)
{
	if (!row->emitter)
		return;
	begin(row);
	if (row->schema)
		pass_until(row, (unsigned)row->schema->count);
	if (!is_record(row))
		row->emitter->ops->end_row(row->emitter, false);
	else if (!(row->within->flags & COLUMN_FLAT))
		row->emitter->ops->close(row->emitter);
	row->next = 0;
	row->begun = false;
}

bool row_total(struct row *row)
{
	return row->emitter && row->emitter->ops->total && row->emitter->ops->total(row->emitter);
}

void row_total_label(struct row *row, unsigned column, const char *words)
{
	if (reach(row, column))
		row->emitter->ops->piece(row->emitter, column_of(row, column), words, strlen(words), true);
}

void row_end_total(struct row *row)
{
	row->emitter->ops->end_row(row->emitter, true);
	row->next = 0;
	row->begun = false;
}

struct row row_open(struct row *row, unsigned column)
{
	struct row record = { .text = row->text, .begun = true };
	if (!reach(row, column) || !row->emitter->ops->open)
		return record;
	const struct column *within = column_of(row, column);
	if (!(within->flags & COLUMN_FLAT) && !row->emitter->ops->open(row->emitter, within))
		return record;
	record.emitter = row->emitter;
	record.schema = within->of;
	record.within = within;
	return record;
}

void row_item(struct row *list, const char *bytes, size_t len)
{
	static const struct column item = { .type = COLUMN_NAME };
	if (!list->emitter)
		return;
	list->emitter->ops->key(list->emitter, NULL, 0);
	list->emitter->ops->put(list->emitter, &item, &(struct value){ .bytes = bytes, .len = len });
}

void row_item_count(struct row *list, uint64_t count)
{
	static const struct column item = { .type = COLUMN_COUNT };
	if (!list->emitter)
		return;
	list->emitter->ops->key(list->emitter, NULL, 0);
	list->emitter->ops->put(list->emitter, &item, &(struct value){ .number = count });
}

static void put_own(struct row *open, const char *key, size_t len, enum column_type type, const struct value *value)
{
	if (!open->emitter)
		return;
	open->emitter->ops->key(open->emitter, key, len);
	open->emitter->ops->put(open->emitter, &(struct column){ .type = type }, value);
}

void row_own_count(struct row *open, const char *key, uint64_t count, bool known)
{
	put_own(open, key, strlen(key), COLUMN_COUNT, &(struct value){ .number = count, .unknown = !known });
}

void row_own_name(struct row *open, const char *key, const char *bytes, size_t len)
{
	put_own(open, key, strlen(key), COLUMN_NAME, &(struct value){ .bytes = bytes, .len = len });
}

void row_own_status(struct row *open, const struct vmsnap_status_field *field)
{
	put_own(open, field->key, field->key_len, COLUMN_STATUS, &(struct value){ .of = field });
}

int row_rows(struct row *row, unsigned column, rows_fn fn, void *ctx, struct vmsnap_error *err)
{
	const struct column *within = column_of(row, column);
	if (!reach(row, column) || !row->emitter->ops->open || !row->emitter->ops->open(row->emitter, within))
		return VMSNAP_OK;
	struct row item = { .emitter = row->emitter, .text = row->text, .schema = within->of, .within = within };
	int rc = fn(&item, ctx, err);
	if (!rc)
		row->emitter->ops->close(row->emitter);
	return rc;
}

int rows_none(struct row *row, void *ctx, struct vmsnap_error *err)
{
	(void)row;
	(void)ctx;
	(void)err;
	return VMSNAP_OK;
}

/* ---- schemas ------------------------------------------------------------------------ */

size_t schema_shown_count(const struct row_schema *schema)
{
	size_t count = 0;
	if (schema->shown)
		return schema->shown_count;
	for (size_t i = 0; i < schema->count; i++)
		count += schema->columns[i].heading != NULL;
	return count;
}

const struct column *schema_shown(const struct row_schema *schema, size_t index)
{
	if (schema->shown)
		return index < schema->shown_count ? &schema->columns[schema->shown[index]] : NULL;
	for (size_t i = 0; i < schema->count; i++)
		if (schema->columns[i].heading && !index--)
			return &schema->columns[i];
	return NULL;
}
