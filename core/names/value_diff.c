/* value_diff.c - which variables changed between two snapshots: vmsnap_value_diff_new().  Goes
 * through the pages whose contents differ, and asks of each byte that does whose it is. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"
#include "spare.h"
#include "static_name.h"
#include "value_blocks.h"
#include "value_locals.h"
#include "value_make.h"
#include "value_pages.h"

enum { WINDOW = 64 * 1024, EACH_MOST = 8 };
/* What one variable may cost; a crafted type can have members without end in one place. */
#define STEPS_OF_ONE (UINT64_C(1) << 24)

struct vmsnap_value_diff {
	const struct vmsnap *a, *b;
	struct vmsnap_value_change *items;
	size_t count, capacity;
	uint64_t unnamed, unknown_pages;
	struct value_blocks blocks;
	struct arena strings;
	struct work work;
};

/* The variable that is looked at: from its beginning on, through the windows that it lies in. */
struct variable {
	uint64_t start, end; /* in memory */
	const struct value_type *type;
	const char *name; /* raw */
	const char *type_name;
	const char *object;
	const struct vmsnap_annotation *local; /* NULL: it is none */
	uint64_t told, steps;
};
struct differ {
	struct vmsnap_value_diff *diff;
	struct vmsnap_names *names;
	struct value_pages sides[VALUE_SIDES];
	struct value_maker maker;
	struct value_locals locals;
	uint64_t each_most;
	struct variable variable; /* end 0: none */
	const char *name_kept;    /* its name, where it was told already */
	const struct segment_range *range;
	uint8_t *window[VALUE_SIDES];
	const uint64_t *only; /* only this byte is looked at; before, it was another one; NULL: all are */
	int rc;
};

/* ---- what is found ---------------------------------------------------------------------- */

static bool read_side(void *ctx, int side, uint64_t offset, void *to, size_t len)
{
	struct differ *d = ctx;
	const struct object *object = d->range ? d->range->object : NULL;
	uint64_t start = d->variable.start + offset;
	bool known = value_pages_read(&d->sides[side], object, start, to, len);
	if (known && d->only && side == VALUE_BEFORE && *d->only >= start && *d->only - start < len)
		((uint8_t *)to)[*d->only - start] ^= 0xff;
	return known;
}

/* The variable's name, kept once for all its parts. */
static const char *kept_name(struct differ *d)
{
	const struct variable *v = &d->variable;
	if (d->name_kept || d->rc)
		return d->name_kept;
	const char *demangled = vmsnap_names_demangle(d->names, v->name);
	CLEANUP_FREE char *name = strdup(demangled ? demangled : v->name);
	if (!name) {
		d->rc = VMSNAP_ERR_NO_MEMORY;
		return NULL;
	}
	if (demangled)
		static_name(name);
	return d->name_kept = value_copy(&d->maker, name, strlen(name), &d->rc);
}

static void add_change(struct differ *d, const struct value_leaf *leaf)
{
	struct vmsnap_value_diff *diff = d->diff;
	const struct variable *v = &d->variable;
	uint8_t bytes[VALUE_SIDES][VALUE_LEAF_MAX];
	struct vmsnap_value values[VALUE_SIDES];
	struct vmsnap_value_change change = {
		.address = v->start + leaf->offset,
		.size = leaf->size,
		.symbol = kept_name(d),
		.symbol_address = v->start,
		.symbol_size = v->end - v->start,
	};
	for (int side = 0; !d->rc && side < VALUE_SIDES; side++) {
		bool known = leaf->size <= VALUE_LEAF_MAX &&
		             read_side(d, side, leaf->offset, bytes[side], (size_t)leaf->size);
		d->rc = value_make(&d->maker, leaf, known ? bytes[side] : NULL, &values[side]);
	}
	const char *type = v->type_name ? leaf->type->name : NULL;
	change.path = value_copy(&d->maker, leaf->path, strlen(leaf->path), &d->rc);
	change.object = value_copy(&d->maker, v->object, strlen(v->object), &d->rc);
	change.type = type ? value_copy(&d->maker, type, strlen(type), &d->rc) : NULL;
	const char *function = v->local ? v->local->function : "";
	change.function = value_copy(&d->maker, function, strlen(function), &d->rc);
	change.tid = v->local ? v->local->tid : 0;
	if (!WORK_ROOM(&diff->work, diff->items, diff->count, &diff->capacity, &d->rc))
		return;
	change.before = values[VALUE_BEFORE];
	change.after = values[VALUE_AFTER];
	diff->items[diff->count++] = change;
}

