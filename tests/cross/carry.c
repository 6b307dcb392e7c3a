/* carry copy FROM TO     - writes anew what a snapshot file holds.
 * carry capture FOLDER TO - saves a recorded process folder as a snapshot.
 *
 * Prints the page size of the machine, as the C library tells it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmsnap.h"

static int fail(const struct vmsnap_error *err)
{
	fprintf(stderr, "carry: %s\n", err->message);
	return 1;
}

static int copy(const char *from, const char *to)
{
	struct vmsnap_error err = { 0 };
	struct vmsnap_file *file;
	if (vmsnap_file_open(from, NULL, &file, &err))
		return fail(&err);
	size_t count = vmsnap_file_count(file), loaded = 0;
	struct vmsnap **snaps = calloc(count + 1, sizeof(*snaps));
	int rc = snaps ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
	while (!rc && loaded < count && !(rc = vmsnap_file_load(file, loaded, &snaps[loaded], &err)))
		loaded++;
	if (!rc)
		rc = vmsnap_save(to, (const struct vmsnap *const *)snaps, count, 0, &err);
	for (size_t i = 0; i < loaded; i++)
		vmsnap_unref(snaps[i]);
	free(snaps);
	vmsnap_file_close(file);
	return rc ? fail(&err) : 0;
}

static int capture(const char *folder, const char *to)
{
	struct vmsnap_error err = { 0 };
	struct vmsnap *snap = NULL;
	int procdir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (procdir < 0) {
		perror(folder);
		return 1;
	}
	int rc = vmsnap_capture_at(procdir, NULL, &snap, &err);
	if (!rc)
		rc = vmsnap_save(to, (const struct vmsnap *const *)&snap, 1, 0, &err);
	vmsnap_unref(snap);
	close(procdir);
	return rc ? fail(&err) : 0;
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[1], "copy") != 0 && strcmp(argv[1], "capture") != 0)) {
		fprintf(stderr, "Usage: carry copy FROM TO | carry capture FOLDER TO\n");
		return 2;
	}
	printf("%ld\n", sysconf(_SC_PAGESIZE));
	return strcmp(argv[1], "copy") == 0 ? copy(argv[2], argv[3]) : capture(argv[2], argv[3]);
}
