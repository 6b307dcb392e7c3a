/* faults_code.c - what code is called, from one object of page faults into another. */
#include <string.h>

#include "error.h"
#include "faults.h"

static bool same_object(const struct vmsnap_fault_object *a, const struct vmsnap_fault_object *b)
{
	return a->start == b->start && a->end == b->end && a->offset == b->offset &&
	       a->build_id_len == b->build_id_len &&
	       (!a->build_id_len || !memcmp(a->build_id, b->build_id, a->build_id_len)) && !strcmp(a->path, b->path);
}

static int object_in(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from, uint32_t *object,
                     struct vmsnap_error *err)
{
	const struct vmsnap_faults *to = faults_in_making(builder);
	const struct vmsnap_fault_object *wanted = vmsnap_faults_object(from, *object);
	for (size_t i = to->object_count; wanted && i-- > 0;)
		if (same_object(&to->objects[i], wanted)) {
			*object = (uint32_t)i;
			return VMSNAP_OK;
		}
	return wanted ? vmsnap_faults_builder_add_object(builder, wanted, object, err) : VMSNAP_OK;
}

static int add_code_of(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from,
                       const struct vmsnap_fault_code *code, struct vmsnap_error *err)
{
	struct vmsnap_fault_code kept = *code;
	int rc = object_in(builder, from, &kept.object, err);
	return rc ? rc : vmsnap_faults_builder_add_code(builder, &kept, err);
}

int faults_copy_code(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from, int32_t pid,
                     uint32_t stack, struct vmsnap_error *err)
{
	size_t count;
	const uint64_t *frames = vmsnap_faults_stack(from, stack, &count);
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++) {
		const struct vmsnap_fault_code *code = vmsnap_faults_code_at(from, (uint32_t)pid, frames[i]);
		rc = code ? add_code_of(builder, from, code, err) : VMSNAP_OK;
	}
	return rc == VMSNAP_ERR_TOO_LARGE ? VMSNAP_OK : rc; /* without some of the names */
}

int faults_copy_all_code(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from,
                         struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < from->code_count; i++)
		rc = add_code_of(builder, from, &from->code[i], err);
	return rc == VMSNAP_ERR_TOO_LARGE ? VMSNAP_OK : rc;
}