static void on_leaf(void *ctx, const struct value_leaf *leaf)
{
	struct differ *d = ctx;
	if (d->rc)
		return;
	if (d->variable.told++ < d->each_most)
		add_change(d, leaf);
	else if (d->diff->count)
		d->diff->items[d->diff->count - 1].more++;
	if (!d->rc)
		d->rc = work_step(&d->diff->work);
}

/* ---- whose a byte is --------------------------------------------------------------------- */

/* What only a symbol is known of. */
static const struct value_type *type_of_size(uint64_t size)
{
	static const struct value_type types[] = {
		{ .kind = TYPE_BYTES, .name = "" },
		{ .kind = TYPE_BYTES, .size = 1, .name = "" },
		{ .kind = TYPE_BYTES, .size = 2, .name = "" },
		{ .kind = TYPE_BYTES, .size = 4, .name = "" },
		{ .kind = TYPE_BYTES, .size = 8, .name = "" },
	};
	for (size_t i = 1; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].size == size)
			return &types[i];
	return &types[0];
}

/* How far a variable reaches: a symbol knows it where its type does not, or where an array at its
 * end has elements that only the definition tells of. */
static uint64_t extent_of(const struct symbols *symbols, const struct dwarf_variable *variable)
{
	const struct symbol *symbol = symbols ? symbols_at(symbols, variable->address) : NULL;
	bool same = symbol && symbol->start == variable->address && symbol->size;
	uint64_t size = variable->type->size;
	return same && symbol->end - symbol->start > size ? symbol->end - symbol->start : size;
}

/* Its symbol, if that tells more; of a variable without one, what DWARF says. */
static const char *name_of(struct differ *d, const struct symbols *symbols, const struct dwarf_variable *variable)
{
	const struct symbol *symbol = symbols ? symbols_at(symbols, variable->address) : NULL;
	if (variable->linkage && vmsnap_names_demangle(d->names, variable->linkage))
		return variable->linkage;
	bool here = symbol && symbol->start == variable->address;
	/* What is in a member function, or one that was declared elsewhere: its scopes are that one's. */
	bool told = here && (variable->unscoped || !strncmp(symbol->name, "_ZZ", 3));
	return told && vmsnap_names_demangle(d->names, symbol->name) ? symbol->name : variable->name;
}

static bool by_type(struct differ *d, uint64_t address, const struct symbols *symbols)
{
	const struct segment_range *range = d->range;
	struct dwarf_types *types = objects_types(&d->names->objects, range->object);
	const struct dwarf_variable *found = types ? dwarf_types_at(types, address - range->bias) : NULL;
	if (types && types->file.failed)
		objects_types(&d->names->objects, range->object); /* says so */
	if (!found)
		return false;
	uint64_t size = extent_of(symbols, found), from = address - range->bias - found->address;
	const struct elf_load *load = range->load;
	uint64_t room = load->address + load->memory_size - found->address;
	size = size < room ? size : room;
	if (from >= size)
		return false;
	d->variable = (struct variable){
		.start = found->address + range->bias,
		.end = found->address + range->bias + size,
		.type = found->type,
		.name = name_of(d, symbols, found),
		.type_name = found->type->name,
	};
	return true;
}

