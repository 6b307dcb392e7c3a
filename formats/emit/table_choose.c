/* table_choose.c - which columns a table has: the usual ones, or those that -o names; and
 * by which one it is sorted. */
#include <string.h>
#include <strings.h>

#include "error.h"
#include "table.h"

static size_t find_column(const struct table_column *columns, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(columns[i].name) == len && strncasecmp(columns[i].name, name, len) == 0)
			return i;
	return count;
}

static int unknown_column(const struct table_column *columns, size_t count, const char *name, size_t len,
                          struct vmsnap_error *err)
{
	char known[440] = "";
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		if (find_column(columns, count, columns[i].name, strlen(columns[i].name)) != i)
			continue;
		int more = snprintf(known + used, sizeof(known) - used, "%s%s", i ? " " : "", columns[i].name);
		if (more < 0 || (size_t)more >= sizeof(known) - used)
			break;
		used += (size_t)more;
	}
	return fail(err, VMSNAP_ERR_ARGUMENT, "unknown column \"%.*s\"; the columns are: %s", len < 40 ? (int)len : 40,
	            name, known);
}

/* Adds the names of a comma-separated list; with shown NULL it only checks. */
static int named_columns(const char *list, const struct table_column *columns, size_t count, struct table_shown *shown,
                         size_t *shown_count, struct vmsnap_error *err)
{
	for (const char *name = list;; name++) {
		size_t len = strcspn(name, ",");
		size_t column = find_column(columns, count, name, len);
		if (column == count)
			return unknown_column(columns, count, name, len, err);
		if (shown)
			shown[*shown_count] = (struct table_shown){ .column = column, .named = true, .empty = true };
		++*shown_count;
		name += len;
		if (!*name)
			return VMSNAP_OK;
	}
}

static const char *sort_name(const struct vmsnap_style *style, bool *down)
{
	*down = style->sort && *style->sort == '-';
	return style->sort ? style->sort + *down : "";
}

/* The column that style.sort names; `count` if it names none. */
static int sort_column(const struct vmsnap_style *style, const struct table_column *columns, size_t count,
                       size_t *column, bool *down, struct vmsnap_error *err)
{
	const char *name = sort_name(style, down);
	*column = style->sort ? find_column(columns, count, name, strlen(name)) : count;
	if (style->sort && *column == count)
		return unknown_column(columns, count, name, strlen(name), err);
	return VMSNAP_OK;
}

int table_check_columns(const struct vmsnap_style *style, const struct table_column *columns, size_t count,
                        struct vmsnap_error *err)
{
	size_t ignored = 0;
	bool down;
	int rc = VMSNAP_OK;
	if (style->columns)
		rc = named_columns(style->columns + (*style->columns == '+'), columns, count, NULL, &ignored, err);
	return rc ? rc : sort_column(style, columns, count, &ignored, &down, err);
}

static int choose_sorting(struct table *table, struct vmsnap_error *err)
{
	size_t column;
	table->sort_column = TABLE_UNSORTED;
	if (table->mode == TABLE_PLAIN)
		return VMSNAP_OK;
	int rc = sort_column(table->text->style, table->columns, table->column_count, &column, &table->sort_down, err);
	if (!rc && column < table->column_count)
		table->sort_column = column;
	return rc;
}

static void note_wanted(struct table *table)
{
	for (size_t i = 0; i < table->shown_count; i++) {
		table->shown[i].index = i;
		table->wanted[table->shown[i].column] = true;
	}
	if (table->sort_column != TABLE_UNSORTED)
		table->wanted[table->sort_column] = true;
}

static int choose_shown(struct table *table, const char *asked, struct vmsnap_error *err)
{
	if (!asked || *asked == '+')
		for (size_t i = 0; i < table->column_count; i++)
			if (!(table->columns[i].flags & TABLE_EXTRA))
				table->shown[table->shown_count++] = (struct table_shown){ .column = i, .empty = true };
	if (!asked)
		return VMSNAP_OK;
	return named_columns(asked + (*asked == '+'), table->columns, table->column_count, table->shown,
	                     &table->shown_count, err);
}

int table_choose(struct table *table, struct vmsnap_error *err)
{
	const char *asked = table->mode == TABLE_PLAIN ? NULL : table->text->style->columns;
	struct work *work = &table->text->work;
	size_t named = 0;
	int rc = VMSNAP_OK;
	if (table->mode != TABLE_PLAIN)
		rc = table_check_columns(table->text->style, table->columns, table->column_count, err);
	if (rc)
		return rc;
	for (const char *c = asked; c && *c; c++)
		named += *c == ',';
	table->shown = work_array(work, table->column_count + named + 1, sizeof(*table->shown), &rc);
	table->cells = work_array(work, table->column_count, sizeof(*table->cells), &rc);
	table->wanted = work_array(work, table->column_count, sizeof(*table->wanted), &rc);
	if (rc)
		return work_fail(work, rc, err);
	rc = choose_shown(table, asked, err);
	rc = rc ? rc : choose_sorting(table, err);
	if (!rc)
		note_wanted(table);
	return rc;
}
