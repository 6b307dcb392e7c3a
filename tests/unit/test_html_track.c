/* Tracks of the report: what is written of random states is what they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "track.h"

enum { PAGES = 64, INSTANTS = 12 };

struct world {
	uint8_t value[INSTANTS][PAGES];
	uint64_t frame[INSTANTS][PAGES];
	bool there[INSTANTS];
};

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

/* Pages stay as they were, mostly; their number is also their page. */
static void make_world(struct world *world, unsigned seed)
{
	for (int k = 0; k < INSTANTS; k++) {
		world->there[k] = next_random(&seed) % 4;
		for (int page = 0; page < PAGES; page++) {
			bool same = k && next_random(&seed) % 3;
			uint8_t value = same ? world->value[k - 1][page] : (uint8_t)(next_random(&seed) % 4);
			uint64_t frame = same ? world->frame[k - 1][page] : 100 + next_random(&seed) % 50;
			world->value[k][page] = value;
			world->frame[k][page] = value ? frame : 0;
		}
	}
}

static void add_world(struct track *track, const struct world *world)
{
	for (int k = 0; k < INSTANTS; k++) {
		struct track_run runs[PAGES];
		size_t count = 0;
		for (int page = 0; page < PAGES; page++)
			if (world->value[k][page])
				runs[count++] = (struct track_run){ (uint64_t)page, 1, world->frame[k][page],
					                            world->value[k][page] };
		int rc = world->there[k] ? track_add(track, runs, count, NULL) : track_skip(track, NULL);
		assert_int_equal(rc, VMSNAP_OK);
	}
}

struct reading {
	uint64_t pages[PAGES]; /* by number */
	size_t count;
	uint8_t value[PAGES];
	uint64_t frame[PAGES];
	bool changed[PAGES];
};

static void read_segments(struct reading *reading, const struct track *track)
{
	uint64_t page, pages;
	for (size_t i = 0; track_segment(track, &i, &page, &pages);)
		for (uint64_t n = 0; n < pages; n++)
			reading->pages[reading->count++] = page + n;
	assert_int_equal(reading->count, track_pages(track));
}

static void read_values(struct reading *reading, struct spill_reader *from, uint64_t bytes)
{
	uint64_t end = spill_told(from) + bytes, number = 0;
	memset(reading->changed, 0, sizeof(reading->changed));
	while (spill_told(from) < end) {
		uint64_t token = spill_get_varint(from), length = (token >> 6) + 1;
		for (uint64_t n = 0; n < length; n++, number++) {
			assert_true(number < reading->count);
			reading->value[number] ^= token & (TRACK_FRAME - 1);
			reading->changed[number] = token & TRACK_FRAME;
		}
	}
	assert_int_equal(spill_told(from), end);
}

static void read_frames(struct reading *reading, struct spill_reader *from, uint64_t bytes)
{
	uint64_t end = spill_told(from) + bytes, number = 0, frame = 0;
	while (spill_told(from) < end) {
		number += spill_get_varint(from);
		uint64_t length = spill_get_varint(from) + 1, by = spill_get_varint(from);
		frame += by & 1 ? ~(by >> 1) : by >> 1;
		for (uint64_t n = 0; n < length; n++)
			reading->frame[number++] = frame++;
	}
}

static void check_instant(const struct reading *reading, const struct world *world, int k, const uint64_t *known)
{
	for (size_t i = 0; i < reading->count; i++) {
		uint64_t page = reading->pages[i], frame = world->frame[k][page];
		assert_int_equal(reading->value[i], world->value[k][page]);
		if (!frame)
			continue;
		assert_int_equal(reading->frame[i], frame);
		assert_int_equal(reading->changed[i], known[page] && known[page] != frame);
	}
}

static void random_worlds(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct work work = { .limit = WORK_UNLIMITED };
		struct track track;
		struct world world;
		struct reading reading = { .count = 0 };
		struct spill values = { .work = &work }, frames = { .work = &work };
		struct spill_reader from_values, from_frames;
		uint64_t value_bytes[INSTANTS], frame_bytes[INSTANTS], known[PAGES] = { 0 };
		make_world(&world, seed);
		track_init(&track, true, &work);
		add_world(&track, &world);
		assert_int_equal(track_write_values(&track, &values, value_bytes, NULL), VMSNAP_OK);
		assert_int_equal(track_write_frames(&track, &frames, frame_bytes, NULL), VMSNAP_OK);
		read_segments(&reading, &track);
		spill_read(&from_values, &values);
		spill_read(&from_frames, &frames);
		for (int k = 0; k < INSTANTS; k++) {
			read_values(&reading, &from_values, value_bytes[k]);
			read_frames(&reading, &from_frames, frame_bytes[k]);
			if (!world.there[k]) {
				assert_int_equal(value_bytes[k], 0);
				continue;
			}
			check_instant(&reading, &world, k, known);
			for (int page = 0; page < PAGES; page++)
				if (world.frame[k][page])
					known[page] = world.frame[k][page];
		}
		spill_free(&values);
		spill_free(&frames);
		track_free(&track);
		assert_int_equal(work.used, 0);
	}
}

/* What moved keeps its frame: it is the same page at another place. */
static void moved(void **state)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct track track;
	struct spill values = { .work = &work };
	struct spill_reader from;
	struct reading reading = { .count = 0 };
	uint64_t bytes[2];
	(void)state;
	track_init(&track, true, &work);
	assert_int_equal(track_add(&track, &(struct track_run){ 10, 4, 100, 1 }, 1, NULL), VMSNAP_OK);
	assert_int_equal(track_moved(&track, &(struct track_move){ 10, 30, 4 }, 1, NULL), VMSNAP_OK);
	struct track_run now[] = { { 30, 2, 100, 1 }, { 32, 2, 200, 1 } };
	assert_int_equal(track_add(&track, now, 2, NULL), VMSNAP_OK);
	assert_int_equal(track_write_values(&track, &values, bytes, NULL), VMSNAP_OK);
	read_segments(&reading, &track);
	assert_int_equal(reading.count, 8);
	spill_read(&from, &values);
	read_values(&reading, &from, bytes[0]);
	read_values(&reading, &from, bytes[1]);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(reading.value[i], i >= 4);
		assert_int_equal(reading.changed[i], i >= 6);
	}
	spill_free(&values);
	track_free(&track);
}

/* More than is kept in memory goes to a file and comes back. */
static void spilled(void **state)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct spill spill = { .work = &work };
	struct spill_reader reader;
	(void)state;
	for (uint64_t i = 0; i < 3 << 20; i++)
		spill_varint(&spill, i);
	assert_int_equal(spill_end(&spill, NULL), VMSNAP_OK);
	assert_true(work.used <= 2 * SPILL_MEMORY);
	spill_read(&reader, &spill);
	for (uint64_t i = 0; i < 3 << 20; i++)
		if (spill_get_varint(&reader) != i)
			fail_msg("at %llu", (unsigned long long)i);
	assert_int_equal(spill_told(&reader), spill.size);
	spill_free(&spill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds),
		cmocka_unit_test(moved),
		cmocka_unit_test(spilled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
