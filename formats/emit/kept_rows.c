#include "kept_rows.h"

#include <string.h>

static struct sort_key key_of(const struct table *table, bool total)
{
	struct sort_key key = table->sort_key;
	if (total)
		key.rank = SORT_TOTAL;
	if (key.rank != SORT_BY_CELL || table->sort_column == TABLE_UNSORTED)
		return key;
	const struct table_cell *cell = &table->cells[table->sort_column];
	key = (struct sort_key){ .rank = cell->len ? SORT_TEXT : SORT_NOTHING, .at = cell->at, .len = cell->len };
	return key;
}

static void add_cells(struct kept_rows *kept, const struct table *table)
{
	struct work *work = &table->text->work;
	for (size_t i = 0; !kept->rc && i < kept->stride; i++) {
		if (!WORK_ROOM(work, kept->cells, kept->cell_count, &kept->cell_room, &kept->rc))
			return;
		kept->cells[kept->cell_count++] = table->cells[table->shown[i].column];
	}
}

void kept_rows_add(struct kept_rows *kept, struct table *table, bool total)
{
	size_t first = kept->cell_count;
	add_cells(kept, table);
	if (!WORK_ROOM(&table->text->work, kept->rows, kept->count, &kept->room, &kept->rc)) {
		text_stop(table->text, kept->rc);
		return;
	}
	kept->rows[kept->count++] = (struct kept_row){ key_of(table, total), first };
}

struct sorting {
	const char *bytes;
	bool down;
};

static int compare_texts(const struct sort_key *a, const struct sort_key *b, const char *bytes)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(bytes + a->at, bytes + b->at, len);
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int by_key(const void *left, const void *right, const void *ctx)
{
	const struct sort_key *a = &((const struct kept_row *)left)->key, *b = &((const struct kept_row *)right)->key;
	const struct sorting *sorting = ctx;
	int order = 0;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->rank == SORT_NUMBER)
		order = (a->number > b->number) - (a->number < b->number);
	else if (a->rank == SORT_TEXT)
		order = compare_texts(a, b, sorting->bytes);
	return sorting->down ? -order : order;
}

int kept_rows_sort(struct kept_rows *kept, const struct table *table)
{
	const struct sorting sorting = { table->bytes, table->sort_down };
	struct work *work = &table->text->work;
	if (kept->rc || table->sort_column == TABLE_UNSORTED)
		return kept->rc;
	return work_sort(work, kept->rows, kept->count, sizeof(*kept->rows), by_key, &sorting);
}

void kept_rows_get(const struct kept_rows *kept, size_t index, struct table *table)
{
	const struct table_cell *cells = kept->cells + kept->rows[index].first;
	for (size_t i = 0; i < table->shown_count; i++)
		table->cells[table->shown[i].column] = cells[table->shown[i].index];
}

void kept_rows_free(struct kept_rows *kept, struct work *work)
{
	work_free(work, kept->cells, kept->cell_room, sizeof(*kept->cells));
	work_free(work, kept->rows, kept->room, sizeof(*kept->rows));
}
