#define _GNU_SOURCE
#include "watchdog.h"

#include <signal.h>
#include <time.h>

#include "error.h"
#include "raw_syscall.h"

/* The name that older headers lack. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static int make_timer(struct watchdog *dog, size_t index, int number, unsigned ms)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number };
	event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
	dog->ms[index] = ms;
	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &dog->ids[index]) ? errno : 0;
}

int watchdog_start(struct watchdog *dog, unsigned wake_ms, unsigned kill_ms, struct vmsnap_error *err)
{
	*dog = (struct watchdog){ .on = true };
	int error = make_timer(dog, 0, SIGCONT, wake_ms);
	if (!error && (error = make_timer(dog, 1, SIGKILL, kill_ms)) != 0)
		(void)syscall(SYS_timer_delete, dog->ids[0]);
	dog->on = !error;
	watchdog_kick(dog);
	/* Each timer takes one of the signals that the user may have pending. */
	return error ? fail_sys(err, error,
	                        "cannot make the timers that let a process go if this one is stopped meanwhile "
	                        "(ulimit -i)")
	             : VMSNAP_OK;
}

void watchdog_kick(const struct watchdog *dog)
{
	for (size_t i = 0; dog->on && i < WATCHDOG_TIMERS; i++) {
		struct itimerspec when = { .it_value = { .tv_sec = dog->ms[i] / 1000,
			                                 .tv_nsec = dog->ms[i] % 1000 * 1000000L } };
		(void)raw_syscall4(SYS_timer_settime, dog->ids[i], 0, (long)&when, 0);
	}
}

void watchdog_stop(struct watchdog *dog)
{
	for (size_t i = 0; dog->on && i < WATCHDOG_TIMERS; i++)
		(void)syscall(SYS_timer_delete, dog->ids[i]);
	dog->on = false;
}
