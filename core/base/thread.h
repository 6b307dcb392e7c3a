/* thread.h - threads of our own, whatever the limits of the program that we are in. */
#ifndef VMSNAP_THREAD_H
#define VMSNAP_THREAD_H

#include <pthread.h>

/* pthread_create(), but with a stack of our own size: the C library makes one as large as
 * the main thread's may grow (ulimit -s), which may be too small for anything or too
 * large for what memory there is.  Returns 0 or errno. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *argument);
/* The same, of a thread that gets no signals: these are the caller's business. */
int thread_start_unsignalled(pthread_t *thread, void *(*run)(void *), void *argument);

#endif
