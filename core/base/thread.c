#define _GNU_SOURCE
#include "thread.h"

#include <errno.h>
#include <signal.h>

/* The deepest of ours takes some 40 KiB; a sanitizer's and the C library's own, which
 * keeps thread-local memory there, are to fit in as well.  What is not used costs nothing. */
enum { STACK_BYTES = 1 << 20 };

int thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);
	if (error)
		return error;
	error = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	error = error ? error : pthread_create(thread, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	/* So much thread-local memory that it does not fit: then the library knows best. */
	return error == EINVAL ? pthread_create(thread, NULL, run, argument) : error;
}

int thread_start_unsignalled(pthread_t *thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = thread_start(thread, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}
