/* Contents as nobody would write them: files with right checksums that say too much, or what cannot be, and
 * calls with arguments at the edge. */
#define _GNU_SOURCE
#include "test_file_much.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store.h"

enum { PAGE = 4096, LARGE = 64 * 1024, MIB = 1 << 20 };
#define START UINT64_C(0x10000000)

/* ---- files that are made -------------------------------------------------------- */

static void begin_snapshot(struct made *made, bool large)
{
	made->start = made->bytes.len;
	made->sections = made->crc = 0;
	/* Page size 4096, or 65536. */
	add_plain(made, SECTION_SNAP, large ? "\x01\x03\x00\x00\x01\x0e\x01\x01" : "\x01\x02\x00\x10\x0e\x01\x01",
	          large ? 8 : 7);
	add_plain(made, SECTION_STAT, "", 0);
	add_no_vmas(made);
}

/* Not required, as all that tells of contents. */
static uint64_t add_optional(struct made *made, uint32_t type, const void *payload, size_t len)
{
	uLongf stored = compressBound((uLong)len);
	uint8_t *bytes = malloc(stored);
	assert_non_null(bytes);
	assert_int_equal(compress2(bytes, &stored, payload, (uLong)len, 9), Z_OK);
	struct section section = { .type = type, .flags = SECTION_DEFLATED, .stored = stored, .raw = len };
	uint64_t offset = add_section(made, section, bytes);
	free(bytes);
	return offset;
}

/* Columns of HASH; of runs so many, which are all alike: a page after a gap, all own and the first one. */
struct saying {
	uint64_t kind, runs, gap, length;
	struct bytes hashes;
};

static void put_same(struct bytes *bytes, uint64_t value, uint64_t count)
{
	uint64_t *values = malloc((count + 1) * sizeof(*values));
	assert_non_null(values);
	for (uint64_t i = 0; i < count; i++)
		values[i] = value;
	put_numbers(bytes, values, count);
	free(values);
}

static uint64_t add_hash(struct made *made, const struct saying *saying)
{
	struct bytes bytes = { 0 };
	put_varint(&bytes, 1);
	put_varint(&bytes, saying->kind);
	put_column(&bytes, saying->hashes.data ? saying->hashes.data : (const uint8_t *)"", saying->hashes.len);
	put_varint(&bytes, 0); /* depth */
	put_varint(&bytes, 0); /* origins */
	put_column(&bytes, "", 0);
	put_varint(&bytes, saying->runs);
	put_same(&bytes, saying->gap, saying->runs);
	put_same(&bytes, saying->length - 1, saying->runs);
	put_same(&bytes, 1, saying->runs); /* origin: own */
	/* first: each begins where the one before did */
	uint64_t *firsts = calloc(saying->runs + 1, sizeof(*firsts));
	assert_non_null(firsts);
	for (uint64_t i = 1; i < saying->runs; i++)
		firsts[i] = 2 * saying->length - 1;
	put_numbers(&bytes, firsts, saying->runs);
	free(firsts);
	put_column(&bytes, "", 0); /* links */
	put_column(&bytes, "", 0);
	put_column(&bytes, "", 0);
	uint64_t offset = add_optional(made, SECTION_HASH, bytes.data, bytes.len);
	bytes_free(&bytes);
	return offset;
}

static void put_hash_of(struct bytes *hashes, const void *page, size_t len)
{
	uint8_t canonical[VMSNAP_CONTENTS_HASH_SIZE];
	struct page_hash hash = page_hash_of(page, len);
	page_hash_canonical(&hash, canonical);
	put_bytes(hashes, canonical, sizeof(canonical));
}

