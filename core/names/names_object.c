#define _GNU_SOURCE
#include "names_object.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "error.h"
#include "load_bias.h"
#include "names_path.h"
#include "snapshot.h"

/* How far before an anonymous mapping its file may stand: a .bss is split into
 * several VMAs when parts are protected differently. */
enum { BSS_VMAS_BACK = 16, BSS_FILES_BACK = 2 };

static bool is_vdso(const struct vmsnap_vma *vma)
{
	return strcmp(vma->name, "[vdso]") == 0;
}

/* ---- grouping -------------------------------------------------------------- */

static bool vdso_is_ours(const struct objects *o)
{
	struct utsname name;
	return o->here.same_boot && sizeof(void *) == 8 && uname(&name) == 0 &&
	       strcmp(name.machine, o->snap->info.arch) == 0;
}

static int by_identity(const void *a, const void *b, void *ctx)
{
	const struct vmsnap *snap = ctx;
	const struct member *x = a, *y = b;
	int order = identity_order(&snap->vmas[x->vma], &snap->vmas[y->vma]);
	return order ? order : x->vma < y->vma ? -1 : x->vma > y->vma;
}

static size_t pick_members(struct objects *o)
{
	size_t count = 0;
	for (size_t i = 0; i < o->snap->vma_count; i++) {
		const struct vmsnap_vma *vma = &o->snap->vmas[i];
		o->vma_member[i] = NO_MEMBER;
		/* A 32-bit process has another [vdso] than ours; it lies below 4 GiB. */
		bool our_vdso = is_vdso(vma) && vma->start > UINT32_MAX && vdso_is_ours(o);
		if ((vmsnap_vma_has_file(vma) && vma->name[0] == '/') || our_vdso)
			o->members[count++].vma = (uint32_t)i;
	}
	return count;
}

static int group(struct objects *o)
{
	const struct vmsnap *snap = o->snap;
	if (snap->vma_count >= NO_MEMBER)
		return VMSNAP_ERR_TOO_LARGE;
	o->members = calloc(snap->vma_count + 1, sizeof(*o->members));
	o->vma_member = calloc(snap->vma_count + 1, sizeof(*o->vma_member));
	o->member_object = calloc(snap->vma_count + 1, sizeof(*o->member_object));
	if (!o->members || !o->vma_member || !o->member_object)
		return VMSNAP_ERR_NO_MEMORY;
	size_t count = pick_members(o);
	union {
		const struct vmsnap *snap;
		void *ctx;
	} ctx = { .snap = snap };
	qsort_r(o->members, count, sizeof(*o->members), by_identity, ctx.ctx);
	const struct vmsnap_vma *last = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[o->members[i].vma];
		o->count += !last || identity_order(last, vma) != 0;
		o->vma_member[o->members[i].vma] = (uint32_t)i;
		o->member_object[i] = (uint32_t)(o->count - 1);
		last = vma;
	}
	o->items = calloc(o->count + 1, sizeof(*o->items));
	if (!o->items)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = count; i-- > 0;) {
		struct object *object = &o->items[o->member_object[i]];
		object->vma = &snap->vmas[o->members[i].vma];
		object->members = &o->members[i];
		object->member_count++;
	}
	return VMSNAP_OK;
}

/* All but the root. */
static int prepare(struct objects *o, const struct vmsnap *snap, bool sysroot, struct vmsnap_error *err)
{
	uint64_t page = snap->info.page_size;
	o->snap = snap;
	o->room = OBJECTS_BYTES_MAX;
	if (!page || page & (page - 1) || page > UINT32_MAX)
		return fail(err, VMSNAP_ERR_ARGUMENT, "the snapshot's page size is not a power of two");
	o->here = elf_verify_here(&snap->info);
	if (!sysroot && o->here.same_boot && snap->info.source == VMSNAP_SOURCE_PROCESS)
		names_process_open(snap->info.tgid, snap->info.start_time, &o->process);
	int rc = group(o);
	if (rc)
		return fail(err, rc, rc == VMSNAP_ERR_NO_MEMORY ? "out of memory" : "too many mappings");
	return VMSNAP_OK;
}

int objects_init(struct objects *o, const struct vmsnap *snap, const char *sysroot, struct vmsnap_error *err)
{
	memset(o, 0, sizeof(*o));
	o->root = -1;
	o->process = (struct names_process)NAMES_NO_PROCESS;
	if (sysroot) {
		o->root = names_root_open(sysroot);
		if (o->root < 0)
			return fail_sys(err, errno, "cannot open the sysroot %s", sysroot);
	}
	return prepare(o, snap, sysroot, err);
}

