#include "blame_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

enum { KEY_MAX = 1 << 14 };

/* ---- rows by their keys ------------------------------------------------------------------ */

static uint32_t hash_of(const char *key)
{
	uint32_t hash = 2166136261u;
	for (; *key; key++)
		hash = (hash ^ (uint8_t)*key) * 16777619u;
	return hash;
}

static int grow(struct blame_rows *rows)
{
	int rc = VMSNAP_OK;
	size_t count = rows->slot_count ? rows->slot_count * 2 : 256;
	uint32_t *slots = work_array(rows->work, count, sizeof(*slots), &rc);
	if (rc)
		return rc;
	for (size_t i = 0; i < rows->count; i++) {
		size_t at = rows->items[i].hash & (count - 1);
		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)i + 1;
	}
	work_free(rows->work, rows->slots, rows->slot_count, sizeof(*rows->slots));
	rows->slots = slots;
	rows->slot_count = count;
	return VMSNAP_OK;
}

/* The row of that key, which is made if there is none: *made. */
static struct blame_row *row_of(struct blame_rows *rows, const char *key, bool *made, int *rc)
{
	uint32_t hash = hash_of(key);
	*made = false;
	if (!*rc && rows->count * 2 >= rows->slot_count)
		*rc = grow(rows);
	if (*rc)
		return NULL;
	size_t at = hash & (rows->slot_count - 1);
	for (; rows->slots[at]; at = (at + 1) & (rows->slot_count - 1)) {
		struct blame_row *row = &rows->items[rows->slots[at] - 1];
		if (row->hash == hash && !strcmp(row->key, key))
			return row;
	}
	bool room = WORK_ROOM(rows->work, rows->items, rows->count, &rows->room, rc);
	const char *kept = room ? arena_string(&rows->strings, key) : NULL;
	if (!kept) {
		*rc = *rc ? *rc : VMSNAP_ERR_NO_MEMORY;
		return NULL;
	}
	struct blame_row *row = &rows->items[rows->count++];
	*row = (struct blame_row){ .hash = hash, .key = kept, .function = "", .file = "", .object = "", .label = "" };
	rows->slots[at] = (uint32_t)rows->count;
	*made = true;
	return row;
}

/* ---- what code is called ---------------------------------------------------------------- */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static const char *path_of(const struct vmsnap_faults *faults, const struct vmsnap_fault_code *code)
{
	const struct vmsnap_fault_object *object =
	        code && code->object != UINT32_MAX ? vmsnap_faults_object(faults, code->object) : NULL;
	return object ? object->path : "";
}

/* "dbOverwrite", "libc.so.6+0x1234", "7f1234567000". */
static void name_code(const struct blame_rows *rows, int32_t pid, uint64_t address, char *out, size_t room)
{
	const struct vmsnap_faults *faults = vmsnap_blame_faults(rows->blame);
	const struct vmsnap_fault_code *code = vmsnap_faults_code_at(faults, (uint32_t)pid, address);
	const struct vmsnap_fault_object *object =
	        code && code->object != UINT32_MAX ? vmsnap_faults_object(faults, code->object) : NULL;
	const char *nicer =
	        code && *code->function && rows->names ? vmsnap_names_demangle(rows->names, code->function) : NULL;
	if (code && *code->function)
		snprintf(out, room, "%s", nicer ? nicer : code->function);
	else if (object && *object->path && object->path[0] == '/')
		snprintf(out, room, "%s+0x%" PRIx64, base_of(object->path), object->offset + (address - object->start));
	else if (object && *object->path)
		snprintf(out, room, "%s+0x%" PRIx64, object->path, address - object->start);
	else
		snprintf(out, room, "%" PRIx64, address);
}

/* Of the caller's room. */
static void key_of_fault(const struct blame_rows *rows, const struct vmsnap_fault *fault, char key[KEY_MAX])
{
	const struct vmsnap_faults *faults = vmsnap_blame_faults(rows->blame);
	const struct vmsnap_fault_code *code = vmsnap_faults_code_at(faults, (uint32_t)fault->pid, fault->ip);
	char name[1024];
	size_t len, frames;
	const uint64_t *stack = vmsnap_faults_stack(faults, fault->stack, &frames);
	switch (rows->by) {
	case VMSNAP_BLAME_BY_THREAD:
		snprintf(key, KEY_MAX, "%d %d", (int)fault->pid, (int)fault->tid);
		return;
	case VMSNAP_BLAME_BY_STACK:
		len = (size_t)snprintf(key, KEY_MAX, "%d", (int)fault->syscall);
		for (size_t i = frames; i-- > 0 && len < KEY_MAX - sizeof(name) - 2;) {
			name_code(rows, fault->pid, stack[i], name, sizeof(name));
			len += (size_t)snprintf(key + len, KEY_MAX - len, ";%s", name);
		}
		return;
	default:
		name_code(rows, fault->pid, fault->ip, name, sizeof(name));
		snprintf(key, KEY_MAX, "%d;%s;%s;%s:%u", (int)fault->syscall, name, path_of(faults, code),
		         rows->by == VMSNAP_BLAME_BY_LINE && code ? code->file : "",
		         rows->by == VMSNAP_BLAME_BY_LINE && code ? (unsigned)code->line : 0);
	}
}

