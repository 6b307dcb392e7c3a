#define _GNU_SOURCE
/* export_pprof.c - a gzipped profile.proto (github.com/google/pprof): pages that were copied, new and written, by the
 * code that did it.  Each message is written as soon as it is known, and nothing is kept but which there are. */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "blamed_stacks.h"
#include "error.h"
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
};
/* What a number in the table of all is of. */
enum kind { STRING = 's', MAPPING = 'm', FUNCTION = 'f', LOCATION = 'l', KINDS = 128 };

struct pprof {
	struct blamed_stacks stacks;
	z_stream deflate;
	bool deflating;
	struct object_map known;
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
	if (object_map_put(&p->known, id, &number, &known))
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

static uint64_t function_of(struct vmsnap_export *e, const char *name, const char *file)
{
	struct pprof *p = e->state;
	const uint64_t key[] = { name_of(e, name), name_of(e, file) };
	bool is_new;
	uint64_t number = number_of(p, FUNCTION, key, sizeof(key), &is_new);
	if (!is_new)
		return number;
	proto_number(&p->message, 1, number);
	proto_number(&p->message, 2, key[0]);
	proto_number(&p->message, 3, key[0]);
	proto_number(&p->message, 4, key[1]);
	put_message(e, PROFILE_FUNCTION);
	return number;
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
	return put_location(e, mapping, address, function_of(e, name, code ? code->file : ""), code ? code->line : 0);
}

/* ---- samples ---- */

static void put_label(struct vmsnap_export *e, struct proto *sample, uint64_t key, uint64_t text, uint64_t number)
{
	struct proto label = { 0 };
	(void)e;
	proto_number(&label, 1, key);
	proto_number(&label, 2, text);
	proto_number(&label, 3, number);
	proto_message(sample, 3, &label);
	proto_free(&label);
}

static int put_sample(void *ctx, const struct blamed_stack *stack, struct vmsnap_error *err)
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
	const struct vmsnap_info *info = vmsnap_info(stack->snap);
	uint64_t process = string_of(e, "process"), comm = name_of(e, info->comm), pid = string_of(e, "pid");
	proto_numbers(&p->message, 1, locations, count);
	proto_numbers(&p->message, 2, stack->pages, BLAMED_VALUES);
	put_label(e, &p->message, process, comm, 0);
	put_label(e, &p->message, pid, 0, info->pid);
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
	proto_bytes(&p->outer, PROFILE_STRING, "", 0);
	put_outer(e);
	uint64_t unit = string_of(e, "pages");
	for (int i = 0; i < BLAMED_VALUES; i++) {
		uint64_t type = string_of(e, blamed_value_names[i]);
		proto_number(&p->message, 1, type);
		proto_number(&p->message, 2, unit);
		put_message(e, PROFILE_SAMPLE_TYPE);
	}
	return p->rc ? fail_no_memory(err) : VMSNAP_OK;
}

static int pprof_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	struct pprof *p = e->state;
	return blamed_stacks_add(&p->stacks, snaps, count, &e->work, put_sample, e, err);
}

static void put_comment(struct vmsnap_export *e)
{
	struct pprof *p = e->state;
	char text[128];
	if (p->stacks.lost == UINT64_MAX)
		snprintf(text, sizeof(text), "vmsnap blame: some page faults were lost");
	else
		snprintf(text, sizeof(text), "vmsnap blame: %" PRIu64 " page faults were lost", p->stacks.lost);
	uint64_t comment = string_of(e, text);
	proto_numbers(&p->outer, PROFILE_COMMENT, &comment, 1);
}

static int pprof_finish(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct pprof *p = e->state;
	if (!p->stacks.any)
		return fail(err, VMSNAP_ERR_NOT_FOUND,
		            "no page faults are kept with these snapshots: vmsnap blame --save makes some");
	put_comment(e);
	proto_number(&p->outer, PROFILE_TIME, p->stacks.begin);
	proto_number(&p->outer, PROFILE_DURATION, p->stacks.end);
	put_outer(e);
	squeeze(e, NULL, 0, Z_FINISH);
	return p->rc ? fail_no_memory(err) : VMSNAP_OK;
}

static void pprof_free(struct vmsnap_export *e)
{
	struct pprof *p = e->state;
	if (p->deflating)
		deflateEnd(&p->deflate);
	blamed_stacks_free(&p->stacks);
	object_map_free(&p->known);
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
