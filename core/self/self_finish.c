/* self_finish.c - a snapshot of what was captured, through the builder, when memory can be had. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>

#include "builder.h"
#include "error.h"
#include "identity.h"
#include "self_memory.h"
#include "status_kept.h"

static int keep_identity(struct vmsnap_self *self, struct vmsnap *snap)
{
	const struct self_identity *who = &self->identity;
	struct vmsnap_info *info = &snap->info;
	const struct {
		const char *from, **to;
	} words[] = {
		{ who->host, &info->host },     { who->kernel, &info->kernel },
		{ who->arch, &info->arch },     { who->boot_id, &info->boot_id },
		{ who->exe, &info->exe },       { who->machine_hash, &info->machine_hash },
		{ who->label, &info->label },   { who->reason, &info->reason },
		{ who->cgroup, &info->cgroup },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!(*words[i].to = arena_string(&snap->strings, words[i].from)))
			return VMSNAP_ERR_NO_MEMORY;
	info->tool = "vmsnap " VMSNAP_VERSION_STRING;
	info->cmdline_len = who->cmdline_len;
	if (who->cmdline_len && !(info->cmdline = arena_copy(&snap->strings, who->cmdline, who->cmdline_len)))
		return VMSNAP_ERR_NO_MEMORY;
	info->pid_namespace = who->pid_namespace;
	info->page_size = self->page_size;
	info->taken = self->taken;
	info->monotonic = self->monotonic;
	info->boottime = self->boottime;
	info->consistent = self->consistent;
	info->known = self->probe.known;
	info->zero_pfn = self->probe.zero_pfn;
	info->known_until = self->told.known_until;
	info->source = VMSNAP_SOURCE_SELF;
	struct proc_stat stat;
	if (!proc_stat_parse(self->stat, self->stat_len, &stat)) {
		info->start_time = stat.start_time;
		info->start_code = stat.start_code;
		info->start_stack = stat.start_stack;
		info->arg_start = stat.arg_start;
		info->executed = proc_stat_executed(&stat);
	}
	return VMSNAP_OK;
}

/* Mappings whose pages did not fit. */
static int keep_unread(const struct vmsnap_self *self, struct vmsnap *snap)
{
	uint64_t until = self->told.known_until;
	for (size_t i = 0; until && i < snap->vma_count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[i];
		uint64_t start = vma->start > until ? vma->start : until;
		if (start >= vma->end || start >> 63)
			continue;
		if (run_list_append(&snap->runs, self->page_size, start, (vma->end - start) / self->page_size,
		                    SELF_UNREAD))
			return VMSNAP_ERR_NO_MEMORY;
	}
	return VMSNAP_OK;
}

static int keep_memory(struct vmsnap_self *self, struct vmsnap *snap, struct vmsnap_error *err)
{
	struct proc_text status = { .text = self->status, .len = self->status_len };
	int rc = maps_parse(self->text, self->text_len, snap, err);
	if (rc)
		return rc;
	if (status_keep(snap, &status, NULL) || run_list_reserve(&snap->runs, self->run_count + 1, false))
		return fail_no_memory(err);
	if (self->run_count)
		memcpy(snap->runs.items, self->runs, self->run_count * sizeof(*self->runs));
	snap->runs.count = self->run_count;
	if (keep_unread(self, snap))
		return fail_no_memory(err);
	identity_from_status(snap, true);
	return VMSNAP_OK;
}

/* Of the files that are mapped: the kernel is asked, and they are. */
static int find_build_ids(struct vmsnap *snap, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int procdir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return procdir < 0 ? VMSNAP_OK : identity_build_ids(snap, procdir, root, maps, err);
}

static int build(struct vmsnap_self *self, struct vmsnap_builder *builder, struct vmsnap **out,
                 struct vmsnap_error *err)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct vmsnap *snap = builder->snap;
	if (keep_identity(self, snap))
		return fail_no_memory(err);
	int rc = keep_memory(self, snap, err);
	rc = rc ? rc : find_build_ids(snap, err);
	if (!rc && builder_finish(builder, &work, out))
		rc = fail_no_memory(err);
	return rc;
}

VMSNAP_API int vmsnap_self_finish(struct vmsnap_self *self, struct vmsnap **out, struct vmsnap_error *err)
{
	struct vmsnap_builder builder;
	int rc = self_acquire(self);
	if (rc == VMSNAP_ERR_ARGUMENT)
		return fail(err, rc, "not prepared by this process: vmsnap_self_prepare()");
	if (rc)
		return fail(err, rc, "a snapshot is just being taken into this memory");
	if (!self->told.taken)
		rc = fail(err, VMSNAP_ERR_NOT_FOUND, "no snapshot was taken: vmsnap_capture_self()");
	else if (builder_begin(&builder))
		rc = fail_no_memory(err);
	if (!rc) {
		rc = build(self, &builder, out, err);
		builder_drop(&builder);
	}
	self_release(self);
	return rc;
}
