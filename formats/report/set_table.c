#include "set_table.h"

#include <string.h>
#include <strings.h>

#include "error.h"

/* Whether any name of a list of columns is one of the table's. */
static bool has_column(const struct row_schema *schema, const char *list)
{
	for (size_t i = 0; list && i < schema_shown_count(schema); i++) {
		const char *name = schema_shown(schema, i)->heading;
		size_t len = strlen(name);
		for (const char *at = list + strspn(list, "+-"); at; at = strchr(at, ','), at += at != NULL)
			if (!strncasecmp(at, name, len) && (at[len] == ',' || !at[len]))
				return true;
	}
	return false;
}

int set_table_check(struct text *text, const struct row_schema *schema, const struct row_schema *pair,
                    struct vmsnap_error *err)
{
	struct vmsnap_error found;
	int rc = emit_table_check(text, schema, &found);
	if (rc != VMSNAP_ERR_ARGUMENT) {
		if (rc && err)
			*err = found;
		return rc;
	}
	bool of_pair = has_column(pair, text->style->columns) || has_column(pair, text->style->sort);
	return fail(err, rc, "of trees there is a line for each process%s: %s",
	            of_pair ? " (two of them: FILE@pid:A FILE@pid:B)" : "", found.message);
}
