/* naming FILE - prints how many milliseconds it takes to name what differs between the
 * snapshots of a file: the first line is for the first two of them, with names that are
 * new; each further line for a snapshot and the one before, with the names renewed. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vmsnap.h"

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static int drop(void *ctx, const char *text, size_t len)
{
	(void)ctx, (void)text, (void)len;
	return 0;
}

static void must(int rc, const struct vmsnap_error *err)
{
	if (!rc)
		return;
	fprintf(stderr, "naming: %s\n", err->message);
	exit(2);
}

static void compare(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_names **names)
{
	struct vmsnap_error err;
	struct vmsnap_diff *diff;
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = drop };
	out.style = (struct vmsnap_style){ .size = sizeof(out.style), .width = 100 };
	must(vmsnap_diff_new(a, b, &diff, &err), &err);
	double begun = now();
	if (*names)
		must(vmsnap_names_rebind(*names, b, &err), &err);
	else
		must(vmsnap_names_new(b, NULL, names, &err), &err);
	must(vmsnap_print_diff(diff, *names, 0, &out, &err), &err);
	printf("%.3f\n", now() - begun);
	vmsnap_diff_free(diff);
}

int main(int argc, char **argv)
{
	struct vmsnap_error err;
	struct vmsnap_file *file;
	struct vmsnap_names *names = NULL;
	struct vmsnap *last = NULL, *next;
	if (argc != 2)
		return 2;
	must(vmsnap_file_open(argv[1], NULL, &file, &err), &err);
	for (size_t i = 0; i < vmsnap_file_count(file); i++) {
		must(vmsnap_file_load(file, i, &next, &err), &err);
		if (last)
			compare(last, next, &names);
		vmsnap_unref(last); /* the names are of the next one by now */
		last = next;
	}
	vmsnap_names_free(names);
	vmsnap_unref(last);
	vmsnap_file_close(file);
	return 0;
}
