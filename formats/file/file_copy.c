/* file_copy.c - snapshots of files into one: all of them or some, as differences or whole, without what is nobody
 * else's business. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "error.h"
#include "file_load.h"
#include "file_save.h"
#include "options.h"

/* When the last one of a process was copied. */
struct copied_of {
	uint32_t pid;
	uint64_t start_time, stretch;
	char boot_id[40];
};
struct copying {
	const struct vmsnap_copy_source *sources;
	size_t count, at;
	struct vmsnap_walk *walk; /* over sources[at]; NULL: it has not begun */
	const struct vmsnap_copy_options *options;
	struct copied_of *processes;
	size_t process_count, process_room;
	struct vmsnap_copied copied;
	int unreadable_rc; /* of the first */
	struct vmsnap_error unreadable_err;
};

/* That is the file's fault, and stays so. */
static bool is_damage(int rc)
{
	return rc == VMSNAP_ERR_CORRUPT || rc == VMSNAP_ERR_TRUNCATED || rc == VMSNAP_ERR_NEWER ||
	       rc == VMSNAP_ERR_TOO_LARGE;
}

static bool is_of(const struct copied_of *process, const struct vmsnap_info *info)
{
	return process->pid == info->pid && process->start_time == info->start_time &&
	       !strncmp(process->boot_id, info->boot_id, sizeof(process->boot_id) - 1);
}

static struct copied_of *add_process(struct copying *copying, const struct vmsnap_info *info)
{
	struct copied_of *processes =
	        array_room(copying->processes, copying->process_count, &copying->process_room, sizeof(*processes));
	if (!processes)
		return NULL;
	copying->processes = processes;
	struct copied_of *made = &copying->processes[copying->process_count++];
	*made = (struct copied_of){ .pid = info->pid, .start_time = info->start_time };
	snprintf(made->boot_id, sizeof(made->boot_id), "%s", info->boot_id);
	return made;
}

/* Whether one of that process was copied in the same stretch of time; if not, this one is now. */
static int is_thinned(struct copying *copying, const struct vmsnap *snap, bool *yes, struct vmsnap_error *err)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	uint64_t interval = copying->options->interval, stretch = interval ? (uint64_t)info->taken / interval : 0;
	struct copied_of *found = NULL;
	*yes = false;
	if (!interval)
		return VMSNAP_OK;
	/* The latest is mostly of the same processes. */
	for (size_t i = copying->process_count; !found && i-- > 0;)
		found = is_of(&copying->processes[i], info) ? &copying->processes[i] : NULL;
	*yes = found && found->stretch == stretch;
	found = found ? found : add_process(copying, info);
	if (!found)
		return fail_no_memory(err);
	found->stretch = stretch;
	return VMSNAP_OK;
}

static bool is_wanted(const struct copying *copying, const struct vmsnap *snap)
{
	const uint32_t *pids = copying->options->pids;
	return !pids || !pids[copying->at] || vmsnap_info(snap)->pid == pids[copying->at];
}

/* One that cannot be read, of somebody who was wanted, as far as that can be known. */
static void note_unreadable(struct copying *copying, size_t index, int rc, const struct vmsnap_error *problem)
{
	const struct vmsnap_copy_options *options = copying->options;
	struct vmsnap *snap = NULL;
	bool other = !file_load_identity(copying->sources[copying->at].file, index, &snap, NULL) &&
	             !is_wanted(copying, snap);
	vmsnap_unref(snap);
	if (other)
		return;
	if (!copying->copied.unreadable++) {
		copying->unreadable_rc = rc;
		copying->unreadable_err = *problem;
	}
	options->unreadable(options->unreadable_ctx, copying->at, index, problem);
}

/* The next one of the source where it stands.  What is damaged is told and passed, if somebody wants to hear of it. */
static int next_readable(struct copying *copying, struct vmsnap **out, struct vmsnap_error *err)
{
	for (;;) {
		struct vmsnap_error problem = { 0 };
		size_t index;
		int rc = vmsnap_walk_next(copying->walk, out, &index, &problem);
		if (rc && rc != VMSNAP_END && copying->options->unreadable && is_damage(rc)) {
			note_unreadable(copying, index, rc, &problem);
			continue;
		}
		if (rc && rc != VMSNAP_END && err)
			*err = problem;
		return rc;
	}
}

/* The next one that there is, wherever. */
static int walk_on(struct copying *copying, struct vmsnap **out, struct vmsnap_error *err)
{
	while (copying->at < copying->count) {
		const struct vmsnap_copy_source *source = &copying->sources[copying->at];
		int rc = copying->walk
		                 ? VMSNAP_OK
		                 : vmsnap_walk_new(source->file, source->first, source->count, &copying->walk, err);
		rc = rc ? rc : next_readable(copying, out, err);
		if (rc != VMSNAP_END)
			return rc;
		vmsnap_walk_free(copying->walk);
		copying->walk = NULL;
		copying->at++;
	}
	/* Of nothing that was to be written anything could be read: what was there stays. */
	if (copying->copied.snapshots || !copying->copied.unreadable)
		return VMSNAP_END;
	if (err)
		*err = copying->unreadable_err;
	return copying->unreadable_rc;
}

static int next_one(void *ctx, struct vmsnap **out, struct vmsnap_error *err)
{
	struct copying *copying = ctx;
	for (;;) {
		struct vmsnap *snap, *stripped;
		bool thinned;
		int rc = walk_on(copying, &snap, err);
		if (rc)
			return rc;
		if (!is_wanted(copying, snap)) {
			vmsnap_unref(snap);
			continue;
		}
		rc = is_thinned(copying, snap, &thinned, err);
		if (!rc && thinned) {
			copying->copied.thinned++;
			vmsnap_unref(snap);
			continue;
		}
		rc = rc ? rc : vmsnap_strip(snap, copying->options->strip, &stripped, err);
		vmsnap_unref(snap);
		if (rc)
			return rc;
		copying->copied.snapshots++;
		*out = stripped;
		return VMSNAP_OK;
	}
}

static int copy_to(const char *path, struct copying *copying, struct vmsnap_error *err)
{
	const struct vmsnap_copy_options *options = copying->options;
	unsigned flags = options->flags;
	struct work work = { .limit = WORK_UNLIMITED,
		             .cancelled = options->cancelled,
		             .cancel_ctx = options->cancel_ctx };
	struct save save = { .next = next_one,
		             .next_ctx = copying,
		             .no_contents = flags & VMSNAP_SAVE_NO_CONTENTS,
		             .deltas = flags & VMSNAP_SAVE_DELTA,
		             .work = &work,
		             .err = err };
	return save_to(&save, path, flags);
}

VMSNAP_API int vmsnap_copy_sized(const char *path, const struct vmsnap_copy_source *sources, size_t count,
                                 const struct vmsnap_copy_options *options, struct vmsnap_copied *copied,
                                 size_t copied_size, struct vmsnap_error *err)
{
	static const struct vmsnap_copy_options none = { .size = sizeof(none) };
	struct vmsnap_copy_options taken;
	int rc = options_take(&taken, sizeof(taken), options ? options : &none, "struct vmsnap_copy_options", err);
	if (rc)
		return rc;
	if (count && !sources)
		return fail(err, VMSNAP_ERR_ARGUMENT, "expected files to copy from");
	struct copying copying = { .sources = sources, .count = count, .options = &taken };
	rc = copy_to(path, &copying, err);
	vmsnap_walk_free(copying.walk);
	free(copying.processes);
	if (!rc && copied)
		struct_give(copied, copied_size, &copying.copied, sizeof(copying.copied));
	return rc;
}
