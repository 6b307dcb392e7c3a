/* The build ID of hand-made ELF files: both classes, both byte orders, hostile ones. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "build_id.h"
#include "vmsnap.h"

enum { FILE_BYTES = 16384, PHDRS = 2 };
static const uint8_t ID[20] = { 0xde, 0xad, 0xbe, 0xef, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };

struct image {
	uint8_t bytes[FILE_BYTES];
	bool is_64, big;
};

static void put(struct image *im, size_t at, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		im->bytes[at + (im->big ? len - 1 - i : i)] = (uint8_t)(value >> 8 * i);
}

#define PUT(im, at, record, field, value)                                                                              \
	((im)->is_64 ? put(im, (at) + offsetof(Elf64_##record, field), value, sizeof(((Elf64_##record *)0)->field))    \
	             : put(im, (at) + offsetof(Elf32_##record, field), (value)&0xffffffff,                             \
	                   sizeof(((Elf32_##record *)0)->field)))

static size_t phdr_at(const struct image *im, size_t index)
{
	return im->is_64 ? sizeof(Elf64_Ehdr) + index * sizeof(Elf64_Phdr)
	                 : sizeof(Elf32_Ehdr) + index * sizeof(Elf32_Phdr);
}

static void put_segment(struct image *im, size_t index, uint32_t type, uint64_t offset, uint64_t size, uint64_t align)
{
	size_t at = phdr_at(im, index);
	PUT(im, at, Phdr, p_type, type);
	PUT(im, at, Phdr, p_offset, offset);
	PUT(im, at, Phdr, p_filesz, size);
	PUT(im, at, Phdr, p_align, align);
}

static size_t put_note(struct image *im, size_t at, uint32_t type, const char *name, const void *desc, uint32_t len)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1;
	put(im, at, name_len, 4);
	put(im, at + 4, len, 4);
	put(im, at + 8, type, 4);
	memcpy(im->bytes + at + 12, name, name_len);
	size_t start = at + 12 + (name_len + 3) / 4 * 4;
	if (desc)
		memcpy(im->bytes + start, desc, len);
	return start + (len + 3) / 4 * 4;
}

/* An ELF file whose second program header is a PT_NOTE at `note`, size `size`. */
static void image_init(struct image *im, bool is_64, bool big, uint64_t note, uint64_t size)
{
	memset(im, 0, sizeof(*im));
	im->is_64 = is_64;
	im->big = big;
	memcpy(im->bytes, ELFMAG, SELFMAG);
	im->bytes[EI_CLASS] = is_64 ? ELFCLASS64 : ELFCLASS32;
	im->bytes[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	PUT(im, 0, Ehdr, e_type, ET_DYN);
	PUT(im, 0, Ehdr, e_phoff, phdr_at(im, 0));
	PUT(im, 0, Ehdr, e_phentsize, phdr_at(im, 1) - phdr_at(im, 0));
	PUT(im, 0, Ehdr, e_phnum, PHDRS);
	put_segment(im, 0, PT_LOAD, 0, FILE_BYTES, 4096);
	put_segment(im, 1, PT_NOTE, note, size, 4);
}

static int id_of(const struct image *im, size_t file_len, uint8_t *id, size_t room, size_t *len)
{
	int fd = memfd_create("image", 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, im->bytes, file_len), (ssize_t)file_len);
	int rc = build_id_of_file(fd, id, room, len);
	close(fd);
	return rc;
}

static void expect_id(const struct image *im)
{
	uint8_t id[BUILD_ID_MAX];
	size_t len = 0;
	assert_int_equal(id_of(im, FILE_BYTES, id, sizeof(id), &len), VMSNAP_OK);
	assert_int_equal(len, sizeof(ID));
	assert_memory_equal(id, ID, sizeof(ID));
}