static bool by_symbol(struct differ *d, uint64_t address, const struct symbols *symbols)
{
	const struct symbol *symbol = symbols ? symbols_at(symbols, address - d->range->bias) : NULL;
	if (!symbol || !symbol->size || symbol->kind == VMSNAP_NAME_FUNCTION)
		return false;
	d->variable = (struct variable){
		.start = symbol->start + d->range->bias,
		.end = symbol->end + d->range->bias,
		.type = type_of_size(symbol->end - symbol->start),
		.name = symbol->name,
	};
	return true;
}

static bool by_debugger(struct differ *d, uint64_t address)
{
	const struct value_local *found = value_locals_at(&d->locals, address);
	if (!found)
		return false;
	const struct vmsnap_annotation *name = found->name;
	d->variable = (struct variable){
		.start = name->address,
		.end = name->address + name->size,
		.type = found->type ? found->type : type_of_size(name->size),
		.name = name->symbol,
		.type_name = *name->type ? name->type : NULL,
		.object = "",
		.local = name,
		.steps = STEPS_OF_ONE,
	};
	d->name_kept = NULL;
	return true;
}

/* A global one, by the types that came with a snapshot. */
static bool by_stored_type(struct differ *d, uint64_t address)
{
	const struct type_variable *found = type_table_at(&d->locals.types[1], address);
	found = found ? found : type_table_at(&d->locals.types[0], address);
	if (!found)
		return false;
	d->variable = (struct variable){
		.start = found->address,
		.end = found->address + found->type->size,
		.type = found->type,
		.name = found->name,
		.type_name = found->type->name,
	};
	return true;
}

static bool find_variable(struct differ *d, uint64_t address)
{
	if (d->variable.end && address >= d->variable.start && address < d->variable.end)
		return true;
	if (by_debugger(d, address))
		return true;
	const struct symbols *symbols = d->range ? objects_symbols(&d->names->objects, d->range->object) : NULL;
	d->name_kept = NULL;
	d->variable = (struct variable){ .end = 0 };
	if (!(d->range && by_type(d, address, symbols)) &&
	    (d->rc || (!by_stored_type(d, address) && !(d->range && by_symbol(d, address, symbols)))))
		return false;
	d->variable.object = d->range ? d->range->object->vma->name : "";
	d->variable.steps = STEPS_OF_ONE;
	return true;
}

/* ---- windows ----------------------------------------------------------------------------- */

static void walk_variable(struct differ *d, uint64_t start, uint64_t end, const uint8_t *before, const uint8_t *after)
{
	struct variable *v = &d->variable;
	struct value_walk walk = {
		.type = v->type,
		.size = v->end - v->start,
		.read = read_side,
		.emit = on_leaf,
		.ctx = d,
		.start = start - v->start,
		.end = end - v->start,
		.bytes = { before, after },
		.steps = v->steps,
	};
	value_walk_window(&walk);
	v->steps = walk.steps;
}

/* In no file's segment it may be malloc's. */
static void add_unnamed(struct differ *d, uint64_t address)
{
	d->diff->unnamed++;
	if (!d->rc && !d->range)
		d->rc = value_blocks_add(&d->diff->blocks, address, &d->diff->work);
}

/* Bytes of one segment, or of none, of which both sides are known. */
static void look_at(struct differ *d, uint64_t start, uint64_t end, const uint8_t *before, const uint8_t *after)
{
	for (uint64_t at = start; at < end && !d->rc;) {
		if (before[at - start] == after[at - start]) {
			at++;
			continue;
		}
		if (!find_variable(d, at)) {
			add_unnamed(d, at);
			at++;
			continue;
		}
		uint64_t from = d->variable.start > start ? d->variable.start : start;
		uint64_t to = d->variable.end < end ? d->variable.end : end;
		walk_variable(d, from, to, before + (from - start), after + (from - start));
		at = to;
	}
}

