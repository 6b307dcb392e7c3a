/* fuzz_export.c - names that somebody chose, in every text that vmsnap export makes: none gets out of its place, and
 * what is read there again is the name.  A byte of 0 parts names. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "look.h"
#include "sqlite_library.h"
#include "text_utf8.h"
#include "vmsnap.h"

enum { VMAS = 3, METRICS = 6 };
/* Whose columns are looked for: in the order of the input. */
enum { COMM, EXE, LABEL, REASON, CGROUP, HOST, COLUMNS, NAMES = COLUMNS + VMAS };
static const char *const columns[COLUMNS] = { "comm", "exe", "label", "reason", "cgroup", "host" };

struct text {
	char *bytes;
	size_t len;
};

static int take(void *ctx, const char *bytes, size_t len)
{
	struct text *text = ctx;
	char *more = realloc(text->bytes, text->len + len + 1);
	FUZZ_CHECK(more);
	memcpy(more + text->len, bytes, len);
	text->bytes = more;
	text->len += len;
	more[text->len] = '\0';
	return 0;
}

/* What is missing is "". */
static void part(const char *text, size_t size, char *room, const char *names[NAMES])
{
	memcpy(room, text, size);
	room[size] = '\0';
	for (size_t i = 0, at = 0; i < NAMES; i++) {
		names[i] = room + (at < size ? at : size);
		at += strlen(names[i]) + 1;
	}
}

static struct vmsnap *snapshot_of(const char *const names[NAMES])
{
	const struct vmsnap_info info = { .pid = 7,
		                          .tgid = 7,
		                          .page_size = 4096,
		                          .taken = 1,
		                          .known = { .pfn = true, .exclusive = true, .huge = true },
		                          .comm = names[COMM],
		                          .exe = names[EXE],
		                          .label = names[LABEL],
		                          .reason = names[REASON],
		                          .cgroup = names[CGROUP],
		                          .host = names[HOST] };
	struct vmsnap_builder *builder;
	struct vmsnap *snap = NULL;
	FUZZ_CHECK(!vmsnap_builder_new(&info, &builder, NULL));
	for (size_t i = 0; i < VMAS; i++) {
		uint64_t start = 0x10000 * (i + 1);
		const struct vmsnap_vma vma = { .start = start,
			                        .end = start + 4096,
			                        .inode = i + 1,
			                        .perms = VMSNAP_PERM_READ | VMSNAP_PERM_EXEC,
			                        .name = names[COLUMNS + i] };
		const struct vmsnap_run run = { .start = start,
			                        .end = start + 4096,
			                        .pfn = 77 + 2 * i,
			                        .flags = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE };
		FUZZ_CHECK(!vmsnap_builder_add_vma(builder, &vma, NULL) &&
		           !vmsnap_builder_add_run(builder, &run, NULL));
	}
	FUZZ_CHECK(!vmsnap_builder_finish(builder, &snap, NULL));
	vmsnap_builder_free(builder);
	return snap;
}

/* What is told; NULL if the format cannot be had here. */
static char *export(const struct vmsnap *snap, int format, struct vmsnap_export_options options)
{
	struct text text = { 0 };
	struct vmsnap_export *made;
	options.size = sizeof(options);
	options.write = options.path ? NULL : take;
	options.ctx = &text;
	int rc = vmsnap_export_new(format, &options, &made, NULL);
	FUZZ_CHECK(!rc || (rc == VMSNAP_ERR_NOT_FOUND && format == VMSNAP_EXPORT_SQLITE));
	if (rc)
		return NULL;
	FUZZ_CHECK(!vmsnap_export_add(made, &snap, 1, NULL) && !vmsnap_export_finish(made, NULL));
	vmsnap_export_free(made);
	return text.bytes ? text.bytes : strdup("");
}

/* ---- tables ---- */

