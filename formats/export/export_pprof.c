#define _GNU_SOURCE
/* export_pprof.c - a gzipped profile.proto (github.com/google/pprof): pages that were copied, new and written, by the
 * code that did it, and what each process has at last, by mapping.  Each message is written as soon as it is known;
 * what is kept is which there are, and samples of code until it is known how many values all have. */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "blamed_stacks.h"
#include "error.h"
#include "memory_stacks.h"
#include "object_map.h"
#include "proto.h"
#include "sha256.h"

enum { /* fields of Profile */
       PROFILE_SAMPLE_TYPE = 1,
       PROFILE_SAMPLE = 2,
       PROFILE_MAPPING = 3,
       PROFILE_LOCATION = 4,
       PROFILE_FUNCTION = 5,
       PROFILE_STRING = 6,
       PROFILE_TIME = 9,
       PROFILE_DURATION = 10,
       PROFILE_COMMENT = 13,
       PROFILE_DEFAULT_TYPE = 14,
};
/* What a number in the table of all is of. */
enum kind { STRING = 's', MAPPING = 'm', FUNCTION = 'f', LOCATION = 'l', KINDS = 128 };

/* A sample of code without its values. */
struct kept_sample {
	struct proto message;
	uint64_t pages[BLAMED_VALUES];
};
struct pprof {
	struct blamed_stacks stacks;
	struct kept_sample *kept;
	size_t kept_count, kept_room;
	unsigned known; /* of enum memory_value, as bits: those that samples have */
	z_stream deflate;
	bool deflating;
	struct object_map told;
	int64_t counts[KINDS];
	struct proto outer, message; /* one at a time */
	int rc;
};

/* ---- bytes ---- */

static void squeeze(struct vmsnap_export *e, const void *bytes, size_t len, int flush)
{
	struct pprof *p = e->state;
	uint8_t out[16 * 1024];
	p->deflate.next_in = (uint8_t *)(uintptr_t)bytes; /* it is only read */
	p->deflate.avail_in = (uInt)len;
	do {
		p->deflate.next_out = out;
		p->deflate.avail_out = sizeof(out);
		deflate(&p->deflate, flush);
		export_bytes(e, out, sizeof(out) - p->deflate.avail_out);
	} while (!p->deflate.avail_out);
}

static void put_outer(struct vmsnap_export *e)
{
	struct pprof *p = e->state;
	if (p->outer.failed)
		p->rc = VMSNAP_ERR_NO_MEMORY;
	else
		squeeze(e, p->outer.data, p->outer.len, Z_NO_FLUSH);
	p->outer.len = 0;
}

static void put_message(struct vmsnap_export *e, unsigned field)
{
	struct pprof *p = e->state;
	proto_message(&p->outer, field, &p->message);
	p->message.len = 0;
	put_outer(e);
}

/* ---- what was written already ---- */

/* Its number; *is_new: it is to be written now. */
static uint64_t number_of(struct pprof *p, enum kind kind, const void *key, size_t len, bool *is_new)
{
	uint8_t hash[32];
	uint64_t id;
	int64_t number = p->counts[kind] + 1;
	bool known = false;
	sha256(key, len, hash);
	memcpy(&id, hash, sizeof(id));
	id ^= (uint64_t)kind << 56;
	if (object_map_put(&p->told, id, &number, &known))
		p->rc = VMSNAP_ERR_NO_MEMORY;
	*is_new = !known && !p->rc;
	p->counts[kind] += *is_new;
	return (uint64_t)number;
}

/* The string of number 0 is "". */
static uint64_t string_of(struct vmsnap_export *e, const char *text)
{
	struct pprof *p = e->state;
	bool is_new;
	size_t len = strlen(text);
	if (!len)
		return 0;
	uint64_t number = number_of(p, STRING, text, len, &is_new);
	if (is_new) {
		proto_bytes(&p->outer, PROFILE_STRING, text, len);
		put_outer(e);
	}
	return number;
}

/* Strings of a profile are text. */
static uint64_t name_of(struct vmsnap_export *e, const char *name)
{
	char text[BLAMED_NAME_MAX];
	size_t at = 0;
	for (const uint8_t *byte = (const uint8_t *)name; *byte && at < sizeof(text) - 5; byte++) {
		if (*byte >= 0x20 && *byte < 0x7f)
			text[at++] = (char)*byte;
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, "\\x%02x", *byte);
	}
	text[at] = '\0';
	return string_of(e, text);
}

