/* fuzz_elf.c - an ELF file that a process has mapped, and perhaps a separate debug file
 * after it: what is read of them here, and what elfutils makes of the copies that it is
 * given.  Debian's elfutils is not instrumented; README.md says how one that is can be had. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "build_id.h"
#include "dwarf_types.h"
#include "elf_copy.h"
#include "elf_file.h"
#include "elf_symbols.h"
#include "elfutils.h"
#include "fuzz.h"
#include "value_make.h"
#include "value_text.h"
#include "value_walk.h"
#include "vmsnap.h"

static const char SEPARATOR[] = "\0DEBUGFILE"; /* and the NUL that ends it */
static const char DEBUG_NAME[] = "x.debug";    /* what the seeds link to */

/* A hole costs its owner nothing.  Within this one, whatever takes a step for each word
 * is slow, but not yet endless. */
enum { HOLE = 1024 * 1024, ARENA_MOST = 6 * 1024 * 1024, KEPT_MOST = 4 * 1024 * 1024, LOOK_AT = 32 };

/* ---- the input, as files ------------------------------------------------------ */

static char folder[PATH_MAX];
static struct elfutils elfutils;
static bool has_elfutils;
static int input = -1, root = -1;

static void leave(void)
{
	unlinkat(root, DEBUG_NAME, 0);
	rmdir(folder);
	elfutils_unload(&elfutils);
}

/* Once for all inputs, so that no descriptor opened here looks like one that was left. */
static void begin(void)
{
	if (input >= 0)
		return;
	has_elfutils = elfutils_load(&elfutils);
	if (!has_elfutils)
		fprintf(stderr, "no elfutils here: no symbols are read\n");
	const char *place = getenv("TMPDIR");
	int len = snprintf(folder, sizeof(folder), "%s/vmsnap-fuzz-XXXXXX", place && *place ? place : "/tmp");
	FUZZ_CHECK(len > 0 && (size_t)len < sizeof(folder) && mkdtemp(folder));
	root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	input = memfd_create("input", MFD_CLOEXEC);
	FUZZ_CHECK(root >= 0 && input >= 0 && atexit(leave) == 0);
}

static void fill(int fd, const uint8_t *data, size_t size, size_t hole)
{
	FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	FUZZ_CHECK(ftruncate(fd, (off_t)(size + hole)) == 0 && lseek(fd, 3, SEEK_SET) == 3);
}