static void count_unnamed(struct differ *d, uint64_t start, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		if (d->window[VALUE_BEFORE][i] != d->window[VALUE_AFTER][i])
			add_unnamed(d, start + i);
}

/* Where other memory lay in A, nothing is a variable's old value. */
static bool same_memory(const struct differ *d, uint64_t address, uint64_t *end)
{
	const struct vmsnap_vma *a = vmsnap_vma_at(d->diff->a, address), *b = vmsnap_vma_at(d->diff->b, address);
	uint64_t page_size = vmsnap_info(d->diff->b)->page_size;
	if (!a || !b) {
		*end = address + page_size < *end ? address + page_size : *end;
		return false;
	}
	*end = a->end < *end ? a->end : *end;
	bool file = vmsnap_vma_has_file(a);
	if (((a->unknown | b->unknown) & VMSNAP_VMA_UNKNOWN_FILE ? file != vmsnap_vma_has_file(b)
	                                                         : a->inode != b->inode) ||
	    (!((a->unknown | b->unknown) & VMSNAP_VMA_UNKNOWN_SHARED) && (a->perms ^ b->perms) & VMSNAP_PERM_SHARED))
		return false;
	return !file || (identity_order_of_file(a, b) == 0 && a->offset - a->start == b->offset - b->start);
}

static bool read_window(struct differ *d, const struct object *object, uint64_t start, size_t len)
{
	for (int side = 0; side < VALUE_SIDES; side++)
		if (!value_pages_read(&d->sides[side], object, start, d->window[side], len))
			return false;
	return true;
}

static bool has_types(const struct differ *d)
{
	return d->locals.count || d->locals.types[0].count || d->locals.types[1].count;
}

/* Pages that differ, or may. */
static void look_at_pages(struct differ *d, const struct segment_range *ranges, size_t count, uint64_t start,
                          uint64_t end)
{
	for (uint64_t at = start, to; at < end && !d->rc; at = to) {
		to = end - at < WINDOW ? end : at + WINDOW;
		if (!same_memory(d, at, &to))
			continue;
		const struct object *object = count ? ranges[0].object : NULL;
		if (!read_window(d, object, at, (size_t)(to - at))) {
			d->diff->unknown_pages += (to - at) / vmsnap_info(d->diff->b)->page_size;
			continue;
		}
		d->range = NULL;
		if (!count && has_types(d))
			look_at(d, at, to, d->window[VALUE_BEFORE], d->window[VALUE_AFTER]);
		else if (!count)
			count_unnamed(d, at, to - at);
		for (size_t i = 0; i < count; i++) {
			uint64_t from = ranges[i].start > at ? ranges[i].start : at;
			uint64_t until = ranges[i].end < to ? ranges[i].end : to;
			d->range = &ranges[i];
			if (from < until)
				look_at(d, from, until, d->window[VALUE_BEFORE] + (from - at),
				        d->window[VALUE_AFTER] + (from - at));
		}
		d->rc = d->rc ? d->rc : work_ask(&d->diff->work);
	}
}

/* The same where no file says what lies there: pages with variables whose types came with B. */
static void look_at_stored_gap(struct differ *d, uint64_t start, uint64_t end)
{
	const struct type_table *types = &d->locals.types[1];
	uint64_t page_size = vmsnap_info(d->diff->b)->page_size, at = start;
	for (size_t i = 0; i < types->variable_count && at < end && !d->rc; i++) {
		const struct type_variable *variable = &types->variables[i];
		uint64_t from = variable->address & ~(page_size - 1), to = variable->address + variable->type->size;
		at = from > at ? from : at;
		for (; at < to && at < end && !d->rc; at += page_size)
			if (value_pages_kept(&d->sides[VALUE_BEFORE], at) !=
			    value_pages_kept(&d->sides[VALUE_AFTER], at))
				look_at_pages(d, NULL, 0, at, at + page_size);
	}
}

