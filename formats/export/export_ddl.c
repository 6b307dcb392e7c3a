#define _GNU_SOURCE
#include "export_ddl.h"

#include <string.h>

#include "error.h"
#include "export_schema.h"
#include "sql_bytes.h"

/* Of each database: what the types are called, and how a table ends. */
struct dialect {
	const char *name;
	const char *types[EXPORT_HEX + 1];
	bool nullable; /* what may be NULL is said so; otherwise, what may not */
	const unsigned char *own; /* views that no other one has: before the others, which stand on them */
	size_t own_len;
	const unsigned char *views;
	size_t views_len;
};
static const struct dialect dialects[VMSNAP_SCHEMA_COUNT] = {
	[VMSNAP_SCHEMA_SQLITE] = { .name = "sqlite",
	                           .types = { "INTEGER", "INTEGER", "INTEGER", "INTEGER", "INTEGER", "INTEGER",
	                                      "INTEGER", "TEXT", "TEXT" },
	                           .own = sql_sqlite,
	                           .own_len = sizeof(sql_sqlite),
	                           .views = sql_standard,
	                           .views_len = sizeof(sql_standard) },
	[VMSNAP_SCHEMA_CLICKHOUSE] = { .name = "clickhouse",
	                               .types = { "FixedString(32)", "UInt64", "UInt64", "UInt32", "UInt64", "Int64",
	                                          "UInt8", "String", "String" },
	                               .nullable = true,
	                               .views = sql_clickhouse,
	                               .views_len = sizeof(sql_clickhouse) },
	[VMSNAP_SCHEMA_POSTGRES] = { .name = "postgres",
	                             .types = { "char(32)", "bigint", "bigint", "bigint", "bigint", "bigint",
	                                        "smallint", "text", "text" },
	                             .views = sql_standard,
	                             .views_len = sizeof(sql_standard) },
};

VMSNAP_API const char *vmsnap_schema_dialect_name(int dialect)
{
	return dialect >= 0 && dialect < VMSNAP_SCHEMA_COUNT ? dialects[dialect].name : NULL;
}

static void put_column(FILE *out, const struct dialect *dialect, const struct export_column *column)
{
	const char *type = dialect->types[column->type];
	fprintf(out, "  %s ", column->name);
	if (dialect->nullable && column->maybe == true)
		fprintf(out, "Nullable(%s)", type);
	else
		fputs(type, out);
	if (!dialect->nullable && !column->maybe)
		fputs(" NOT NULL", out);
}

static void put_key(FILE *out, const struct export_table *table, const char *before, const char *after)
{
	fputs(before, out);
	for (size_t i = 0; i < table->key; i++)
		fprintf(out, "%s%s", i ? ", " : "", table->columns[i].name);
	fputs(after, out);
}

/* A snapshot is a small number in other tables there, and its key stands in its own row. */
static void put_sqlite_end(FILE *out, int table)
{
	const struct export_table *schema = &export_tables[table];
	if (table == EXPORT_SNAPSHOT)
		fputs(",\n  snapshot_key BLOB NOT NULL UNIQUE,\n  PRIMARY KEY (snapshot)\n);\n", out);
	else if (table == EXPORT_OBJECTS)
		fputs(",\n  object_key INTEGER NOT NULL UNIQUE,\n  PRIMARY KEY (object)\n);\n", out);
	else
		put_key(out, schema, ",\n  PRIMARY KEY (", ")\n) WITHOUT ROWID;\n");
}

/* In order of machine and time: what is asked together lies together.  Runs are dropped by the day. */
static void put_clickhouse_end(FILE *out, int table)
{
	const struct export_table *schema = &export_tables[table];
	fputs("\n) ENGINE = ReplacingMergeTree ", out);
	if (table == EXPORT_OBJECTS) {
		put_key(out, schema, "ORDER BY (", ");\n");
		return;
	}
	fputs("PARTITION BY toYYYYMMDD(toDateTime(intDiv(taken_ns, 1000000000), 'UTC'))\n", out);
	put_key(out, schema, schema->placed ? "ORDER BY (host, taken_ns, " : "ORDER BY (ifNull(host, ''), taken_ns, ",
	        ");\n");
}

static void put_table(FILE *out, int dialect, int table)
{
	const struct export_table *schema = &export_tables[table];
	bool sqlite = dialect == VMSNAP_SCHEMA_SQLITE;
	fprintf(out, "CREATE TABLE IF NOT EXISTS %s (\n", sqlite ? export_sqlite_table(table) : schema->name);
	for (size_t i = 0; schema->placed && dialect == VMSNAP_SCHEMA_CLICKHOUSE && i < EXPORT_PLACE_COUNT; i++) {
		put_column(out, &dialects[dialect], &export_place[i]);
		fputs(",\n", out);
	}
	for (size_t i = 0; i < schema->count; i++) {
		if (i)
			fputs(",\n", out);
		put_column(out, &dialects[dialect], sqlite ? export_sqlite_column(table, i) : &schema->columns[i]);
	}
	if (sqlite)
		put_sqlite_end(out, table);
	else if (dialect == VMSNAP_SCHEMA_CLICKHOUSE)
		put_clickhouse_end(out, table);
	else
		put_key(out, schema, ",\n  PRIMARY KEY (", ")\n);\n");
}

char *export_ddl(int dialect)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	for (int table = 0; table < EXPORT_TABLE_COUNT; table++)
		put_table(out, dialect, table);
	if (dialects[dialect].own)
		fwrite(dialects[dialect].own, 1, dialects[dialect].own_len, out);
	fwrite(dialects[dialect].views, 1, dialects[dialect].views_len, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

VMSNAP_API int vmsnap_export_schema(int dialect, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	if (!vmsnap_schema_dialect_name(dialect))
		return fail(err, VMSNAP_ERR_ARGUMENT, "there is no schema %d", dialect);
	CLEANUP_FREE char *text = export_ddl(dialect);
	if (!text)
		return fail_no_memory(err);
	int failed = out->write(out->ctx, text, strlen(text));
	return failed ? fail_sys(err, failed, "cannot write the schema") : VMSNAP_OK;
}