static void place_debug_file(const uint8_t *data, size_t size)
{
	int fd = openat(root, DEBUG_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* A descriptor that is left open is the lowest that was free. */
static int lowest_free(void)
{
	int fd = dup(input);
	FUZZ_CHECK(fd >= 0 && close(fd) == 0);
	return fd;
}

static void check_unchanged(const uint8_t *data, size_t size, size_t hole)
{
	struct stat st;
	const uint8_t *map = mmap(NULL, size + 1, PROT_READ, MAP_SHARED, input, 0);
	FUZZ_CHECK(map != MAP_FAILED && fstat(input, &st) == 0 && (size_t)st.st_size == size + hole);
	FUZZ_CHECK(memcmp(map, data, size) == 0 && lseek(input, 0, SEEK_CUR) == 3);
	munmap((void *)(uintptr_t)map, size + 1);
}

/* ---- build IDs ------------------------------------------------------------------ */

typedef int build_id_reader(int fd, uint8_t *out, size_t room, size_t *len);

static void check_build_id(build_id_reader *reader, const uint8_t *data, size_t size)
{
	enum { ROOM = BUILD_ID_MAX + 16, UNTOUCHED = 0xa5 };
	uint8_t id[ROOM], again[ROOM];
	size_t len = 12345, len_again = 12345;
	memset(id, UNTOUCHED, sizeof(id));
	memset(again, UNTOUCHED, sizeof(again));
	int rc = reader(input, id, ROOM, &len);
	FUZZ_CHECK(rc == VMSNAP_OK || rc == VMSNAP_ERR_NOT_FOUND);
	FUZZ_CHECK(rc ? len == 12345 : len && len <= BUILD_ID_MAX);
	for (size_t i = rc ? 0 : len; i < ROOM; i++)
		FUZZ_CHECK(id[i] == UNTOUCHED);
	if (rc)
		return;
	/* What a hole adds to it are zeros. */
	size_t there = len;
	while (there && !id[there - 1])
		there--;
	FUZZ_CHECK(!there || memmem(data, size, id, there));
	FUZZ_CHECK(reader(input, again, len - 1, &len_again) == VMSNAP_ERR_NOT_FOUND && len_again == 12345);
	FUZZ_CHECK(reader(input, again, len, &len_again) == VMSNAP_OK && len_again == len);
	FUZZ_CHECK(memcmp(id, again, ROOM) == 0);
}

/* ---- headers -------------------------------------------------------------------- */

static void check_loads(const struct elf_file *elf)
{
	FUZZ_CHECK(elf->load_count && elf->load_count <= ELF_LOADS_MAX);
	for (size_t i = 0; i < elf->load_count; i++) {
		const struct elf_load *load = &elf->loads[i];
		uint64_t last = load->address + load->memory_size - 1;
		FUZZ_CHECK(load->memory_size && load->file_size <= load->memory_size && last >= load->address);
		FUZZ_CHECK(load->offset + load->file_size >= load->offset);
		FUZZ_CHECK(!i || load->index > elf->loads[i - 1].index);
		FUZZ_CHECK(elf_file_load(elf, load->address) && elf_file_load(elf, last));
	}
}

static void check_sections(const struct elf_file *elf, const struct arena *arena)
{
	uint64_t before = 0;
	for (size_t i = 0; i < elf->section_count; i++) {
		const struct elf_section *s = &elf->sections[i];
		uint64_t last = s->address + s->size - 1;
		FUZZ_CHECK(s->address >= before && s->size && last >= s->address);
		FUZZ_CHECK(strlen(s->name) <= arena->total);
		const struct elf_section *found = elf_file_section(elf, last);
		FUZZ_CHECK(!found || (last >= found->address && last - found->address < found->size));
		before = s->address;
	}
	FUZZ_CHECK(!elf->section_count || !elf_file_section(elf, elf->sections[0].address - 1) ||
	           !elf->sections[0].address);
}

static bool check_headers(struct arena *arena, struct elf_file *elf)
{
	int rc = elf_file_read(input, arena, elf);
	FUZZ_CHECK(rc == VMSNAP_OK || rc == VMSNAP_ERR_NOT_FOUND);
	FUZZ_CHECK(arena->total <= ARENA_MOST);
	if (rc)
		return false;
	check_loads(elf);
	check_sections(elf, arena);
	return true;
}

/* ---- the copy ------------------------------------------------------------------- */

static bool has_dynamic(int fd, const struct elf_header *header)
{
	struct elf_window window;
	struct elf_segment segment;
	bool found = false;
	elf_window_init(&window, fd);
	for (uint32_t i = 0; elf_segment_read(&window, header, i, &segment); i++)
		found |= segment.type == PT_DYNAMIC;
	return found;
}

/* Nothing is in it that was not in the file, but for the numbers that say "empty" and how
 * many there are at the most. */
static void check_copy(const uint8_t *data, size_t size, size_t hole)
{
	struct arena arena = { 0 };
	struct elf_file elf;
	const char *reason = NULL;
	struct stat st;
	int copy = elf_copy(input, &arena, &elf, &reason);
	FUZZ_CHECK((copy < 0) == (reason != NULL) && arena.total <= 3 * ARENA_MOST);
	if (copy >= 0) {
		FUZZ_CHECK(fstat(copy, &st) == 0 && (size_t)st.st_size <= size + hole);
		uint8_t *bytes = malloc(size + 1);
		FUZZ_CHECK(bytes && pread(copy, bytes, size, 0) == (ssize_t)size);
		for (size_t i = 0; i < size; i++)
			FUZZ_CHECK(bytes[i] == data[i] || bytes[i] == 0 || bytes[i] == SHT_NOBITS);
		free(bytes);
		check_loads(&elf);
		check_sections(&elf, &arena);
		FUZZ_CHECK(!elf.compressed_symbols && !elf.odd_symbols && !elf.mini_size);
		FUZZ_CHECK(!has_dynamic(copy, &elf.header));
		close(copy);
	}
	arena_free(&arena);
}

/* ---- symbols -------------------------------------------------------------------- */

static bool covers(const struct symbol *item, uint64_t address)
{
	return address >= item->start && address < item->end;
}

/* What symbols_at() promises, by looking at all of them. */
static void check_look_up(const struct symbols *s, uint64_t address)
{
	const struct symbol *found = symbols_at(s, address), *best = NULL;
	for (size_t i = 0; i < s->count; i++)
		if (covers(&s->items[i], address) &&
		    (!best || s->items[i].start > best->start || s->items[i].rank > best->rank))
			best = &s->items[i];
	FUZZ_CHECK(!best == !found);
	FUZZ_CHECK(!best || (found->start == best->start && found->rank == best->rank && covers(found, address)));
	size_t next = symbols_next(s, 0, address);
	FUZZ_CHECK(next <= s->count && (next == s->count || s->items[next].end > address));
	for (size_t i = 0; i < next; i++)
		FUZZ_CHECK(s->items[i].end <= address);
}

static void check_symbol(const struct elf_file *elf, const struct symbol *item)
{
	const struct elf_load *load = elf_file_load(elf, item->start);
	FUZZ_CHECK(item->start < item->end && load && item->end - 1 - load->address < load->memory_size);
	FUZZ_CHECK(!item->size || item->end - item->start <= item->size);
	FUZZ_CHECK(item->rank <= 2 && *item->name);
	FUZZ_CHECK(item->kind == VMSNAP_NAME_OBJECT || item->kind == VMSNAP_NAME_FUNCTION ||
	           item->kind == VMSNAP_NAME_OTHER_SYMBOL);
}

static void check_symbols(const struct elf_file *elf, const struct symbols *s)
{
	uint64_t sized_end = 0;
	size_t longest = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct symbol *item = &s->items[i], *next = i + 1 < s->count ? item + 1 : NULL;
		check_symbol(elf, item);
		FUZZ_CHECK(!next || next->start > item->start || (next->start == item->start && next->end < item->end));
		FUZZ_CHECK(item->size || (item->start >= sized_end && (!next || item->end <= next->start)));
		if (item->size && item->end > sized_end)
			sized_end = item->end;
		size_t len = strlen(item->name);
		longest = len > longest ? len : longest;
	}
	FUZZ_CHECK(longest <= s->names.total && symbols_bytes(s) <= KEPT_MOST);
	for (size_t i = 0; i < s->count && i < LOOK_AT; i++) {
		check_look_up(s, s->items[i].start);
		check_look_up(s, s->items[i].end - 1);
		check_look_up(s, s->items[i].end);
	}
}

static void read_symbols(const struct elf_file *elf)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct symbols_source source = { .elfutils = &elfutils,
		                         .fd = input,
		                         .root = root,
		                         .path = "/program",
		                         .elf = elf,
		                         .room = KEPT_MOST,
		                         .work = &work };
	struct symbols symbols;
	char reason[SYMBOLS_REASON_BYTES];
	memset(reason, 'x', sizeof(reason));
	int rc = symbols_read(&source, &symbols, reason);
	FUZZ_CHECK(rc == VMSNAP_OK || rc == VMSNAP_ERR_CORRUPT || rc == VMSNAP_ERR_TOO_LARGE);
	FUZZ_CHECK(memchr(reason, '\0', sizeof(reason)) && !rc == !*reason);
	if (!rc)
		check_symbols(elf, &symbols);
	symbols_free(&symbols);
}

