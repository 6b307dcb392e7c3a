/* hostile_names NAME... - has a file of each name mapped, a thread of each name, and
 * the first as its own. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int named;

static void *wait_on(void *name)
{
	prctl(PR_SET_NAME, name);
	named++;
	for (;;)
		pause();
	return NULL;
}

static void map_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, PAGE))
		cannot("make a file of that name");
	read_pages(map_memory(PAGE, PROT_READ, MAP_PRIVATE, fd), 0, 1, 1);
	close(fd);
}

int main(int argc, char **argv)
{
	die_with_parent();
	for (int i = 1; i < argc; i++) {
		pthread_t thread;
		map_file(argv[i]);
		if (pthread_create(&thread, NULL, wait_on, argv[i]))
			cannot("make a thread");
	}
	prctl(PR_SET_NAME, argc > 1 ? argv[1] : "");
	while (named < argc - 1)
		usleep(100);
	stand_still();
}