void objects_free(struct objects *o)
{
	for (size_t i = 0; o->items && i < o->count; i++)
		elf_cache_free(o->items[i].known);
	free(o->items);
	free(o->members);
	free(o->vma_member);
	free(o->member_object);
	free(o->warnings);
	elfutils_unload(&o->elfutils);
	arena_free(&o->strings);
	if (o->root >= 0)
		close(o->root);
	names_process_close(&o->process);
}

/* ---- another snapshot -------------------------------------------------------- */

static int by_file(const void *key, const void *item)
{
	const struct vmsnap_vma *identity = key;
	const struct object *object = item;
	return identity_order_of_file(identity, object->vma);
}

/* Takes what the other objects know of files that are mapped here, too. */
static void take_over(struct objects *o, struct objects *other)
{
	for (size_t i = 0; i < other->count; i++) {
		struct elf_cache *known = other->items[i].known;
		/* What could not be read is tried again, as if new: and told again. */
		if (!known || known->symbols_failed)
			continue;
		struct object *object = bsearch(&known->identity, o->items, o->count, sizeof(*o->items), by_file);
		if (!object || object->known)
			continue;
		object->known = known;
		object->state = OBJECT_KEPT;
		o->room -= elf_cache_bytes(known); /* they were within that before */
		other->items[i].known = NULL;
	}
	o->root = other->root;
	o->elfutils = other->elfutils;
	o->elfutils_tried = other->elfutils_tried && other->elfutils.libdw;
	other->root = -1;
	other->elfutils = (struct elfutils){ 0 };
}

int objects_rebind(struct objects *o, const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct objects fresh = { .root = -1, .process = NAMES_NO_PROCESS, .work = o->work };
	int rc = prepare(&fresh, snap, o->root >= 0, err);
	if (rc) {
		objects_free(&fresh);
		return rc;
	}
	take_over(&fresh, o);
	objects_free(o);
	*o = fresh;
	return VMSNAP_OK;
}

/* ---- files ----------------------------------------------------------------- */

void objects_warn(struct objects *o, const char *line)
{
	size_t len = strlen(line);
	char *more = realloc(o->warnings, o->warnings_len + len + 2);
	if (!more)
		return;
	o->warnings = more;
	if (o->warnings_len)
		more[o->warnings_len++] = '\n';
	for (size_t i = 0; i < len; i++)
		more[o->warnings_len++] = line[i] == '\n' ? '?' : line[i];
	more[o->warnings_len] = '\0';
}

void objects_warn_of(struct objects *o, const char *path, const char *reason)
{
	char *line = NULL;
	if (asprintf(&line, "%s: %s", path, reason) < 0)
		return;
	objects_warn(o, line);
	free(line);
}

/* root: the administrator could read it. */
static void warn_more(struct objects *o, const struct object *object, const char *reason, bool root)
{
	char *line = NULL;
	const char *more = root ? "; root could read it, from what the process has mapped (/proc/PID/map_files)" : "";
	if (asprintf(&line, "%s: %s; its names are left out%s", object->vma->name, reason, more) < 0)
		return;
	objects_warn(o, line);
	free(line);
}

static void warn(struct objects *o, const struct object *object, const char *reason)
{
	warn_more(o, object, reason, false);
}

/* Whether it matters that the file cannot be had: most mapped files are data, and
 * nobody expects symbols in them. */
static bool is_program(const struct objects *o, const struct object *object)
{
	bool executable = object->vma->build_id != NULL;
	for (size_t i = 0; i < object->member_count && !executable; i++)
		executable = o->snap->vmas[object->members[i].vma].perms & VMSNAP_PERM_EXEC;
	return executable;
}

/* The kernel's image of the vDSO, which is the same for all 64-bit processes of one
 * boot, as a file. */