static void describe_first(struct blame_rows *rows, struct blame_row *row, const struct vmsnap_fault *fault, int *rc)
{
	const struct vmsnap_faults *faults = vmsnap_blame_faults(rows->blame);
	const struct vmsnap_fault_code *code = vmsnap_faults_code_at(faults, (uint32_t)fault->pid, fault->ip);
	char name[1024];
	name_code(rows, fault->pid, fault->ip, name, sizeof(name));
	row->fault = fault;
	row->pid = fault->pid;
	row->tid = fault->tid;
	row->function = arena_string(&rows->strings, name);
	row->file = code ? code->file : "";
	row->line = code ? code->line : 0;
	row->object = path_of(faults, code);
	if (rows->by == VMSNAP_BLAME_BY_THREAD) {
		const char *comm = vmsnap_faults_comm(faults, fault->pid, fault->tid);
		snprintf(name, sizeof(name), "%s%s%d", comm, *comm ? " " : "", (int)fault->tid);
		row->label = arena_string(&rows->strings, name);
	}
	if (rows->by == VMSNAP_BLAME_BY_STACK)
		row->label = strchr(row->key, ';') ? strchr(row->key, ';') + 1 : "";
	if (!row->function || !row->label)
		*rc = VMSNAP_ERR_NO_MEMORY;
}

/* What is not the same for all of its faults is nothing. */
static void describe_more(const struct blame_rows *rows, struct blame_row *row, const struct vmsnap_fault *fault)
{
	const struct vmsnap_fault_code *code =
	        vmsnap_faults_code_at(vmsnap_blame_faults(rows->blame), (uint32_t)fault->pid, fault->ip);
	if (row->line != (code ? code->line : 0))
		row->line = 0;
	if (strcmp(row->file, code ? code->file : "") != 0)
		row->file = "";
}

static bool by_code(const struct blame_rows *rows)
{
	return rows->by == VMSNAP_BLAME_BY_FUNCTION || rows->by == VMSNAP_BLAME_BY_LINE ||
	       rows->by == VMSNAP_BLAME_BY_THREAD || rows->by == VMSNAP_BLAME_BY_STACK;
}

static struct blame_row *row_of_fault(struct blame_rows *rows, const struct vmsnap_fault *fault, int *rc)
{
	char key[KEY_MAX];
	bool made;
	key_of_fault(rows, fault, key);
	struct blame_row *row = row_of(rows, key, &made, rc);
	if (!row)
		return NULL;
	if (made)
		describe_first(rows, row, fault, rc);
	else
		describe_more(rows, row, fault);
	return row;
}

/* ---- what places are called ------------------------------------------------------------- */

static const struct vmsnap_fault *only_fault(const struct blame_rows *rows, const struct vmsnap_blamed *blamed)
{
	return blamed->count == 1 ? vmsnap_blame_fault(rows->blame, blamed->first) : NULL;
}

/* Of kinds that are not known nothing definite is said: a read may have brought in what the kernel wrote to, unseen. */
static bool doubtful(const struct blame_rows *rows, const struct vmsnap_blamed *blamed)
{
	if (blamed->doubtful)
		return true;
	if (blamed->became == VMSNAP_BECAME_MAPPED || blamed->became == VMSNAP_BECAME_SWAPPED_IN)
		return false;
	for (size_t i = 0; i < blamed->count; i++)
		if (vmsnap_blame_fault(rows->blame, blamed->first + i)->kind == VMSNAP_FAULT_UNKNOWN)
			return true;
	return false;
}

