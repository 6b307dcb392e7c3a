/* export_openmetrics.c - sums by service, as text for the folder that node_exporter looks into (textfile collector).
 * Of each process the newest snapshot counts.  What is not known of one process of a service is not told of the
 * service.  Each metric is a line for each service in all scrapes of all hosts, so there are few: what is anonymous or
 * in huge pages, the kernel tells of each service by itself (memory.stat of its cgroup). */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "error.h"
#include "exporter.h"
#include "sums.h"
#include "text_utf8.h"

enum { LABEL_BYTES_MAX = 5 }; /* of one byte: \\\\xHH */

enum metric { PROCESSES, RESIDENT, EXCLUSIVE, SWAPPED, EXECUTABLE_PRIVATE, TAKEN, METRIC_COUNT };
static const struct {
	const char *name, *help;
} metrics[METRIC_COUNT] = {
	[PROCESSES] = { "vmsnap_processes", "Processes that were captured." },
	[RESIDENT] = { "vmsnap_resident_bytes",
	               "Sum of what the processes have present; what they share counts for each." },
	[EXCLUSIVE] = { "vmsnap_exclusive_bytes",
	                "Present and mapped by nobody else: what ending the service gives back." },
	[SWAPPED] = { "vmsnap_swapped_bytes", "Private memory in swap." },
	[EXECUTABLE_PRIVATE] = { "vmsnap_executable_private_bytes",
	                         "Executable pages that are no more what their file has: patched code." },
	[TAKEN] = { "vmsnap_taken_seconds", "When the newest of these snapshots was taken." },
};

struct value {
	bool unknown;
	double number;
};
struct process {
	uint64_t start_time;
	uint32_t pid;
	int64_t taken;
	size_t number; /* which it was of those that came */
	char *boot_id;
	char *service; /* as its label says it: what looks the same is the same, or a name would stand there twice */
	struct value values[METRIC_COUNT];
};
struct openmetrics {
	struct process *processes;
	size_t count, room, came;
};

/* Also where it may be written to: who patches code may leave it so. */
static bool is_code_of_file(const struct vmsnap_vma *vma)
{
	bool file = vma->inode || vma->dev_major || vma->dev_minor;
	return file && vma->perms & VMSNAP_PERM_EXEC && !(vma->perms & VMSNAP_PERM_SHARED);
}

static uint64_t executable_private(const struct vmsnap *snap)
{
	const struct vmsnap_vma *vma;
	uint64_t bytes = 0;
	for (size_t i = 0; (vma = vmsnap_vma(snap, i)); i++) {
		struct vmsnap_sums sums;
		if (!is_code_of_file(vma))
			continue;
		vmsnap_sum(snap, vma->start, vma->end, &sums);
		bytes += sums.resident - sums.file;
	}
	return bytes;
}

static void measure(struct process *process, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct vmsnap_status_field swap;
	struct vmsnap_sums sums;
	struct value *values = process->values;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	bool swap_told = !vmsnap_status_find(snap, "VmSwap", &swap) && swap.is_size;
	values[PROCESSES] = (struct value){ false, 1 };
	values[RESIDENT] = (struct value){ sums_unread(snap, &sums), (double)sums.resident };
	values[EXCLUSIVE] = (struct value){ !info->known.exclusive || sums.exclusive_unknown, (double)sums.exclusive };
	values[SWAPPED] = (struct value){ !swap_told, swap_told ? (double)swap.number : 0 };
	values[EXECUTABLE_PRIVATE] = (struct value){ sums_unread(snap, &sums), (double)executable_private(snap) };
	values[TAKEN] = (struct value){ false, (double)info->taken / 1e9 };
}

static const char *service_of(const struct vmsnap_info *info)
{
	return *info->unit ? info->unit : *info->container ? info->container : info->comm;
}

