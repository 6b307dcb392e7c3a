/* append.c - snapshots added to one file, thousands of them, and read back. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "look.h"
#include "self.h"

/* What one append may read and take more at the end of a run than at its start: an END
 * (48 bytes) and the time of a system call for each snapshot that is in the file.  The
 * middle one of many counts, as the machine has other things to do as well. */
enum { READ_EACH = 48, TIME_EACH_NS = 2000, TIME_TIMES = 5, WINDOW = 200, LOOKS = 50 };

struct series {
	pid_t pid;
	const char *path;
	uint64_t count;
	uint64_t *prints; /* of each snapshot, as it was saved */
	uint64_t bytes;   /* of the file so far */
};

struct cost {
	uint64_t read, time;
};

static uint64_t file_bytes(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		wrong("%s is gone", path);
	return (uint64_t)st.st_size;
}

static void add_one(struct series *series, uint64_t index, struct cost *cost)
{
	char label[32];
	struct vmsnap_capture_options options = { .size = sizeof(options), .label = label, .freeze_timeout_ms = 10000 };
	struct vmsnap *snap;
	struct vmsnap_error err;
	snprintf(label, sizeof(label), "n%" PRIu64, index);
	if (vmsnap_capture(series->pid, &options, &snap, &err))
		wrong_with("capture", &err);
	series->prints[index] = look_fingerprint(snap);
	const struct vmsnap *const one[] = { snap };
	uint64_t read = self_read(), begun = now_ns();
	if (vmsnap_save(series->path, one, 1, VMSNAP_SAVE_APPEND, &err))
		wrong_with("append", &err);
	cost->time = now_ns() - begun;
	cost->read = self_read() - read;
	vmsnap_unref(snap);
	uint64_t bytes = file_bytes(series->path);
	if (bytes <= series->bytes)
		wrong("the file did not grow: %" PRIu64 ", then %" PRIu64 " bytes", series->bytes, bytes);
	series->bytes = bytes;
}

/* ---- reading ---- */

static void look_at(const struct series *series, const struct vmsnap_file *file, uint64_t index)
{
	struct vmsnap_error err;
	struct vmsnap *snap;
	if (vmsnap_file_load(file, index, &snap, &err))
		wrong_with("load", &err);
	if (look_fingerprint(snap) != series->prints[index])
		wrong("snapshot %" PRIu64 " is not what was saved", index + 1);
	vmsnap_unref(snap);
}

static void find(const struct vmsnap_file *file, uint64_t index)
{
	char label[32];
	struct vmsnap_error err;
	size_t found;
	snprintf(label, sizeof(label), "n%" PRIu64, index);
	if (vmsnap_file_find(file, label, &found, &err))
		wrong_with(label, &err);
	if (found != index)
		wrong("%s is found at %zu", label, found);
}

static void look_at_some(const struct series *series, uint64_t have)
{
	struct vmsnap_file *file;
	struct vmsnap_error err;
	static uint64_t state = 1;
	if (vmsnap_file_open(series->path, NULL, &file, &err))
		wrong_with("open", &err);
	if (vmsnap_file_count(file) != have)
		wrong("%zu snapshots, and %" PRIu64 " were saved", vmsnap_file_count(file), have);
	if (vmsnap_file_damage(file, &err))
		wrong_with("the file is damaged", &err);
	for (uint64_t i = 0; i < 4; i++)
		find(file, (have - 1) * i / 3);
	look_at(series, file, 0);
	look_at(series, file, have - 1);
	for (int i = 0; i < LOOKS; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		look_at(series, file, (state >> 33) % have);
	}
	vmsnap_file_close(file);
}

/* ---- the run ---- */

static void compare_costs(uint64_t count, struct numbers early[2], struct numbers late[2])
{
	uint64_t read[2] = { numbers_part(&early[0], 500), numbers_part(&late[0], 500) };
	uint64_t time[2] = { numbers_part(&early[1], 500), numbers_part(&late[1], 500) };
	printf("an append read %" PRIu64 " bytes at first, %" PRIu64 " at last; took %.3f ms, then %.3f ms\n", read[0],
	       read[1], (double)time[0] / 1e6, (double)time[1] / 1e6);
	if (read[1] > read[0] + READ_EACH * count + 4096)
		wrong("an append reads much more, the larger the file is");
	if (time[1] > TIME_TIMES * time[0] + TIME_EACH_NS * count + 1000000)
		wrong("an append takes much longer, the larger the file is");
}

int append(int argc, char **argv)
{
	struct series series = { .pid = atoi(argv[0]), .path = argv[1], .count = strtoull(argv[2], NULL, 10) };
	struct numbers early[2], late[2];
	(void)argc;
	if (series.count < 4 * WINDOW)
		wrong("at least %d snapshots", 4 * WINDOW);
	series.prints = malloc(series.count * sizeof(series.prints[0]));
	if (!series.prints)
		wrong("out of memory");
	memset(series.prints, 0, series.count * sizeof(series.prints[0]));
	for (int i = 0; i < 2; i++) {
		numbers_init(&early[i], WINDOW);
		numbers_init(&late[i], WINDOW);
	}
	struct self_before before = { 0 };
	for (uint64_t i = 0; i < series.count; i++) {
		struct cost cost;
		struct numbers *into = i < 2 * WINDOW ? early : late;
		add_one(&series, i, &cost);
		/* The first ones find cold caches. */
		if ((i >= WINDOW && i < 2 * WINDOW) || i >= series.count - WINDOW) {
			numbers_add(&into[0], cost.read);
			numbers_add(&into[1], cost.time);
		}
		if (i == WINDOW)
			before = self_note();
		if ((i + 1) % 2500 == 0)
			look_at_some(&series, i + 1);
	}
	compare_costs(series.count, early, late);
	self_unchanged(&before, "append 200");
	look_at_some(&series, series.count);
	printf("snapshots %" PRIu64 ", %" PRIu64 " bytes\n", series.count, series.bytes);
	for (int i = 0; i < 2; i++) {
		numbers_free(&early[i]);
		numbers_free(&late[i]);
	}
	free(series.prints);
	return 0;
}