static uint64_t mapping_of(struct vmsnap_export *e, const struct vmsnap_fault_object *object)
{
	struct pprof *p = e->state;
	char build_id[2 * UINT8_MAX + 1] = "";
	for (size_t i = 0; i < object->build_id_len && i < UINT8_MAX; i++)
		snprintf(build_id + 2 * i, 3, "%02x", object->build_id[i]);
	uint64_t path = name_of(e, object->path), id = string_of(e, build_id);
	const uint64_t key[] = { path, id, object->start, object->end, object->offset };
	bool is_new;
	uint64_t number = number_of(p, MAPPING, key, sizeof(key), &is_new);
	if (!is_new)
		return number;
	proto_number(&p->message, 1, number);
	proto_number(&p->message, 2, object->start);
	proto_number(&p->message, 3, object->end);
	proto_number(&p->message, 4, object->offset);
	proto_number(&p->message, 5, path);
	proto_number(&p->message, 6, id);
	/* Names are looked up already. */
	for (unsigned field = 7; field <= 9; field++)
		proto_number(&p->message, field, 1);
	put_message(e, PROFILE_MAPPING);
	return number;
}

/* symbol: what its file calls it. */
static uint64_t function_called(struct vmsnap_export *e, const char *name, const char *symbol, const char *file)
{
	struct pprof *p = e->state;
	const uint64_t key[] = { name_of(e, name), name_of(e, symbol), name_of(e, file) };
	bool is_new;
	uint64_t number = number_of(p, FUNCTION, key, sizeof(key), &is_new);
	if (!is_new)
		return number;
	proto_number(&p->message, 1, number);
	proto_number(&p->message, 2, key[0]);
	proto_number(&p->message, 3, key[1]);
	proto_number(&p->message, 4, key[2]);
	put_message(e, PROFILE_FUNCTION);
	return number;
}

static uint64_t function_of(struct vmsnap_export *e, const char *name, const char *file)
{
	return function_called(e, name, name, file);
}

static uint64_t put_location(struct vmsnap_export *e, uint64_t mapping, uint64_t address, uint64_t function,
                             uint64_t line)
{
	struct pprof *p = e->state;
	const uint64_t key[] = { mapping, address, function, line };
	struct proto where = { 0 };
	bool is_new;
	uint64_t number = number_of(p, LOCATION, key, sizeof(key), &is_new);
	if (!is_new)
		return number;
	proto_number(&where, 1, function);
	proto_number(&where, 2, line);
	proto_number(&p->message, 1, number);
	proto_number(&p->message, 2, mapping);
	proto_number(&p->message, 3, address);
	proto_message(&p->message, 4, &where);
	proto_free(&where);
	put_message(e, PROFILE_LOCATION);
	return number;
}

static uint64_t location_of(struct vmsnap_export *e, const struct blamed_stack *stack, uint64_t address)
{
	char name[BLAMED_NAME_MAX];
	const struct vmsnap_fault_code *code =
	        vmsnap_faults_code_at(stack->faults, (uint32_t)stack->row->fault->pid, address);
	const struct vmsnap_fault_object *object =
	        code && code->object != UINT32_MAX ? vmsnap_faults_object(stack->faults, code->object) : NULL;
	blamed_name(stack, address, name);
	uint64_t mapping = object ? mapping_of(e, object) : 0;
	const char *symbol = code && *code->function ? code->function : name;
	return put_location(e, mapping, address, function_called(e, name, symbol, code ? code->file : ""),
	                    code ? code->line : 0);
}

/* ---- samples ---- */

static void put_label(struct proto *sample, uint64_t key, uint64_t text, uint64_t number)
{
	struct proto label = { 0 };
	proto_number(&label, 1, key);
	proto_number(&label, 2, text);
	proto_number(&label, 3, number);
	proto_message(sample, 3, &label);
	proto_free(&label);
}

static void put_process(struct vmsnap_export *e, const struct vmsnap_info *info)
{
	struct pprof *p = e->state;
	uint64_t process = string_of(e, "process"), comm = name_of(e, info->comm), pid = string_of(e, "pid");
	put_label(&p->message, process, comm, 0);
	put_label(&p->message, pid, 0, info->pid);
}

static int keep_sample(struct pprof *p, const uint64_t pages[BLAMED_VALUES], struct work *work)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(work, p->kept, p->kept_count, &p->kept_room, &rc))
		return rc;
	struct kept_sample *sample = &p->kept[p->kept_count++];
	sample->message = p->message;
	memcpy(sample->pages, pages, sizeof(sample->pages));
	p->message = (struct proto){ 0 };
	return VMSNAP_OK;
}

