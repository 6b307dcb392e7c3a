#include "faults_gather.h"

#include <string.h>

#include "error.h"
#include "faults.h"

/* That one code is called otherwise, or lies elsewhere: another library came to where one was. */
static bool same_code(const struct vmsnap_fault_code *x, const struct vmsnap_fault_code *y)
{
	return x->line == y->line && !strcmp(x->function, y->function) && !strcmp(x->file, y->file);
}

/* Objects of a part have other numbers in the whole. */
static int add_objects(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *part, uint32_t *numbers,
                       struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < part->object_count; i++)
		rc = vmsnap_faults_builder_add_object(builder, &part->objects[i], &numbers[i], err);
	return rc;
}

static int add_code(struct vmsnap_faults_builder *builder, const struct vmsnap *const *snaps, size_t which,
                    const uint32_t *numbers, struct vmsnap_error *err)
{
	const struct vmsnap_faults *part = vmsnap_faults_of(snaps[which]);
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < part->code_count; i++) {
		struct vmsnap_fault_code code = part->code[i];
		bool same = true;
		for (size_t before = 0; same && before < which; before++) {
			const struct vmsnap_faults *other = vmsnap_faults_of(snaps[before]);
			const struct vmsnap_fault_code *known =
			        other ? vmsnap_faults_code_at(other, code.pid, code.address) : NULL;
			same = !known || same_code(known, &code);
		}
		code.object = code.object < part->object_count ? numbers[code.object] : FAULT_NO_OBJECT;
		if (!same)
			code = (struct vmsnap_fault_code){ .address = code.address,
				                           .pid = code.pid,
				                           .function = "",
				                           .file = "",
				                           .object = FAULT_NO_OBJECT };
		rc = vmsnap_faults_builder_add_code(builder, &code, err);
	}
	return rc;
}

static int add_names(struct vmsnap_faults_builder *builder, const struct vmsnap *const *snaps, size_t which,
                     struct vmsnap_error *err)
{
	const struct vmsnap_faults *part = vmsnap_faults_of(snaps[which]);
	uint32_t *numbers = calloc(part->object_count + 1, sizeof(*numbers));
	if (!numbers)
		return fail_no_memory(err);
	int rc = add_objects(builder, part, numbers, err);
	rc = rc ? rc : add_code(builder, snaps, which, numbers, err);
	free(numbers);
	return rc;
}

static int set_info(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *joined, bool gap,
                    struct vmsnap_error *err)
{
	struct vmsnap_faults_info info = joined->info;
	info.lost = gap ? UINT64_MAX : info.lost;
	info.flags &= gap ? ~(uint32_t)VMSNAP_FAULTS_MEMORY : UINT32_MAX;
	return vmsnap_faults_builder_set(builder, &info, err);
}

static int with_names(const struct vmsnap *const *snaps, size_t count, const struct vmsnap_faults *joined, bool gap,
                      struct vmsnap_faults **out, struct vmsnap_error *err)
{
	struct vmsnap_faults_builder *builder = NULL;
	int rc = vmsnap_faults_builder_new(joined, &builder, err);
	rc = rc ? rc : set_info(builder, joined, gap, err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = vmsnap_faults_of(snaps[i]) ? add_names(builder, snaps, i, err) : VMSNAP_OK;
	rc = rc ? rc : vmsnap_faults_builder_finish(builder, out, err);
	vmsnap_faults_builder_free(builder);
	return rc;
}

static int join(const struct vmsnap *const *snaps, size_t count, const struct vmsnap_faults **parts,
                struct vmsnap_faults **out, struct vmsnap_error *err)
{
	size_t found = 0;
	bool gap = false;
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_faults *part = vmsnap_faults_of(snaps[i]);
		if (!part)
			continue;
		gap |= found && part->info.begin > parts[found - 1]->info.end;
		parts[found++] = part;
	}
	if (found < 2) {
		*out = found ? vmsnap_faults_ref(parts[0]) : NULL;
		return VMSNAP_OK;
	}
	struct vmsnap_faults *joined = NULL;
	int rc = faults_join_of(parts, found, NULL, 0, true, &joined, err);
	rc = rc ? rc : with_names(snaps, count, joined, gap, out, err);
	vmsnap_faults_unref(joined);
	return rc;
}

int faults_gather(const struct vmsnap *const *snaps, size_t count, struct vmsnap_faults **out, struct vmsnap_error *err)
{
	const struct vmsnap_faults **parts = calloc(count + 1, sizeof(*parts));
	if (!parts)
		return fail_no_memory(err);
	int rc = join(snaps, count, parts, out, err);
	free(parts);
	return rc;
}
