/* file_select.c - which snapshots of a file a word means: a number, a label, a process, all from
 * one to another.  Reads who each is of and nothing else. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_load.h"
#include "scan.h"

static const char label_prefix[] = "label:", pid_prefix[] = "pid:", range_mark[] = "..";

/* One snapshot, as a word tells of it. */
struct wanted {
	bool of_process;
	uint32_t pid;       /* if of_process */
	const char *number; /* "3", "-1"; NULL: none */
	const char *label;  /* NULL: any */
};

static bool begins_with(const char *word, const char *prefix)
{
	return !strncmp(word, prefix, strlen(prefix));
}

static bool is_number(const char *which)
{
	const char *digits = which + (*which == '-');
	return *digits && !digits[strspn(digits, "0123456789")];
}

static int bad_process(const struct vmsnap_file *file, const char *which, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_NOT_FOUND,
	            "%.160s: '%.100s' is no process: expected pid:PID, pid:PID@N or pid:PID@LABEL; a label that begins "
	            "with pid: is label:pid:…",
	            file_name(file), which);
}

static int parse(const struct vmsnap_file *file, const char *which, struct wanted *wanted, struct vmsnap_error *err)
{
	const char *rest = which;
	*wanted = (struct wanted){ .of_process = begins_with(which, pid_prefix) };
	if (wanted->of_process) {
		struct cursor c = { which + strlen(pid_prefix), which + strlen(which) };
		uint64_t pid;
		if (!take_decimal(&c, &pid) || pid > UINT32_MAX || (c.at < c.end && *c.at != '@'))
			return bad_process(file, which, err);
		wanted->pid = (uint32_t)pid;
		if (c.at == c.end)
			return VMSNAP_OK;
		rest = c.at + 1;
	}
	if (is_number(rest)) {
		wanted->number = rest;
		return VMSNAP_OK;
	}
	wanted->label = begins_with(rest, label_prefix) ? rest + strlen(label_prefix) : rest;
	if (*wanted->label)
		return VMSNAP_OK;
	return fail(err, VMSNAP_ERR_NOT_FOUND, "%.160s: expected the number or the label of a snapshot",
	            file_name(file));
}

/* The snapshot if it is wanted, else NULL.  One that cannot be read is nobody's. */
static int take_wanted(const struct vmsnap_file *file, const struct wanted *wanted, size_t index, struct vmsnap **out,
                       struct vmsnap_error *err)
{
	struct vmsnap *snap;
	*out = NULL;
	int rc = file_load_identity(file, index, &snap, err);
	if (rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_SYSTEM || rc == VMSNAP_ERR_CANCELLED)
		return rc;
	if (rc)
		return VMSNAP_OK;
	const struct vmsnap_info *info = vmsnap_info(snap);
	if ((!wanted->of_process || info->pid == wanted->pid) &&
	    (!wanted->label || !strcmp(info->label, wanted->label)))
		*out = snap;
	else
		vmsnap_unref(snap);
	return VMSNAP_OK;
}

/* ---- by number ------------------------------------------------------------------- */

static int find_in_process(const struct vmsnap_file *file, const struct wanted *wanted, uint64_t number, size_t *index,
                           struct vmsnap_error *err)
{
	bool from_end = *wanted->number == '-';
	size_t count = vmsnap_file_count(file), seen = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = from_end ? count - 1 - i : i;
		struct vmsnap *snap;
		int rc = take_wanted(file, wanted, at, &snap, err);
		if (rc)
			return rc;
		vmsnap_unref(snap);
		if (snap && ++seen == number) {
			*index = at;
			return VMSNAP_OK;
		}
	}
	return fail(err, VMSNAP_ERR_NOT_FOUND,
	            "%.160s: there is no snapshot %.40s of process %" PRIu32 ": the file holds %zu of it",
	            file_name(file), wanted->number, wanted->pid, seen);
}

static int find_number(const struct vmsnap_file *file, const struct wanted *wanted, size_t *index,
                       struct vmsnap_error *err)
{
	bool from_end = *wanted->number == '-';
	size_t count = vmsnap_file_count(file);
	errno = 0;
	unsigned long long number = strtoull(wanted->number + from_end, NULL, 10);
	if (wanted->of_process)
		return find_in_process(file, wanted, errno ? UINT64_MAX : number, index, err);
	if (errno || !number || number > count)
		return file_no_such_number(file, wanted->number, err);
	*index = from_end ? count - (size_t)number : (size_t)number - 1;
	return VMSNAP_OK;
}

