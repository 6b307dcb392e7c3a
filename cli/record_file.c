#define _GNU_SOURCE
#include "record_file.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "privilege.h"
#include "record_ring.h"
#include "say.h"

enum { WAITING_MAX = 2, STACK_BYTES = 1 << 20, STACK_BYTES_NAMES = 8 << 20 };

struct record_file {
	struct record_file_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct record_batch waiting[WAITING_MAX];
	size_t waiting_count;
	bool writing, closing;
	int rc; /* of what failed first */
	struct vmsnap_error err;
	uint64_t bytes, bytes_before; /* all; of the files before this one */
	unsigned files;
	char name[PATH_MAX];

	/* The thread's own. */
	struct vmsnap_writer *writer;
	struct timespec began; /* the file that is written, CLOCK_MONOTONIC */
};

/* ---- the thread ---- */

static bool is_due(const struct record_file *file)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t age = (uint64_t)(now.tv_sec - file->began.tv_sec) * 1000000000u +
	               (uint64_t)(now.tv_nsec - file->began.tv_nsec);
	return file->options.rotate && age >= file->options.rotate;
}

static int close_writer(struct record_file *file)
{
	int rc = vmsnap_writer_close(file->writer, &file->err);
	file->writer = NULL;
	return rc;
}

static int open_writer(struct record_file *file)
{
	/* What has the name of a time already is of this second, and goes on. */
	struct vmsnap_writer_options options = {
		.size = sizeof(options),
		.flags = VMSNAP_SAVE_DELTA | (file->options.rotate ? VMSNAP_SAVE_APPEND : 0u) |
		         (file->options.no_contents ? VMSNAP_SAVE_NO_CONTENTS : 0u),
		.sync = true,
	};
	char name[PATH_MAX];
	const char *path = strcmp(file->options.path, "-") != 0 ? file->options.path : "/dev/stdout";
	if (file->options.rotate && ring_name(path, time(NULL), name, sizeof(name))) {
		snprintf(file->err.message, sizeof(file->err.message), "the name of the file is too long");
		return VMSNAP_ERR_ARGUMENT;
	}
	if (!file->options.rotate)
		snprintf(name, sizeof(name), "%s", path);
	int rc = vmsnap_writer_open(name, &options, &file->writer, &file->err);
	clock_gettime(CLOCK_MONOTONIC, &file->began);
	pthread_mutex_lock(&file->lock);
	memcpy(file->name, name, sizeof(name));
	file->files++;
	file->bytes_before = file->bytes;
	pthread_mutex_unlock(&file->lock);
	return rc;
}

/* A new file begins with whole snapshots, as the writer keeps no other to tell differences from. */
static int write_batch(struct record_file *file, const struct record_batch *batch)
{
	bool fresh = !file->writer || is_due(file);
	int rc = fresh ? close_writer(file) : VMSNAP_OK;
	rc = rc || !fresh ? rc : open_writer(file);
	if (!rc && file->options.blame)
		rc = record_blame_give(file->options.blame, batch->faults, batch->snaps, batch->count, batch->all,
		                       &file->err);
	if (rc)
		return rc;
	rc = vmsnap_writer_add(file->writer, (const struct vmsnap *const *)batch->snaps, batch->count, &file->err);
	if (!rc && file->err.code)
		say("warning: %s", file->err.message);
	if (!rc && fresh && file->options.rotate && file->options.max_files)
		ring_trim(file->options.path, file->options.max_files);
	return rc;
}

static void note(struct record_file *file, int rc)
{
	pthread_mutex_lock(&file->lock);
	file->rc = file->rc ? file->rc : rc;
	if (file->writer)
		file->bytes = file->bytes_before + vmsnap_writer_bytes(file->writer);
	file->writing = false;
	pthread_cond_broadcast(&file->changed);
	pthread_mutex_unlock(&file->lock);
}

/* The next one, or none: it is closed, and nothing waits. */
static bool next_batch(struct record_file *file, struct record_batch *out)
{
	pthread_mutex_lock(&file->lock);
	while (!file->waiting_count && !file->closing)
		pthread_cond_wait(&file->changed, &file->lock);
	bool any = file->waiting_count;
	if (any) {
		*out = file->waiting[0];
		memmove(file->waiting, file->waiting + 1, --file->waiting_count * sizeof(*file->waiting));
		file->writing = true;
		pthread_cond_broadcast(&file->changed);
	}
	pthread_mutex_unlock(&file->lock);
	return any;
}

