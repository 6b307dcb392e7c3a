#define _GNU_SOURCE
#include "instant_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "error.h"
#include "freeze.h"
#include "freeze_reap.h"
#include "thread.h"

enum { POLL_MS = 100 };

struct own_thread {
	struct capture *capture;
	int (*work)(struct capture *capture);
	int rc;        /* of it */
	bool finished; /* it has come to its end, and was not ended */
};

static void let_go(void *freeze)
{
	freeze_release(freeze);
}

/* Each time that a thread begins: those of before have ended. */
static void hasten(struct capture *capture)
{
	struct realtime *realtime = &capture->freeze.realtime;
	if (!instant_wants(capture, VMSNAP_CAPTURE_REALTIME) || instant_wants(capture, VMSNAP_CAPTURE_NO_FREEZE))
		return;
	realtime_init(realtime);
	realtime_add(realtime, capture->freeze.thread);
}

static void *thread_main(void *argument)
{
	struct own_thread *own = argument;
	struct capture *capture = own->capture;
	freeze_own_thread(&capture->freeze);
	hasten(capture);
	pthread_cleanup_push(let_go, &capture->freeze);
	own->rc = own->work(capture);
	pthread_cleanup_pop(0);
	own->finished = true;
	return NULL;
}

/* Without a need nobody wakes up: while page tables are read, what we run shows in
 * them (own_mappings.h). */
static void join_polling(struct capture *capture, pthread_t thread)
{
	bool (*cancelled)(void *) = capture->options.cancelled;
	while (cancelled || !atomic_load(&capture->stands)) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += POLL_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT)
			return;
		if (cancelled && cancelled(capture->options.cancel_ctx))
			atomic_store(&capture->cancel, true);
		realtime_check(&capture->freeze.realtime);
		freeze_reap_threads(&capture->freeze);
		freeze_watch(&capture->freeze, thread);
	}
	pthread_join(thread, NULL);
}

/* As it was but for Ctrl-Z and its like: if they stopped us meanwhile, the target would
 * stand until we are continued.  SIGSTOP cannot be held back, nor a signal that another
 * thread of the caller's takes. */
static void hold_back_job_control(const sigset_t *before)
{
	sigset_t mask = *before;
	sigaddset(&mask, SIGTSTP);
	sigaddset(&mask, SIGTTIN);
	sigaddset(&mask, SIGTTOU);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* If the thread did not come to its end, another may try. */
static int run_once(struct own_thread *own, const sigset_t *before)
{
	struct capture *capture = own->capture;
	/* The caller's signals are the caller's: a debugger would hang on them. */
	sigset_t all;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	int error = thread_start(&thread, thread_main, own);
	hold_back_job_control(before);
	if (error)
		return fail_sys(&capture->error, error, "cannot start a thread");
	join_polling(capture, thread);
	/* Not PTHREAD_CANCELED: what a thread returns that is ended between two states of its
	 * own may be NULL (glibc 2.36). */
	if (own->finished)
		return own->rc;
	freeze_start_over(&capture->freeze);
	return atomic_load(&capture->cancel) ? fail(&capture->error, VMSNAP_ERR_CANCELLED, "cancelled") : VMSNAP_OK;
}

int instant_thread_run(struct capture *capture, int (*work)(struct capture *capture))
{
	struct own_thread own = { .capture = capture, .work = work };
	sigset_t before;
	int rc = VMSNAP_OK;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	while (!own.finished && !rc)
		rc = run_once(&own, &before);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
