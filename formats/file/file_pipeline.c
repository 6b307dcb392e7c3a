#define _GNU_SOURCE
#include "file_pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "thread.h"

enum { JOBS = 4, THREADS_MAX = 2 };

struct worker {
	struct pipeline *pipeline;
	void *own;
	pthread_t thread;
};

struct pipeline {
	const struct pipeline_ops *ops;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *jobs;
	bool done[JOBS];
	size_t started, taken, finished; /* jobs; a job's slot is its number modulo JOBS */
	bool stop;
	struct worker workers[THREADS_MAX];
	unsigned worker_count;
	void *own; /* the caller's, who helps while waiting */
};

unsigned pipeline_threads(void)
{
	cpu_set_t cpus;
	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	return (unsigned)CPU_COUNT(&cpus) - 1;
}

static void *job_at(const struct pipeline *pipeline, size_t number)
{
	return pipeline->jobs + number % JOBS * pipeline->ops->job_size;
}

/* Does the oldest job that nobody has taken.  Called and left with the lock. */
static void do_one(struct pipeline *pipeline, void *own)
{
	size_t number = pipeline->taken++;
	pthread_mutex_unlock(&pipeline->lock);
	pipeline->ops->work(own, job_at(pipeline, number));
	pthread_mutex_lock(&pipeline->lock);
	pipeline->done[number % JOBS] = true;
	pthread_cond_broadcast(&pipeline->changed);
}

static void *run_worker(void *context)
{
	struct worker *worker = context;
	struct pipeline *pipeline = worker->pipeline;
	pthread_mutex_lock(&pipeline->lock);
	while (!pipeline->stop) {
		if (pipeline->taken < pipeline->started)
			do_one(pipeline, worker->own);
		else
			pthread_cond_wait(&pipeline->changed, &pipeline->lock);
	}
	pthread_mutex_unlock(&pipeline->lock);
	return NULL;
}

static void start_workers(struct pipeline *pipeline, unsigned threads)
{
	while (pipeline->worker_count < threads && pipeline->worker_count < THREADS_MAX) {
		struct worker *worker = &pipeline->workers[pipeline->worker_count];
		worker->pipeline = pipeline;
		worker->own = pipeline->ops->worker_new();
		if (!worker->own)
			break;
		if (thread_start_unsignalled(&worker->thread, run_worker, worker)) {
			pipeline->ops->worker_free(worker->own);
			break;
		}
		pipeline->worker_count++;
	}
}

struct pipeline *pipeline_new(const struct pipeline_ops *ops, unsigned threads)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline)
		return NULL;
	pipeline->ops = ops;
	pthread_mutex_init(&pipeline->lock, NULL);
	pthread_cond_init(&pipeline->changed, NULL);
	pipeline->jobs = calloc(JOBS, ops->job_size);
	pipeline->own = ops->worker_new();
	if (!pipeline->jobs || !pipeline->own) {
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
		pipeline->ops->worker_free(pipeline->workers[i].own);
	}
	for (size_t i = 0; pipeline->jobs && i < JOBS; i++)
		pipeline->ops->job_free(job_at(pipeline, i));
	free(pipeline->jobs);
	if (pipeline->own)
		pipeline->ops->worker_free(pipeline->own);
	pthread_cond_destroy(&pipeline->changed);
	pthread_mutex_destroy(&pipeline->lock);
	free(pipeline);
}

void *pipeline_next(struct pipeline *pipeline)
{
	/* These two numbers only this thread changes. */
	if (pipeline->started - pipeline->finished == (pipeline->worker_count ? JOBS : 1))
		return NULL;
	pipeline->done[pipeline->started % JOBS] = false;
	return job_at(pipeline, pipeline->started);
}

void pipeline_start(struct pipeline *pipeline)
{
	pthread_mutex_lock(&pipeline->lock);
	pipeline->started++;
	pthread_cond_broadcast(&pipeline->changed);
	pthread_mutex_unlock(&pipeline->lock);
}

void *pipeline_finish(struct pipeline *pipeline)
{
	if (pipeline->finished == pipeline->started)
		return NULL;
	size_t number = pipeline->finished;
	pthread_mutex_lock(&pipeline->lock);
	while (!pipeline->done[number % JOBS]) {
		if (pipeline->taken < pipeline->started)
			do_one(pipeline, pipeline->own);
		else
			pthread_cond_wait(&pipeline->changed, &pipeline->lock);
	}
	pthread_mutex_unlock(&pipeline->lock);
	pipeline->finished++;
	return job_at(pipeline, number);
}
