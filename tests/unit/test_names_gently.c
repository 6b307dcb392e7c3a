/* What a mapping is, where something of this machine is in swap: what is surely not in there is read. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmsnap.h"

static volatile char behind_the_file[1 << 20]; /* which nobody reads, and has to be there */

/* Of all machines that run this, some swap. */
int sysinfo(struct sysinfo *info)
{
	*info = (struct sysinfo){ .totalswap = 1 << 20, .freeswap = 1 << 19, .mem_unit = 1 };
	return 0;
}

static void become_memfd(int ready)
{
	char copied[] = "copy", wait[] = "wait", *argv[] = { copied, wait, NULL }, *none[] = { NULL };
	struct stat st;
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = memfd_create("copy", MFD_CLOEXEC);
	if (self < 0 || copy < 0 || fstat(self, &st) || sendfile(copy, self, NULL, (size_t)st.st_size) != st.st_size)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(ready, STDOUT_FILENO);
	fexecve(copy, argv, none);
	_exit(1);
}

/* A program that lies in a memfd: this one, which says when it runs and waits to be killed. */
static pid_t run_memfd(void)
{
	int ready[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		become_memfd(ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void memory_behind_a_memfd_is_named_by_it(void **state)
{
	pid_t pid = run_memfd();
	struct vmsnap_capture_options options = { .size = sizeof(options), .flags = VMSNAP_CAPTURE_NO_FREEZE };
	struct vmsnap *snap = NULL;
	struct vmsnap_names *names = NULL;
	struct vmsnap_name name;
	(void)state;
	assert_int_equal(vmsnap_capture(pid, &options, &snap, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_names_new(snap, NULL, &names, NULL), VMSNAP_OK);
	bool found = false;
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++)
		found |= !vmsnap_name_of_mapping(names, i, &name) && name.object &&
		         !strncmp(name.object, "/memfd:copy", 11) && name.size >= sizeof(behind_the_file) / 2;
	vmsnap_names_free(names);
	vmsnap_unref(snap);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(found);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_behind_a_memfd_is_named_by_it),
	};
	if (argc == 2 && !strcmp(argv[1], "wait")) {
		behind_the_file[sizeof(behind_the_file) / 2] = 1;
		return write(STDOUT_FILENO, "!", 1) == 1 ? pause() : 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
