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
	for (size_t i = 0; i < snap->annotation_count; i++) {
		const char *string = string_of(&snap->annotations[i]);
		put_bytes(scratch, string, strlen(string) + 1);
	}
	payload_cut(out);
	put_column(&out->bytes, scratch->data, scratch->len);
}

static void put_kinds(const struct vmsnap *snap, struct payload *out)
{
	put_varint(&out->bytes, snap->annotation_count);
	for (size_t i = 0; i < snap->annotation_count; i++) {
		uint8_t kind = (uint8_t)snap->annotations[i].kind;
		put_bytes(&out->bytes, &kind, 1);
	}
}

static void put_names(const struct vmsnap *snap, uint64_t *values, struct bytes *scratch, struct payload *out)
{
	const struct vmsnap_annotation *names = snap->annotations;
	size_t count = snap->annotation_count;
	uint64_t address = 0;
	put_varint(&out->bytes, count);
	for (size_t i = 0; i < count; i++) {
		values[i] = names[i].address - address;
		address = names[i].address;
	}
	put_numbers(&out->bytes, values, count);
	for (size_t i = 0; i < count; i++)
		values[i] = names[i].size;
	put_numbers(&out->bytes, values, count);
	put_kinds(snap, out);
	for (size_t i = 0; i < count; i++)
		values[i] = names[i].tid;
	put_numbers(&out->bytes, values, count);
	for (size_t i = 0; i < count; i++)
		values[i] = names[i].frame;
	put_numbers(&out->bytes, values, count);
	put_strings(snap, function_of, scratch, out);
	put_strings(snap, symbol_of, scratch, out);
	put_strings(snap, type_of, scratch, out);
}

int encode_name(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	struct bytes scratch = { 0 };
	uint64_t *values = calloc(snap->annotation_count + 1, sizeof(*values));
	if (values)
		put_names(snap, values, &scratch, out);
	bool failed = !values || scratch.failed || encode_done(out);
	free(values);
	bytes_free(&scratch);
	return failed ? fail_no_memory(err) : VMSNAP_OK;
}