static void expect_none(const struct image *im, size_t file_len)
{
	uint8_t id[BUILD_ID_MAX] = { 0 };
	size_t len = 77;
	assert_int_equal(id_of(im, file_len, id, sizeof(id), &len), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(len, 77);
}

static void build_id_is_found_in_either_class_and_byte_order(void **state)
{
	(void)state;
	struct image im;
	for (int kind = 0; kind < 4; kind++) {
		image_init(&im, kind & 1, kind & 2, 0x400, 0x200);
		size_t next = put_note(&im, 0x400, NT_GNU_ABI_TAG, "GNU", "0123456789abcdef", 16);
		next = put_note(&im, next, NT_GNU_BUILD_ID, "Go", "not this one", 12);
		put_note(&im, next, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
		expect_id(&im);
	}
}

static void build_id_is_found_far_into_the_file(void **state)
{
	(void)state;
	struct image im;
	image_init(&im, true, false, 4096 - 16 - 8, 0x200); /* across a window's end */
	put_note(&im, 4096 - 16 - 8, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
	expect_id(&im);
	image_init(&im, true, false, FILE_BYTES - 36, 36);
	put_note(&im, FILE_BYTES - 36, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
	expect_id(&im);
}

static void build_id_follows_a_property_note_aligned_to_eight(void **state)
{
	(void)state;
	struct image im;
	image_init(&im, true, false, 0x400, 0x200);
	put_segment(&im, 1, PT_NOTE, 0x400, 0x200, 8);
	put_note(&im, 0x400, 5, "GNU", "0123456789ab", 12); /* 28 bytes, so the next is at 32 */
	put_note(&im, 0x400 + 32, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
	expect_id(&im);
}

static void build_id_is_not_found_where_there_is_none(void **state)
{
	(void)state;
	struct image im;
	image_init(&im, true, false, 0x400, 0x200);
	expect_none(&im, FILE_BYTES); /* empty notes */
	put_note(&im, 0x400, NT_GNU_ABI_TAG, "GNU", "0123456789abcdef", 16);
	expect_none(&im, FILE_BYTES);
	expect_none(&im, 0);
	expect_none(&im, 20); /* the header ends too early */
	memcpy(im.bytes, "#!/bin/sh\n", 10);
	expect_none(&im, FILE_BYTES);
}

static void build_id_of_a_truncated_file_is_not_found(void **state)
{
	(void)state;
	struct image im;
	image_init(&im, true, false, 0x400, 36);
	put_note(&im, 0x400, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
	expect_id(&im);
	for (size_t len = 0; len < 0x400 + 36; len += 3)
		expect_none(&im, len);
}

static void build_id_does_not_leave_its_segment(void **state)
{
	(void)state;
	struct image im;
	image_init(&im, true, false, 0x400, 35);
	put_note(&im, 0x400, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
	expect_none(&im, FILE_BYTES);
}

static void build_id_survives_hostile_lengths(void **state)
{
	(void)state;
	static const uint64_t bad[] = { 0,          1,         0x7fffffff,       0x80000000, 0xfffffff0,
		                        0xffffffff, INT64_MAX, UINT64_MAX - 100, UINT64_MAX };
	struct image im;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		image_init(&im, true, false, bad[i], 0x200);
		expect_none(&im, FILE_BYTES);
		image_init(&im, true, false, 0x400, bad[i]); /* empty notes up to the end of the file */
		expect_none(&im, FILE_BYTES);
		image_init(&im, true, false, 0x400, 0x200);
		put(&im, 0x400, bad[i], 4);
		put(&im, 0x408, NT_GNU_BUILD_ID, 4);
		expect_none(&im, FILE_BYTES);
		image_init(&im, true, false, 0x400, 0x200);
		put_note(&im, 0x400, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
		if ((uint32_t)bad[i] != 1) { /* a build ID of one byte is odd, but one */
			put(&im, 0x404, bad[i], 4);
			expect_none(&im, FILE_BYTES);
		}
		PUT(&im, 0, Ehdr, e_phoff, bad[i]);
		expect_none(&im, FILE_BYTES);
	}
}

static void build_id_longer_than_the_room_is_not_cut(void **state)
{
	(void)state;
	struct image im;
	uint8_t id[8];
	size_t len = 77;
	image_init(&im, true, false, 0x400, 0x200);
	put_note(&im, 0x400, NT_GNU_BUILD_ID, "GNU", ID, sizeof(ID));
	assert_int_equal(id_of(&im, FILE_BYTES, id, sizeof(id), &len), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(len, 77);
}

static void build_id_reports_an_unreadable_file(void **state)
{
	(void)state;
	uint8_t id[BUILD_ID_MAX];
	size_t len = 77;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(build_id_of_file(ends[0], id, sizeof(id), &len), VMSNAP_ERR_SYSTEM);
	assert_int_equal(errno, ESPIPE);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(len, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(build_id_is_found_in_either_class_and_byte_order),
		cmocka_unit_test(build_id_is_found_far_into_the_file),
		cmocka_unit_test(build_id_follows_a_property_note_aligned_to_eight),
		cmocka_unit_test(build_id_is_not_found_where_there_is_none),
		cmocka_unit_test(build_id_of_a_truncated_file_is_not_found),
		cmocka_unit_test(build_id_does_not_leave_its_segment),
		cmocka_unit_test(build_id_survives_hostile_lengths),
		cmocka_unit_test(build_id_longer_than_the_room_is_not_cut),
		cmocka_unit_test(build_id_reports_an_unreadable_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