static void batch_free(const struct record_batch *batch)
{
	vmsnap_unref_all(batch->snaps, batch->count);
	vmsnap_faults_unref(batch->faults);
}

static void *write_all(void *ctx)
{
	struct record_file *file = ctx;
	struct record_batch batch;
	privilege_drop();
	while (next_batch(file, &batch)) {
		int rc = file->rc ? VMSNAP_OK : write_batch(file, &batch);
		batch_free(&batch);
		note(file, rc);
	}
	/* What went wrong first is what is told. */
	struct vmsnap_error first = file->err;
	int rc = close_writer(file);
	if (file->rc)
		file->err = first;
	note(file, file->rc ? VMSNAP_OK : rc);
	return NULL;
}

/* ---- for the others ---- */

/* The first instant may be long in coming: what cannot be written is better told now. */
static int check_path(const struct record_file_options *options)
{
	struct vmsnap_error err;
	struct vmsnap_file *there;
	struct stat st;
	if (options->rotate || !strcmp(options->path, "-") || stat(options->path, &st))
		return STATUS_OK;
	if (S_ISDIR(st.st_mode))
		return trouble("%s is a folder", options->path);
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return STATUS_OK;
	int rc = vmsnap_file_open(options->path, NULL, &there, &err);
	if (rc == VMSNAP_ERR_NOT_SNAPSHOT)
		return trouble("%s is no snapshot file, and is not replaced", options->path);
	if (!rc)
		vmsnap_file_close(there);
	return STATUS_OK;
}

int record_file_open(const struct record_file_options *options, struct record_file **out)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	privilege_pause();
	int status = check_path(options);
	privilege_resume();
	if (status)
		return status;
	struct record_file *file = calloc(1, sizeof(*file));
	if (!file)
		return trouble("out of memory");
	file->options = *options;
	pthread_mutex_init(&file->lock, NULL);
	pthread_cond_init(&file->changed, NULL);
	/* Signals are for the one that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, options->blame ? STACK_BYTES_NAMES : STACK_BYTES);
	int error = pthread_create(&file->thread, &attributes, write_all, file);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		free(file);
		return trouble("record: cannot make a thread: %s", strerror(error));
	}
	*out = file;
	return STATUS_OK;
}

bool record_file_put(struct record_file *file, const struct record_batch *batch)
{
	pthread_mutex_lock(&file->lock);
	while (file->waiting_count == WAITING_MAX && !file->rc)
		pthread_cond_wait(&file->changed, &file->lock);
	bool well = !file->rc;
	if (well)
		file->waiting[file->waiting_count++] = *batch;
	pthread_cond_broadcast(&file->changed);
	pthread_mutex_unlock(&file->lock);
	if (!well)
		batch_free(batch);
	return well;
}

bool record_file_busy(struct record_file *file)
{
	pthread_mutex_lock(&file->lock);
	bool busy = file->waiting_count || file->writing;
	pthread_mutex_unlock(&file->lock);
	return busy;
}

bool record_file_failed(struct record_file *file)
{
	pthread_mutex_lock(&file->lock);
	bool failed = file->rc != 0;
	pthread_mutex_unlock(&file->lock);
	return failed;
}

uint64_t record_file_bytes(struct record_file *file)
{
	pthread_mutex_lock(&file->lock);
	uint64_t bytes = file->bytes;
	pthread_mutex_unlock(&file->lock);
	return bytes;
}

unsigned record_file_name(struct record_file *file, char *name, size_t room)
{
	pthread_mutex_lock(&file->lock);
	snprintf(name, room, "%s", *file->name ? file->name : file->options.path);
	unsigned files = file->files;
	pthread_mutex_unlock(&file->lock);
	return files;
}

int record_file_finish(struct record_file *file)
{
	if (!file)
		return STATUS_OK;
	pthread_mutex_lock(&file->lock);
	file->closing = true;
	pthread_cond_broadcast(&file->changed);
	pthread_mutex_unlock(&file->lock);
	pthread_join(file->thread, NULL);
	int status = STATUS_OK;
	if (file->rc && file->err.sys_errno == EPIPE)
		status = STATUS_PIPE_CLOSED;
	else if (file->rc)
		status = trouble_with(*file->name ? file->name : file->options.path, &file->err);
	return status;
}

void record_file_free(struct record_file *file)
{
	if (!file)
		return;
	pthread_cond_destroy(&file->changed);
	pthread_mutex_destroy(&file->lock);
	free(file);
}
