/* export_sqlite.c - into an SQLite database.  A snapshot is there with all its rows or not at all, and once, however
 * often it is exported: a run that was killed is run again. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "export_ddl.h"
#include "export_rows.h"
#include "exporter.h"
#include "object_map.h"
#include "sqlite_library.h"
#include "text_utf8.h"

/* "vmsn"; what file(1) and we know such a database by. */
enum { APPLICATION_ID = 0x766d736e, BUSY_MS = 10000, ROWS_MAX = 200000, SQL_MAX = 4096 };

struct sqlite {
	struct sqlite_library lib;
	sqlite3 *db;
	sqlite3_stmt *insert[EXPORT_TABLE_COUNT], *find_snapshot, *find_object, *complete, *forget_gone;
	struct export_rows rows;
	struct object_map objects;
	bool in_transaction;
	size_t written; /* rows in this transaction */
	/* The snapshot whose rows come. */
	struct current {
		uint8_t key[EXPORT_KEY_BYTES];
		int64_t id; /* 0: none yet */
		bool there, has_vmas, has_runs;
	} current;
	int64_t next_id;
};

static int failed(const struct vmsnap_export *e, int rc, struct vmsnap_error *err)
{
	const struct sqlite *s = e->state;
	const char *why = s->db ? s->lib.errmsg(s->db) : s->lib.errstr(rc);
	if ((rc & 0xff) == SQLITE_NOTADB)
		return fail(err, VMSNAP_ERR_NOT_SNAPSHOT, "%.200s exists and is no SQLite database; it was left alone",
		            e->options.path);
	if ((rc & 0xff) == SQLITE_NOMEM)
		return fail_no_memory(err);
	return fail(err, VMSNAP_ERR_SYSTEM, "cannot write %.200s: %.200s", e->options.path, why);
}

static int run_sql(struct vmsnap_export *e, const char *sql, struct vmsnap_error *err)
{
	const struct sqlite *s = e->state;
	int rc = s->lib.exec(s->db, sql, NULL, NULL, NULL);
	return rc ? failed(e, rc, err) : VMSNAP_OK;
}

static int prepare(struct vmsnap_export *e, const char *sql, sqlite3_stmt **out, struct vmsnap_error *err)
{
	const struct sqlite *s = e->state;
	int rc = s->lib.prepare_v2(s->db, sql, -1, out, NULL);
	return rc ? failed(e, rc, err) : VMSNAP_OK;
}

/* Numbers of a statement's first row; *found is false if it has none. */
static int ask(struct vmsnap_export *e, sqlite3_stmt *statement, int64_t *numbers, int count, bool *found,
               struct vmsnap_error *err)
{
	const struct sqlite *s = e->state;
	int rc = s->lib.step(statement);
	*found = rc == SQLITE_ROW;
	for (int i = 0; *found && i < count; i++)
		numbers[i] = s->lib.column_int64(statement, i);
	int status = rc == SQLITE_ROW || rc == SQLITE_DONE ? VMSNAP_OK : failed(e, rc, err);
	s->lib.reset(statement);
	return status;
}

static int ask_once(struct vmsnap_export *e, const char *sql, int64_t *number, struct vmsnap_error *err)
{
	const struct sqlite *s = e->state;
	sqlite3_stmt *statement = NULL;
	bool found;
	int rc = prepare(e, sql, &statement, err);
	rc = rc ? rc : ask(e, statement, number, 1, &found, err);
	s->lib.finalize(statement);
	return rc;
}

/* ---- rows ---- */

static bool is_text(const char *bytes, size_t len)
{
	uint32_t character;
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(bytes + i, len - i, &character);
		if (!n || !character)
			return false;
	}
	return true;
}

