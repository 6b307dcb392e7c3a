#include "freeze_tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "array.h"
#include "error.h"

void freeze_init(struct freeze *freeze)
{
	*freeze = (struct freeze){ 0 };
	pthread_mutex_init(&freeze->lock, NULL);
}

int freeze_add(struct freeze *freeze, pid_t pid, size_t parent, int procdir, struct vmsnap_error *err)
{
	pthread_mutex_lock(&freeze->lock);
	bool companion = parent < freeze->count && freeze->processes[parent].companion;
	struct frozen_process *processes =
	        array_room(freeze->processes, freeze->count, &freeze->room, sizeof(*processes));
	if (processes) {
		freeze->processes = processes;
		processes[freeze->count++] = (struct frozen_process){ .pid = pid,
			                                              .parent = parent,
			                                              .procdir = procdir,
			                                              .state = VMSNAP_FREEZE_FULL,
			                                              .companion = companion };
	}
	pthread_mutex_unlock(&freeze->lock);
	if (processes)
		return VMSNAP_OK;
	close(procdir);
	return fail_no_memory(err);
}

/* ---- the index: thousands of threads are looked up at each look at their list ------- */

static pid_t tid_at(const struct freeze *freeze, const struct task_place *place)
{
	return freeze->processes[place->process].tasks[place->task].tid;
}

/* Where it is, or would be.  Numbers count up, mostly: neighbours do no harm. */
static struct task_place *place_of(const struct freeze *freeze, pid_t tid)
{
	const struct task_index *index = &freeze->index;
	size_t at = (size_t)tid & (index->room - 1);
	while (index->places[at].used && tid_at(freeze, &index->places[at]) != tid)
		at = (at + 1) & (index->room - 1);
	return &index->places[at];
}

/* Half of it stays empty. */
static int make_room(struct freeze *freeze)
{
	enum { FIRST_ROOM = 64 };
	struct task_index old = freeze->index;
	if (old.count < old.room / 2)
		return 0;
	size_t room = old.room ? old.room * 2 : FIRST_ROOM;
	struct task_place *places = calloc(room, sizeof(*places));
	if (!places)
		return -ENOMEM;
	freeze->index = (struct task_index){ .places = places, .room = room, .count = old.count };
	for (size_t i = 0; i < old.room; i++)
		if (old.places[i].used)
			*place_of(freeze, tid_at(freeze, &old.places[i])) = old.places[i];
	free(old.places);
	return 0;
}

struct frozen_task *freeze_find_task(const struct freeze *freeze, pid_t tid, size_t *process)
{
	const struct task_place *place = freeze->index.room ? place_of(freeze, tid) : NULL;
	if (!place || !place->used)
		return NULL;
	*process = place->process;
	return &freeze->processes[place->process].tasks[place->task];
}

static bool append_task(struct freeze *freeze, struct frozen_process *process, pid_t tid)
{
	pthread_mutex_lock(&freeze->lock);
	struct frozen_task *tasks = array_room(process->tasks, process->count, &process->room, sizeof(*tasks));
	if (tasks) {
		process->tasks = tasks;
		tasks[process->count++] = (struct frozen_task){ .tid = tid };
	}
	pthread_mutex_unlock(&freeze->lock);
	return tasks != NULL;
}

/* A number that ended and was given anew is found as what it is now. */
int freeze_add_task(struct freeze *freeze, size_t process, pid_t tid)
{
	if (make_room(freeze))
		return -ENOMEM;
	struct task_place *place = place_of(freeze, tid);
	if (!append_task(freeze, &freeze->processes[process], tid))
		return -ENOMEM;
	freeze->index.count += !place->used;
	*place = (struct task_place){ (uint32_t)process, (uint32_t)(freeze->processes[process].count - 1), true };
	return 0;
}

void freeze_forget_tasks(struct freeze *freeze)
{
	for (size_t p = 0; p < freeze->count; p++)
		freeze->processes[p].count = 0;
	free(freeze->index.places);
	freeze->index = (struct task_index){ 0 };
}

uint64_t freeze_patience(const struct freeze *freeze)
{
	enum { TASK_MS = 1 };
	if (freeze->timeout_ms)
		return (uint64_t)freeze->timeout_ms * 1000000u;
	size_t tasks = freeze->listed_count; /* the process that is being seized */
	for (size_t p = 0; p < freeze->count; p++)
		tasks += freeze->processes[p].count;
	return (FREEZE_TIMEOUT_MS + (uint64_t)tasks * TASK_MS) * 1000000u;
}

bool freeze_missed(const struct freeze *freeze, pid_t tid)
{
	size_t process;
	const struct frozen_task *task = freeze_find_task(freeze, tid, &process);
	return !task || (!task->stopped && !task->gone);
}

void freeze_free(struct freeze *freeze)
{
	for (size_t p = 0; p < freeze->count; p++) {
		free(freeze->processes[p].tasks);
		close(freeze->processes[p].procdir);
	}
	free(freeze->processes);
	free(freeze->index.places);
	free(freeze->listed);
	free(freeze->zombies);
	pthread_mutex_destroy(&freeze->lock);
	*freeze = (struct freeze){ 0 };
}
