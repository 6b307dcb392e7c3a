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

enum { WAKE, KILL };
enum { NS_A_MS = 1000000, NS_A_SECOND = 1000000000 };

static int make_timer(struct watchdog *dog, size_t index, int number)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number };
	event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &dog->ids[index]) ? errno : 0;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now = { 0 };
	(void)raw_syscall4(SYS_clock_gettime, clock, (long)&now, 0, 0);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

static void set_timer(const struct watchdog *dog, size_t index, uint64_t ns)
{
	/* 0 would stop it. */
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(ns / NS_A_SECOND),
		                                 .tv_nsec = (long)(ns % NS_A_SECOND) | 1 } };
	(void)raw_syscall4(SYS_timer_settime, dog->ids[index], 0, (long)&when, 0);
}

static void begin_anew(struct watchdog *dog, uint64_t wall, uint64_t processor)
{
	dog->wall = wall;
	dog->processor = processor;
	set_timer(dog, WAKE, dog->wake);
	set_timer(dog, KILL, dog->kill);
}

void watchdog_waited(struct watchdog *dog)
{
	if (dog->on)
		begin_anew(dog, read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_THREAD_CPUTIME_ID));
}

int watchdog_start(struct watchdog *dog, unsigned wake_ms, unsigned kill_ms, struct vmsnap_error *err)
{
	*dog = (struct watchdog){ .wake = (uint64_t)wake_ms * NS_A_MS, .kill = (uint64_t)kill_ms * NS_A_MS };
	int error = make_timer(dog, WAKE, SIGCONT);
	if (!error && (error = make_timer(dog, KILL, SIGKILL)) != 0)
		(void)syscall(SYS_timer_delete, dog->ids[WAKE]);
	/* Each timer takes one of the signals that the user may have pending. */
	if (error)
		return fail_sys(err, error,
		                "cannot make the timers that let a process go if this one is stopped meanwhile "
		                "(ulimit -i)");
	dog->on = true;
	watchdog_waited(dog);
	return VMSNAP_OK;
}

void watchdog_kick(struct watchdog *dog)
{
	if (!dog->on)
		return;
	uint64_t wall = read_clock(CLOCK_MONOTONIC), processor = read_clock(CLOCK_THREAD_CPUTIME_ID);
	uint64_t passed = wall - dog->wall, used = processor - dog->processor;
	uint64_t lost = passed > used ? passed - used : 0;
	dog->kill -= lost < dog->kill ? lost : dog->kill;
	begin_anew(dog, wall, processor);
}

void watchdog_stop(struct watchdog *dog)
{
	for (size_t i = 0; dog->on && i < WATCHDOG_TIMERS; i++)
		(void)syscall(SYS_timer_delete, dog->ids[i]);
	dog->on = false;
}