static int bind_cell(const struct sqlite *s, sqlite3_stmt *statement, int place, enum export_type type,
                     const struct export_cell *cell)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * 64];
	if (!cell->known)
		return s->lib.bind_null(statement, place);
	if (type == EXPORT_KEY)
		return s->lib.bind_blob(statement, place, cell->bytes, (int)cell->len, SQLITE_TRANSIENT);
	if (type == EXPORT_HEX) {
		size_t len = cell->len < sizeof(hex) / 2 ? cell->len : sizeof(hex) / 2;
		for (size_t i = 0; i < len; i++) {
			uint8_t byte = ((const uint8_t *)cell->bytes)[i];
			hex[2 * i] = digits[byte >> 4];
			hex[2 * i + 1] = digits[byte & 15];
		}
		return s->lib.bind_text(statement, place, hex, (int)(2 * len), SQLITE_TRANSIENT);
	}
	if (type != EXPORT_BYTES)
		return s->lib.bind_int64(statement, place, (int64_t)cell->number);
	if (cell->len > INT_MAX)
		return SQLITE_TOOBIG;
	if (is_text(cell->bytes, cell->len))
		return s->lib.bind_text(statement, place, cell->bytes, (int)cell->len, SQLITE_STATIC);
	return s->lib.bind_blob(statement, place, cell->bytes, (int)cell->len, SQLITE_STATIC);
}

static int step(struct vmsnap_export *e, sqlite3_stmt *statement, int rc, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	if (!rc) {
		rc = s->lib.step(statement);
		rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
	}
	int status = rc ? failed(e, rc, err) : VMSNAP_OK;
	s->lib.reset(statement);
	s->written++;
	return status;
}

/* *id: what the database calls a snapshot; 0: it has none such. */
static int find_snapshot(struct vmsnap_export *e, const struct export_cell *key, struct current *found,
                         struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	int64_t numbers[3] = { 0 };
	if (s->current.id && !memcmp(s->current.key, key->bytes, EXPORT_KEY_BYTES)) {
		*found = s->current;
		return VMSNAP_OK;
	}
	int rc = bind_cell(s, s->find_snapshot, 1, EXPORT_KEY, key);
	rc = rc ? failed(e, rc, err) : ask(e, s->find_snapshot, numbers, 3, &found->there, err);
	memcpy(found->key, key->bytes, EXPORT_KEY_BYTES);
	found->id = found->there ? numbers[0] : 0;
	found->has_vmas = found->there && numbers[1];
	found->has_runs = found->there && numbers[2];
	return rc;
}

static int enter_snapshot(struct vmsnap_export *e, const struct export_cell *key, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	struct current found;
	int rc = find_snapshot(e, key, &found, err);
	if (!rc && !found.id)
		found.id = s->next_id++;
	if (!rc)
		s->current = found;
	return rc;
}

static int put_object(struct vmsnap_export *e, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	const struct export_table *schema = &export_tables[EXPORT_OBJECTS];
	sqlite3_stmt *insert = s->insert[EXPORT_OBJECTS];
	int64_t id = 0;
	bool known;
	if (object_map_put(&s->objects, cells[0].number, &id, &known))
		return fail_no_memory(err);
	if (known)
		return VMSNAP_OK;
	int rc = s->lib.bind_null(insert, 1);
	for (size_t i = 1; !rc && i < schema->count; i++)
		rc = bind_cell(s, insert, (int)i + 1, schema->columns[i].type, &cells[i]);
	rc = rc ? rc : bind_cell(s, insert, (int)schema->count + 1, EXPORT_NUMBER, &cells[0]);
	rc = step(e, insert, rc, err);
	if (!rc && (rc = s->lib.bind_int64(s->find_object, 1, (int64_t)cells[0].number)))
		rc = failed(e, rc, err);
	rc = rc ? rc : ask(e, s->find_object, &id, 1, &known, err);
	return rc ? rc : object_map_set(&s->objects, cells[0].number, id);
}

static int bind_column(struct vmsnap_export *e, int table, size_t i, const struct export_cell *cell)
{
	struct sqlite *s = e->state;
	enum export_type type = export_sqlite_column(table, i)->type;
	sqlite3_stmt *insert = s->insert[table];
	int64_t id = s->current.id;
	bool known;
	if (!cell->known)
		return s->lib.bind_null(insert, (int)i + 1);
	/* A mapping that is gone is of no object. */
	if (type == EXPORT_OBJECT && !cell->number)
		return s->lib.bind_int64(insert, (int)i + 1, 0);
	if (type == EXPORT_OBJECT)
		return object_map_put(&s->objects, cell->number, &id, &known)
		               ? SQLITE_NOMEM
		               : s->lib.bind_int64(insert, (int)i + 1, id);
	if (type == EXPORT_KEY)
		return s->lib.bind_int64(insert, (int)i + 1, id);
	return bind_cell(s, insert, (int)i + 1, type, cell);
}

