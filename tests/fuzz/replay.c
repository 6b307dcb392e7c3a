/* replay.c - runs a fuzz target over files and folders of files, without libFuzzer:
 * what once was found is tried in every build, by every compiler.  Each input stands
 * in an allocation of its own, so that a sanitizer sees a step over its end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t replayed;

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	FUZZ_CHECK(file && fseek(file, 0, SEEK_END) == 0);
	long size = ftell(file);
	rewind(file);
	FUZZ_CHECK(size >= 0);
	uint8_t *data = malloc(size ? (size_t)size : 1);
	FUZZ_CHECK(data && fread(data, 1, (size_t)size, file) == (size_t)size);
	fclose(file);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	replayed++;
}

static void replay(const char *path)
{
	struct stat st;
	FUZZ_CHECK(stat(path, &st) == 0);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	DIR *folder = opendir(path);
	FUZZ_CHECK(folder);
	const struct dirent *entry;
	while ((entry = readdir(folder))) {
		char inside[PATH_MAX];
		if (*entry->d_name == '.')
			continue;
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		replay(inside);
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%zu inputs\n", replayed);
	return replayed ? 0 : 1;
}