/* Between those that both keep: pages that one of them does. */
static void look_at_gap(struct differ *d, const struct segment_range *ranges, size_t count, uint64_t start,
                        uint64_t end)
{
	uint64_t page_size = vmsnap_info(d->diff->b)->page_size;
	if (!count && start < end)
		look_at_stored_gap(d, start, end);
	for (size_t i = 0; i < count && !d->rc; i++) {
		uint64_t from = ranges[i].start > start ? ranges[i].start & ~(page_size - 1) : start;
		uint64_t until = ranges[i].end < end ? ranges[i].end : end;
		for (uint64_t at = from; at < until && !d->rc; at += page_size)
			if (value_pages_kept(&d->sides[VALUE_BEFORE], at) !=
			    value_pages_kept(&d->sides[VALUE_AFTER], at))
				look_at_pages(d, &ranges[i], 1, at, at + page_size);
	}
}

static bool any_kept(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	uint64_t start, end;
	return !vmsnap_contents_range(snap, vma->start, &start, &end) && start < vma->end;
}

static void look_at_mapping(struct differ *d, size_t index)
{
	const struct vmsnap_vma *vma = vmsnap_vma(d->diff->b, index);
	struct segment_range ranges[ELF_LOADS_MAX];
	const struct vmsnap *a = d->diff->a, *b = d->diff->b;
	if (!any_kept(a, vma) && !any_kept(b, vma))
		return;
	size_t count = objects_segment_ranges(&d->names->objects, index, ranges);
	for (uint64_t at = vma->start, start, end; at < vma->end && !d->rc; at = end) {
		bool differ = false;
		if (vmsnap_contents_compare(a, b, at, &start, &end, &differ) || start >= vma->end)
			start = end = vma->end;
		end = !end || end > vma->end ? vma->end : end;
		look_at_gap(d, ranges, count, at, start);
		if (differ && start < end)
			look_at_pages(d, ranges, count, start, end);
	}
}

static int look_at_all(struct differ *d)
{
	int rc = VMSNAP_OK;
	for (int side = 0; side < VALUE_SIDES; side++)
		d->window[side] = work_array(&d->diff->work, WINDOW, 1, &rc);
	for (size_t i = 0; !rc && i < vmsnap_vma_count(d->diff->b); i++) {
		look_at_mapping(d, i);
		rc = d->rc ? d->rc : work_step(&d->diff->work);
	}
	for (int side = 0; side < VALUE_SIDES; side++)
		work_free(&d->diff->work, d->window[side], WINDOW, 1);
	bool cancelled = d->names->objects.cancelled;
	d->names->objects.cancelled = false;
	return rc                            ? rc
	       : d->names->objects.no_memory ? VMSNAP_ERR_NO_MEMORY
	       : cancelled                   ? VMSNAP_ERR_CANCELLED
	                                     : VMSNAP_OK;
}

/* ---- the public functions ---------------------------------------------------------------- */

static int comparable_contents(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { a, b };
	for (int i = 0; i < 2; i++) {
		int kind = vmsnap_contents_kind(both[i]);
		if (kind != VMSNAP_CONTENTS_BYTES)
			return fail(err, VMSNAP_ERR_NOT_FOUND,
			            "%s keeps %s of what its pages held; capture it with --contents",
			            i ? "the second snapshot" : "the first snapshot",
			            kind == VMSNAP_CONTENTS_HASHES ? "only hashes" : "nothing");
	}
	if (vmsnap_info(a)->page_size != vmsnap_info(b)->page_size)
		return fail(err, VMSNAP_ERR_ARGUMENT, "the snapshots are of machines with pages of other sizes");
	if (vmsnap_relation(a, b) > VMSNAP_RELATION_ONE_ADDRESS_SPACE)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "the snapshots are of two programs or processes that have nothing to do with each other");
	return VMSNAP_OK;
}

