/* faults_share.c - page faults on their way to the snapshots of their processes. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "faults.h"
#include "memory_owners.h"

/* A fault of which there is no snapshot yet. */
struct waiting {
	uint32_t source, index;
};
/* What happened, for one of those that it concerns: a fork is told to both. */
struct waiting_event {
	struct vmsnap_fault_event event;
	int32_t whose;
};
struct waiting_memory_event {
	struct vmsnap_memory_event event;
	int32_t whose;
};
/* Who has had a snapshot. */
struct sharer {
	int32_t pid;
	uint64_t start_time, until;
	uint64_t lost, untold; /* of all that was watched until then */
};
struct vmsnap_fault_shares {
	struct work work;               /* counts nothing */
	struct vmsnap_faults **sources; /* held */
	size_t source_count, source_room;
	struct waiting *waiting;
	size_t waiting_count, waiting_room;
	struct waiting_event *events;
	size_t event_count, event_room;
	struct waiting_memory_event *memory_events;
	size_t memory_event_count, memory_event_room;
	struct memory_owners owners;
	struct vmsnap_fault_event *forks; /* all of them, for who is whose child */
	size_t fork_count, fork_room;
	struct sharer *sharers;
	size_t sharer_count, sharer_room;
	uint64_t began, ended, lost, lost_before; /* lost: UINT64_MAX: some; before: at the last that had all */
	uint64_t untold, untold_before;           /* how often not all that became of memory was told; so */
	uint32_t flags;                           /* but VMSNAP_FAULTS_MEMORY */
};

/* One who gets some. */
struct target {
	const struct vmsnap *snap;
	int32_t pid;
	uint64_t begin, until;
	struct vmsnap_faults_builder *builder; /* NULL: nobody can say anything by them */
	struct sharer *sharer;                 /* NULL: there is none yet */
	bool memory_dropped;                   /* there was no room for what became of memory */
};
/* Which code has been told to whom: it comes again and again. */
enum { TOLD = 4096, CALLS = 1024 };
struct told {
	uint32_t source, stack;
	int32_t pid;
	uint32_t target; /* plus 1 */
};
struct giving {
	struct vmsnap_fault_shares *shares;
	struct target *targets; /* by pid */
	size_t count;
	bool all;
	uint64_t latest;
	int32_t orphan; /* the last one that somebody was looked for */
	struct target *guardian;
	struct told told[TOLD];
	uint8_t *calls; /* of each target, CALLS bits */
	struct vmsnap_error *err;
};

