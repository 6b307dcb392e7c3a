#define _GNU_SOURCE
#include "file_sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "error.h"

/* A closed pipe or a limit on file sizes is an error to be reported; the signal
 * that comes with it must not end our caller.  Both go to the thread that wrote,
 * so it is this thread that takes them away, unless they were there before. */
static ssize_t write_quietly(int fd, const void *bytes, size_t len)
{
	sigset_t ours, before, pending;
	sigemptyset(&ours);
	sigaddset(&ours, SIGPIPE);
	sigaddset(&ours, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &ours, &before);
	sigpending(&pending);
	ssize_t n = write(fd, bytes, len);
	int saved = errno;
	if (n < 0 && (saved == EPIPE || saved == EFBIG)) {
		int signal = saved == EPIPE ? SIGPIPE : SIGXFSZ;
		sigset_t one;
		sigemptyset(&one);
		sigaddset(&one, signal);
		if (!sigismember(&pending, signal))
			sigtimedwait(&one, NULL, &(struct timespec){ 0 });
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return n;
}

int sink_write_all(int fd, const char *name, const uint8_t *bytes, size_t len, struct vmsnap_error *err)
{
	while (len) {
		ssize_t n = write_quietly(fd, bytes, len);
		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd ready = { .fd = fd, .events = POLLOUT };
			poll(&ready, 1, -1);
		} else if (errno != EINTR) {
			return fail_sys(err, errno, "cannot write %.200s", name);
		}
	}
	return VMSNAP_OK;
}

int sink_flush(struct file_sink *sink, struct vmsnap_error *err)
{
	size_t held = sink->held;
	sink->held = 0;
	return sink_write_all(sink->fd, sink->name, sink->buffer, held, err);
}

int sink_write(struct file_sink *sink, const void *bytes, size_t len, struct vmsnap_error *err)
{
	sink->written += len;
	if (len > sizeof(sink->buffer) - sink->held) {
		int rc = sink_flush(sink, err);
		if (rc)
			return rc;
	}
	if (len >= sizeof(sink->buffer))
		return sink_write_all(sink->fd, sink->name, bytes, len, err);
	if (len)
		memcpy(sink->buffer + sink->held, bytes, len);
	sink->held += len;
	return VMSNAP_OK;
}
