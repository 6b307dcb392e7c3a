/* thread_start.h - one of many threads, with a small stack. */
#ifndef VMSNAP_TESTS_THREAD_START_H
#define VMSNAP_TESTS_THREAD_START_H

#include <errno.h>
#include <pthread.h>

#include "../targets/target.h"

static inline void thread_start(void *(*run)(void *), size_t stack_kib)
{
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack_kib << 10);
	errno = pthread_create(&thread, &attr, run, NULL);
	if (errno)
		cannot("make so many threads");
	pthread_attr_destroy(&attr);
}

#endif
