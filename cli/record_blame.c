#define _GNU_SOURCE
#include "record_blame.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "descriptor_limit.h"
#include "names.h"
#include "say.h"

struct record_blame {
	const struct options *options;
	pthread_t thread;
	pthread_mutex_t lock; /* the watch, and what follows */
	struct vmsnap_fault_watch *watch;
	bool running, over;
	int rc;
	struct vmsnap_error err;
	uint64_t seen, lost;

	/* The writing thread's own. */
	struct vmsnap_fault_shares *shares;
	struct vmsnap_names *names;
	struct vmsnap **before; /* the instant before */
	size_t before_count;
};

/* ---- taking in --------------------------------------------------------------------------- */

static void *take_in(void *ctx)
{
	struct record_blame *blame = ctx;
	const struct timespec pause = { .tv_nsec = 5000000 };
	bool over = false;
	while (!over) {
		pthread_mutex_lock(&blame->lock);
		struct vmsnap_error err;
		int rc = vmsnap_fault_watch_read(blame->watch, 0, &err);
		if (rc && !blame->rc) {
			blame->rc = rc;
			blame->err = err;
		}
		over = blame->over || blame->rc;
		pthread_mutex_unlock(&blame->lock);
		if (!over)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static int start(struct record_blame *blame)
{
	sigset_t all, before;
	sigfillset(&all); /* signals are for the one that waits for them */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&blame->thread, NULL, take_in, blame);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	blame->running = !error;
	return error ? trouble("record: cannot make a thread: %s", strerror(error)) : STATUS_OK;
}

int record_blame_open(const struct options *options, const pid_t *pids, size_t count, struct record_blame **out)
{
	const struct vmsnap_fault_watch_options how = {
		.size = sizeof(how),
		.flags = options->tree ? 0 : VMSNAP_FAULT_WATCH_CHILDLESS,
	};
	struct vmsnap_error err;
	struct record_blame *blame = calloc(1, sizeof(*blame));
	if (!blame)
		return trouble("out of memory");
	blame->options = options;
	pthread_mutex_init(&blame->lock, NULL);
	descriptor_limit_raise();
	int rc = vmsnap_fault_watch_open(pids, count, &how, &blame->watch, &err);
	rc = rc ? rc : vmsnap_fault_shares_new(&blame->shares, &err);
	int status = rc ? trouble_with("record: --blame", &err) : start(blame);
	if (status) {
		record_blame_close(blame);
		return status;
	}
	*out = blame;
	return STATUS_OK;
}

int record_blame_add(struct record_blame *blame, pid_t pid)
{
	struct vmsnap_error err;
	pthread_mutex_lock(&blame->lock);
	int rc = vmsnap_fault_watch_add(blame->watch, pid, &err);
	pthread_mutex_unlock(&blame->lock);
	if (rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_ZOMBIE)
		return STATUS_OK; /* its snapshot will say so */
	return rc ? trouble_with("record: --blame", &err) : STATUS_OK;
}

int record_blame_take(struct record_blame *blame, struct vmsnap_faults **out)
{
	struct vmsnap_error err;
	pthread_mutex_lock(&blame->lock);
	int rc = blame->rc ? blame->rc : vmsnap_fault_watch_take(blame->watch, out, &err);
	if (blame->rc)
		err = blame->err;
	if (!rc) {
		const struct vmsnap_faults_info *info = vmsnap_faults_info(*out);
		blame->seen += info->count;
		blame->lost = info->lost > UINT64_MAX - blame->lost ? UINT64_MAX : blame->lost + info->lost;
	}
	pthread_mutex_unlock(&blame->lock);
	return rc ? trouble_with("record: --blame", &err) : STATUS_OK;
}

/* ---- giving ------------------------------------------------------------------------------ */

/* By the snapshots of this instant, and of the one before: what is there no more has its name from then. */
static int named(struct record_blame *blame, const struct vmsnap_faults *faults, struct vmsnap *const *snaps,
                 size_t count, struct vmsnap_faults **out, struct vmsnap_error *err)
{
	const struct vmsnap **all = calloc(blame->before_count + count, sizeof(*all));
	size_t events = 0;
	if (!all)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < blame->before_count; i++)
		all[i] = blame->before[i];
	for (size_t i = 0; i < count; i++)
		all[blame->before_count + i] = snaps[i];
	while (vmsnap_faults_event(faults, events))
		events++;
	if (!blame->names)
		blame->names = names_quiet(blame->options, snaps[0]);
	int rc = blame->names ? vmsnap_faults_name(faults, all, blame->before_count + count,
	                                           vmsnap_faults_event(faults, 0), events, blame->names, out, err)
	                      : VMSNAP_OK;
	free(all);
	if (!blame->names)
		*out = vmsnap_faults_ref(faults);
	return rc;
}

static void remember(struct record_blame *blame, struct vmsnap *const *snaps, size_t count)
{
	vmsnap_unref_all(blame->before, blame->before_count);
	blame->before_count = 0;
	blame->before = calloc(count, sizeof(struct vmsnap *));
	for (size_t i = 0; blame->before && i < count; i++)
		blame->before[blame->before_count++] = vmsnap_ref(snaps[i]);
}

int record_blame_give(struct record_blame *blame, const struct vmsnap_faults *faults, struct vmsnap **snaps,
                      size_t count, bool all, struct vmsnap_error *err)
{
	struct vmsnap_faults *known = NULL;
	struct vmsnap **with = calloc(count, sizeof(struct vmsnap *));
	int rc = with ? named(blame, faults, snaps, count, &known, err) : VMSNAP_ERR_NO_MEMORY;
	rc = rc ? rc : vmsnap_fault_shares_add(blame->shares, known, err);
	rc = rc ? rc
	        : vmsnap_fault_shares_give(blame->shares, (const struct vmsnap *const *)snaps, count,
	                                   all ? VMSNAP_FAULT_SHARES_ALL : 0, with, err);
	if (!rc && all)
		remember(blame, snaps, count);
	for (size_t i = 0; !rc && i < count; i++) {
		vmsnap_unref(snaps[i]);
		snaps[i] = with[i];
	}
	free(with);
	vmsnap_faults_unref(known);
	return rc;
}

/* ---- the end ----------------------------------------------------------------------------- */

void record_blame_sums(const struct record_blame *blame, struct record_blame_sums *out)
{
	*out = (struct record_blame_sums){ blame->seen, blame->lost, vmsnap_fault_shares_left(blame->shares) };
}

void record_blame_close(struct record_blame *blame)
{
	if (!blame)
		return;
	pthread_mutex_lock(&blame->lock);
	blame->over = true;
	pthread_mutex_unlock(&blame->lock);
	if (blame->running)
		pthread_join(blame->thread, NULL);
	vmsnap_fault_watch_close(blame->watch);
	vmsnap_fault_shares_free(blame->shares);
	vmsnap_names_free(blame->names);
	vmsnap_unref_all(blame->before, blame->before_count);
	pthread_mutex_destroy(&blame->lock);
	free(blame);
}
