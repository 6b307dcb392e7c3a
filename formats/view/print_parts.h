/* print_parts.h - what several commands say in the same way: who a snapshot is of,
 * a mapping, a page state, a status field, an error. */
#ifndef VMSNAP_PRINT_PARTS_H
#define VMSNAP_PRINT_PARTS_H

#include "format_value.h"
#include "json.h"
#include "page_state.h"
#include "status_value.h"
#include "table.h"
#include "text_out.h"
#include "vmsnap.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

void json_snapshot(struct json *json, const char *key, const struct vmsnap *snap);
/* The same keys, in the object that is open. */
void json_snapshot_keys(struct json *json, const struct vmsnap *snap);

/* "known": which flags and numbers mean something when they are unset or 0. */
void json_known(struct json *json, const struct vmsnap *snap);

/* vma NULL: null.  index: of the VMA in snap, for smaps; SIZE_MAX to leave the
 * sums and smaps out. */
void json_vma(struct json *json, const char *key, const struct vmsnap *snap, const struct vmsnap_vma *vma,
              size_t index);
void json_sums(struct json *json, const struct vmsnap *snap, const struct vmsnap_sums *sums);

void json_page_flags(struct json *json, const char *key, uint32_t flags);
/* "pfn" and "swap" of a run. */
void json_frame(struct json *json, const struct vmsnap *snap, const struct vmsnap_run *run);

/* Bytes for a size, a number for a number, else a string; key_len 0: null.  The
 * tabs that the kernel puts between numbers are written as spaces. */
void json_status_value(struct json *json, const char *key, const struct vmsnap_status_field *field);
void table_status_value(struct table *table, size_t column, const struct vmsnap_status_field *field);

/* {"kind", "offset", "message"}; code VMSNAP_OK: null. */
void json_error(struct json *json, const char *key, int code, const struct vmsnap_error *error);
const char *error_kind(int code); /* "truncated" */

#endif
