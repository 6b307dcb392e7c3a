/* export_openmetrics.c - sums by service, as text for the folder that node_exporter looks into (textfile collector).
 * Of each process the newest snapshot counts.  What is not known of one process of a service is not told of the
 * service. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "exporter.h"
#include "sums.h"
#include "text_utf8.h"

enum metric { PROCESSES, RESIDENT, EXCLUSIVE, SWAPPED, HUGE_PAGES, ANONYMOUS, EXECUTABLE_PRIVATE, TAKEN, METRIC_COUNT };
static const struct {
	const char *name, *help;
} metrics[METRIC_COUNT] = {
	[PROCESSES] = { "vmsnap_processes", "Processes that were captured." },
	[RESIDENT] = { "vmsnap_resident_bytes",
	               "Sum of what the processes have present; what they share counts for each." },
	[EXCLUSIVE] = { "vmsnap_exclusive_bytes",
	                "Present and mapped by nobody else: what ending the service gives back." },
	[SWAPPED] = { "vmsnap_swapped_bytes", "Private memory in swap." },
	[HUGE_PAGES] = { "vmsnap_huge_bytes", "Present in huge pages." },
	[ANONYMOUS] = { "vmsnap_anonymous_bytes", "Present and of no file." },
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
	char *service;
	struct value values[METRIC_COUNT];
};
struct openmetrics {
	struct process *processes;
	size_t count, room;
};

static bool is_code_of_file(const struct vmsnap_vma *vma)
{
	bool file = vma->inode || vma->dev_major || vma->dev_minor;
	return file && vma->perms & VMSNAP_PERM_EXEC && !(vma->perms & (VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED));
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
	values[RESIDENT] = (struct value){ false, (double)sums.resident };
	values[EXCLUSIVE] = (struct value){ !info->known.exclusive || sums.exclusive_unknown, (double)sums.exclusive };
	values[SWAPPED] = (struct value){ !swap_told, swap_told ? (double)swap.number : 0 };
	values[HUGE_PAGES] = (struct value){ !info->known.huge, (double)sums.huge };
	values[ANONYMOUS] = (struct value){ false, (double)(sums.resident - sums.file) };
	values[EXECUTABLE_PRIVATE] = (struct value){ false, (double)executable_private(snap) };
	values[TAKEN] = (struct value){ false, (double)info->taken / 1e9 };
}

static const char *service_of(const struct vmsnap_info *info)
{
	return *info->unit ? info->unit : *info->container ? info->container : info->comm;
}

static struct process *process_of(struct openmetrics *o, const struct vmsnap_info *info)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->processes[i].pid == info->tgid && o->processes[i].start_time == info->start_time)
			return &o->processes[i];
	if (o->count == o->room) {
		size_t room = o->room ? 2 * o->room : 64;
		struct process *processes = reallocarray(o->processes, room, sizeof(*processes));
		if (!processes)
			return NULL;
		o->processes = processes;
		o->room = room;
	}
	struct process *process = &o->processes[o->count];
	*process = (struct process){ .pid = info->tgid,
		                     .start_time = info->start_time,
		                     .service = strdup(service_of(info)) };
	if (!process->service)
		return NULL;
	o->count++;
	return process;
}

static int openmetrics_open(struct vmsnap_export *e, struct vmsnap_error *err)
{
	(void)err;
	export_text(e, e->exporter->begins);
	return VMSNAP_OK;
}

static int openmetrics_add(struct vmsnap_export *e, const struct vmsnap *const *snaps, size_t count,
                           struct vmsnap_error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct process *process = process_of(e->state, vmsnap_info(snaps[i]));
		if (!process)
			return fail_no_memory(err);
		measure(process, snaps[i]);
	}
	return VMSNAP_OK;
}

/* ---- the text ---- */

/* A label's value: what is no text is told byte by byte. */
static void put_label(struct vmsnap_export *e, const char *text)
{
	size_t len = strlen(text);
	uint32_t character;
	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = utf8_decode(text + i, len - i, &character);
		if (!n || (character < ' ' && character != '\n') || character == 0x7f)
			export_printf(e, "\\\\x%02x", (unsigned char)text[i]);
		else if (text[i] == '\n')
			export_text(e, "\\n");
		else if (text[i] == '"' || text[i] == '\\')
			export_bytes(e, (char[]){ '\\', text[i] }, 2);
		else
			export_bytes(e, text + i, n);
	}
}

static void put_sample(struct vmsnap_export *e, int metric, const char *service, double number)
{
	export_printf(e, "%s{service=\"", metrics[metric].name);
	put_label(e, service);
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
		free(o->processes[i].service);
	free(o->processes);
}

const struct exporter exporter_openmetrics = {
	.name = "openmetrics",
	.begins = "# vmsnap export\n",
	.readable = true,
	.state_size = sizeof(struct openmetrics),
	.open = openmetrics_open,
	.add = openmetrics_add,
	.finish = openmetrics_finish,
	.free = openmetrics_free,
};