/* ---- by label and process --------------------------------------------------------- */

static int ambiguous(const struct vmsnap_file *file, const struct wanted *wanted, const struct vmsnap *newest,
                     const struct vmsnap *older, struct vmsnap_error *err)
{
	uint32_t pid = vmsnap_info(newest)->pid, other = vmsnap_info(older)->pid;
	if (pid == other)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "%.160s: two processes had the number %" PRIu32 ", one after the other; say which is meant "
		            "by a number, as in @pid:%" PRIu32 "@1",
		            file_name(file), pid, pid);
	return fail(err, VMSNAP_ERR_ARGUMENT,
	            "%.160s: several processes have the label \"%.60s\" (%" PRIu32 ", %" PRIu32
	            ", …); say which is meant, as in @pid:%" PRIu32 "@%.60s",
	            file_name(file), wanted->label, other, pid, other, wanted->label);
}

static int not_found(const struct vmsnap_file *file, const struct wanted *wanted, struct vmsnap_error *err)
{
	if (!wanted->label)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "%.160s: there is no snapshot of process %" PRIu32,
		            file_name(file), wanted->pid);
	if (!wanted->of_process)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "%.160s: no snapshot has the label \"%.100s\"", file_name(file),
		            wanted->label);
	return fail(err, VMSNAP_ERR_NOT_FOUND, "%.160s: no snapshot of process %" PRIu32 " has the label \"%.100s\"",
	            file_name(file), wanted->pid, wanted->label);
}

/* From the end, so the newest wins; the others must be of its process. */
static int find_newest(const struct vmsnap_file *file, const struct wanted *wanted, size_t *index,
                       struct vmsnap_error *err)
{
	struct vmsnap *newest = NULL;
	int rc = VMSNAP_OK;
	for (size_t i = vmsnap_file_count(file); !rc && i-- > 0;) {
		struct vmsnap *snap;
		rc = take_wanted(file, wanted, i, &snap, err);
		if (!rc && snap && newest && !vmsnap_same_process(newest, snap))
			rc = ambiguous(file, wanted, newest, snap, err);
		if (rc || !snap || newest) {
			vmsnap_unref(snap);
			continue;
		}
		newest = snap;
		*index = i;
	}
	vmsnap_unref(newest);
	return rc || newest ? rc : not_found(file, wanted, err);
}

static int find_one(const struct vmsnap_file *file, const char *which, size_t *index, struct vmsnap_error *err)
{
	struct wanted wanted;
	int rc = parse(file, which, &wanted, err);
	if (rc)
		return rc;
	return wanted.number ? find_number(file, &wanted, index, err) : find_newest(file, &wanted, index, err);
}

/* ---- several ---------------------------------------------------------------------- */

/* Where the ".." of a range stands; NULL if it is none, but one snapshot. */
static const char *range_in(const char *which)
{
	const char *mark = strstr(which, range_mark), *label = strstr(which, label_prefix);
	return mark && (!label || mark < label) ? mark : NULL;
}

/* One that cannot be read was taken nobody knows when. */
static int taken_with(const struct vmsnap_file *file, const struct vmsnap *snap, size_t index, bool *yes,
                      struct vmsnap_error *err)
{
	static const struct wanted any = { .of_process = false };
	struct vmsnap *other;
	int rc = take_wanted(file, &any, index, &other, err);
	*yes = !rc && other && vmsnap_same_instant(snap, other);
	if (!rc)
		vmsnap_unref(other);
	return rc;
}

VMSNAP_API int vmsnap_file_instant(const struct vmsnap_file *file, size_t index, size_t *first, size_t *count,
                                   struct vmsnap_error *err)
{
	struct vmsnap *snap;
	size_t from = index, to = index + 1, all = vmsnap_file_count(file);
	int rc = file_load_identity(file, index, &snap, err);
	if (rc)
		return rc;
	for (bool more = true; !rc && more && from > 0; from -= more)
		rc = taken_with(file, snap, from - 1, &more, err);
	for (bool more = true; !rc && more && to < all; to += more)
		rc = taken_with(file, snap, to, &more, err);
	vmsnap_unref(snap);
	if (rc)
		return rc;
	*first = from;
	*count = to - from;
	return VMSNAP_OK;
}

