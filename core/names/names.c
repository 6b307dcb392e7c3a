/* names.c - names of addresses: the public functions.  Everything is read when it is
 * first asked for: the headers of a file that an address may lie in, its symbols
 * when a name is wanted. */
#define _GNU_SOURCE
#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotation.h"
#include "error.h"
#include "names.h"
#include "options.h"
#include "snapshot.h"
#include "spare.h"

static int add_source(struct vmsnap_names *names, const struct vmsnap *snap)
{
	const struct vmsnap **more = realloc(names->sources, (names->source_count + 1) * sizeof(*more));
	if (!more)
		return VMSNAP_ERR_NO_MEMORY;
	names->sources = more;
	more[names->source_count++] = vmsnap_ref(snap);
	return VMSNAP_OK;
}

/* All but the objects. */
static int look_at(struct vmsnap_names *names, const struct vmsnap *snap)
{
	names->snap = snap;
	return add_source(names, snap) || stacks_find(snap, &names->strings, &names->stacks) ? VMSNAP_ERR_NO_MEMORY
	                                                                                     : VMSNAP_OK;
}

static void look_away(struct vmsnap_names *names)
{
	annotation_free(&names->annotations);
	for (size_t i = 0; i < names->source_count; i++)
		vmsnap_unref(names->sources[i]);
	free(names->sources);
	free(names->stacks.items);
	perf_map_free(&names->jit);
	arena_free(&names->strings);
}