/* Where all are told, none that is gone is. */
static int forget_gone(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	return step(e, s->forget_gone, s->lib.bind_int64(s->forget_gone, 1, s->current.id), err);
}

/* The snapshot's own row: it was there, and has more now, or is new. */
static int put_snapshot_row(struct vmsnap_export *e, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	const struct export_table *schema = &export_tables[EXPORT_SNAPSHOT];
	sqlite3_stmt *statement = s->current.there ? s->complete : s->insert[EXPORT_SNAPSHOT];
	int rc = SQLITE_OK;
	if (s->current.there && !s->current.has_vmas && cells[EXPORT_ALL_VMAS].number)
		rc = forget_gone(e, err);
	if (rc)
		return rc;
	if (s->current.there) {
		rc = s->lib.bind_int64(statement, 1, cells[EXPORT_ALL_VMAS].number || s->current.has_vmas);
		rc = rc ? rc : s->lib.bind_int64(statement, 2, cells[EXPORT_ALL_RUNS].number || s->current.has_runs);
		rc = rc ? rc : s->lib.bind_int64(statement, 3, s->current.id);
		return step(e, statement, rc, err);
	}
	for (size_t i = 0; !rc && i < schema->count; i++)
		rc = bind_column(e, EXPORT_SNAPSHOT, i, &cells[i]);
	rc = rc ? rc : bind_cell(s, statement, (int)schema->count + 1, EXPORT_KEY, &cells[0]);
	return step(e, statement, rc, err);
}

/* The last of its rows: should it come once more, it is there. */
static int put_snapshot(struct vmsnap_export *e, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	int rc = put_snapshot_row(e, cells, err);
	s->current.id = 0;
	return rc;
}

static int put_plain(struct vmsnap_export *e, int table, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	int rc = SQLITE_OK;
	for (size_t i = 0; !rc && i < export_tables[table].count; i++)
		rc = bind_column(e, table, i, &cells[i]);
	return step(e, s->insert[table], rc, err);
}

/* As a number: the place in the list that the view `vma` looks them up in. */
static uint64_t perm_bits(const char perms[4])
{
	return (perms[0] == 'r' ? 8u : 0) | (perms[1] == 'w' ? 4u : 0) | (perms[2] == 'x' ? 2u : 0) | (perms[3] == 's');
}

static int put_mapping(struct vmsnap_export *e, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct export_cell shorter[EXPORT_COLUMNS_MAX];
	memcpy(shorter, cells, export_tables[EXPORT_VMA].count * sizeof(*shorter));
	shorter[EXPORT_VMA_END].number -= cells[EXPORT_VMA_START].number;
	shorter[EXPORT_VMA_PERMS].number = perm_bits(cells[EXPORT_VMA_PERMS].bytes);
	return put_plain(e, EXPORT_VMA, shorter, err);
}

static int put_cow(struct vmsnap_export *e, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	sqlite3_stmt *insert = s->insert[EXPORT_COW];
	struct current parent, child;
	int status = find_snapshot(e, &cells[0], &parent, err);
	status = status ? status : find_snapshot(e, &cells[1], &child, err);
	if (status || !parent.id || !child.id)
		return status;
	int rc = s->lib.bind_int64(insert, 1, parent.id);
	rc = rc ? rc : s->lib.bind_int64(insert, 2, child.id);
	for (size_t i = 2; !rc && i < export_tables[EXPORT_COW].count; i++)
		rc = bind_cell(s, insert, (int)i + 1, export_tables[EXPORT_COW].columns[i].type, &cells[i]);
	return step(e, insert, rc, err);
}