static int open_vdso(void)
{
	enum { VDSO_BYTES_MAX = 256 * 1024 };
	union {
		unsigned long address;
		const ElfW(Ehdr) * header;
	} at = { .address = getauxval(AT_SYSINFO_EHDR) };
	if (!at.address)
		return -1;
	/* The section headers come last in it. */
	size_t size = at.header->e_shoff + (size_t)at.header->e_shnum * at.header->e_shentsize;
	int fd = size <= VDSO_BYTES_MAX ? memfd_create("vdso", MFD_CLOEXEC) : -1;
	if (fd >= 0 && write(fd, at.header, size) != (ssize_t)size) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The file that was mapped, if it is still there.  Of "PATH (deleted)" there may be
 * both: a file that is really named so, and another PATH. */
static int open_object(struct objects *o, int root, const struct object *object, const char *name, const char **path,
                       const char **reason)
{
	static const char suffix[] = " (deleted)";
	const struct vmsnap_vma *vma = object->vma;
	const struct vmsnap_info *info = &o->snap->info;
	*path = name;
	if (is_vdso(vma))
		return open_vdso();
	int fd = elf_verify_open(root, name, vma, info, o->here, reason);
	size_t len = strlen(name), suffix_len = sizeof(suffix) - 1;
	if (fd >= 0 || len <= suffix_len || strcmp(name + len - suffix_len, suffix) != 0)
		return fd;
	*path = arena_copy(&o->strings, name, len - suffix_len);
	o->no_memory |= !*path;
	return *path ? elf_verify_open(root, *path, vma, info, o->here, reason) : -1;
}

struct opened {
	int fd, root;
	const char *path;
	bool for_root; /* not opened, but the administrator could, through the process */
};

/* The name below the process's own root of a file that lies in there; NULL if it does not. */
static const char *name_in_jail(const struct objects *o, const struct object *object)
{
	const char *jail = o->process.jail;
	size_t len = jail ? strlen(jail) : 0;
	const char *name = object->vma->name;
	return len && strncmp(name, jail, len) == 0 && name[len] == '/' ? name + len : NULL;
}

/* At any of its mappings that the process still has as they were. */
static int open_of_process(struct objects *o, const struct object *object, struct opened *out, const char **reason)
{
	enum { TRIES_MAX = 8 };
	const char *doubt = NULL;
	int fd = -1;
	for (size_t i = 0; fd < 0 && !doubt && i < object->member_count && i < TRIES_MAX; i++)
		fd = elf_verify_open_of_process(o->process.procdir, &o->snap->vmas[object->members[i].vma],
		                                &o->snap->info, o->here, &doubt, &out->for_root);
	if (doubt)
		*reason = doubt;
	out->path = object->vma->name;
	return fd;
}

/* Where the kernel names a file as we see it, that is its name; where the process
 * lives in another mount namespace, the name may only be right below its own root.
 * What lies in a root that the process was put into is looked for there only: a link in
 * it must lead us no further than the process.  What is not found by any name the process
 * may still have.
 * *reason: why it was not opened, which may be NULL. */
static int open_somewhere(struct objects *o, const struct object *object, struct opened *out, const char **reason)
{
	const char *other = NULL;
	*reason = NULL;
	out->for_root = false;
	const char *inside = name_in_jail(o, object), *name = inside ? inside : object->vma->name;
	out->root = inside ? o->process.root : o->root;
	out->fd = open_object(o, out->root, object, name, &out->path, reason);
	if (out->fd < 0 && !inside && o->process.root >= 0) {
		out->root = o->process.root;
		out->fd = open_object(o, out->root, object, name, &out->path, &other);
	}
	if (out->fd < 0 && o->process.procdir >= 0 && !is_vdso(object->vma))
		out->fd = open_of_process(o, object, out, reason);
	return out->fd;
}

static int open_or_warn(struct objects *o, const struct object *object, struct opened *out)
{
	const char *reason;
	if (open_somewhere(o, object, out, &reason) < 0 && reason && is_program(o, object))
		warn_more(o, object, reason, out->for_root);
	return out->fd;
}

/* Whether what was read for another snapshot still holds.  The same build ID is the
 * same contents, wherever the file may be by now; but a file that stands there
 * changed may have been given symbols. */
static bool still_holds(struct objects *o, const struct object *object)
{
	struct opened opened;
	const char *reason;
	if (is_vdso(object->vma))
		return true;
	CLEANUP_CLOSE int fd = open_somewhere(o, object, &opened, &reason);
	if (fd < 0)
		return object->known->identity.build_id;
	return elf_cache_unchanged(object->known, fd);
}

static void read_known(struct objects *o, struct object *object)
{
	struct opened opened;
	CLEANUP_CLOSE int fd = open_or_warn(o, object, &opened);
	int rc = fd >= 0 ? elf_cache_new(fd, object->vma, &object->known) : VMSNAP_OK;
	if (rc == VMSNAP_ERR_NO_MEMORY)
		o->no_memory = true;
	else if (rc && object->vma->build_id)
		warn(o, object, "not an ELF program or library that can be read");
	if (!object->known)
		return;
	if (elf_cache_bytes(object->known) <= o->room) {
		o->room -= elf_cache_bytes(object->known);
		return;
	}
	warn(o, object, "what is known of all files would take too much memory");
	elf_cache_free(object->known);
	object->known = NULL;
}

/* What is not read now may be asked for again. */
static bool unwanted(struct objects *o)
{
	o->cancelled |= work_ask(&o->work) != VMSNAP_OK;
	return o->cancelled;
}

/* Whether it is to be left for later.  Shared memory has a device of major 0, as have overlayfs and others: of
 * these it is found out, by a look that reads nothing, whether all of it is in memory. */
static bool may_be_in_swap(struct objects *o, const struct object *object)
{
	struct opened opened;
	const char *reason;
	struct sysinfo info;
	if (!o->here.gently || object->vma->dev_major || is_vdso(object->vma))
		return false;
	if (!sysinfo(&info) && info.freeswap >= info.totalswap)
		return false;
	CLEANUP_CLOSE int fd = open_somewhere(o, object, &opened, &reason);
	return fd < 0;
}

/* Reads the headers, once; false if the object is of no use, or not now. */
static bool read_headers(struct objects *o, struct object *object)
{
	if (object->state == OBJECT_READ || object->state == OBJECT_UNUSABLE)
		return object->state == OBJECT_READ;
	if (may_be_in_swap(o, object) || unwanted(o))
		return false;
	if (object->state == OBJECT_KEPT && !still_holds(o, object)) {
		o->room += elf_cache_bytes(object->known);
		elf_cache_free(object->known);
		object->known = NULL;
	}
	object->state = OBJECT_UNUSABLE;
	if (!object->known)
		read_known(o, object);
	if (!object->known)
		return false;
	if (load_bias_members(o->snap, object)) {
		o->no_memory = true;
		return false;
	}
	object->state = OBJECT_READ;
	return true;
}

static bool elfutils_ready(struct objects *o)
{
	if (!o->elfutils_tried && !elfutils_load(&o->elfutils))
		objects_warn(o, "libdw.so.1 and libelf.so.1 cannot be loaded: no symbols are known");
	o->elfutils_tried = true;
	return o->elfutils.libdw;
}

static void read_symbols(struct objects *o, struct object *object)
{
	struct elf_cache *known = object->known;
	/* Opened and judged anew: between the headers and now, no file was kept open. */
	struct opened opened;
	CLEANUP_CLOSE int fd = open_or_warn(o, object, &opened);
	known->symbols_failed = true;
	if (fd < 0)
		return;
	char reason[SYMBOLS_REASON_BYTES];
	struct symbols_source source = {
		.elfutils = &o->elfutils,
		.fd = fd,
		.root = opened.root,
		.path = opened.path,
		.elf = &known->elf,
		.room = o->room,
		.work = &o->work,
	};
	int rc = symbols_read(&source, &known->symbols, reason);
	if (rc == VMSNAP_ERR_NO_MEMORY)
		o->no_memory = true;
	else if (rc == VMSNAP_ERR_CANCELLED)
		o->cancelled = true;
	else if (rc)
		warn(o, object, reason);
	if (rc)
		symbols_free(&known->symbols);
	known->symbols_tried = rc != VMSNAP_ERR_CANCELLED;
	o->room -= symbols_bytes(&known->symbols);
	known->symbols_failed = rc && rc != VMSNAP_ERR_CANCELLED;
}

const struct symbols *objects_symbols(struct objects *o, struct object *object)
{
	struct elf_cache *known = object->state == OBJECT_READ ? object->known : NULL;
	if (!known)
		return NULL;
	if (!known->symbols_tried && !unwanted(o) && elfutils_ready(o)) {
		known->symbols_tried = true;
		read_symbols(o, object);
	}
	return known->symbols.count ? &known->symbols : NULL;
}

int objects_open(struct objects *o, const struct object *object)
{
	struct opened opened;
	const char *reason;
	return open_somewhere(o, object, &opened, &reason);
}

static void read_types(struct objects *o, struct object *object)
{
	struct elf_cache *known = object->known;
	struct opened opened;
	const char *reason = NULL;
	CLEANUP_CLOSE int fd = open_somewhere(o, object, &opened, &reason);
	if (fd < 0)
		return;
	struct dwarf_source source = {
		.fd = fd,
		.root = opened.root,
		.path = opened.path,
		.elf = &known->elf,
		.room = o->room,
		.work = &o->work,
	};
	int rc = dwarf_types_read(&source, &known->types, &reason);
	o->no_memory |= rc == VMSNAP_ERR_NO_MEMORY;
	o->cancelled |= rc == VMSNAP_ERR_CANCELLED;
	known->types_tried = rc != VMSNAP_ERR_CANCELLED;
	if (reason)
		objects_warn_of(o, object->vma->name, reason);
	uint64_t taken = dwarf_types_bytes(known->types);
	o->room -= taken < o->room ? taken : o->room;
}

/* What was not read for want of time, room or patience is not believed in part; cancelled, it may be
 * asked for again. */
static void drop_failed_types(struct objects *o, const struct object *object)
{
	struct elf_cache *known = object->known;
	int failed = known->types ? known->types->file.failed : VMSNAP_OK;
	if (!failed)
		return;
	o->no_memory |= failed == VMSNAP_ERR_NO_MEMORY;
	o->cancelled |= failed == VMSNAP_ERR_CANCELLED;
	known->types_tried = failed != VMSNAP_ERR_CANCELLED;
	if (failed == VMSNAP_ERR_TOO_LARGE)
		objects_warn_of(o, object->vma->name, "its debug information takes too much memory or time");
	dwarf_types_free(known->types);
	known->types = NULL;
}

struct dwarf_types *objects_types(struct objects *o, struct object *object)
{
	struct elf_cache *known = object->state == OBJECT_READ ? object->known : NULL;
	if (!known)
		return NULL;
	drop_failed_types(o, object);
	if (!known->types_tried && !unwanted(o)) {
		known->types_tried = true;
		read_types(o, object);
	}
	return known->types;
}

void objects_lines(struct objects *o, struct object *object, struct dwarf_line *items, size_t count)
{
	struct elf_cache *known = object->state == OBJECT_READ ? object->known : NULL;
	struct dwarf_sections sections;
	struct opened opened;
	const char *reason = NULL;
	CLEANUP_CLOSE int fd = known && !unwanted(o) ? open_somewhere(o, object, &opened, &reason) : -1;
	if (fd < 0)
		return;
	struct dwarf_source source = { .fd = fd,
		                       .root = opened.root,
		                       .path = opened.path,
		                       .elf = &known->elf,
		                       .room = o->room,
		                       .work = &o->work };
	int rc = dwarf_source_lines(&source, &sections, &reason);
	if (!rc) {
		rc = dwarf_lines_find(&sections, items, count, &o->strings, &o->work);
		dwarf_sections_free(&sections);
	}
	o->no_memory |= rc == VMSNAP_ERR_NO_MEMORY;
	o->cancelled |= rc == VMSNAP_ERR_CANCELLED;
	if (rc && reason)
		objects_warn_of(o, object->vma->name, reason);
}

/* ---- ranges ---------------------------------------------------------------- */

static struct object *usable_object(struct objects *o, uint32_t member)
{
	struct object *object = &o->items[o->member_object[member]];
	return read_headers(o, object) ? object : NULL;
}

static bool may_be_bss(const struct vmsnap_vma *vma)
{
	/* Where addresses are not randomised, as in a debugger, the heap follows the
	 * program's .bss at once, and the two may be one VMA. */
	return !vmsnap_vma_has_file(vma) && !(vma->perms & VMSNAP_PERM_SHARED) &&
	       (!*vma->name || strcmp(vma->name, "[heap]") == 0 || strncmp(vma->name, "[anon:", 6) == 0);
}

static size_t bss_ranges(struct objects *o, size_t vma, struct segment_range *ranges)
{
	const struct object *last = NULL;
	unsigned files = 0;
	for (size_t back = 1; back <= BSS_VMAS_BACK && back <= vma; back++) {
		uint32_t member = o->vma_member[vma - back];
		struct object *object = member != NO_MEMBER ? &o->items[o->member_object[member]] : NULL;
		if (!object || (object != last && files++ == BSS_FILES_BACK))
			continue;
		last = object;
		if (!usable_object(o, member) || !o->members[member].placed)
			continue;
		size_t count =
		        load_bias_bss_ranges(o->snap, object, o->members[member].bias, &o->snap->vmas[vma], ranges);
		if (count)
			return count;
	}
	return 0;
}

size_t objects_segment_ranges(struct objects *o, size_t vma, struct segment_range ranges[ELF_LOADS_MAX])
{
	uint32_t member = o->vma_member[vma];
	if (member == NO_MEMBER)
		return may_be_bss(&o->snap->vmas[vma]) ? bss_ranges(o, vma, ranges) : 0;
	struct object *object = usable_object(o, member);
	return object ? load_bias_file_ranges(o->snap, object, &o->members[member], ranges) : 0;
}
