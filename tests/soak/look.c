#define _GNU_SOURCE
#include "look.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "self.h"

/* ---- a snapshot ---- */

void look_order(const struct vmsnap *snap)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t end = 0;
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		if (vma->start < end || vma->end <= vma->start)
			wrong("mapping %zu begins at %" PRIx64 ", the one before ends at %" PRIx64, i, vma->start, end);
		end = vma->end;
	}
	end = 0;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (!vmsnap_run_next(&it, &run)) {
		if (run.start < end || run.end <= run.start)
			wrong("a run of pages begins at %" PRIx64 ", the one before ends at %" PRIx64, run.start, end);
		if (!vmsnap_vma_at(snap, run.start) || !vmsnap_vma_at(snap, run.end - 1))
			wrong("pages at %" PRIx64 " are in no mapping", run.start);
		end = run.end;
	}
}

/* The kernel's own data pages ([vvar], [vvar_vclock]) have no struct page that smaps
 * counts, nor has the zero page. */
static uint64_t counted(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	struct vmsnap_sums sums;
	if (!strncmp(vma->name, "[vvar", 5))
		return 0;
	vmsnap_sum(snap, vma->start, vma->end, &sums);
	return sums.resident - sums.zero;
}

uint64_t look_resident(const struct vmsnap *snap)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++)
		bytes += counted(snap, vmsnap_vma(snap, i));
	return bytes;
}

void look_smaps(const struct vmsnap *snap)
{
	size_t rss = 0;
	while (rss < vmsnap_smaps_key_count(snap) && strcmp(vmsnap_smaps_key(snap, rss), "Rss"))
		rss++;
	if (rss == vmsnap_smaps_key_count(snap))
		wrong("smaps without Rss");
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		uint64_t said = vmsnap_smaps_value(snap, i, rss), ours = counted(snap, vma);
		if (said != ours)
			wrong("%" PRIx64 " %s: %" PRIu64 " bytes resident, smaps says %" PRIu64, vma->start, vma->name,
			      ours, said);
	}
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = mix(hash, (unsigned char)*text);
	return mix(hash, 256);
}

uint64_t look_fingerprint(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t hash = mix(mix_text(info->pid, info->label), (uint64_t)info->taken);
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		hash = mix_text(mix(mix(mix(hash, vma->start), vma->end), vma->perms), vma->name);
	}
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (!vmsnap_run_next(&it, &run))
		hash = mix(mix(mix(mix(hash, run.start), run.end), run.pfn), run.flags);
	for (size_t i = 0; i < vmsnap_thread_count(snap); i++)
		hash = mix(mix(hash, vmsnap_thread(snap, i)->tid), vmsnap_thread(snap, i)->stack_pointer);
	return hash;
}

/* ---- the process, as the kernel has it ---- */

/* The start of a file of /proc; false if the thread is gone. */
static bool read_text(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t len = fread(text, 1, room - 1, file);
	fclose(file);
	text[len] = 0;
	return len;
}

static char task_state(const char *status)
{
	const char *line = strstr(status, "\nState:");
	return line ? line[8] : '?';
}

/* Calls fn with the status of each thread; whether all of them said yes. */
static bool each_thread(pid_t pid, bool (*fn)(const char *status))
{
	char path[64], status[4096];
	bool all = true;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	if (!dir)
		wrong("the process is gone");
	for (struct dirent *entry; (entry = readdir(dir));) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", (int)pid, entry->d_name);
		if (entry->d_name[0] != '.' && read_text(path, status, sizeof(status)))
			all = fn(status) && all;
	}
	closedir(dir);
	return all;
}

/* On its way out it stops for nobody. */
static bool is_leaving(char state)
{
	return state == 'X' || state == 'Z';
}

static bool is_stopped(const char *status)
{
	char state = task_state(status);
	return state == 'T' || is_leaving(state);
}

static bool is_untraced(const char *status)
{
	const char *line = strstr(status, "\nTracerPid:");
	return line && !strtol(line + 11, NULL, 10) && task_state(status) != 't';
}

static bool is_running(const char *status)
{
	return is_untraced(status) && task_state(status) != 'T';
}

static bool is_let_stopped(const char *status)
{
	return is_untraced(status) && is_stopped(status);
}

void look_let_go(pid_t pid, bool stopped)
{
	if (!each_thread(pid, is_untraced))
		wrong("a thread is traced after the capture");
	/* A group stop that tracing was laid over is entered again by each thread itself. */
	for (int tries = 0; !each_thread(pid, stopped ? is_let_stopped : is_running); tries++) {
		if (tries > 5000)
			wrong(stopped ? "the process was stopped and is not any more" : "the process was left stopped");
		usleep(1000);
	}
}

void look_await_stop(pid_t pid)
{
	for (int tries = 0; !each_thread(pid, is_stopped); tries++) {
		if (tries > 30000)
			wrong("the process does not stop");
		usleep(1000);
	}
}

uint64_t look_rollup(pid_t pid)
{
	char path[64], text[4096];
	uint64_t kib;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	const char *line = read_text(path, text, sizeof(text)) ? strstr(text, "\nRss:") : NULL;
	if (!line || sscanf(line, "\nRss: %" SCNu64, &kib) != 1)
		wrong("cannot understand %s", path);
	return kib << 10;
}
