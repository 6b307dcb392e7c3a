#define _GNU_SOURCE
#include "export_seen.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

struct seen_vma {
	uint64_t start, sum;
};
struct seen_list {
	struct seen_vma *items;
	size_t count, room;
};
struct export_process {
	struct export_process *next;
	uint64_t start_time, boot;
	uint32_t pid;
	struct seen_list before, now;
	size_t at; /* in before: what has not been met */
};
enum { BUCKETS = 4096 };
struct export_seen {
	struct export_process *buckets[BUCKETS];
};

/* FNV-1a, 64 bits: of what we wrote ourselves; a change that it does not show comes once in 2^64. */
static uint64_t fold(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ at[i]) * 0x100000001b3;
	return sum;
}
#define FOLD_BEGIN 0xcbf29ce484222325

static uint64_t sum_of(const struct export_cell *cells, size_t count)
{
	uint64_t sum = FOLD_BEGIN;
	for (size_t i = 0; i < count; i++) {
		sum = fold(sum, &cells[i].known, sizeof(cells[i].known));
		sum = fold(sum, &cells[i].number, sizeof(cells[i].number));
		sum = fold(sum, cells[i].bytes ? cells[i].bytes : "", cells[i].bytes ? cells[i].len : 0);
	}
	return sum;
}

int export_seen_process(struct export_seen **seen, const struct vmsnap_info *info, struct export_process **out,
                        bool *all)
{
	uint64_t boot = fold(FOLD_BEGIN, info->boot_id, strlen(info->boot_id));
	if (!*seen && !(*seen = calloc(1, sizeof(**seen))))
		return VMSNAP_ERR_NO_MEMORY;
	struct export_process **bucket = &(*seen)->buckets[(info->tgid ^ boot) % BUCKETS], *process = *bucket;
	while (process &&
	       (process->pid != info->tgid || process->start_time != info->start_time || process->boot != boot))
		process = process->next;
	*all = !process;
	if (!process) {
		process = calloc(1, sizeof(*process));
		if (!process)
			return VMSNAP_ERR_NO_MEMORY;
		process->pid = info->tgid;
		process->start_time = info->start_time;
		process->boot = boot;
		process->next = *bucket;
		*bucket = process;
	}
	struct seen_list reused = process->before;
	process->before = process->now;
	process->now = (struct seen_list){ .items = reused.items, .room = reused.room };
	process->at = 0;
	*out = process;
	return VMSNAP_OK;
}

static int list_add(struct seen_list *list, const struct seen_vma *vma)
{
	struct seen_vma *items = array_room(list->items, list->count, &list->room, sizeof(*items));
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
	list->items = items;
	list->items[list->count++] = *vma;
	return VMSNAP_OK;
}

static int order(const void *key, const void *item)
{
	const struct seen_vma *a = key, *b = item;
	return a->start < b->start ? -1 : a->start > b->start;
}

int export_seen_vma(struct export_process *process, uint64_t start, const struct export_cell *cells, size_t count,
                    bool *changed)
{
	struct seen_vma vma = { .start = start, .sum = sum_of(cells, count) };
	const struct seen_vma *before =
	        process->before.count ? bsearch(&vma, process->before.items, process->before.count, sizeof(vma), order)
	                              : NULL;
	*changed = !before || before->sum != vma.sum;
	return list_add(&process->now, &vma);
}

bool export_seen_gone(struct export_process *process, uint64_t *start)
{
	const struct seen_list *before = &process->before, *now = &process->now;
	while (process->at < before->count) {
		const struct seen_vma *vma = &before->items[process->at++];
		if (!now->count || !bsearch(vma, now->items, now->count, sizeof(*vma), order)) {
			*start = vma->start;
			return true;
		}
	}
	return false;
}

void export_seen_free(struct export_seen *seen)
{
	for (size_t i = 0; seen && i < BUCKETS; i++) {
		for (struct export_process *process = seen->buckets[i], *next; process; process = next) {
			next = process->next;
			free(process->before.items);
			free(process->now.items);
			free(process);
		}
	}
	free(seen);
}