static int put_code(void *ctx, const struct blamed_stack *stack, struct vmsnap_error *err)
{
	struct vmsnap_export *e = ctx;
	struct pprof *p = e->state;
	uint64_t locations[VMSNAP_FAULT_FRAMES_MAX + 1];
	size_t count = 0;
	char room[64];
	const char *remark = blamed_remark(stack, room);
	if (remark)
		locations[count++] = put_location(e, 0, 0, function_of(e, remark, ""), 0);
	for (size_t i = 0; i < stack->count; i++)
		locations[count++] = location_of(e, stack, stack->frames[i]);
	proto_numbers(&p->message, 1, locations, count);
	put_process(e, vmsnap_info(stack->snap));
	int rc = p->rc ? p->rc : keep_sample(p, stack->pages, &e->work);
	return rc ? work_fail(&e->work, rc, err) : e->failed ? export_flush(e, err) : VMSNAP_OK;
}

/* Of one sample: pages by code, and bytes by mapping, as far as there are such. */
static size_t values_of(const struct pprof *p, const uint64_t *pages, const uint64_t *bytes, uint64_t *values)
{
	size_t count = 0;
	for (int i = 0; p->stacks.any && i < BLAMED_VALUES; i++)
		values[count++] = pages ? pages[i] : 0;
	for (int i = 0; i < MEMORY_VALUES; i++)
		if (p->known & 1u << i)
			values[count++] = bytes ? bytes[i] : 0;
	return count;
}

static void put_kept(struct vmsnap_export *e)
{
	struct pprof *p = e->state;
	uint64_t values[BLAMED_VALUES + MEMORY_VALUES];
	for (size_t i = 0; i < p->kept_count; i++) {
		size_t count = values_of(p, p->kept[i].pages, NULL, values);
		proto_append(&p->message, &p->kept[i].message);
		proto_numbers(&p->message, 2, values, count);
		put_message(e, PROFILE_SAMPLE);
	}
}

/* A mapping as it is: code of page faults is in the same ones. */
static uint64_t mapping_of_vma(struct vmsnap_export *e, const struct vmsnap_vma *vma)
{
	const struct vmsnap_fault_object object = { .path = vma->name,
		                                    .build_id = vma->build_id,
		                                    .build_id_len = vma->build_id_len,
		                                    .start = vma->start,
		                                    .end = vma->end,
		                                    .offset = vma->offset };
	return mapping_of(e, &object);
}

static int put_memory(void *ctx, const struct memory_stack *stack, struct vmsnap_error *err)
{
	static const char *const unknown[] = { "exclusive, shared", "swapped" };
	struct vmsnap_export *e = ctx;
	struct pprof *p = e->state;
	const struct vmsnap_vma *vma = stack->vma;
	const struct vmsnap_info *info = vmsnap_info(stack->snap);
	uint64_t values[BLAMED_VALUES + MEMORY_VALUES];
	const uint64_t locations[] = {
		put_location(e, mapping_of_vma(e, vma), vma->start, function_of(e, stack->leaf, vma->name), 0),
		put_location(e, 0, 0, function_of(e, stack->kind, ""), 0),
		put_location(e, 0, 0, function_of(e, info->comm, ""), 0),
	};
	proto_numbers(&p->message, 1, locations, sizeof(locations) / sizeof(locations[0]));
	proto_numbers(&p->message, 2, values, values_of(p, NULL, stack->bytes, values));
	put_process(e, info);
	if (stack->unknown & p->known & 1u << MEMORY_EXCLUSIVE)
		put_label(&p->message, string_of(e, "unknown"), string_of(e, unknown[0]), 0);
	if (stack->unknown & p->known & 1u << MEMORY_SWAPPED)
		put_label(&p->message, string_of(e, "unknown"), string_of(e, unknown[1]), 0);
	put_message(e, PROFILE_SAMPLE);
	return p->rc ? work_fail(&e->work, p->rc, err) : e->failed ? export_flush(e, err) : VMSNAP_OK;
}

/* ---- the whole ---- */