static void key_of_place(const struct blame_rows *rows, const struct vmsnap_blamed *blamed, char key[KEY_MAX])
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(blamed->snap, blamed->start);
	const struct vmsnap_fault *fault = only_fault(rows, blamed);
	struct vmsnap_name name;
	bool named = rows->by == VMSNAP_BLAME_BY_VARIABLE && rows->names && fault &&
	             !vmsnap_name_at(rows->names, fault->address, &name) && name.symbol;
	if (rows->by == VMSNAP_BLAME_BY_PAGE)
		snprintf(key, KEY_MAX, "%d %" PRIx64, (int)vmsnap_info(blamed->snap)->pid, blamed->start);
	else if (named)
		snprintf(key, KEY_MAX, "=%.4000s", name.symbol);
	else if (vma && *vma->name)
		snprintf(key, KEY_MAX, "/%.4000s", vma->name);
	else
		snprintf(key, KEY_MAX, "%d %" PRIx64, (int)vmsnap_info(blamed->snap)->pid, vma ? vma->start : 0);
}

static struct blame_row *row_of_place(struct blame_rows *rows, const struct vmsnap_blamed *blamed, int *rc)
{
	char key[KEY_MAX];
	bool made;
	key_of_place(rows, blamed, key);
	struct blame_row *row = row_of(rows, key, &made, rc);
	if (!row || !made)
		return row;
	row->label = key[0] == '=' ? row->key + 1 : "";
	row->snap = blamed->snap;
	row->start = blamed->start;
	row->end = blamed->end;
	row->pid = (int32_t)vmsnap_info(blamed->snap)->pid;
	bool sure = blamed->count == 1 && !doubtful(rows, blamed);
	row->who = sure ? BLAME_SEEN : blamed->count ? BLAME_SEVERAL : BLAME_UNSEEN;
	if (rows->by == VMSNAP_BLAME_BY_PAGE && sure)
		describe_first(rows, row, only_fault(rows, blamed), rc);
	row->pid = (int32_t)vmsnap_info(blamed->snap)->pid; /* whose page it is: others may have its memory */
	return row;
}

/* ---- the sums --------------------------------------------------------------------------- */

static void add_place(struct blame_row *row, const struct vmsnap_blamed *blamed, uint64_t bytes)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(blamed->snap, blamed->start);
	for (size_t i = 0; vma && i < BLAME_PLACES; i++) {
		struct blame_place *place = &row->places[i];
		if (place->vma && place->vma != vma)
			continue;
		*place = (struct blame_place){ blamed->snap, vma, place->bytes + bytes };
		return;
	}
}

const struct blame_place *blame_row_place(const struct blame_row *row, bool *others)
{
	const struct blame_place *most = NULL;
	*others = false;
	for (size_t i = 0; i < BLAME_PLACES && row->places[i].vma; i++) {
		if (most)
			*others = true;
		if (!most || row->places[i].bytes > most->bytes)
			most = &row->places[i];
	}
	return most;
}

static struct blame_row *special_row(struct blame_rows *rows, enum blame_who who, int *rc)
{
	bool made;
	struct blame_row *row = row_of(rows, who == BLAME_SEVERAL ? "(several)" : "(unseen)", &made, rc);
	if (row && made)
		row->who = who;
	return row;
}

/* The row that all faults that may have done it are of; or those that nobody knows of. */
static struct blame_row *row_of_blamed(struct blame_rows *rows, const struct vmsnap_blamed *blamed, int *rc)
{
	struct blame_row *row = NULL;
	size_t index = 0;
	if (!by_code(rows))
		return row_of_place(rows, blamed, rc);
	for (size_t i = 0; i < blamed->count; i++) {
		struct blame_row *other = row_of_fault(rows, vmsnap_blame_fault(rows->blame, blamed->first + i), rc);
		if (!other)
			return NULL;
		size_t at = (size_t)(other - rows->items);
		if (i && at != index)
			return special_row(rows, BLAME_SEVERAL, rc);
		index = at;
		row = other;
	}
	return row ? row : special_row(rows, BLAME_UNSEEN, rc);
}

static void add_blamed(struct blame_rows *rows, const struct vmsnap_blamed *blamed, int *rc)
{
	uint64_t bytes = blamed->end - blamed->start;
	if (blamed->inherited) {
		rows->inherited += bytes;
		return;
	}
	/* What lies around a page that a file was asked for comes with it. */
	if (blamed->became == VMSNAP_BECAME_MAPPED && !blamed->count && by_code(rows)) {
		rows->pages[blamed->became] += bytes;
		return;
	}
	bool doubt = doubtful(rows, blamed);
	struct blame_row *row =
	        doubt && by_code(rows) ? special_row(rows, BLAME_SEVERAL, rc) : row_of_blamed(rows, blamed, rc);
	if (!row)
		return;
	rows->pages[blamed->became] += bytes;
	row->bytes[blamed->became] += bytes;
	if (blamed->became != VMSNAP_BECAME_MAPPED && !blamed->count && blamed->became == VMSNAP_BECAME_REPLACED)
		rows->moved += bytes;
	else if (blamed->became != VMSNAP_BECAME_MAPPED && !blamed->count)
		rows->unseen += bytes;
	else if (row->who == BLAME_SEVERAL)
		rows->several += bytes;
	if (blamed->became == VMSNAP_BECAME_EXCLUSIVE && !blamed->count)
		rows->left += bytes;
	add_place(row, blamed, bytes);
}