VMSNAP_API int vmsnap_fault_shares_new(struct vmsnap_fault_shares **out, struct vmsnap_error *err)
{
	struct vmsnap_fault_shares *shares = calloc(1, sizeof(*shares));
	if (!shares)
		return fail_no_memory(err);
	shares->work.limit = WORK_UNLIMITED;
	*out = shares;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_fault_shares_free(struct vmsnap_fault_shares *shares)
{
	if (!shares)
		return;
	for (size_t i = 0; i < shares->source_count; i++)
		vmsnap_faults_unref(shares->sources[i]);
	free(shares->sources);
	free(shares->waiting);
	free(shares->events);
	free(shares->memory_events);
	memory_owners_free(&shares->owners, &shares->work);
	free(shares->forks);
	free(shares->sharers);
	free(shares);
}

VMSNAP_API uint64_t vmsnap_fault_shares_left(const struct vmsnap_fault_shares *shares)
{
	return shares->waiting_count;
}

/* ---- what comes -------------------------------------------------------------------------- */

static int add_event(struct vmsnap_fault_shares *shares, const struct vmsnap_fault_event *event)
{
	int rc = VMSNAP_OK;
	bool fork = event->kind == VMSNAP_FAULT_EVENT_FORK;
	if (WORK_ROOM(&shares->work, shares->events, shares->event_count, &shares->event_room, &rc))
		shares->events[shares->event_count++] = (struct waiting_event){ *event, event->pid };
	if (!rc && fork && WORK_ROOM(&shares->work, shares->events, shares->event_count, &shares->event_room, &rc))
		shares->events[shares->event_count++] = (struct waiting_event){ *event, event->child };
	if (!rc && fork && WORK_ROOM(&shares->work, shares->forks, shares->fork_count, &shares->fork_room, &rc))
		shares->forks[shares->fork_count++] = *event;
	return rc;
}

static int add_memory_event(struct vmsnap_fault_shares *shares, const struct vmsnap_memory_event *event, int32_t whose)
{
	int rc = VMSNAP_OK;
	if (WORK_ROOM(&shares->work, shares->memory_events, shares->memory_event_count, &shares->memory_event_room,
	              &rc))
		shares->memory_events[shares->memory_event_count++] = (struct waiting_memory_event){ *event, whose };
	return rc;
}

/* That two have one memory is told to both; what one does to another's memory to that one as if it had done it. */
static int add_memory_events(struct vmsnap_fault_shares *shares, const struct vmsnap_faults *faults)
{
	memory_owners_forget(&shares->owners, faults->info.begin);
	int rc = memory_owners_add(&shares->owners, faults, &shares->work);
	for (size_t i = 0; !rc && i < faults->memory_event_count; i++) {
		struct vmsnap_memory_event event = faults->memory_events[i];
		int32_t owner = memory_owner_at(&shares->owners, event.pid, event.time);
		rc = add_memory_event(shares, &event, event.pid);
		if (!rc && event.kind == VMSNAP_MEMORY_EVENT_SHARED) {
			rc = add_memory_event(shares, &event, (int32_t)event.to);
		} else if (!rc && owner != event.pid) {
			event.pid = owner;
			rc = add_memory_event(shares, &event, owner);
		}
	}
	return rc;
}

static void add_info(struct vmsnap_fault_shares *shares, const struct vmsnap_faults_info *info)
{
	shares->began = shares->ended ? shares->began : info->begin;
	shares->flags = (shares->ended ? shares->flags & info->flags : info->flags) & ~(uint32_t)VMSNAP_FAULTS_MEMORY;
	shares->untold += !(info->flags & VMSNAP_FAULTS_MEMORY);
	shares->ended = info->end;
	shares->lost = info->lost > UINT64_MAX - shares->lost ? UINT64_MAX : shares->lost + info->lost;
}

VMSNAP_API int vmsnap_fault_shares_add(struct vmsnap_fault_shares *shares, const struct vmsnap_faults *faults,
                                       struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(&shares->work, shares->sources, shares->source_count, &shares->source_room, &rc))
		return work_fail(&shares->work, rc, err);
	uint32_t source = (uint32_t)shares->source_count;
	shares->sources[shares->source_count++] = vmsnap_faults_ref(faults);
	for (size_t i = 0; !rc && i < faults->count; i++)
		if (WORK_ROOM(&shares->work, shares->waiting, shares->waiting_count, &shares->waiting_room, &rc))
			shares->waiting[shares->waiting_count++] = (struct waiting){ source, (uint32_t)i };
	for (size_t i = 0; !rc && i < faults->event_count; i++)
		rc = add_event(shares, &faults->events[i]);
	rc = rc ? rc : add_memory_events(shares, faults);
	if (!rc)
		add_info(shares, &faults->info);
	return rc ? work_fail(&shares->work, rc, err) : VMSNAP_OK;
}

/* ---- to whom ----------------------------------------------------------------------------- */

