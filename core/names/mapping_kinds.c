/* mapping_kinds.c - what people call each mapping: vmsnap_mapping_kinds(). */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "names.h"
#include "snapshot.h"
#include "spare.h"
#include "vma_names.h"

VMSNAP_API const char *vmsnap_mapping_kind_name(int kind)
{
	static const char *const names[VMSNAP_MAPPING_KIND_COUNT] = {
		[VMSNAP_MAPPING_PROGRAM] = "program",
		[VMSNAP_MAPPING_LIBRARY] = "library",
		[VMSNAP_MAPPING_HEAP] = "heap",
		[VMSNAP_MAPPING_STACK] = "stack",
		[VMSNAP_MAPPING_THREAD_STACK] = "thread_stack",
		[VMSNAP_MAPPING_ARENA] = "arena",
		[VMSNAP_MAPPING_ANONYMOUS] = "anonymous",
		[VMSNAP_MAPPING_SHARED] = "shared",
		[VMSNAP_MAPPING_FILE] = "file",
		[VMSNAP_MAPPING_VDSO] = "vdso",
	};
	return kind >= 0 && kind < VMSNAP_MAPPING_KIND_COUNT ? names[kind] : NULL;
}

static bool has_file(const struct vmsnap_vma *vma)
{
	return vmsnap_vma_has_file(vma);
}

/* ---- files -------------------------------------------------------------------------- */

static int by_file(const void *a, const void *b)
{
	return vma_file_order(*(const struct vmsnap_vma *const *)a, *(const struct vmsnap_vma *const *)b);
}

/* The files of which something is mapped executable, in their order. */
struct executed {
	const struct vmsnap_vma **files; /* malloc'ed */
	size_t count;
	const struct vmsnap_vma *program; /* a mapping of its file; NULL: not known, or not mapped */
};

static bool is_program(const struct vmsnap_info *info, const struct vmsnap_vma *vma)
{
	return *info->exe && strcmp(vma->name, info->exe) == 0;
}

static int find_executed(const struct vmsnap *snap, struct executed *out)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct vmsnap_vma *code = info->start_code ? vmsnap_vma_at(snap, info->start_code) : NULL;
	size_t count = vmsnap_vma_count(snap);
	out->program = code && has_file(code) ? code : NULL;
	out->files = malloc((count + 1) * sizeof(*out->files));
	if (!out->files)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		if (!has_file(vma))
			continue;
		if (!out->program && is_program(info, vma))
			out->program = vma;
		if (vma->perms & VMSNAP_PERM_EXEC)
			out->files[out->count++] = vma;
	}
	qsort(out->files, out->count, sizeof(*out->files), by_file);
	return VMSNAP_OK;
}

static int kind_of_file(const struct executed *executed, const struct vmsnap_vma *vma)
{
	if (executed->program && vma_file_order(executed->program, vma) == 0)
		return VMSNAP_MAPPING_PROGRAM;
	if (vma_names_shared_memory(vma))
		return VMSNAP_MAPPING_SHARED;
	bool library =
	        executed->count && bsearch(&vma, executed->files, executed->count, sizeof(*executed->files), by_file);
	return library ? VMSNAP_MAPPING_LIBRARY : VMSNAP_MAPPING_FILE;
}

/* ---- memory of no file ---------------------------------------------------------------- */

static bool is_most(const struct vmsnap_name *name, const struct vmsnap_vma *vma)
{
	uint64_t bytes = vma->end - vma->start;
	return name->size >= bytes - bytes / 2;
}

/* The file that a .bss is of is mapped right below it; what is larger than that is merged with its neighbours. */
static int kind_of_bss(const struct vmsnap *snap, const struct executed *executed, const struct vmsnap_name *name,
                       const struct vmsnap_vma *vma)
{
	const struct vmsnap_vma *below = vma->start ? vmsnap_vma_at(snap, vma->start - 1) : NULL;
	if (!is_most(name, vma))
		return VMSNAP_MAPPING_ANONYMOUS;
	return below && has_file(below) ? kind_of_file(executed, below) : VMSNAP_MAPPING_LIBRARY;
}

static int kind_of_unnamed(struct vmsnap_names *names, bool files, const struct executed *executed, size_t index,
                           int *kind)
{
	struct vmsnap_name name;
	const struct vmsnap_vma *vma = vmsnap_vma(names->snap, index);
	*kind = VMSNAP_MAPPING_ANONYMOUS;
	int rc = names_of_anonymous(names, index, files, &name);
	if (rc)
		return rc == VMSNAP_ERR_NOT_FOUND ? VMSNAP_OK : rc;
	if (name.kind == VMSNAP_NAME_MAPPING)
		*kind = kind_of_bss(names->snap, executed, &name, vma);
	else if (name.kind == VMSNAP_NAME_MALLOC_HEAP && is_most(&name, vma))
		*kind = VMSNAP_MAPPING_ARENA;
	else if (name.kind == VMSNAP_NAME_THREAD_STACK || name.kind == VMSNAP_NAME_STACK_GUARD)
		*kind = VMSNAP_MAPPING_THREAD_STACK;
	return VMSNAP_OK;
}

/* Names that the kernel gives, but for those that a program chose: [anon:NAME]. */
static int kind_of_named(const struct vmsnap_vma *vma)
{
	if (strcmp(vma->name, "[heap]") == 0)
		return VMSNAP_MAPPING_HEAP;
	if (strcmp(vma->name, "[stack]") == 0)
		return VMSNAP_MAPPING_STACK;
	/* Linux 3.4 to 4.4. */
	if (name_begins_with(vma->name, "[stack:"))
		return VMSNAP_MAPPING_THREAD_STACK;
	return VMSNAP_MAPPING_VDSO;
}

static int kind_of(struct vmsnap_names *names, bool files, const struct executed *executed, size_t index, int *kind)
{
	const struct vmsnap_vma *vma = vmsnap_vma(names->snap, index);
	*kind = VMSNAP_MAPPING_SHARED;
	if (has_file(vma))
		*kind = kind_of_file(executed, vma);
	else if (vma->perms & VMSNAP_PERM_SHARED)
		return VMSNAP_OK;
	else if (!*vma->name || name_begins_with(vma->name, "[anon:"))
		return kind_of_unnamed(names, files, executed, index, kind);
	else
		*kind = kind_of_named(vma);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_mapping_kinds(const struct vmsnap *snap, struct vmsnap_names *names, uint8_t *kinds,
                                    struct vmsnap_error *err)
{
	struct executed executed = { 0 };
	struct vmsnap_names *own = NULL;
	int rc = names ? VMSNAP_OK : vmsnap_names_new(snap, NULL, &own, err);
	if (rc)
		return rc;
	if (names && names->snap != snap)
		return fail(err, VMSNAP_ERR_ARGUMENT, "the names are of another snapshot");
	rc = find_executed(snap, &executed);
	for (size_t i = 0; !rc && i < vmsnap_vma_count(snap); i++) {
		int kind;
		rc = kind_of(own ? own : names, names, &executed, i, &kind);
		kinds[i] = rc ? 0 : (uint8_t)kind;
	}
	free(executed.files);
	vmsnap_names_free(own);
	return rc == VMSNAP_ERR_NO_MEMORY ? fail_no_memory(err)
	       : rc                       ? fail(err, rc, "what mappings are was not wanted any more")
	                                  : VMSNAP_OK;
}