static int by_process(const void *a, const void *b)
{
	const struct process *left = a, *right = b;
	int boot = strcmp(left->boot_id, right->boot_id);
	if (boot)
		return boot;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	if (left->start_time != right->start_time)
		return left->start_time < right->start_time ? -1 : 1;
	if (left->taken != right->taken)
		return left->taken < right->taken ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

static bool is_same(const struct process *a, const struct process *b)
{
	return a->pid == b->pid && a->start_time == b->start_time && !strcmp(a->boot_id, b->boot_id);
}

static void process_free(struct process *process)
{
	free(process->boot_id);
	free(process->service);
}

/* Of each process the newest, in whatever order they came. */
static void keep_newest(struct openmetrics *o)
{
	size_t kept = 0;
	if (o->count)
		qsort(o->processes, o->count, sizeof(*o->processes), by_process);
	for (size_t i = 0; i < o->count; i++) {
		if (i + 1 < o->count && is_same(&o->processes[i], &o->processes[i + 1]))
			process_free(&o->processes[i]);
		else
			o->processes[kept++] = o->processes[i];
	}
	o->count = kept;
}

/* One more; older ones go before there is twice the room. */
static int make_room(struct openmetrics *o)
{
	if (o->count < o->room)
		return VMSNAP_OK;
	keep_newest(o);
	if (o->room && o->count <= o->room / 2)
		return VMSNAP_OK;
	struct process *processes = array_room(o->processes, o->room, &o->room, sizeof(*processes));
	if (!processes)
		return VMSNAP_ERR_NO_MEMORY;
	o->processes = processes;
	return VMSNAP_OK;
}

/* A label's value: what is no text is told byte by byte. */
static char *label_of(const char *text)
{
	size_t len = strlen(text), at = 0;
	char *label = len < SIZE_MAX / 8 ? malloc(LABEL_BYTES_MAX * len + 1) : NULL;
	uint32_t character;
	for (size_t i = 0, n; label && i < len; i += n ? n : 1) {
		n = utf8_decode(text + i, len - i, &character);
		if (!n || (character < ' ' && character != '\n') || character == 0x7f) {
			at += (size_t)sprintf(label + at, "\\\\x%02x", (unsigned char)text[i]);
		} else if (text[i] == '\n' || text[i] == '"' || text[i] == '\\') {
			label[at++] = '\\';
			label[at++] = text[i] == '\n' ? 'n' : text[i];
		} else {
			memcpy(label + at, text + i, n);
			at += n;
		}
	}
	if (label)
		label[at] = '\0';
	return label;
}

static int add_process(struct openmetrics *o, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	if (make_room(o))
		return VMSNAP_ERR_NO_MEMORY;
	struct process *process = &o->processes[o->count];
	*process = (struct process){ .pid = info->tgid,
		                     .start_time = info->start_time,
		                     .taken = info->taken,
		                     .number = o->came++,
		                     .boot_id = strdup(info->boot_id),
		                     .service = label_of(service_of(info)) };
	o->count++;
	if (!process->boot_id || !process->service)
		return VMSNAP_ERR_NO_MEMORY;
	measure(process, snap);
	return VMSNAP_OK;
}

static int openmetrics_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count,
                           struct vmsnap_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (add_process(e->state, snaps[i]))
			return fail_no_memory(err);
	return VMSNAP_OK;
}

/* ---- the text ---- */

static void put_sample(struct vmsnap_export *e, int metric, const char *service, double number)
{
	export_printf(e, "%s{service=\"", metrics[metric].name);
	export_text(e, service);
	export_printf(e, metric == TAKEN ? "\"} %.3f\n" : "\"} %.0f\n", number);
}

static struct value sum_of(const struct process *first, const struct process *end, int metric)
{
	struct value sum = { 0 };
	for (const struct process *process = first; process < end; process++) {
		const struct value *value = &process->values[metric];
		sum.unknown |= value->unknown;
		if (metric != TAKEN)
			sum.number += value->number;
		else if (value->number > sum.number)
			sum.number = value->number;
	}
	return sum;
}

static void put_metric(struct vmsnap_export *e, int metric)
{
	const struct openmetrics *o = e->state;
	const struct process *end = o->processes + o->count;
	export_printf(e, "# HELP %s %s\n# TYPE %s gauge\n", metrics[metric].name, metrics[metric].help,
	              metrics[metric].name);
	for (const struct process *first = o->processes, *next; first < end; first = next) {
		for (next = first + 1; next < end && !strcmp(first->service, next->service);)
			next++;
		struct value sum = sum_of(first, next, metric);
		if (!sum.unknown)
			put_sample(e, metric, first->service, sum.number);
	}
}

static int by_service(const void *a, const void *b)
{
	const struct process *left = a, *right = b;
	return strcmp(left->service, right->service);
}

static int openmetrics_finish(struct vmsnap_export *e, struct vmsnap_error *err)
{
	struct openmetrics *o = e->state;
	(void)err;
	keep_newest(o);
	if (o->count)
		qsort(o->processes, o->count, sizeof(*o->processes), by_service);
	for (int metric = 0; metric < METRIC_COUNT; metric++)
		put_metric(e, metric);
	export_text(e, "# EOF\n");
	return VMSNAP_OK;
}

static void openmetrics_free(struct vmsnap_export *e)
{
	struct openmetrics *o = e->state;
	for (size_t i = 0; i < o->count; i++)
		process_free(&o->processes[i]);
	free(o->processes);
}

const struct exporter exporter_openmetrics = {
	.name = "openmetrics",
	.begins = "# HELP vmsnap_processes ", /* a remark of our own no strict reader of OpenMetrics takes */
	.readable = true,
	.state_size = sizeof(struct openmetrics),
	.add = openmetrics_add,
	.finish = openmetrics_finish,
	.free = openmetrics_free,
};
