/* gdb_threads COUNT - threads with variables of their own, all waiting while the first
 * calls all_here(); then each writes to its page of pages[] and calls in_thread(), one
 * after the other, and the first calls all_done().
 *   gdb_threads COUNT run: the others never wait but count up, until the first ends. */
#define _GNU_SOURCE
#include "target.h"
#include <pthread.h>
#include <time.h>

enum { THREADS = 16 };

struct page {
	_Alignas(PAGE) volatile int value;
	char rest[PAGE - sizeof(int)];
};

struct page pages[THREADS];
_Thread_local volatile int of_thread = 1;
static pthread_barrier_t here, go;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static volatile int running = 1;
static int count = 3, busy;

__attribute__((noinline)) void all_here(void) { __asm__ volatile(""); }
__attribute__((noinline)) void all_done(void) { __asm__ volatile(""); }
__attribute__((noinline)) void in_thread(int number) { __asm__ volatile("" : : "r"(number)); }

static void *thread_main(void *arg)
{
	volatile int number = (int)(intptr_t)arg;
	volatile char mine[2 * PAGE];
	mine[PAGE] = (char)number;
	of_thread = 100 + number;
	pages[number].value = 1;
	pthread_barrier_wait(&here);
	if (busy) {
		while (running)
			pages[number].value++;
		return NULL;
	}
	pthread_barrier_wait(&go);
	pthread_mutex_lock(&turn);
	pages[number].value = 42;
	mine[PAGE]++;
	in_thread(number);
	pthread_mutex_unlock(&turn);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	count = argc > 1 ? atoi(argv[1]) : 3;
	busy = argc > 2 && !strcmp(argv[2], "run");
	alarm(600);
	if (count > THREADS)
		return 2;
	pthread_barrier_init(&here, NULL, (unsigned)count + 1);
	pthread_barrier_init(&go, NULL, (unsigned)count + 1);
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, thread_main, (void *)(intptr_t)i))
			return 3;
	pthread_barrier_wait(&here);
	for (int i = 0; i < (busy ? 20 : 1); i++) {
		all_here();
		if (busy)
			usleep(10000);
	}
	running = 0;
	if (!busy)
		pthread_barrier_wait(&go);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	all_done();
	return 0;
}