/* ---- a label of a tree ---- */

/* What has the label besides must be the same tree, earlier: it has the same first process, `root`, which it
 * was captured by.  Otherwise nobody knows which is meant. */
static int check_older(const struct vmsnap_file *file, const struct wanted *wanted, const struct vmsnap *root,
                       size_t first, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t at = first; !rc && at > 0;) {
		struct vmsnap *snap;
		size_t from = at - 1, all = 1;
		rc = take_wanted(file, wanted, at - 1, &snap, err);
		vmsnap_unref(snap);
		if (!rc && snap)
			rc = vmsnap_file_instant(file, at - 1, &from, &all, err);
		if (!rc && snap)
			rc = take_wanted(file, wanted, from, &snap, err);
		else
			snap = NULL;
		if (!rc && snap && !vmsnap_same_process(root, snap))
			rc = ambiguous(file, wanted, root, snap, err);
		vmsnap_unref(snap);
		at = from;
	}
	return rc;
}

/* The newest that has the label, and those before it that have it of the same instant.  *count is 0 if
 * none has. */
static int find_labelled(const struct vmsnap_file *file, const struct wanted *wanted, size_t *first, size_t *count,
                         struct vmsnap_error *err)
{
	struct vmsnap *last = NULL, *root = NULL, *snap = NULL;
	int rc = VMSNAP_OK;
	*count = 0;
	for (size_t at = vmsnap_file_count(file); !rc && at-- > 0;) {
		rc = take_wanted(file, wanted, at, &snap, err);
		if (!rc && !snap && !last)
			continue;
		/* The same process again: files that were joined. */
		if (rc || !snap || (last && (!vmsnap_same_instant(last, snap) || vmsnap_same_process(last, snap))))
			break;
		vmsnap_unref(root);
		root = snap;
		last = last ? last : vmsnap_ref(snap);
		*first = at;
		++*count;
		snap = NULL;
	}
	vmsnap_unref(snap);
	if (!rc && *count > 1)
		rc = check_older(file, wanted, root, *first, err);
	vmsnap_unref(root);
	vmsnap_unref(last);
	return rc;
}

/* One snapshot, or a tree that has the label. */
static int find_some(const struct vmsnap_file *file, const char *which, size_t *first, size_t *count,
                     struct vmsnap_error *err)
{
	struct wanted wanted;
	int rc = parse(file, which, &wanted, err);
	*count = 1;
	if (rc || wanted.number)
		return rc ? rc : find_number(file, &wanted, first, err);
	if (!wanted.of_process) {
		rc = find_labelled(file, &wanted, first, count, err);
		if (rc || *count > 1)
			return rc;
	}
	/* Of one only its own process may have it. */
	*count = 1;
	return find_newest(file, &wanted, first, err);
}

/* ---- what a word means ---- */

VMSNAP_API int vmsnap_file_select(const struct vmsnap_file *file, const char *which, size_t *first, size_t *count,
                                  struct vmsnap_error *err)
{
	const char *mark = range_in(which);
	size_t from = 0, to = 0, some = 0;
	if (!mark) {
		int rc = find_some(file, which, &from, &some, err);
		if (rc)
			return rc;
		*first = from;
		*count = some;
		return VMSNAP_OK;
	}
	CLEANUP_FREE char *begin = strndup(which, (size_t)(mark - which));
	if (!begin)
		return fail_no_memory(err);
	int rc = find_some(file, begin, &from, &some, err);
	rc = rc ? rc : find_some(file, mark + strlen(range_mark), &to, &some, err);
	if (rc)
		return rc;
	if (to + some - 1 < from)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%.160s: %.100s: snapshot %zu comes before snapshot %zu",
		            file_name(file), which, to + 1, from + 1);
	*first = from;
	*count = to + some - from;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_file_find(const struct vmsnap_file *file, const char *which, size_t *index,
                                struct vmsnap_error *err)
{
	size_t first, count;
	if (!range_in(which))
		return find_one(file, which, index, err);
	int rc = vmsnap_file_select(file, which, &first, &count, err);
	if (rc)
		return rc;
	if (count > 1)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%.160s: %.100s are %zu snapshots; one is wanted",
		            file_name(file), which, count);
	*index = first;
	return VMSNAP_OK;
}
