#define _GNU_SOURCE
#include "thread_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "array.h"
#include "error.h"
#include "procdir.h"
#include "scan.h"
#include "tracee.h"

/* The last two numbers are the stack pointer and the program counter, while the thread does not run. */
uint64_t thread_list_told_stack(const char *text, size_t len)
{
	struct cursor c = { text, text + len };
	uint64_t before = 0, last = 0;
	while (c.at < c.end) {
		struct cursor word = take_until(&c, ' ');
		uint64_t value;
		if (!take_char(&word, '0') || !take_char(&word, 'x') || !take_hex(&word, &value))
			continue;
		before = last;
		last = value;
	}
	return before;
}

static uint64_t told_stack_pointer(int procdir, pid_t tid)
{
	char name[40], text[256];
	snprintf(name, sizeof(name), "task/%d/syscall", (int)tid);
	CLEANUP_CLOSE int fd = openat(procdir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	return len <= 0 ? 0 : thread_list_told_stack(text, (size_t)len);
}

/* Who traces it is told in one call (Linux 5.3), not in three: there may be ten thousand. */
static uint64_t stack_pointer(const struct thread_source *source, pid_t tid)
{
	uint64_t stack = source->stands ? tracee_stack_pointer(tid) : 0;
	return stack ? stack : told_stack_pointer(source->procdir, tid);
}

struct job {
	const struct thread_source *source;
	struct vmsnap *snap;
	size_t room;
};

static int add_thread(void *ctx, pid_t tid)
{
	enum { KICK_EACH = 64 };
	struct job *job = ctx;
	struct vmsnap *snap = job->snap;
	if (snap->thread_count % KICK_EACH == 0)
		job->source->kick(job->source->ctx);
	struct vmsnap_thread *threads = array_room(snap->threads, snap->thread_count, &job->room, sizeof(*threads));
	if (!threads)
		return ENOMEM;
	snap->threads = threads;
	snap->threads[snap->thread_count++] = (struct vmsnap_thread){ .tid = (uint32_t)tid,
		                                                      .stack_pointer = stack_pointer(job->source, tid),
		                                                      .comm = "" };
	return 0;
}

int thread_list_take(const struct thread_source *source, struct vmsnap *snap)
{
	struct job job = { .source = source, .snap = snap };
	free(snap->threads);
	snap->threads = NULL;
	snap->thread_count = 0;
	int error = 0;
	for (size_t i = 0; !error && i < source->listed_count; i++)
		error = add_thread(&job, source->listed[i]);
	if (!source->listed)
		error = procdir_each_task(source->procdir, add_thread, &job);
	return error < 0 ? -error : error;
}

void thread_list_names(struct vmsnap *snap, int procdir, pid_t pid)
{
	for (size_t i = 0; i < snap->thread_count; i++) {
		char name[40];
		snprintf(name, sizeof(name), "task/%u/comm", snap->threads[i].tid);
		/* The main thread's is known already. */
		const char *comm = (pid_t)snap->threads[i].tid == pid ? snap->info.comm
		                                                      : procdir_word(procdir, name, &snap->strings);
		snap->threads[i].comm = comm ? comm : "";
	}
}