static void begin_differ(struct differ *d, struct vmsnap_value_diff *diff, const struct vmsnap_value_options *options,
                         struct vmsnap_names *names)
{
	*d = (struct differ){ .diff = diff, .names = names, .each_most = options->each_most };
	d->each_most = d->each_most ? d->each_most : EACH_MOST;
	d->maker = (struct value_maker){ .strings = &diff->strings, .work = &diff->work, .names = names };
	value_pages_init(&d->sides[VALUE_BEFORE], diff->a, names);
	value_pages_init(&d->sides[VALUE_AFTER], diff->b, names);
}

static int end_differ(struct differ *d, int rc, struct vmsnap_error *err)
{
	value_locals_free(&d->locals, &d->diff->work);
	for (int side = 0; side < VALUE_SIDES; side++)
		value_pages_close(&d->sides[side]);
	return rc ? work_fail(&d->diff->work, rc, err) : VMSNAP_OK;
}

static int diff_with(struct vmsnap_value_diff *diff, const struct vmsnap_value_options *options,
                     struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct differ d;
	begin_differ(&d, diff, options, names);
	int rc = value_locals_find(diff->a, diff->b, &diff->work, &d.locals);
	d.maker.types = d.locals.types;
	rc = end_differ(&d, rc ? rc : look_at_all(&d), err);
	return rc ? rc : value_blocks_find(&diff->blocks, diff->b, &diff->work, err);
}

/* The segment that a byte is of; NULL: of none. */
static const struct segment_range *segment_of(struct differ *d, uint64_t address, struct segment_range *ranges)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(d->diff->b, address);
	size_t count =
	        vma ? objects_segment_ranges(&d->names->objects, (size_t)(vma - vmsnap_vma(d->diff->b, 0)), ranges) : 0;
	for (size_t i = 0; i < count; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return &ranges[i];
	return NULL;
}

/* What differs is told as whole as it is: here one byte does. */
static void look_at_byte(struct differ *d, uint64_t address)
{
	uint8_t byte, other;
	struct segment_range ranges[ELF_LOADS_MAX];
	d->range = segment_of(d, address, ranges);
	if (!value_pages_read(&d->sides[VALUE_AFTER], d->range ? d->range->object : NULL, address, &byte, 1) ||
	    !find_variable(d, address))
		return;
	other = byte ^ 0xff;
	d->only = &address;
	walk_variable(d, address, address + 1, &other, &byte);
	d->only = NULL;
	for (size_t i = 0; i < d->diff->count; i++)
		d->diff->items[i].before = (struct vmsnap_value){ .kind = VMSNAP_VALUE_UNKNOWN };
}

static int value_with(struct vmsnap_value_diff *diff, const struct vmsnap_value_options *options,
                      struct vmsnap_names *names, uint64_t address, struct vmsnap_error *err)
{
	struct differ d;
	begin_differ(&d, diff, options, names);
	int rc = value_locals_find(diff->a, diff->b, &diff->work, &d.locals);
	d.maker.types = d.locals.types;
	if (!rc)
		look_at_byte(&d, address);
	rc = end_differ(&d, rc ? rc : d.rc, err);
	return rc || diff->count ? rc : fail(err, VMSNAP_ERR_NOT_FOUND, "no variable whose value is known is there");
}

/* address NULL: all of both. */
static int make_diff(struct vmsnap_value_diff *diff, const struct vmsnap_value_options *options,
                     const uint64_t *address, struct vmsnap_error *err)
{
	struct vmsnap_names *own = NULL;
	int rc = options->names ? VMSNAP_OK : vmsnap_names_new(diff->b, NULL, &own, err);
	if (rc)
		return rc;
	struct vmsnap_names *names = options->names ? options->names : own;
	if (own)
		vmsnap_names_set_cancelled(own, options->cancelled, options->cancel_ctx);
	if (names->snap != diff->b)
		rc = fail(err, VMSNAP_ERR_ARGUMENT, "these are the names of another snapshot than the second one");
	else
		rc = address ? value_with(diff, options, names, *address, err) : diff_with(diff, options, names, err);
	vmsnap_names_free(own);
	return rc;
}