static int by_pid(const void *x, const void *y, const void *ctx)
{
	const struct target *a = x, *b = y;
	(void)ctx;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static struct target *find_target(const struct giving *giving, int32_t pid)
{
	size_t low = 0, high = giving->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (giving->targets[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < giving->count && giving->targets[low].pid == pid ? &giving->targets[low] : NULL;
}

static int32_t parent_of(const struct vmsnap_fault_shares *shares, int32_t pid)
{
	for (size_t i = shares->fork_count; i-- > 0;)
		if (shares->forks[i].child == pid)
			return shares->forks[i].pid;
	return 0;
}

/* Of a process that has none here: whose child it was, or somebody. */
static struct target *guardian_of(struct giving *giving, int32_t pid)
{
	enum { GENERATIONS = 64 };
	struct target *found = giving->orphan == pid ? giving->guardian : NULL;
	giving->orphan = pid;
	for (int i = 0; i < GENERATIONS && pid && !found; i++) {
		pid = parent_of(giving->shares, pid);
		found = pid ? find_target(giving, pid) : NULL;
	}
	return giving->guardian = found ? found : &giving->targets[0];
}

/* NULL: it waits for a later one. */
static struct target *target_at(struct giving *giving, int32_t pid, uint64_t time)
{
	struct target *target = find_target(giving, pid);
	if (target)
		return time <= target->until ? target : NULL;
	return giving->all && time <= giving->latest ? guardian_of(giving, pid) : NULL;
}

static struct sharer *find_sharer(struct vmsnap_fault_shares *shares, const struct vmsnap_info *info)
{
	for (size_t i = 0; i < shares->sharer_count; i++)
		if (shares->sharers[i].pid == (int32_t)info->tgid && shares->sharers[i].start_time == info->start_time)
			return &shares->sharers[i];
	return NULL;
}

/* From when on the faults of a process are here; 0: nobody knows. */
static uint64_t begin_of(const struct vmsnap_fault_shares *shares, const struct target *target)
{
	if (target->sharer)
		return target->sharer->until;
	for (size_t i = 0; i < shares->event_count; i++) {
		const struct vmsnap_fault_event *event = &shares->events[i].event;
		bool fork = event->kind == VMSNAP_FAULT_EVENT_FORK;
		bool born = fork && event->child == target->pid && shares->flags & VMSNAP_FAULTS_CHILDREN;
		if ((born || (!fork && event->pid == target->pid)) && event->time <= target->until)
			return born ? event->time : shares->began;
	}
	return 0;
}

static int make_targets(struct giving *giving, const struct vmsnap *const *snaps)
{
	int rc = VMSNAP_OK;
	giving->targets = calloc(giving->count + 1, sizeof(*giving->targets));
	giving->calls = calloc(giving->count + 1, CALLS / 8);
	if (!giving->targets || !giving->calls)
		return fail_no_memory(giving->err);
	for (size_t i = 0; !rc && i < giving->count; i++) {
		const struct vmsnap_info *info = vmsnap_info(snaps[i]);
		struct target *target = &giving->targets[i];
		target->snap = snaps[i];
		target->pid = (int32_t)info->tgid;
		target->until = info->monotonic > 0 ? (uint64_t)info->monotonic : UINT64_MAX;
		target->sharer = find_sharer(giving->shares, info);
		giving->latest = target->until > giving->latest ? target->until : giving->latest;
		target->begin = begin_of(giving->shares, target);
		if (target->begin)
			rc = vmsnap_faults_builder_new(NULL, &target->builder, giving->err);
	}
	if (!rc)
		rc = work_sort(&giving->shares->work, giving->targets, giving->count, sizeof(*giving->targets), by_pid,
		               NULL);
	return rc;
}

/* ---- giving ------------------------------------------------------------------------------ */

static bool was_told(struct giving *giving, uint32_t source, const struct vmsnap_fault *fault, uint32_t target)
{
	uint32_t hash =
	        (fault->stack * 0x9e3779b1u) ^ ((uint32_t)fault->pid * 0x85ebca6bu) ^ (source * 0xc2b2ae35u) ^ target;
	struct told *told = &giving->told[(hash ^ hash >> 15) % TOLD];
	bool was = told->target == target + 1 && told->source == source && told->stack == fault->stack &&
	           told->pid == fault->pid;
	*told = (struct told){ source, fault->stack, fault->pid, target + 1 };
	return was;
}

static int add_call(struct giving *giving, uint32_t target, const struct vmsnap_faults *from, int32_t number)
{
	uint8_t *bits = &giving->calls[(size_t)target * (CALLS / 8)];
	if (number < 0 || number >= CALLS || bits[number / 8] & 1 << number % 8)
		return VMSNAP_OK;
	bits[number / 8] |= (uint8_t)(1 << number % 8);
	return vmsnap_faults_builder_add_syscall(giving->targets[target].builder, number,
	                                         vmsnap_faults_syscall_name(from, number), giving->err);
}

static int give_fault(struct giving *giving, struct target *target, const struct waiting *waiting)
{
	const struct vmsnap_faults *from = giving->shares->sources[waiting->source];
	const struct vmsnap_fault *fault = &from->items[waiting->index];
	uint32_t which = (uint32_t)(target - giving->targets);
	size_t count;
	const uint64_t *frames = vmsnap_faults_stack(from, fault->stack, &count);
	if (!target->builder)
		return VMSNAP_OK;
	int rc = vmsnap_faults_builder_add(target->builder, fault, frames, count, giving->err);
	if (!rc && !was_told(giving, waiting->source, fault, which))
		rc = faults_copy_code(target->builder, from, fault->pid, fault->stack, giving->err);
	return rc ? rc : add_call(giving, which, from, fault->syscall);
}

static int give_faults(struct giving *giving)
{
	struct vmsnap_fault_shares *shares = giving->shares;
	size_t kept = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < shares->waiting_count; i++) {
		const struct waiting waiting = shares->waiting[i];
		const struct vmsnap_fault *fault = &shares->sources[waiting.source]->items[waiting.index];
		struct target *target = rc ? NULL : target_at(giving, fault->pid, fault->time);
		if (target)
			rc = give_fault(giving, target, &waiting);
		else
			shares->waiting[kept++] = waiting;
	}
	shares->waiting_count = kept;
	return rc;
}

static int give_events(struct giving *giving)
{
	struct vmsnap_fault_shares *shares = giving->shares;
	size_t kept = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < shares->event_count; i++) {
		const struct waiting_event waiting = shares->events[i];
		struct target *target = rc ? NULL : target_at(giving, waiting.whose, waiting.event.time);
		if (!target)
			shares->events[kept++] = waiting;
		else if (target->builder)
			rc = vmsnap_faults_builder_add_event(target->builder, &waiting.event, giving->err);
	}
	shares->event_count = kept;
	return rc;
}

static int give_memory_events(struct giving *giving)
{
	struct vmsnap_fault_shares *shares = giving->shares;
	size_t kept = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < shares->memory_event_count; i++) {
		const struct waiting_memory_event waiting = shares->memory_events[i];
		struct target *target = rc ? NULL : target_at(giving, waiting.whose, waiting.event.time);
		if (!target)
			shares->memory_events[kept++] = waiting;
		else if (target->builder)
			rc = faults_add_memory_event(target->builder, &waiting.event, &target->memory_dropped,
			                             giving->err);
	}
	shares->memory_event_count = kept;
	return rc;
}

