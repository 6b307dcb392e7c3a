#include "name_columns.h"

#include <string.h>

#include "format_value.h"
#include "name_text.h"

enum {
	NAME_SYMBOL,
	NAME_OFFSET,
	NAME_SIZE,
	NAME_OBJECT,
	NAME_ADDRESS,
	NAME_KIND,
	NAME_FUNCTION,
	NAME_FRAME,
	NAME_TID,
	NAME_DEMANGLED,
};
static const struct column name_record_columns[] = {
	[NAME_SYMBOL] = { "symbol", .type = COLUMN_NAME },      [NAME_OFFSET] = { "offset", .type = COLUMN_OFFSET },
	[NAME_SIZE] = { "size", .type = COLUMN_BYTES },         [NAME_OBJECT] = { "object", .type = COLUMN_PATH },
	[NAME_ADDRESS] = { "address", .type = COLUMN_ADDRESS }, [NAME_KIND] = { "kind", .type = COLUMN_WORD },
	[NAME_FUNCTION] = { "function", .type = COLUMN_NAME },  [NAME_FRAME] = { "frame", .type = COLUMN_COUNT },
	[NAME_TID] = { "tid", .type = COLUMN_COUNT },           [NAME_DEMANGLED] = { "demangled", .type = COLUMN_NAME },
};
const struct row_schema name_schema = ROW_SCHEMA(name_record_columns);

static void put_name_columns(struct row *row, struct vmsnap_names *names, const struct vmsnap_name *name,
                             uint64_t offset)
{
	const char *demangled = vmsnap_names_demangle(names, name->symbol);
	if (name->symbol)
		row_put_name(row, NAME_SYMBOL, name->symbol);
	row_put_offset(row, NAME_OFFSET, offset);
	row_put_bytes_known(row, NAME_SIZE, name->size, name->size);
	row_put_name_if_any(row, NAME_OBJECT, name->object ? name->object : "");
	row_put_address(row, NAME_ADDRESS, name->address);
	const char *kind = vmsnap_name_kind_name(name->kind);
	row_put_word(row, NAME_KIND, kind ? kind : "symbol");
	row_put_name_if_any(row, NAME_FUNCTION, name->function ? name->function : "");
	row_put_count_known(row, NAME_FRAME, name->frame, name_in_frame(name));
	row_put_count_known(row, NAME_TID, name->tid, name->tid);
	if (demangled)
		row_put_name(row, NAME_DEMANGLED, demangled);
	row_end(row);
}

void put_name(struct row *row, unsigned column, struct vmsnap_names *names, const struct vmsnap_name *name,
              uint64_t offset)
{
	struct row record = row_open(row, column);
	put_name_columns(&record, names, name, offset);
}

struct listing {
	struct vmsnap_names *names;
	struct row *row;
	uint64_t start, end, total;
};

static bool list_name(void *ctx, const struct vmsnap_name *name)
{
	struct listing *listing = ctx;
	uint64_t offset = listing->start > name->address ? listing->start - name->address : 0;
	if (!name->symbol)
		return true;
	if (listing->total++ < NAMES_MAX)
		put_name_columns(listing->row, listing->names, name, offset);
	return !text_failed(listing->row->text);
}

static int name_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	struct listing *listing = ctx;
	struct vmsnap_name mapping;
	uint64_t start = listing->start;
	listing->row = row;
	if (!listing->names)
		return VMSNAP_OK;
	int rc = vmsnap_names_in(listing->names, start, listing->end, list_name, listing, err);
	if (rc && rc != VMSNAP_ERR_NOT_FOUND)
		return rc;
	if (!listing->total && vmsnap_name_at(listing->names, start, &mapping) == VMSNAP_OK)
		put_name_columns(row, listing->names, &mapping, start > mapping.address ? start - mapping.address : 0);
	return VMSNAP_OK;
}

int put_names(struct row *row, unsigned column, unsigned total, struct vmsnap_names *names, uint64_t start,
              uint64_t end, struct vmsnap_error *err)
{
	struct listing listing = { .names = names, .start = start, .end = end };
	int rc = row_rows(row, column, name_rows, &listing, err);
	if (!rc)
		row_put_count_known(row, total, listing.total, names != NULL);
	return rc;
}

void put_top_names(struct row *row, unsigned column, const struct top_names *top)
{
	size_t count = top->kept < LINE_NAMES ? top->kept : LINE_NAMES;
	for (size_t i = 0; i < count; i++) {
		char *words = name_words(top->naming, &top->best[i], row->text);
		if (!words)
			return;
		row_text(row, column, i ? "," : "");
		row_text_name(row, column, words, strlen(words));
		name_words_free(words, row->text);
	}
	if (top->total > count) {
		row_text(row, column, ",+");
		row_text(row, column, word_number(top->total - count).text);
	}
}