/* ---- types ---------------------------------------------------------------------- */

/* Some bytes, of a variable of any size. */
static bool give_bytes(void *ctx, int side, uint64_t offset, void *to, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = (uint8_t)(side ? (offset + i) * 37 % 251 : (offset + i) % 7);
	return offset % 5 != 4;
}

static void check_leaf(void *ctx, const struct value_leaf *leaf)
{
	const struct value_walk *walk = ctx;
	FUZZ_CHECK(leaf->type && leaf->type->name && leaf->path == walk->path);
	FUZZ_CHECK(strlen(leaf->path) < VALUE_PATH_MAX && leaf->size && leaf->offset + leaf->size > leaf->offset);
	FUZZ_CHECK(leaf->offset < walk->end && leaf->offset + leaf->size > walk->start);
	struct arena strings = { 0 };
	struct work work = { .limit = KEPT_MOST };
	struct value_maker maker = { .strings = &strings, .work = &work };
	struct vmsnap_value value;
	uint8_t bytes[VALUE_LEAF_MAX];
	bool known = leaf->size <= sizeof(bytes);
	if (known)
		give_bytes(NULL, VALUE_AFTER, leaf->offset, bytes, (size_t)leaf->size);
	FUZZ_CHECK(value_make(&maker, leaf, known ? bytes : NULL, &value) == VMSNAP_OK);
	struct value_words words = value_words_of(&value);
	FUZZ_CHECK(words.len < sizeof(words.text) && words.text[words.len] == '\0');
	arena_free(&strings);
}