static int give_sharer(const struct giving *giving, const struct memory_owner *owner, int32_t whose)
{
	struct target *target = find_target(giving, whose);
	if (!target || !target->builder || owner->from >= target->begin || owner->until <= target->begin)
		return VMSNAP_OK;
	const struct vmsnap_memory_event event = { .time = target->begin,
		                                   .pid = owner->pid,
		                                   .to = (uint64_t)owner->parent,
		                                   .kind = VMSNAP_MEMORY_EVENT_SHARED };
	return faults_add_memory_event(target->builder, &event, &target->memory_dropped, giving->err);
}

/* Who had another's memory at the snapshot before: that was told with that one, or with an earlier one. */
static int give_sharers(const struct giving *giving)
{
	const struct memory_owners *owners = &giving->shares->owners;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < owners->count; i++) {
		rc = give_sharer(giving, &owners->items[i], owners->items[i].pid);
		rc = rc ? rc : give_sharer(giving, &owners->items[i], owners->items[i].parent);
	}
	return rc;
}

static int give_threads(struct giving *giving)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < giving->shares->source_count; i++) {
		const struct vmsnap_faults *from = giving->shares->sources[i];
		for (size_t k = 0; !rc && k < from->thread_count; k++) {
			const struct vmsnap_fault_thread *thread = &from->threads[k];
			struct target *target = find_target(giving, thread->pid);
			target = target || !giving->all ? target : guardian_of(giving, thread->pid);
			if (target && target->builder)
				rc = vmsnap_faults_builder_add_thread(target->builder, thread->pid, thread->tid,
				                                      thread->comm, giving->err);
		}
	}
	return rc;
}

/* ---- with it ------------------------------------------------------------------------------ */

static uint64_t lost_since(const struct vmsnap_fault_shares *shares, uint64_t before)
{
	return before == UINT64_MAX || shares->lost == UINT64_MAX ? shares->lost : shares->lost - before;
}

static int with_faults(const struct giving *giving, struct target *target, struct vmsnap **out)
{
	const struct vmsnap_fault_shares *shares = giving->shares;
	struct vmsnap_builder *builder = NULL;
	struct vmsnap_faults *faults = NULL;
	bool told = shares->ended && !target->memory_dropped &&
	            shares->untold == (target->sharer ? target->sharer->untold : shares->untold_before);
	struct vmsnap_faults_info info = {
		.begin = target->begin,
		.end = target->until < shares->ended ? target->until : shares->ended,
		.lost = lost_since(shares, target->sharer ? target->sharer->lost : shares->lost_before),
		.flags = shares->flags | (told ? VMSNAP_FAULTS_MEMORY : 0u),
		.pid = (uint32_t)target->pid,
	};
	info.end = info.end < info.begin ? info.begin : info.end;
	info.lost += target->memory_dropped && info.lost != UINT64_MAX;
	int rc = vmsnap_faults_builder_set(target->builder, &info, giving->err);
	rc = rc ? rc : vmsnap_faults_builder_finish(target->builder, &faults, giving->err);
	rc = rc ? rc : vmsnap_builder_from(target->snap, &builder, giving->err);
	rc = rc ? rc : vmsnap_builder_set_faults(builder, faults, giving->err);
	rc = rc ? rc : vmsnap_builder_finish(builder, out, giving->err);
	vmsnap_builder_free(builder);
	vmsnap_faults_unref(faults);
	return rc;
}