/* In place; what a database reads. */
static void unescape(char *cell)
{
	char *to = cell;
	for (const char *at = cell; *at; at++) {
		if (*at == '\\') {
			static const char letters[] = "tnr\\", bytes[] = "\t\n\r\\";
			const char *letter = strchr(letters, *++at);
			FUZZ_CHECK(*at && letter);
			*to++ = bytes[letter - letters];
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

static bool is_text(const char *name)
{
	size_t left = strlen(name), n;
	uint32_t character;
	for (; left; name += n, left -= n)
		if (!(n = utf8_decode(name, left, &character)))
			return false;
	return true;
}

static size_t count(const char *text, char byte)
{
	size_t found = 0;
	for (; *text; text++)
		found += *text == byte;
	return found;
}

static void check_cell(char *cell, const char *name, bool any_bytes)
{
	bool is_null = !strcmp(cell, "\\N");
	FUZZ_CHECK(is_null == !*name);
	if (is_null || !(any_bytes || is_text(name)))
		return;
	unescape(cell);
	FUZZ_CHECK(!strcmp(cell, name));
}

/* A cell of the row that `heading` has the names of. */
static void check_row(char *heading, char *row, const char *const names[NAMES], bool any_bytes)
{
	char *column, *cell;
	FUZZ_CHECK(count(heading, '\t') == count(row, '\t'));
	while ((column = strsep(&heading, "\t"))) {
		cell = strsep(&row, "\t");
		for (int i = 0; i < COLUMNS; i++)
			if (!strcmp(column, columns[i]))
				check_cell(cell, names[i], any_bytes);
	}
}

static void check_table(const struct vmsnap *snap, const char *const names[NAMES], const char *table, int dialect)
{
	struct vmsnap_export_options options = { .table = table, .dialect = dialect, .flags = VMSNAP_EXPORT_RUNS };
	char *text = export(snap, VMSNAP_EXPORT_TSV, options), *rest = text, *row;
	FUZZ_CHECK(!strchr(text, '\r') && (dialect != VMSNAP_SCHEMA_POSTGRES || is_text(text)));
	const char *heading = strsep(&rest, "\n");
	size_t rows = 0;
	for (; (row = strsep(&rest, "\n")) && *row; rows++) {
		char *columns_of = strdup(heading);
		if (!strcmp(table, "snapshot"))
			check_row(columns_of, row, names, dialect != VMSNAP_SCHEMA_POSTGRES);
		else
			FUZZ_CHECK(count(columns_of, '\t') == count(row, '\t'));
		free(columns_of);
	}
	FUZZ_CHECK(row && !rest && rows == (strcmp(table, "snapshot") ? VMAS : 1));
	free(text);
}

/* ---- lines ---- */

/* A number, and nothing behind it. */
static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789.") == strlen(text);
}

/* Where a label ends whose first byte is here: no line end in it, no quote that is not escaped. */
static const char *label_end(const char *at)
{
	while (*at && *at != '"') {
		if (*at == '\\') {
			at++;
			FUZZ_CHECK(*at == '\\' || *at == '"' || *at == 'n');
		}
		at++;
	}
	return at;
}

static void check_metric(const char *line)
{
	static const char label[] = "{service=\"";
	if (*line == '#')
		return;
	FUZZ_CHECK(!strncmp(line, "vmsnap_", 7));
	line += strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	FUZZ_CHECK(!strncmp(line, label, strlen(label)));
	line = label_end(line + strlen(label));
	FUZZ_CHECK(!strncmp(line, "\"} ", 3) && is_number(line + 3));
}

static void check_metrics(const struct vmsnap *snap)
{
	char *text = export(snap, VMSNAP_EXPORT_OPENMETRICS, (struct vmsnap_export_options){ 0 }), *rest = text, *line;
	size_t lines = 0, comments = 0;
	FUZZ_CHECK(is_text(text));
	for (; (line = strsep(&rest, "\n")) && *line; lines++) {
		check_metric(line);
		comments += *line == '#';
	}
	/* Of one service, and with an end, and two lines of each metric. */
	FUZZ_CHECK(line && !rest && comments == 1 + 2 * METRICS && lines <= comments + METRICS);
	free(text);
}

static void check_folded(const struct vmsnap *snap)
{
	char *text = export(snap, VMSNAP_EXPORT_FOLDED, (struct vmsnap_export_options){ 0 }), *rest = text, *line;
	size_t lines = 0;
	FUZZ_CHECK(is_text(text));
	for (; (line = strsep(&rest, "\n")) && *line; lines++) {
		const char *blank = strrchr(line, ' ');
		FUZZ_CHECK(blank && is_number(blank + 1) && count(line, ';') == 2);
		for (const char *at = line; *at; at++)
			FUZZ_CHECK(!iscntrl((unsigned char)*at));
	}
	FUZZ_CHECK(line && !rest && lines == VMAS);
	free(text);
}

/* ---- a database ---- */

static int64_t answer(const struct sqlite_library *lib, sqlite3 *db, const char *sql, const char *const *names,
                      int asked)
{
	sqlite3_stmt *statement = NULL;
	FUZZ_CHECK(!lib->prepare_v2(db, sql, -1, &statement, NULL));
	for (int i = 0; i < asked; i++)
		FUZZ_CHECK(!lib->bind_blob(statement, i + 1, names[i], (int)strlen(names[i]), SQLITE_STATIC));
	FUZZ_CHECK(lib->step(statement) == SQLITE_ROW);
	int64_t number = lib->column_int64(statement, 0);
	lib->finalize(statement);
	return number;
}

#define IS(column) "CAST(coalesce(" column ", '') AS BLOB) = ?"
static void check_rows(const char *path, const char *const names[NAMES])
{
	static int64_t tables;
	struct sqlite_library lib;
	sqlite3 *db = NULL;
	FUZZ_CHECK(sqlite_load(&lib) && !lib.open_v2(path, &db, SQLITE_OPEN_READONLY, NULL));
	FUZZ_CHECK(answer(&lib, db,
	                  "SELECT count(*) FROM snapshot WHERE " IS("comm") " AND " IS("exe") " AND " IS(
	                          "label") " AND " IS("reason") " AND " IS("cgroup") " AND " IS("host"),
	                  names, COLUMNS) == 1);
	for (int i = 0; i < VMAS; i++)
		FUZZ_CHECK(answer(&lib, db, "SELECT count(*) FROM object JOIN vma USING (object) WHERE " IS("name"),
		                  &names[COLUMNS + i], 1) >= 1);
	int64_t found = answer(&lib, db, "SELECT count(*) FROM sqlite_master", NULL, 0);
	FUZZ_CHECK(!tables || found == tables);
	tables = found;
	lib.close_v2(db);
	sqlite_unload(&lib);
}

static void check_database(const struct vmsnap *snap, const char *const names[NAMES])
{
	char path[4096];
	const char *folder = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/vmsnap-fuzz-%ld.db", folder ? folder : "/tmp", (long)getpid());
	char *made = export(snap, VMSNAP_EXPORT_SQLITE, (struct vmsnap_export_options){ .path = path });
	if (made)
		check_rows(path, names);
	free(made);
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *names[NAMES];
	uint32_t choice = fuzz_hash(data, size);
	char *room = malloc(size + 1);
	FUZZ_CHECK(room);
	part((const char *)data, size, room, names);
	struct vmsnap *snap = snapshot_of(names);
	for (int dialect = VMSNAP_SCHEMA_CLICKHOUSE; dialect <= VMSNAP_SCHEMA_POSTGRES; dialect++) {
		check_table(snap, names, "snapshot", dialect);
		check_table(snap, names, "object", dialect);
		check_table(snap, names, "vma", dialect);
	}
	check_metrics(snap);
	check_folded(snap);
	/* What takes longer than all the rest, now and then: a database, and JSON and tables for people. */
	if (!(choice & 3))
		free(export(snap, VMSNAP_EXPORT_PPROF, (struct vmsnap_export_options){ 0 }));
	if (!(choice & 63))
		check_database(snap, names);
	if (!(choice >> 6 & 15))
		look_at_all(&snap, 1, choice | 1);
	vmsnap_unref(snap);
	free(room);
	return 0;
}
