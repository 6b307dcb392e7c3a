/* file_encode_names.c - NAME. */
#include <string.h>

#include "error.h"
#include "file_encode.h"

static const char *function_of(const struct vmsnap_annotation *name)
{
	return name->function;
}

static const char *symbol_of(const struct vmsnap_annotation *name)
{
	return name->symbol;
}

static const char *type_of(const struct vmsnap_annotation *name)
{
	return name->type;
}

static void put_strings(const struct vmsnap *snap, const char *(*string_of)(const struct vmsnap_annotation *),
                        struct bytes *scratch, struct payload *out)
{
	scratch->len = 0;
	for (size_t i = 0; i < vmsnap_annotation_count(snap); i++) {
		const char *string = string_of(vmsnap_annotation(snap, i));
		put_bytes(scratch, string, strlen(string) + 1);
	}
	payload_cut(out);
	put_column(&out->bytes, scratch->data, scratch->len);
}

static void put_kinds(const struct vmsnap *snap, struct payload *out)
{
	size_t count = vmsnap_annotation_count(snap);
	put_varint(&out->bytes, count);
	for (size_t i = 0; i < count; i++) {
		uint8_t kind = (uint8_t)vmsnap_annotation(snap, i)->kind;
		put_bytes(&out->bytes, &kind, 1);
	}
}

static uint64_t size_of(const struct vmsnap_annotation *name)
{
	return name->size;
}

static uint64_t tid_of(const struct vmsnap_annotation *name)
{
	return name->tid;
}

static uint64_t frame_of(const struct vmsnap_annotation *name)
{
	return name->frame;
}

static void put_numbers_of(const struct vmsnap *snap, uint64_t (*number_of)(const struct vmsnap_annotation *),
                           uint64_t *values, struct payload *out)
{
	size_t count = vmsnap_annotation_count(snap);
	for (size_t i = 0; i < count; i++)
		values[i] = number_of(vmsnap_annotation(snap, i));
	put_numbers(&out->bytes, values, count);
}

static void put_names(const struct vmsnap *snap, uint64_t *values, struct bytes *scratch, struct payload *out)
{
	size_t count = vmsnap_annotation_count(snap);
	uint64_t address = 0;
	put_varint(&out->bytes, count);
	for (size_t i = 0; i < count; i++) {
		values[i] = vmsnap_annotation(snap, i)->address - address;
		address += values[i];
	}
	put_numbers(&out->bytes, values, count);
	put_numbers_of(snap, size_of, values, out);
	put_kinds(snap, out);
	put_numbers_of(snap, tid_of, values, out);
	put_numbers_of(snap, frame_of, values, out);
	put_strings(snap, function_of, scratch, out);
	put_strings(snap, symbol_of, scratch, out);
	put_strings(snap, type_of, scratch, out);
}

int encode_name(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	struct bytes scratch = { 0 };
	uint64_t *values = calloc(vmsnap_annotation_count(snap) + 1, sizeof(*values));
	if (values)
		put_names(snap, values, &scratch, out);
	bool failed = !values || scratch.failed || encode_done(out);
	free(values);
	bytes_free(&scratch);
	return failed ? fail_no_memory(err) : VMSNAP_OK;
}

int encode_types(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	size_t len;
	const void *types = vmsnap_types(snap, &len);
	put_bytes(&out->bytes, types, len);
	return encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
}
