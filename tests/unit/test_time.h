/* test_time.h - ends a test that takes too long: counted is the processor's time, so that a
 * busy machine makes no difference. */
#ifndef TEST_TIME_H
#define TEST_TIME_H

#include <sys/time.h>

/* SIGPROF ends it.  0 seconds: no limit any more. */
static inline void end_after(unsigned seconds)
{
	struct itimerval limit = { .it_value.tv_sec = seconds };
	setitimer(ITIMER_PROF, &limit, NULL);
}

#endif