static int put_row(void *ctx, int table, const struct export_cell *cells, struct vmsnap_error *err)
{
	struct vmsnap_export *e = ctx;
	struct sqlite *s = e->state;
	if (table == EXPORT_OBJECTS)
		return put_object(e, cells, err);
	if (table == EXPORT_COW)
		return put_cow(e, cells, err);
	int rc = s->current.id && !memcmp(s->current.key, cells[0].bytes, EXPORT_KEY_BYTES)
	                 ? VMSNAP_OK
	                 : enter_snapshot(e, &cells[0], err);
	if (rc || (table == EXPORT_VMA && s->current.has_vmas) || (table == EXPORT_RUN && s->current.has_runs))
		return rc;
	if (table == EXPORT_VMA)
		return put_mapping(e, cells, err);
	return table == EXPORT_SNAPSHOT ? put_snapshot(e, cells, err) : put_plain(e, table, cells, err);
}

/* ---- transactions ---- */

static int begin(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	if (s->in_transaction)
		return VMSNAP_OK;
	int rc = run_sql(e, "BEGIN IMMEDIATE", err);
	s->in_transaction = !rc;
	rc = rc ? rc : ask_once(e, "SELECT coalesce(max(snapshot), 0) + 1 FROM snapshot", &s->next_id, err);
	s->written = 0;
	return rc;
}

static int commit(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	if (!s->in_transaction)
		return VMSNAP_OK;
	int rc = run_sql(e, "COMMIT", err);
	s->in_transaction = rc;
	s->current.id = 0;
	return rc;
}

/* A snapshot's row comes last; those of its rows that are there without it never are, as it is one transaction. */
static int sqlite_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	s->rows.group = e->group;
	int rc = begin(e, err);
	rc = rc ? rc : export_rows(&s->rows, snaps, count, err);
	return rc || s->written < ROWS_MAX ? rc : commit(e, err);
}

static int sqlite_finish(struct vmsnap_export *e, struct vmsnap_error *err)
{
	return commit(e, err);
}

/* ---- the database ---- */

static int make_file(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct save_path *target = &e->file.target;
	int rc = save_path_open_regular(target, e->options.path, err);
	if (rc) {
		*target = (struct save_path){ .dir = -1, .fd = -1 };
		return rc;
	}
	if (target->kind != TARGET_NEW)
		return VMSNAP_OK;
	/* For its owner alone, as snapshots are. */
	CLEANUP_CLOSE int fd =
	        openat(target->dir, target->base, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 && errno != EEXIST ? fail_sys(err, errno, "cannot make %.200s", e->options.path) : VMSNAP_OK;
}

/* Nothing that is in the database already gets to do anything: no trigger, no function of its own. */
static int open_database(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	CLEANUP_FREE char *path = NULL;
	/* SQLite takes some names for others than files: ":memory:", "file:...". */
	if (asprintf(&path, "%s%s", *e->options.path == '/' ? "" : "./", e->options.path) < 0) {
		path = NULL;
		return fail_no_memory(err);
	}
	int rc = s->lib.open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	rc = rc ? rc : s->lib.busy_timeout(s->db, BUSY_MS);
	rc = rc ? rc : s->lib.db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	rc = rc ? rc : s->lib.db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	rc = rc ? rc : s->lib.db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc)
		return failed(e, rc, err);
	return run_sql(e, "PRAGMA cache_size = -16384; PRAGMA temp_store = memory", err);
}

static int check_database(struct vmsnap_export *e, struct vmsnap_error *err)
{
	int64_t application = 0, tables = 0, version = 0;
	int rc = ask_once(e, "PRAGMA application_id", &application, err);
	rc = rc ? rc : ask_once(e, "SELECT count(*) FROM sqlite_master", &tables, err);
	rc = rc ? rc : ask_once(e, "PRAGMA user_version", &version, err);
	if (rc)
		return rc;
	if (tables && application != APPLICATION_ID)
		return fail(err, VMSNAP_ERR_NOT_SNAPSHOT,
		            "%.200s exists and is a database of others; it was left alone", e->options.path);
	if (version > EXPORT_SCHEMA_VERSION)
		return fail(err, VMSNAP_ERR_NEWER, "%.200s was made by a newer vmsnap", e->options.path);
	if (tables && version < EXPORT_SCHEMA_SQLITE_OLDEST)
		return fail(
		        err, VMSNAP_ERR_ARGUMENT,
		        "%.200s was made by an older vmsnap, with other tables, and left alone: export to a new file",
		        e->options.path);
	return VMSNAP_OK;
}