static void walk_type(const struct value_type *type, uint64_t start)
{
	enum { WINDOW = 256 };
	uint8_t bytes[VALUE_SIDES][WINDOW];
	uint64_t size = type->size ? type->size : 64;
	start = start < size ? start : 0;
	size_t len = size - start < WINDOW ? (size_t)(size - start) : WINDOW;
	for (int side = 0; side < VALUE_SIDES; side++)
		give_bytes(NULL, side, start, bytes[side], len);
	struct value_walk walk = { .type = type, .size = size, .read = give_bytes, .emit = check_leaf };
	walk.ctx = &walk;
	walk.start = start;
	walk.end = start + len;
	walk.bytes[0] = bytes[0];
	walk.bytes[1] = bytes[1];
	walk.steps = 2000;
	value_walk_window(&walk);
}

static void read_types(const struct elf_file *elf)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct dwarf_source source = {
		.fd = input, .root = root, .path = "/program", .elf = elf, .room = KEPT_MOST, .work = &work
	};
	struct dwarf_types *types = NULL;
	const char *reason = NULL;
	int rc = dwarf_types_read(&source, &types, &reason);
	FUZZ_CHECK(!rc == (types != NULL));
	FUZZ_CHECK(!rc || rc == VMSNAP_ERR_NOT_FOUND ||
	           ((rc == VMSNAP_ERR_TOO_LARGE || rc == VMSNAP_ERR_CORRUPT) && reason));
	for (size_t i = 0; !rc && i < types->count && i < LOOK_AT && !types->file.failed; i++) {
		const struct dwarf_variable *item = &types->items[i];
		FUZZ_CHECK(elf_file_load(elf, item->address) && (!i || item[-1].address < item->address));
		const struct dwarf_variable *found = dwarf_types_at(types, item->address);
		FUZZ_CHECK(found == item || types->file.failed);
		if (!found)
			continue;
		FUZZ_CHECK(found->known && strlen(found->type->name) <= 512 && strlen(found->name) <= 512);
		walk_type(found->type, 0);
		walk_type(found->type, found->type->size / 3);
		walk_type(found->type, found->type->size - 100);
	}
	dwarf_types_free(types);
}

/* ---- what a debugger asks ------------------------------------------------------- */

static bool check_own_symbol(void *ctx, const struct vmsnap_elf_symbol *symbol)
{
	enum { TOLD_MOST = 1000, NAME_MOST = 200 };
	FUZZ_CHECK(++*(size_t *)ctx <= TOLD_MOST);
	size_t len = strlen(symbol->name);
	FUZZ_CHECK(len && len <= NAME_MOST && symbol->size && symbol->value + symbol->size >= symbol->size);
	return true;
}

static void check_own_symbols(void)
{
	char path[sizeof("/proc/self/fd/-2147483648")];
	struct vmsnap_elf_tls tls = { .size = sizeof(tls) };
	size_t told = 0;
	uint64_t offset = 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", input);
	int rc = vmsnap_elf_thread_locals(path, &tls, check_own_symbol, &told, NULL);
	FUZZ_CHECK(rc == VMSNAP_OK || (rc == VMSNAP_ERR_NOT_FOUND && !told));
	rc = vmsnap_elf_symbol_offset(path, "main", &offset, NULL);
	FUZZ_CHECK(rc == VMSNAP_OK || (rc == VMSNAP_ERR_NOT_FOUND && !offset));
}

/* ---- all of it ------------------------------------------------------------------ */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct elf_file elf;
	begin();
	const uint8_t *other = size ? memmem(data, size, SEPARATOR, sizeof(SEPARATOR)) : NULL;
	if (other) {
		const uint8_t *debug = other + sizeof(SEPARATOR);
		place_debug_file(debug, size - (size_t)(debug - data));
		size = (size_t)(other - data);
	}
	size_t hole = fuzz_hash(data, size) % 4 ? 0 : HOLE;
	fill(input, data, size, hole);
	int lowest = lowest_free();
	check_build_id(build_id_of_file, data, size);
	check_build_id(build_id_of_sections, data, size);
	check_copy(data, size, hole);
	check_own_symbols();
	bool is_elf = check_headers(&arena, &elf);
	if (is_elf && has_elfutils)
		read_symbols(&elf);
	if (is_elf)
		read_types(&elf);
	arena_free(&arena);
	FUZZ_CHECK(lowest_free() == lowest);
	check_unchanged(data, size, hole);
	if (other)
		unlinkat(root, DEBUG_NAME, 0);
	return 0;
}
