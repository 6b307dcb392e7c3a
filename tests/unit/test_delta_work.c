/* How much there is to do to load a snapshot that is stored as a difference, counted in the file: never more than three
 * times what there is to do for one that is stored whole. */
#include "test_file_folder.h"

#include "builder.h"
#include "file_deflate.h"
#include "file_delta_work.h"
#include "section.h"

enum { HEAP_PAGES = 12000, COUNT = 150 };
static const uint64_t HEAP = 0x10000000;
static bool there[HEAP_PAGES];

/* ---- processes ----------------------------------------------------------------------------- */

struct kind {
	const char *name;
	/* What the next one has more: of a process that was seen so often. */
	void (*change)(size_t number);
	size_t mappings, new_mappings, status_lines;
	size_t chains_most; /* so many whole ones there may be */
};

static void nothing_changes(size_t number)
{
	(void)number;
}

/* Each other page of the first 8,000, of which 80 come or go. */
static void scattered(size_t number)
{
	for (size_t i = 0; !number && i < 8000; i += 2)
		there[i] = true;
	for (size_t i = 0; number && i < 80; i++) {
		size_t page = sample_random(8000);
		there[page] = !there[page];
	}
}

static void grows_here_and_there(size_t number)
{
	(void)number;
	for (size_t i = 0; i < 60; i++)
		there[sample_random(HEAP_PAGES)] = true;
}

static void grows_at_the_end(size_t number)
{
	for (size_t i = number * 80; i < number * 80 + 80; i++)
		there[i] = true;
}

static void shrinks(size_t number)
{
	for (size_t i = 0; i < HEAP_PAGES; i++)
		there[i] = i % 2 && i >= number * 80;
}

/* Another tenth of it each time. */
static void is_another(size_t number)
{
	for (size_t i = 0; i < 1200; i++)
		there[number % 10 * 1200 + i] = (i + number) % 3;
}

static const struct kind kinds[] = {
	{ "many mappings", nothing_changes, 1500, 4, 10, 12 },
	{ "scattered pages", scattered, 5, 0, 10, 12 },
	{ "grows here and there", grows_here_and_there, 5, 0, 10, 9 },
	{ "grows at the end", grows_at_the_end, 5, 0, 10, 6 },
	{ "shrinks", shrinks, 5, 0, 10, 15 },
	{ "is another each time", is_another, 5, 0, 10, 30 },
	{ "many lines of status", nothing_changes, 5, 0, 1000, 20 },
	{ "a small one", nothing_changes, 5, 0, 10, 40 },
};

static void set_status(struct vmsnap *made, const struct kind *kind, size_t number)
{
	enum { LINE = 40 };
	size_t len = 0;
	char *status = arena_alloc(&made->strings, (kind->status_lines + 1) * LINE);
	assert_non_null(status);
	len += (size_t)sprintf(status, "Name:\tsleep\n");
	for (size_t i = 0; i < kind->status_lines; i++)
		len += (size_t)sprintf(status + len, "Line%zu:\t%8zu kB\n", i, i % 7 ? i * i : i * i + number);
	made->status = status;
	made->status_len = len;
}