static int fd_of(const struct made *made)
{
	int fd = memfd_create("contents", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, made->bytes.data, made->bytes.len), made->bytes.len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* The descriptor has to stay. */
struct opened {
	struct vmsnap_file *file;
	int fd;
};

static struct opened open_made(struct made *made, uint64_t memory)
{
	struct vmsnap_limits limits = { .size = sizeof(limits), .memory = memory };
	struct opened opened = { .fd = fd_of(made) };
	assert_int_equal(vmsnap_file_open_fd(opened.fd, &limits, &opened.file, NULL), VMSNAP_OK);
	bytes_free(&made->bytes);
	return opened;
}

static void close_opened(struct opened *opened)
{
	vmsnap_file_close(opened->file);
	close(opened->fd);
}

/* ---- what they say ----------------------------------------------------------------- */

static void a_hash_of_another_size_is_no_page(void **state)
{
	(void)state;
	static uint8_t pages[LARGE], found[LARGE];
	struct made made;
	struct saying saying = { .kind = VMSNAP_CONTENTS_BYTES, .runs = 1, .gap = START / PAGE, .length = 1 };
	memset(pages, 'x', sizeof(pages));
	put_hash_of(&saying.hashes, pages, PAGE);
	begin_made(&made);
	begin_snapshot(&made, false);
	add_hash(&made, &saying);
	add_optional(&made, SECTION_CONT, pages, PAGE);
	end_made(&made);
	/* The same hash, but of 64 KiB. */
	saying.gap = START / LARGE;
	begin_snapshot(&made, true);
	add_hash(&made, &saying);
	add_optional(&made, SECTION_CONT, pages, LARGE);
	end_made(&made);
	bytes_free(&saying.hashes);
	struct opened opened = open_made(&made, 0);
	struct vmsnap *small, *large;
	size_t got;
	assert_int_equal(vmsnap_file_load(opened.file, 0, &small, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_load(opened.file, 1, &large, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_contents_read(small, START, found, PAGE, &got, NULL), VMSNAP_OK);
	assert_memory_equal(found, pages, PAGE);
	assert_int_equal(vmsnap_contents_read(large, START, found, LARGE, &got, NULL), VMSNAP_ERR_CORRUPT);
	vmsnap_unref(small);
	vmsnap_unref(large);
	close_opened(&opened);
}

static void bytes_that_no_hash_tells_of_are_damage(void **state)
{
	(void)state;
	static const uint8_t page[PAGE];
	struct made made;
	begin_made(&made);
	begin_snapshot(&made, false);
	uint64_t at = add_optional(&made, SECTION_CONT, page, PAGE);
	assert_made(&made, VMSNAP_ERR_CORRUPT, at);
	struct saying saying = { .kind = VMSNAP_CONTENTS_HASHES, .runs = 1, .gap = 1, .length = 1 };
	put_hash_of(&saying.hashes, page, PAGE);
	begin_made(&made);
	begin_snapshot(&made, false);
	at = add_hash(&made, &saying);
	add_optional(&made, SECTION_CONT, page, PAGE);
	assert_made(&made, VMSNAP_ERR_CORRUPT, at);
	bytes_free(&saying.hashes);
}

static int load_saying(const struct saying *saying, uint64_t memory)
{
	struct vmsnap_error err = { 0 };
	struct made made;
	begin_made(&made);
	begin_snapshot(&made, false);
	add_hash(&made, saying);
	int rc = load_made(&made, memory, &err);
	assert_true(!rc == !err.message[0]);
	assert_int_equal(err.code, rc);
	return rc;
}

static void a_few_bytes_that_say_much_are_held_to_the_limit(void **state)
{
	(void)state;
	struct saying saying = { .kind = VMSNAP_CONTENTS_HASHES, .gap = 1, .length = 1, .runs = 100 * 1000 };
	static const uint8_t page[PAGE];
	put_hash_of(&saying.hashes, page, PAGE);
	assert_int_equal(load_saying(&saying, 64 * MIB), VMSNAP_OK);
	assert_int_equal(load_saying(&saying, 8 * MIB), VMSNAP_ERR_TOO_LARGE);
	/* A page that is there is not 2^40 of them. */
	saying.runs = 1;
	saying.length = UINT64_C(1) << 40;
	assert_int_equal(load_saying(&saying, 64 * MIB), VMSNAP_ERR_CORRUPT);
	saying.length = UINT64_C(1) << 60;
	assert_int_equal(load_saying(&saying, 64 * MIB), VMSNAP_ERR_CORRUPT);
	bytes_free(&saying.hashes);
}

/* What is known of one snapshot's pages stays for those that refer to it. */
static void the_limit_holds_for_all_tables_together(void **state)
{
	(void)state;
	enum { SNAPS = 40, OWN = 64 * 1024, TABLE = OWN * VMSNAP_CONTENTS_HASH_SIZE, LIMIT = 16 * MIB };
	struct made made;
	struct saying saying = { .kind = VMSNAP_CONTENTS_HASHES };
	put_repeated(&saying.hashes, 0, TABLE);
	begin_made(&made);
	for (unsigned i = 0; i < SNAPS; i++) {
		begin_snapshot(&made, false);
		add_hash(&made, &saying);
		end_made(&made);
	}
	bytes_free(&saying.hashes);
	struct opened opened = open_made(&made, LIMIT);
	struct vmsnap_error err;
	size_t loaded = 0;
	for (size_t i = 0; i < SNAPS; i++) {
		struct vmsnap *snap;
		int rc = vmsnap_file_load(opened.file, i, &snap, &err);
		assert_true(rc == VMSNAP_OK || rc == VMSNAP_ERR_TOO_LARGE);
		if (rc)
			continue;
		loaded++;
		vmsnap_unref(snap);
	}
	assert_true(loaded > 0 && loaded * TABLE <= LIMIT);
	close_opened(&opened);
}

/* ---- calls ---------------------------------------------------------------------------- */

static struct vmsnap_builder *builder_of(uint64_t page_size)
{
	struct vmsnap_info info = { .pid = 7, .tgid = 7, .page_size = page_size };
	struct vmsnap_builder *builder;
	assert_int_equal(vmsnap_builder_new(&info, &builder, NULL), VMSNAP_OK);
	return builder;
}

static void pages_that_no_file_can_hold_are_refused(void **state)
{
	(void)state;
	uint64_t size = 2 * LARGE;
	struct vmsnap_builder *builder = builder_of(size);
	uint8_t *page = calloc(1, size);
	assert_non_null(page);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, START, page, size, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_builder_free(builder);
	builder = builder_of(LARGE);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, START, page, LARGE, NULL), VMSNAP_OK);
	/* The highest page ends at 2^64: no mapping does. */
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, 0 - (uint64_t)LARGE, page, LARGE, NULL),
	                 VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, START + LARGE, page, 0, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, START + LARGE, NULL, LARGE, NULL),
	                 VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_builder_add_contents(builder, NULL, 0 - (uint64_t)LARGE, page, SIZE_MAX, NULL),
	                 VMSNAP_ERR_ARGUMENT);
	vmsnap_builder_free(builder);
	free(page);
}

