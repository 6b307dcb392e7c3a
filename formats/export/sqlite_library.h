/* sqlite_library.h - libsqlite3, loaded when a database is written: all else works without it, and is not slower for
 * it. */
#ifndef VMSNAP_SQLITE_LIBRARY_H
#define VMSNAP_SQLITE_LIBRARY_H

#include <sqlite3.h>
#include <stdbool.h>

#define SQLITE_FUNCTIONS(FN)                                                                                           \
	FN(open_v2)                                                                                                    \
	FN(close_v2)                                                                                                   \
	FN(exec)                                                                                                       \
	FN(prepare_v2)                                                                                                 \
	FN(finalize)                                                                                                   \
	FN(step)                                                                                                       \
	FN(reset)                                                                                                      \
	FN(bind_int64)                                                                                                 \
	FN(bind_null)                                                                                                  \
	FN(bind_text)                                                                                                  \
	FN(bind_blob)                                                                                                  \
	FN(column_int64)                                                                                               \
	FN(last_insert_rowid)                                                                                          \
	FN(busy_timeout)                                                                                               \
	FN(db_config)                                                                                                  \
	FN(errmsg)                                                                                                     \
	FN(errstr)

struct sqlite_library {
	void *handle;
#define SQLITE_MEMBER(function) __typeof__(sqlite3_##function) *function;
	SQLITE_FUNCTIONS(SQLITE_MEMBER)
#undef SQLITE_MEMBER
};
/* False if it is not installed (or too old); nothing is loaded then. */
bool sqlite_load(struct sqlite_library *sqlite);
void sqlite_unload(struct sqlite_library *sqlite);

#endif