static int note_sharer(const struct giving *giving, const struct target *target)
{
	struct vmsnap_fault_shares *shares = giving->shares;
	const struct vmsnap_info *info = vmsnap_info(target->snap);
	struct sharer *sharer = find_sharer(shares, info); /* it may lie elsewhere by now */
	int rc = VMSNAP_OK;
	if (!sharer) {
		if (!WORK_ROOM(&shares->work, shares->sharers, shares->sharer_count, &shares->sharer_room, &rc))
			return work_fail(&shares->work, rc, giving->err);
		sharer = &shares->sharers[shares->sharer_count++];
	}
	*sharer = (struct sharer){
		.pid = target->pid,
		.start_time = info->start_time,
		.until = target->until,
		.lost = shares->lost,
		.untold = shares->untold,
	};
	return VMSNAP_OK;
}

static int finish_all(struct giving *giving, const struct vmsnap *const *snaps, struct vmsnap **out)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < giving->count; i++) {
		struct target *target = find_target(giving, (int32_t)vmsnap_info(snaps[i])->tgid);
		bool has = target->snap == snaps[i] && target->builder;
		rc = has ? with_faults(giving, target, &out[i]) : VMSNAP_OK;
		out[i] = has || rc ? out[i] : vmsnap_ref(snaps[i]);
	}
	for (size_t i = 0; !rc && i < giving->count; i++)
		rc = note_sharer(giving, &giving->targets[i]);
	if (!rc && giving->all) {
		giving->shares->lost_before = giving->shares->lost;
		giving->shares->untold_before = giving->shares->untold;
	}
	return rc;
}

/* What nothing waits in is let go of; they wait in its order.  Who has ended has no more children. */
static void drop_old(struct vmsnap_fault_shares *shares, const struct giving *giving)
{
	size_t first = shares->waiting_count ? shares->waiting[0].source : shares->source_count, kept = 0;
	for (size_t i = 0; i < first; i++)
		vmsnap_faults_unref(shares->sources[i]);
	if (first)
		memmove(shares->sources, shares->sources + first,
		        (shares->source_count - first) * sizeof(struct vmsnap_faults *));
	shares->source_count -= first;
	for (size_t i = 0; i < shares->waiting_count; i++)
		shares->waiting[i].source -= (uint32_t)first;
	for (size_t i = 0; giving->all && i < shares->fork_count; i++)
		if (shares->forks[i].time > giving->latest || find_target(giving, shares->forks[i].child))
			shares->forks[kept++] = shares->forks[i];
	shares->fork_count = giving->all ? kept : shares->fork_count;
}

VMSNAP_API int vmsnap_fault_shares_give(struct vmsnap_fault_shares *shares, const struct vmsnap *const *snaps,
                                        size_t count, unsigned flags, struct vmsnap **out, struct vmsnap_error *err)
{
	if (!shares || !snaps || !count || !out || flags & ~(unsigned)VMSNAP_FAULT_SHARES_ALL)
		return fail(err, VMSNAP_ERR_ARGUMENT, "page faults: are given to snapshots, of which there are none");
	CLEANUP_FREE struct giving *giving = calloc(1, sizeof(*giving));
	if (!giving)
		return fail_no_memory(err);
	giving->shares = shares;
	giving->count = count;
	giving->all = flags & VMSNAP_FAULT_SHARES_ALL;
	giving->err = err;
	memset(out, 0, count * sizeof(*out));
	int rc = make_targets(giving, snaps);
	rc = rc ? rc : give_faults(giving);
	rc = rc ? rc : give_events(giving);
	rc = rc ? rc : give_memory_events(giving);
	rc = rc ? rc : give_sharers(giving);
	rc = rc ? rc : give_threads(giving);
	rc = rc ? rc : finish_all(giving, snaps, out);
	if (!rc)
		drop_old(shares, giving);
	for (size_t i = 0; giving->targets && i < count; i++)
		vmsnap_faults_builder_free(giving->targets[i].builder);
	for (size_t i = 0; rc && i < count; i++) {
		vmsnap_unref(out[i]);
		out[i] = NULL;
	}
	free(giving->targets);
	free(giving->calls);
	return rc;
}