static struct vmsnap *one_page(struct vmsnap_store *store)
{
	static uint8_t page[PAGE];
	struct vmsnap *snap;
	struct vmsnap_builder *builder = builder_of(PAGE);
	memset(page, 'x', sizeof(page));
	assert_int_equal(vmsnap_builder_add_contents(builder, store, START, page, PAGE, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_builder_finish(builder, &snap, NULL), VMSNAP_OK);
	vmsnap_builder_free(builder);
	return snap;
}

static void reading_at_the_edges(void **state)
{
	(void)state;
	struct vmsnap *snap = one_page(NULL);
	uint8_t found[PAGE];
	size_t got = 1;
	assert_int_equal(vmsnap_contents_read(snap, UINT64_MAX, found, 1, &got, NULL), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(got, 0);
	assert_int_equal(vmsnap_contents_read(snap, UINT64_MAX, found, SIZE_MAX, &got, NULL), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_contents_read(snap, 0, found, SIZE_MAX, &got, NULL), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_contents_read(snap, START + PAGE - 1, found, SIZE_MAX, &got, NULL), VMSNAP_OK);
	assert_int_equal(got, 1);
	assert_int_equal(vmsnap_contents_read(snap, START, NULL, 0, &got, NULL), VMSNAP_OK);
	assert_int_equal(got, 0);
	assert_int_equal(vmsnap_contents_read(snap, START, NULL, 1, &got, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_contents_read(snap, START, found, 1, NULL, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_contents_read(NULL, START, found, 1, &got, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_store_spool(NULL, "/tmp", NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(snap);
}

/* ---- faults and threads ------------------------------------------------------------------ */

static struct opened open_saved(void)
{
	struct vmsnap *snap = one_page(NULL);
	struct opened opened;
	const struct vmsnap *snaps[] = { snap, snap };
	int fd = opened.fd = memfd_create("contents", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(vmsnap_write_fd(fd, snaps, 2, NULL), VMSNAP_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(vmsnap_file_open_fd(fd, NULL, &opened.file, NULL), VMSNAP_OK);
	vmsnap_unref(snap);
	return opened;
}

static void a_file_that_could_not_be_kept_open_is_the_next_time(void **state)
{
	(void)state;
	struct opened opened = open_saved();
	struct rlimit before, none;
	struct vmsnap *snap;
	uint8_t found[PAGE];
	size_t got;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int rc = vmsnap_file_load(opened.file, 0, &snap, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, VMSNAP_ERR_SYSTEM);
	assert_int_equal(vmsnap_file_load(opened.file, 0, &snap, NULL), VMSNAP_OK);
	close_opened(&opened);
	assert_int_equal(vmsnap_contents_read(snap, START, found, PAGE, &got, NULL), VMSNAP_OK);
	assert_int_equal(got, PAGE);
	vmsnap_unref(snap);
}

struct reader {
	struct vmsnap_file *file;
	size_t index;
	bool right;
};

static void *load_and_read(void *context)
{
	struct reader *reader = context;
	reader->right = true;
	for (unsigned i = 0; i < 50; i++) {
		struct vmsnap *snap;
		uint8_t found[PAGE];
		size_t got = 0;
		if (vmsnap_file_load(reader->file, reader->index, &snap, NULL)) {
			reader->right = false;
			break;
		}
		reader->right &=
		        !vmsnap_contents_read(snap, START, found, PAGE, &got, NULL) && got == PAGE && found[i] == 'x';
		vmsnap_unref(snap);
	}
	return NULL;
}

static void two_threads_read_one_file(void **state)
{
	(void)state;
	struct opened opened = open_saved();
	struct reader readers[] = { { .file = opened.file, .index = 0 }, { .file = opened.file, .index = 1 } };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, load_and_read, &readers[0]), 0);
	load_and_read(&readers[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(readers[0].right && readers[1].right);
	close_opened(&opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_of_another_size_is_no_page),
		cmocka_unit_test(bytes_that_no_hash_tells_of_are_damage),
		cmocka_unit_test(a_few_bytes_that_say_much_are_held_to_the_limit),
		cmocka_unit_test(the_limit_holds_for_all_tables_together),
		cmocka_unit_test(pages_that_no_file_can_hold_are_refused),
		cmocka_unit_test(reading_at_the_edges),
		cmocka_unit_test(a_file_that_could_not_be_kept_open_is_the_next_time),
		cmocka_unit_test(two_threads_read_one_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