static int make_tables(struct vmsnap_export *e, struct vmsnap_error *err)
{
	char pragmas[128];
	CLEANUP_FREE char *ddl = export_ddl(VMSNAP_SCHEMA_SQLITE);
	if (!ddl)
		return fail_no_memory(err);
	snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
	         EXPORT_SCHEMA_VERSION);
	int rc = run_sql(e, "BEGIN IMMEDIATE", err);
	rc = rc ? rc : check_database(e, err);
	rc = rc ? rc : run_sql(e, pragmas, err);
	rc = rc ? rc : run_sql(e, ddl, err);
	return rc ? rc : run_sql(e, "COMMIT", err);
}

static int prepare_insert(struct vmsnap_export *e, int table, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	const struct export_table *schema = &export_tables[table];
	size_t columns = schema->count + (table == EXPORT_SNAPSHOT || table == EXPORT_OBJECTS);
	char sql[SQL_MAX];
	/* Their keys stand last in the tables that have them: export_ddl.c. */
	int len = snprintf(sql, sizeof(sql), "INSERT OR %s INTO %s VALUES (?",
	                   table == EXPORT_OBJECTS ? "IGNORE" : "REPLACE", export_sqlite_table(table));
	for (size_t i = 1; i < columns; i++)
		len += snprintf(sql + len, sizeof(sql) - (size_t)len, ", ?");
	snprintf(sql + len, sizeof(sql) - (size_t)len, ")");
	return prepare(e, sql, &s->insert[table], err);
}

static int prepare_all(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	int rc = VMSNAP_OK;
	for (int table = 0; !rc && table < EXPORT_TABLE_COUNT; table++)
		rc = prepare_insert(e, table, err);
	rc = rc ? rc
	        : prepare(e, "SELECT snapshot, all_vmas, all_runs FROM snapshot WHERE snapshot_key = ?",
	                  &s->find_snapshot, err);
	rc = rc ? rc : prepare(e, "SELECT object FROM object WHERE object_key = ?", &s->find_object, err);
	rc = rc ? rc : prepare(e, "DELETE FROM mapping WHERE snapshot = ? AND size = 0", &s->forget_gone, err);
	return rc ? rc
	          : prepare(e, "UPDATE snapshot SET all_vmas = ?, all_runs = ? WHERE snapshot = ?", &s->complete, err);
}

static int sqlite_open(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct sqlite *s = e->state;
	unsigned tables = (1u << EXPORT_TABLE_COUNT) - 1;
	if (!(e->options.flags & VMSNAP_EXPORT_RUNS))
		tables &= ~(1u << EXPORT_RUN);
	s->rows = export_rows_of(e, tables, put_row);
	if (!sqlite_load(&s->lib))
		return fail(err, VMSNAP_ERR_NOT_FOUND,
		            "a database needs libsqlite3, which is not installed (Debian: libsqlite3-0)");
	int rc = make_file(e, err);
	rc = rc ? rc : open_database(e, err);
	rc = rc ? rc : make_tables(e, err);
	return rc ? rc : prepare_all(e, err);
}

static void sqlite_free(struct vmsnap_export *e)
{
	struct sqlite *s = e->state;
	if (s->lib.handle) {
		for (int table = 0; table < EXPORT_TABLE_COUNT; table++)
			s->lib.finalize(s->insert[table]);
		s->lib.finalize(s->find_snapshot);
		s->lib.finalize(s->find_object);
		s->lib.finalize(s->complete);
		s->lib.finalize(s->forget_gone);
		s->lib.close_v2(s->db); /* what was not committed is not there */
		sqlite_unload(&s->lib);
	}
	object_map_free(&s->objects);
	export_rows_free(&s->rows);
}

const struct exporter exporter_sqlite = {
	.name = "sqlite",
	.flags = VMSNAP_EXPORT_RUNS | VMSNAP_EXPORT_CHANGED | VMSNAP_EXPORT_ARGUMENTS,
	.own_file = true,
	.state_size = sizeof(struct sqlite),
	.open = sqlite_open,
	.add = sqlite_add,
	.finish = sqlite_finish,
	.free = sqlite_free,
};