static int pprof_open(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct pprof *p = e->state;
	enum { GZIP = 16 + MAX_WBITS, MEMORY = 8 };
	if (deflateInit2(&p->deflate, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return fail_no_memory(err);
	p->deflating = true;
	p->stacks.raw_symbols = e->options.raw_symbols;
	proto_bytes(&p->outer, PROFILE_STRING, "", 0);
	put_outer(e);
	return p->rc ? fail_no_memory(err) : VMSNAP_OK;
}

static int pprof_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	struct pprof *p = e->state;
	return blamed_stacks_add(&p->stacks, snaps, count, &e->work, put_code, e, err);
}

static void put_comment(struct vmsnap_export *e, const char *text)
{
	struct pprof *p = e->state;
	uint64_t comment = string_of(e, text);
	proto_numbers(&p->outer, PROFILE_COMMENT, &comment, 1);
	put_outer(e);
}

static void put_comments(struct vmsnap_export *e)
{
	const struct pprof *p = e->state;
	char text[128];
	snprintf(text, sizeof(text), "vmsnap blame: %" PRIu64 " page faults were lost", p->stacks.lost);
	if (p->stacks.any)
		put_comment(e, p->stacks.lost == UINT64_MAX ? "vmsnap blame: some page faults were lost" : text);
	for (int i = 0; i < MEMORY_VALUES; i++) {
		snprintf(text, sizeof(text), "vmsnap: what is %s is not known", memory_value_names[i]);
		if (!(p->known & 1u << i))
			put_comment(e, text);
	}
}

static void put_type(struct vmsnap_export *e, const char *name, const char *unit)
{
	struct pprof *p = e->state;
	uint64_t type = string_of(e, name), of = string_of(e, unit);
	proto_number(&p->message, 1, type);
	proto_number(&p->message, 2, of);
	put_message(e, PROFILE_SAMPLE_TYPE);
}

/* What is shown unless asked for: the first of which there is any, or readers open an empty graph. */
static const char *shown_type(const struct pprof *p)
{
	for (int value = 0; value < BLAMED_VALUES; value++)
		for (size_t i = 0; i < p->kept_count; i++)
			if (p->kept[i].pages[value])
				return blamed_value_names[value];
	bool memory = !p->stacks.any || p->known & 1u << MEMORY_RESIDENT;
	return memory ? memory_value_names[MEMORY_RESIDENT] : blamed_value_names[BLAMED_COPIED];
}

/* In the order of values_of(). */
static void put_types(struct vmsnap_export *e)
{
	struct pprof *p = e->state;
	for (int i = 0; p->stacks.any && i < BLAMED_VALUES; i++)
		put_type(e, blamed_value_names[i], "pages");
	for (int i = 0; i < MEMORY_VALUES; i++)
		if (p->known & 1u << i)
			put_type(e, memory_value_names[i], "bytes");
	proto_number(&p->outer, PROFILE_DEFAULT_TYPE, string_of(e, shown_type(p)));
	put_outer(e);
}

/* When it was watched; of memory alone, when the newest of it was so. */
static void put_time(struct vmsnap_export *e)
{
	struct pprof *p = e->state;
	int64_t newest = 0;
	for (size_t i = 0; i < p->stacks.count; i++)
		if (vmsnap_info(p->stacks.latest[i])->taken > newest)
			newest = vmsnap_info(p->stacks.latest[i])->taken;
	proto_number(&p->outer, PROFILE_TIME, p->stacks.any ? p->stacks.begin : (uint64_t)newest);
	proto_number(&p->outer, PROFILE_DURATION, p->stacks.end);
	put_outer(e);
}

static int pprof_finish(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct pprof *p = e->state;
	const struct vmsnap *const *latest = p->stacks.latest;
	int rc = memory_stacks_known(latest, p->stacks.count, &e->work, &p->known, err);
	if (rc)
		return rc;
	put_types(e);
	put_kept(e);
	rc = memory_stacks_each(latest, p->stacks.count, &e->work, put_memory, e, err);
	if (rc)
		return rc;
	put_comments(e);
	put_time(e);
	squeeze(e, NULL, 0, Z_FINISH);
	return p->rc ? fail_no_memory(err) : VMSNAP_OK;
}

static void pprof_free(struct vmsnap_export *e)
{
	struct pprof *p = e->state;
	if (p->deflating)
		deflateEnd(&p->deflate);
	blamed_stacks_free(&p->stacks);
	for (size_t i = 0; i < p->kept_count; i++)
		proto_free(&p->kept[i].message);
	free(p->kept);
	object_map_free(&p->told);
	proto_free(&p->outer);
	proto_free(&p->message);
}

const struct exporter exporter_pprof = {
	.name = "pprof",
	.begins = "\x1f\x8b\x08",
	.state_size = sizeof(struct pprof),
	.open = pprof_open,
	.add = pprof_add,
	.finish = pprof_finish,
	.free = pprof_free,
};