static void find_window(struct blame_rows *rows)
{
	const struct vmsnap *before, *after;
	rows->begin = UINT64_MAX;
	for (size_t i = 0; (after = vmsnap_blame_process(rows->blame, i, &before)); i++) {
		rows->processes++;
		rows->unknown += !vmsnap_blame_is_known(rows->blame, i);
		uint64_t end = (uint64_t)vmsnap_info(after)->monotonic;
		uint64_t begin = before ? (uint64_t)vmsnap_info(before)->monotonic : UINT64_MAX;
		rows->begin = begin < rows->begin ? begin : rows->begin;
		rows->end = end > rows->end ? end : rows->end;
	}
	const struct vmsnap_faults_info *info = vmsnap_faults_info(vmsnap_blame_faults(rows->blame));
	if (rows->begin == UINT64_MAX)
		rows->begin = info->begin;
	if (!rows->end)
		rows->end = info->end;
}

static void add_faults(struct blame_rows *rows, int *rc)
{
	const struct vmsnap_faults *faults = vmsnap_blame_faults(rows->blame);
	for (size_t i = 0; !*rc && i < vmsnap_faults_count(faults); i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(faults, i);
		if (fault->time < rows->begin || fault->time > rows->end)
			continue;
		rows->faults++;
		struct blame_row *row = by_code(rows) ? row_of_fault(rows, fault, rc) : NULL;
		if (row)
			row->faults++;
		*rc = *rc ? *rc : work_step(rows->work);
	}
}

static uint64_t weight(const struct blame_row *row)
{
	uint64_t bytes = 0;
	for (int i = 0; i < VMSNAP_BECAME_COUNT; i++)
		bytes += i == VMSNAP_BECAME_MAPPED ? 0 : row->bytes[i];
	return bytes;
}

static int by_weight(const void *x, const void *y, const void *ctx)
{
	const struct blame_row *a = x, *b = y;
	const struct blame_rows *rows = ctx;
	if (rows->by == VMSNAP_BLAME_BY_PAGE)
		return 0;
	if ((a->who == BLAME_SEEN) != (b->who == BLAME_SEEN) && by_code(rows))
		return a->who == BLAME_SEEN ? -1 : 1;
	if (weight(a) != weight(b))
		return weight(a) > weight(b) ? -1 : 1;
	if (a->bytes[VMSNAP_BECAME_MAPPED] != b->bytes[VMSNAP_BECAME_MAPPED])
		return a->bytes[VMSNAP_BECAME_MAPPED] > b->bytes[VMSNAP_BECAME_MAPPED] ? -1 : 1;
	return (a->faults < b->faults) - (a->faults > b->faults);
}

int blame_rows_make(struct blame_rows *rows, const struct vmsnap_blame *blame, int by, struct vmsnap_names *names,
                    struct work *work, struct vmsnap_error *err)
{
	const struct vmsnap_blamed *blamed;
	const struct vmsnap *bound = NULL;
	int rc = VMSNAP_OK;
	*rows = (struct blame_rows){ .blame = blame, .names = names, .by = by, .work = work };
	find_window(rows);
	for (size_t i = 0; !rc && (blamed = vmsnap_blame_at(blame, i)); i++) {
		if (names && by == VMSNAP_BLAME_BY_VARIABLE && bound != blamed->snap) {
			bound = blamed->snap;
			rc = vmsnap_names_rebind(names, bound, err);
			if (rc)
				return rc;
		}
		add_blamed(rows, blamed, &rc);
		rc = rc ? rc : work_step(work);
	}
	add_faults(rows, &rc);
	rc = rc ? rc : work_sort(work, rows->items, rows->count, sizeof(*rows->items), by_weight, rows);
	return rc ? work_fail(work, rc, err) : VMSNAP_OK;
}

void blame_rows_free(struct blame_rows *rows)
{
	work_free(rows->work, rows->items, rows->room, sizeof(*rows->items));
	work_free(rows->work, rows->slots, rows->slot_count, sizeof(*rows->slots));
	arena_free(&rows->strings);
}