static int new_diff(const struct vmsnap *const both[VALUE_SIDES], const struct vmsnap_value_options *options,
                    const uint64_t *address, struct vmsnap_value_diff **out, struct vmsnap_error *err)
{
	struct vmsnap_value_diff *diff = calloc(1, sizeof(*diff));
	if (!diff)
		return fail_no_memory(err);
	diff->a = vmsnap_ref(both[VALUE_BEFORE]);
	diff->b = vmsnap_ref(both[VALUE_AFTER]);
	diff->work = work_on(both, VALUE_SIDES);
	diff->work.cancelled = options->cancelled;
	diff->work.cancel_ctx = options->cancel_ctx;
	int rc = make_diff(diff, options, address, err);
	if (rc) {
		vmsnap_value_diff_free(diff);
		return rc;
	}
	*out = diff;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_value_diff_new(const struct vmsnap *a, const struct vmsnap *b,
                                     const struct vmsnap_value_options *given, struct vmsnap_value_diff **out,
                                     struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { a, b };
	struct vmsnap_value_options options;
	if (!a || !b || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a diff needs two snapshots");
	int rc = options_take(&options, sizeof(options), given, "struct vmsnap_value_options", err);
	rc = rc ? rc : comparable_contents(a, b, err);
	if (rc)
		return rc;
	return new_diff(both, &options, NULL, out, err);
}

VMSNAP_API int vmsnap_value_at(const struct vmsnap *snap, uint64_t address, const struct vmsnap_value_options *given,
                               struct vmsnap_value_diff **out, struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { snap, snap };
	struct vmsnap_value_options options;
	if (!snap || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a value is one of a snapshot");
	int rc = options_take(&options, sizeof(options), given, "struct vmsnap_value_options", err);
	rc = rc ? rc : comparable_contents(snap, snap, err);
	return rc ? rc : new_diff(both, &options, &address, out, err);
}

VMSNAP_API void vmsnap_value_diff_free(struct vmsnap_value_diff *diff)
{
	if (!diff)
		return;
	free(diff->items);
	value_blocks_free(&diff->blocks);
	arena_free(&diff->strings);
	vmsnap_unref(diff->a);
	vmsnap_unref(diff->b);
	free(diff);
}

VMSNAP_API const struct vmsnap *vmsnap_value_diff_a(const struct vmsnap_value_diff *diff)
{
	return diff->a;
}

VMSNAP_API const struct vmsnap *vmsnap_value_diff_b(const struct vmsnap_value_diff *diff)
{
	return diff->b;
}

VMSNAP_API size_t vmsnap_value_diff_count(const struct vmsnap_value_diff *diff)
{
	return diff->count;
}

VMSNAP_API int vmsnap_value_change_sized(const struct vmsnap_value_diff *diff, size_t index,
                                         struct vmsnap_value_change *out, size_t size)
{
	if (index >= diff->count)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &diff->items[index], sizeof(diff->items[index]));
	return VMSNAP_OK;
}

VMSNAP_API size_t vmsnap_value_diff_block_count(const struct vmsnap_value_diff *diff)
{
	return diff->blocks.count;
}

VMSNAP_API int vmsnap_value_diff_block(const struct vmsnap_value_diff *diff, size_t index,
                                       struct vmsnap_value_block *out)
{
	if (index >= diff->blocks.count)
		return VMSNAP_ERR_NOT_FOUND;
	*out = diff->blocks.items[index];
	return VMSNAP_OK;
}

VMSNAP_API uint64_t vmsnap_value_diff_unnamed(const struct vmsnap_value_diff *diff)
{
	return diff->unnamed;
}

VMSNAP_API uint64_t vmsnap_value_diff_unknown_pages(const struct vmsnap_value_diff *diff)
{
	return diff->unknown_pages;
}
