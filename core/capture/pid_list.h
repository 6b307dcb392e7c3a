/* pid_list.h - some processes, found by their numbers. */
#ifndef VMSNAP_PID_LIST_H
#define VMSNAP_PID_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

struct pid_list {
	pid_t *pids; /* ascending */
	size_t count;
};

static inline int pid_list_compare(const void *a, const void *b)
{
	pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;
	return (one > other) - (one < other);
}

static inline void pid_list_sort(struct pid_list *list)
{
	if (list->count)
		qsort(list->pids, list->count, sizeof(*list->pids), pid_list_compare);
}

static inline bool pid_list_has(const struct pid_list *list, uint32_t pid)
{
	const pid_t key = (pid_t)pid;
	return list->count && bsearch(&key, list->pids, list->count, sizeof(key), pid_list_compare);
}

#endif
