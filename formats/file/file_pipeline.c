#define _GNU_SOURCE
#include "file_pipeline.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "thread.h"

enum { JOBS = 4, THREADS_MAX = 2 };

struct slot {
	struct pipeline_job job;
	bool done;
};

struct worker {
	struct pipeline *pipeline;
	struct deflater *deflater;
	pthread_t thread;
};

struct pipeline {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot slots[JOBS];
	size_t started, taken, finished; /* jobs; a job's slot is its number modulo JOBS */
	bool stop;
	struct worker workers[THREADS_MAX];
	unsigned worker_count;
	struct deflater *deflater; /* the caller's, who helps while waiting */
};

/* Does the oldest job that nobody has taken.  Called and left with the lock. */
static void do_one(struct pipeline *pipeline, struct deflater *deflater)
{
	struct slot *slot = &pipeline->slots[pipeline->taken++ % JOBS];
	pthread_mutex_unlock(&pipeline->lock);
	slot->job.deflated = deflate_payload(deflater, &slot->job.payload, DEFLATE_FAST, &slot->job.stored);
	pthread_mutex_lock(&pipeline->lock);
	slot->done = true;
	pthread_cond_broadcast(&pipeline->changed);
}

static void *run_worker(void *context)
{
	struct worker *worker = context;
	struct pipeline *pipeline = worker->pipeline;
	pthread_mutex_lock(&pipeline->lock);
	while (!pipeline->stop) {
		if (pipeline->taken < pipeline->started)
			do_one(pipeline, worker->deflater);
		else
			pthread_cond_wait(&pipeline->changed, &pipeline->lock);
	}
	pthread_mutex_unlock(&pipeline->lock);
	return NULL;
}

/* Signals are the caller's business, and go to a thread of the caller's. */
static void start_workers(struct pipeline *pipeline, unsigned threads)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (pipeline->worker_count < threads && pipeline->worker_count < THREADS_MAX) {
		struct worker *worker = &pipeline->workers[pipeline->worker_count];
		worker->pipeline = pipeline;
		worker->deflater = deflater_new();
		if (!worker->deflater || thread_start(&worker->thread, run_worker, worker)) {
			deflater_free(worker->deflater);
			break;
		}
		pipeline->worker_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct pipeline *pipeline_new(unsigned threads)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline)
		return NULL;
	pthread_mutex_init(&pipeline->lock, NULL);
	pthread_cond_init(&pipeline->changed, NULL);
	pipeline->deflater = deflater_new();
	if (!pipeline->deflater) {
		pipeline_free(pipeline);
		return NULL;
	}
	start_workers(pipeline, threads);
	return pipeline;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	pthread_mutex_lock(&pipeline->lock);
	pipeline->stop = true;
	pthread_cond_broadcast(&pipeline->changed);
	pthread_mutex_unlock(&pipeline->lock);
	for (unsigned i = 0; i < pipeline->worker_count; i++) {
		pthread_join(pipeline->workers[i].thread, NULL);
		deflater_free(pipeline->workers[i].deflater);
	}
	for (size_t i = 0; i < JOBS; i++) {
		payload_free(&pipeline->slots[i].job.payload);
		bytes_free(&pipeline->slots[i].job.stored);
	}
	deflater_free(pipeline->deflater);
	pthread_cond_destroy(&pipeline->changed);
	pthread_mutex_destroy(&pipeline->lock);
	free(pipeline);
}

struct pipeline_job *pipeline_next(struct pipeline *pipeline)
{
	/* These two numbers only this thread changes. */
	if (pipeline->started - pipeline->finished == JOBS)
		return NULL;
	struct slot *slot = &pipeline->slots[pipeline->started % JOBS];
	payload_clear(&slot->job.payload);
	slot->done = false;
	return &slot->job;
}

void pipeline_start(struct pipeline *pipeline)
{
	pthread_mutex_lock(&pipeline->lock);
	pipeline->started++;
	pthread_cond_broadcast(&pipeline->changed);
	pthread_mutex_unlock(&pipeline->lock);
}

struct pipeline_job *pipeline_finish(struct pipeline *pipeline)
{
	if (pipeline->finished == pipeline->started)
		return NULL;
	struct slot *slot = &pipeline->slots[pipeline->finished % JOBS];
	pthread_mutex_lock(&pipeline->lock);
	while (!slot->done) {
		if (pipeline->taken < pipeline->started)
			do_one(pipeline, pipeline->deflater);
		else
			pthread_cond_wait(&pipeline->changed, &pipeline->lock);
	}
	pthread_mutex_unlock(&pipeline->lock);
	pipeline->finished++;
	return &slot->job;
}