VMSNAP_API int vmsnap_names_new(const struct vmsnap *snap, const char *sysroot, struct vmsnap_names **out,
                                struct vmsnap_error *err)
{
	int rc = spare_for_names(snap, err);
	if (rc)
		return rc;
	struct vmsnap_names *names = calloc(1, sizeof(*names));
	if (!names)
		return fail_no_memory(err);
	rc = objects_init(&names->objects, snap, sysroot, err);
	if (!rc && look_at(names, snap))
		rc = fail_no_memory(err);
	if (rc) {
		vmsnap_names_free(names);
		return rc;
	}
	*out = names;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_names_rebind(struct vmsnap_names *names, const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct vmsnap_names fresh = { 0 };
	int rc = spare_for_names(snap, err);
	if (rc)
		return rc;
	rc = look_at(&fresh, snap) ? fail_no_memory(err) : objects_rebind(&names->objects, snap, err);
	if (rc) {
		look_away(&fresh);
		return rc;
	}
	look_away(names);
	fresh.objects = names->objects;
	fresh.as_mangled = names->as_mangled;
	fresh.demangler = names->demangler;
	*names = fresh;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_names_free(struct vmsnap_names *names)
{
	if (!names)
		return;
	objects_free(&names->objects);
	look_away(names);
	free(names);
}

VMSNAP_API void vmsnap_names_set_cancelled(struct vmsnap_names *names, bool (*cancelled)(void *ctx), void *ctx)
{
	names->objects.work = (struct work){ .limit = WORK_UNLIMITED, .cancelled = cancelled, .cancel_ctx = ctx };
}

/* Whether something was left unread; what was may be read later. */
static int trouble_of(struct vmsnap_names *names)
{
	bool cancelled = names->objects.cancelled;
	names->objects.cancelled = false;
	return names->objects.no_memory ? VMSNAP_ERR_NO_MEMORY : cancelled ? VMSNAP_ERR_CANCELLED : VMSNAP_OK;
}

VMSNAP_API const char *vmsnap_names_warning(const struct vmsnap_names *names)
{
	return names->objects.warnings ? names->objects.warnings : "";
}

VMSNAP_API void vmsnap_names_set_demangled(struct vmsnap_names *names, bool demangled)
{
	names->as_mangled = !demangled;
}

VMSNAP_API const char *vmsnap_names_demangle(struct vmsnap_names *names, const char *symbol)
{
	return names->as_mangled || !symbol ? NULL : demangle(&names->demangler, symbol);
}

/* ---- what a debugger told ------------------------------------------------------ */

/* After an exec the same addresses mean other things. */
static bool same_program(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	bool known = a->exe_build_id && b->exe_build_id;
	return !known || (a->exe_build_id_len == b->exe_build_id_len &&
	                  memcmp(a->exe_build_id, b->exe_build_id, a->exe_build_id_len) == 0);
}

static bool is_child_of(const struct vmsnap_info *child, const struct vmsnap_info *parent)
{
	return child->ppid && child->ppid == (parent->tgid ? parent->tgid : parent->pid) &&
	       strcmp(child->boot_id, parent->boot_id) == 0;
}

VMSNAP_API int vmsnap_names_add_fallback(struct vmsnap_names *names, const struct vmsnap *from,
                                         struct vmsnap_error *err)
{
	for (size_t i = 0; i < names->source_count; i++)
		if (names->sources[i] == from)
			return VMSNAP_OK;
	if (is_child_of(&names->snap->info, &from->info) && same_program(&names->snap->info, &from->info) &&
	    stacks_add_left(names->snap, from, &names->strings, &names->stacks))
		return fail_no_memory(err);
	if (!vmsnap_annotation_count(from))
		return VMSNAP_OK;
	int rc = spare_for_names(from, err);
	if (rc)
		return rc;
	if (!same_program(&names->snap->info, &from->info)) {
		objects_warn(&names->objects, "names of local variables are left out: those that are known are of "
		                              "another program");
		return VMSNAP_OK;
	}
	if (add_source(names, from))
		return fail_no_memory(err);
	annotation_free(&names->annotations);
	names->collected = false;
	return VMSNAP_OK;
}

static int collect(struct vmsnap_names *names)
{
	if (names->collected)
		return VMSNAP_OK;
	if (annotation_collect(&names->annotations, names->sources, names->source_count))
		return VMSNAP_ERR_NO_MEMORY;
	names->collected = true;
	if (names->annotations.crowded)
		objects_warn(&names->objects, "names of local variables are left out where too many overlap");
	return VMSNAP_OK;
}

/* ---- what the process made itself -------------------------------------------------- */

/* NULL: nothing of that is known. */
static const struct perf_map *jit_of(struct vmsnap_names *names, const struct vmsnap_vma *vma)
{
	struct objects *o = &names->objects;
	const char *why;
	if (!perf_map_concerns(vma) || !o->here.same_boot || o->root >= 0)
		return NULL;
	if (!names->jit_tried) {
		int rc = perf_map_read(&o->process, &names->snap->info, &o->work, &names->jit, &why);
		o->cancelled |= rc == VMSNAP_ERR_CANCELLED;
		o->no_memory |= rc == VMSNAP_ERR_NO_MEMORY;
		names->jit_tried = rc != VMSNAP_ERR_CANCELLED;
		if (why)
			objects_warn_of(o, names->jit.path, why);
	}
	return names->jit.count ? &names->jit : NULL;
}

static struct vmsnap_name name_of_jit(const struct perf_map *map, const struct perf_symbol *symbol)
{
	return (struct vmsnap_name){
		.kind = VMSNAP_NAME_FUNCTION,
		.symbol = symbol->name,
		.object = map->path,
		.address = symbol->start,
		.size = symbol->end - symbol->start,
	};
}

/* ---- one name -------------------------------------------------------------------- */

static struct vmsnap_name name_of_annotation(const struct vmsnap_annotation *annotation, const struct vmsnap_vma *vma)
{
	int kind = annotation_kind(annotation);
	bool in_frame = kind == VMSNAP_NAME_LOCAL || kind == VMSNAP_NAME_ARGUMENT;
	return (struct vmsnap_name){
		.kind = kind,
		.symbol = annotation->symbol,
		.object = vma->name,
		.address = annotation->address,
		.size = annotation->size,
		.function = in_frame ? annotation->function : NULL,
		.frame = in_frame ? annotation->frame : 0,
		.tid = annotation->tid,
	};
}

static struct vmsnap_name name_of_symbol(const struct segment_range *range, const struct symbol *symbol)
{
	return (struct vmsnap_name){
		.kind = symbol->kind,
		.symbol = symbol->name,
		.object = range->object->vma->name,
		.address = symbol->start + range->bias,
		.size = symbol->size,
	};
}

static struct vmsnap_name name_of_stack(const struct stack *stack, const struct vmsnap_vma *vma)
{
	return (struct vmsnap_name){
		.kind = VMSNAP_NAME_THREAD_STACK,
		.symbol = stack->name,
		.object = vma->name,
		.address = stack->start,
		.size = stack->end - stack->start,
	};
}

static struct vmsnap_name name_of_guard(struct vmsnap_names *names, const struct stack *stack,
                                        const struct vmsnap_vma *vma)
{
	char *words = NULL;
	int len = asprintf(&words, "guard of the %s", stack->name);
	const char *symbol = len < 0 ? NULL : arena_copy(&names->strings, words, (size_t)len);
	free(words);
	names->objects.no_memory |= !symbol;
	return (struct vmsnap_name){
		.kind = VMSNAP_NAME_STACK_GUARD,
		.symbol = symbol ? symbol : "guard of a stack",
		.object = vma->name,
		.address = stack->guard,
		.size = stack->start - stack->guard,
	};
}

static bool segment_range_at(struct vmsnap_names *names, size_t vma, uint64_t address, struct segment_range *out)
{
	struct segment_range ranges[ELF_LOADS_MAX];
	size_t count = objects_segment_ranges(&names->objects, vma, ranges);
	for (size_t i = 0; i < count; i++) {
		if (address < ranges[i].start || address >= ranges[i].end)
			continue;
		*out = ranges[i];
		return true;
	}
	return false;
}

/* Index of the VMA that holds the address; vma_count if none does. */
static size_t vma_index(const struct vmsnap *snap, uint64_t address)
{
	size_t index = snapshot_vma_find(snap, address);
	return index < snap->vma_count && snap->vmas[index].start <= address ? index : snap->vma_count;
}

/* What a debugger said of an address is closer than the file's word, unless the file
 * is more precise, or the debugger did not say what it is. */
static bool prefer_annotation(const struct vmsnap_annotation *annotation, const struct symbol *symbol)
{
	if (!annotation || !symbol)
		return annotation;
	return annotation->kind != VMSNAP_ANNOTATION_OTHER && (!symbol->size || annotation->size <= symbol->size);
}

static int name_at(struct vmsnap_names *names, uint64_t address, struct vmsnap_name *out)
{
	const struct vmsnap *snap = names->snap;
	size_t index = vma_index(snap, address);
	if (index == snap->vma_count)
		return VMSNAP_ERR_NOT_FOUND;
	const struct vmsnap_vma *vma = &snap->vmas[index];
	struct segment_range range;
	bool in_object = segment_range_at(names, index, address, &range);
	const struct symbols *symbols = in_object ? objects_symbols(&names->objects, range.object) : NULL;
	const struct symbol *symbol = symbols ? symbols_at(symbols, address - range.bias) : NULL;
	const struct perf_map *jit = symbol ? NULL : jit_of(names, vma);
	size_t made = jit ? perf_map_from(jit, address) : 0;
	int rc = trouble_of(names);
	rc = rc ? rc : collect(names);
	if (rc)
		return rc;
	const struct vmsnap_annotation *annotation = annotation_at(&names->annotations, address);
	const struct stack *stack = stacks_from(&names->stacks, address);
	if (prefer_annotation(annotation, symbol))
		*out = name_of_annotation(annotation, vma);
	else if (symbol)
		*out = name_of_symbol(&range, symbol);
	else if (jit && made < jit->count && jit->items[made].start <= address)
		*out = name_of_jit(jit, &jit->items[made]);
	else if (stack && stack->start <= address)
		*out = name_of_stack(stack, vma);
	else if (stack && stack->guard <= address)
		*out = name_of_guard(names, stack, vma);
	else if (in_object)
		*out = (struct vmsnap_name){ .kind = VMSNAP_NAME_MAPPING,
			                     .object = range.object->vma->name,
			                     .address = range.start,
			                     .size = range.end - range.start };
	else if (*vma->name)
		*out = (struct vmsnap_name){ .kind = VMSNAP_NAME_MAPPING,
			                     .object = vma->name,
			                     .address = vma->start,
			                     .size = vma->end - vma->start };
	else
		return VMSNAP_ERR_NOT_FOUND;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_name_at_sized(struct vmsnap_names *names, uint64_t address, struct vmsnap_name *out, size_t size)
{
	struct vmsnap_name all;
	int rc = name_at(names, address, &all);
	if (!rc)
		struct_give(out, size, &all, sizeof(all));
	return rc;
}

/* ---- what a mapping is ------------------------------------------------------------- */

static const struct vmsnap_annotation *heap_at(const struct vmsnap *snap, uint64_t address)
{
	size_t low = annotation_first_at(snap, address);
	for (; low < snap->annotation_count && snap->annotations[low].address == address; low++)
		if (annotation_kind(&snap->annotations[low]) == VMSNAP_NAME_MALLOC_HEAP)
			return &snap->annotations[low];
	return NULL;
}

/* A heap, or behind what can be used of it the rest of its 64 MiB, which has no access yet. */
static bool name_of_heap(struct vmsnap_names *names, const struct vmsnap_vma *vma, struct vmsnap_name *out)
{
	const uint64_t heap_bytes = UINT64_C(64) << 20, first = vma->start & ~(heap_bytes - 1);
	const struct vmsnap_annotation *heap = heap_at(names->snap, first);
	if (!heap)
		return false;
	*out = name_of_annotation(heap, vma);
	if (first == vma->start)
		return true;
	if (vma->start - first != heap->size || vma->end - first > heap_bytes || vma->perms)
		return false;
	char *words = NULL;
	int len = asprintf(&words, "reserved for %s", heap->symbol);
	out->symbol = len < 0 ? NULL : arena_copy(&names->strings, words, (size_t)len);
	out->address = vma->start;
	out->size = vma->end - vma->start;
	free(words);
	names->objects.no_memory |= !out->symbol;
	return out->symbol;
}

/* The stacks in it; those of a run-time system may share a mapping. */
static bool name_of_stacks(struct vmsnap_names *names, const struct vmsnap_vma *vma, struct vmsnap_name *out)
{
	const struct stacks *stacks = &names->stacks;
	const struct stack *first = stacks_from(stacks, vma->start), *end = stacks->items + stacks->count;
	if (!first)
		return false;
	if (first->guard <= vma->start && vma->end <= first->start) {
		*out = name_of_guard(names, first, vma);
		return true;
	}
	const struct stack *after = first;
	while (after < end && after->start < vma->end)
		after++;
	if (after == first)
		return false;
	*out = name_of_stack(first, vma);
	if (after - first == 1)
		return true;
	char words[64];
	int len = snprintf(words, sizeof(words), "stacks of %td threads", after - first);
	out->symbol = arena_copy(&names->strings, words, (size_t)len);
	out->size = after[-1].end - first->start;
	names->objects.no_memory |= !out->symbol;
	return out->symbol;
}

static bool name_of_bss(struct vmsnap_names *names, size_t index, struct vmsnap_name *out)
{
	struct segment_range ranges[ELF_LOADS_MAX];
	names->objects.here.gently = true;
	size_t count = objects_segment_ranges(&names->objects, index, ranges);
	names->objects.here.gently = false;
	if (!count || ranges[0].start != names->snap->vmas[index].start)
		return false;
	*out = (struct vmsnap_name){
		.kind = VMSNAP_NAME_MAPPING,
		.object = ranges[0].object->vma->name,
		.address = ranges[0].start,
		.size = ranges[0].end - ranges[0].start,
	};
	return true;
}

int names_of_anonymous(struct vmsnap_names *names, size_t index, bool files, struct vmsnap_name *out)
{
	const struct vmsnap_vma *vma = vmsnap_vma(names->snap, index);
	bool found = name_of_heap(names, vma, out) || name_of_stacks(names, vma, out) ||
	             (files && name_of_bss(names, index, out));
	int rc = trouble_of(names);
	return rc || found ? rc : VMSNAP_ERR_NOT_FOUND;
}

VMSNAP_API int vmsnap_name_of_mapping_sized(struct vmsnap_names *names, size_t index, struct vmsnap_name *out,
                                            size_t size)
{
	struct vmsnap_name all;
	const struct vmsnap_vma *vma = vmsnap_vma(names->snap, index);
	if (!vma || *vma->name || vmsnap_vma_has_file(vma) || (vma->perms & VMSNAP_PERM_SHARED))
		return VMSNAP_ERR_NOT_FOUND;
	int rc = names_of_anonymous(names, index, true, &all);
	if (!rc)
		struct_give(out, size, &all, sizeof(all));
	return rc;
}

/* ---- all names of a range ---------------------------------------------------------- */

/* A walk over [start, end), range by range. */
struct walk {
	struct vmsnap_names *names;
	uint64_t start, end;
	bool (*fn)(void *ctx, const struct vmsnap_name *name);
	void *ctx;
	uint64_t serial;
	size_t annotations; /* index of the next annotation */
	size_t jit;         /* of the next function that the process made */
};

/* Tells the annotations that come before `address`.  Only mapped memory has names:
 * where one begins in the range, something must be mapped. */
static bool walk_annotations(struct walk *w, uint64_t address)
{
	const struct annotation_names *annotations = &w->names->annotations;
	while (w->annotations < annotations->count) {
		const struct vmsnap_annotation *next = annotations->items[w->annotations].name;
		if (next->address >= address)
			break;
		uint64_t first = next->address > w->start ? next->address : w->start;
		const struct vmsnap_vma *vma = vmsnap_vma_at(w->names->snap, first);
		w->annotations = annotation_next(annotations, w->annotations + 1, w->start);
		if (!vma)
			continue;
		struct vmsnap_name name = name_of_annotation(next, vma);
		if (!w->fn(w->ctx, &name))
			return false;
	}
	return true;
}

/* At one address what a file says comes first. */
static bool tell(struct walk *w, const struct vmsnap_name *name)
{
	return walk_annotations(w, name->address) && w->fn(w->ctx, name);
}

static bool walk_segment_range(struct walk *w, const struct segment_range *range)
{
	const struct symbols *symbols = objects_symbols(&w->names->objects, range->object);
	uint64_t start = range->start > w->start ? range->start : w->start;
	uint64_t end = range->end < w->end ? range->end : w->end;
	if (!symbols || start >= end)
		return true;
	/* A symbol that goes on into the next range is told once. */
	struct object *object = range->object;
	bool continued = object->walk == w->serial && object->told_bias == range->bias;
	uint64_t told = object->told;
	object->walk = w->serial;
	object->told_bias = range->bias;
	object->told = end;
	/* Counted as the file counts; a range does not wrap around there. */
	uint64_t low = start - range->bias, high = low + (end - start);
	for (size_t i = symbols_next(symbols, 0, low); i < symbols->count && symbols->items[i].start < high;
	     i = symbols_next(symbols, i + 1, low)) {
		const struct symbol *symbol = &symbols->items[i];
		if (continued && symbol->start + range->bias < told)
			continue;
		struct vmsnap_name name = name_of_symbol(range, symbol);
		if (!tell(w, &name))
			return false;
	}
	return true;
}

/* One that goes on into the next mapping is told once. */
static bool walk_jit(struct walk *w, const struct vmsnap_vma *vma)
{
	const struct perf_map *map = jit_of(w->names, vma);
	uint64_t start = vma->start > w->start ? vma->start : w->start;
	uint64_t end = vma->end < w->end ? vma->end : w->end;
	size_t i = map ? perf_map_from(map, start) : 0;
	for (i = i > w->jit ? i : w->jit; map && i < map->count && map->items[i].start < end; w->jit = ++i) {
		struct vmsnap_name name = name_of_jit(map, &map->items[i]);
		if (!tell(w, &name))
			return false;
	}
	return true;
}

static bool walk_stacks(struct walk *w, const struct vmsnap_vma *vma)
{
	const struct stacks *stacks = &w->names->stacks;
	uint64_t start = vma->start > w->start ? vma->start : w->start;
	uint64_t end = vma->end < w->end ? vma->end : w->end;
	const struct stack *stack = stacks_from(stacks, start);
	for (; stack && stack < stacks->items + stacks->count && stack->start < end; stack++) {
		struct vmsnap_name name = name_of_stack(stack, vma);
		if (!tell(w, &name))
			return false;
	}
	return true;
}

VMSNAP_API int vmsnap_names_in(struct vmsnap_names *names, uint64_t start, uint64_t end,
                               bool (*fn)(void *ctx, const struct vmsnap_name *name), void *ctx,
                               struct vmsnap_error *err)
{
	const struct vmsnap *snap = names->snap;
	if (collect(names))
		return fail_no_memory(err);
	struct walk walk = { .names = names, .start = start, .end = end, .fn = fn, .ctx = ctx };
	walk.serial = ++names->walks;
	walk.annotations = annotation_next(&names->annotations, 0, start);
	bool more = true;
	for (size_t i = snapshot_vma_find(snap, start); more && i < snap->vma_count && snap->vmas[i].start < end; i++) {
		struct segment_range ranges[ELF_LOADS_MAX];
		size_t count = objects_segment_ranges(&names->objects, i, ranges);
		for (size_t k = 0; more && k < count; k++)
			more = walk_segment_range(&walk, &ranges[k]);
		more = more && walk_jit(&walk, &snap->vmas[i]) && walk_stacks(&walk, &snap->vmas[i]);
		int rc = trouble_of(names);
		rc = rc ? rc : work_step(&names->objects.work);
		if (rc)
			return work_fail(&names->objects.work, rc, err);
	}
	if (more)
		walk_annotations(&walk, end);
	return VMSNAP_OK;
}

static uint32_t perms_of(uint32_t flags)
{
	return (flags & PF_R ? VMSNAP_PERM_READ : 0u) | (flags & PF_W ? VMSNAP_PERM_WRITE : 0u) |
	       (flags & PF_X ? VMSNAP_PERM_EXEC : 0u);
}

static int segment_at(struct vmsnap_names *names, uint64_t address, struct vmsnap_segment *out)
{
	size_t index = vma_index(names->snap, address);
	struct segment_range range;
	if (index == names->snap->vma_count)
		return VMSNAP_ERR_NOT_FOUND;
	bool found = segment_range_at(names, index, address, &range);
	int rc = trouble_of(names);
	if (rc)
		return rc;
	if (!found)
		return VMSNAP_ERR_NOT_FOUND;
	uint64_t elf_address = address - range.bias;
	const struct elf_section *section = elf_file_section(&range.object->known->elf, elf_address);
	*out = (struct vmsnap_segment){
		.index = range.load->index,
		.perms = perms_of(range.load->flags),
		.section = section ? section->name : "",
		.elf_address = elf_address,
	};
	return VMSNAP_OK;
}

struct line_asked {
	struct object *object;
	uint64_t elf_address;
	struct names_line *wanted;
};

/* Those of one file together: its line numbers are read once for all. */
static void lines_of_object(struct vmsnap_names *names, struct line_asked *asked, size_t count)
{
	struct dwarf_line *items = calloc(count, sizeof(*items));
	names->objects.no_memory |= !items;
	for (size_t i = 0; items && i < count; i++)
		items[i].address = asked[i].elf_address;
	if (items)
		objects_lines(&names->objects, asked[0].object, items, count);
	for (size_t i = 0; items && i < count; i++) {
		asked[i].wanted->line = items[i].line;
		asked[i].wanted->file = items[i].file;
	}
	free(items);
}

static int by_object(const void *x, const void *y)
{
	const struct line_asked *a = x, *b = y;
	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return (a->elf_address > b->elf_address) - (a->elf_address < b->elf_address);
}

int names_lines(struct vmsnap_names *names, struct names_line *wanted, size_t count)
{
	CLEANUP_FREE struct line_asked *asked = calloc(count + 1, sizeof(*asked));
	size_t found = 0;
	if (!asked)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		size_t index = vma_index(names->snap, wanted[i].address);
		struct segment_range range;
		if (index < names->snap->vma_count && segment_range_at(names, index, wanted[i].address, &range))
			asked[found++] =
			        (struct line_asked){ range.object, wanted[i].address - range.bias, &wanted[i] };
	}
	if (found)
		qsort(asked, found, sizeof(*asked), by_object);
	for (size_t first = 0, last; first < found; first = last) {
		for (last = first; last < found && asked[last].object == asked[first].object;)
			last++;
		lines_of_object(names, asked + first, last - first);
	}
	return trouble_of(names);
}

VMSNAP_API int vmsnap_segment_at_sized(struct vmsnap_names *names, uint64_t address, struct vmsnap_segment *out,
                                       size_t size)
{
	struct vmsnap_segment all;
	int rc = segment_at(names, address, &all);
	if (!rc)
		struct_give(out, size, &all, sizeof(all));
	return rc;
}