/* Near no other. */
static uint64_t frame_of(size_t page)
{
	uint64_t frame = (page + 1) * UINT64_C(0x9e3779b97f4a7c15);
	frame = (frame ^ frame >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return (frame >> 20) % 1000003 + 1;
}

static struct vmsnap *make(const struct kind *kind, size_t number)
{
	struct vmsnap *made = sample_empty(4096, "work");
	made->info.taken += (int64_t)number * 1000000007;
	made->info.monotonic += (int64_t)number * 1000000009;
	set_status(made, kind, number);
	sample_add_vma(made, HEAP, HEAP + HEAP_PAGES * UINT64_C(4096), "[heap]");
	/* As the kernel puts them: each new one below those before. */
	size_t mappings = kind->mappings + number * kind->new_mappings;
	for (size_t i = 0; i < mappings; i++) {
		uint64_t start = UINT64_C(0x7f0000000000) - (mappings - i) * 8192;
		struct vmsnap_vma *vma = sample_add_vma(made, start, start + 8192, "/dev/zero (deleted)");
		vma->inode = frame_of(mappings - i);
		vma->dev_minor = 1;
		vma->deleted = true;
		vma->perms = VMSNAP_PERM_READ | VMSNAP_PERM_SHARED | (i % 2 ? VMSNAP_PERM_WRITE : 0);
	}
	kind->change(number);
	for (size_t i = 0; i < HEAP_PAGES; i++)
		if (there[i])
			sample_add_run(made, HEAP + i * 4096, 1, PRESENT | FLAG(EXCLUSIVE) | frame_of(i));
	return made;
}

/* ---- what is in a file ------------------------------------------------------------------------ */

struct stored {
	uint64_t offset, inflated, work; /* work: but for what it hangs on */
	size_t base;                     /* SIZE_MAX: whole */
};

static struct bytes read_all(const char *from)
{
	struct bytes all = { 0 };
	FILE *file = fopen(from, "re");
	assert_non_null(file);
	size_t len = (size_t)size_of(from);
	assert_non_null(bytes_reserve(&all, len));
	all.len = fread(all.data, 1, len, file);
	fclose(file);
	assert_int_equal(all.len, len);
	return all;
}

static void take_delta(const uint8_t *at, const struct section *section, const struct stored *before, size_t count,
                       struct stored *out)
{
	struct work alone = { .limit = WORK_UNLIMITED };
	struct bytes raw = { 0 };
	struct delta delta;
	assert_non_null(bytes_reserve(&raw, section->raw + 1));
	if (section->flags & SECTION_DEFLATED)
		assert_int_equal(inflate_payload(at, section->stored, raw.data, section->raw, &alone), VMSNAP_OK);
	else
		memcpy(raw.data, at, section->raw);
	assert_true(delta_take(cursor_of(raw.data, section->raw), &delta));
	out->work = delta_work_link(delta, section->raw);
	for (out->base = 0; before[out->base].offset != out->offset - delta.distance;)
		assert_true(++out->base < count);
	bytes_free(&raw);
}

static void look_at(const char *file, struct stored *stored)
{
	struct bytes all = read_all(file);
	size_t count = 0;
	for (size_t at = STREAM_HEADER_BYTES; at < all.len;) {
		struct section section;
		assert_true(section_read(all.data + at, &section));
		if (section.type == SECTION_SNAP)
			stored[count++] = (struct stored){ .offset = at, .base = SIZE_MAX };
		struct stored *one = &stored[count - 1];
		if (section.type != SECTION_END)
			one->inflated += section.raw;
		if (section.type == SECTION_DELT)
			take_delta(all.data + at + SECTION_HEADER_BYTES, &section, stored, count - 1, one);
		at += SECTION_HEADER_BYTES + section.stored;
	}
	assert_int_equal(count, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		if (stored[i].base == SIZE_MAX)
			stored[i].work = delta_work_whole(stored[i].inflated, 0);
	bytes_free(&all);
}

/* ---- what there is to do ------------------------------------------------------------------------- */

static void write_with(struct vmsnap *const *snaps, unsigned flags, bool in_parts)
{
	unlink(path);
	for (size_t i = 0, each = in_parts ? COUNT / 10 : COUNT; i < COUNT; i += each)
		assert_int_equal(vmsnap_save(path, (const struct vmsnap *const *)&snaps[i], each,
		                             flags | VMSNAP_SAVE_APPEND, NULL),
		                 VMSNAP_OK);
}

static void assert_quick(const struct kind *kind, const struct stored *deltas, const struct stored *whole)
{
	size_t chains = 0;
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t inflated = 0, work = 0;
		for (size_t at = i; at != SIZE_MAX; at = deltas[at].base) {
			inflated += deltas[at].inflated;
			work += deltas[at].work;
		}
		chains += deltas[i].base == SIZE_MAX;
		if (inflated > 3 * whole[i].inflated || work > 3 * whole[i].work)
			fail_msg("%s, %zu: %zu bytes are inflated of %zu; work of %zu for %zu", kind->name, i,
			         (size_t)inflated, (size_t)whole[i].inflated, (size_t)work, (size_t)whole[i].work);
	}
	/* And not by storing each of them whole. */
	if (chains > kind->chains_most)
		fail_msg("%s: %zu of %d are whole", kind->name, chains, COUNT);
}

static void look_at_kind(const struct kind *kind)
{
	static struct vmsnap *snaps[COUNT];
	static struct stored deltas[COUNT], whole[COUNT];
	memset(there, 0, sizeof(there));
	for (size_t i = 0; i < COUNT; i++)
		snaps[i] = make(kind, i);
	write_with(snaps, 0, false);
	look_at(path, whole);
	write_with(snaps, VMSNAP_SAVE_DELTA, false);
	look_at(path, deltas);
	assert_quick(kind, deltas, whole);
	/* Who adds to a file knows as much of it as who wrote it. */
	off_t size = size_of(path);
	write_with(snaps, VMSNAP_SAVE_DELTA, true);
	assert_int_equal(size_of(path), size);
	for (size_t i = 0; i < COUNT; i++)
		vmsnap_unref(snaps[i]);
}

static void no_kind_of_process_takes_three_times_as_long(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		look_at_kind(&kinds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { in_folder(no_kind_of_process_takes_three_times_as_long) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
