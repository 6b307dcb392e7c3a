/* file_sink.h - small writes gathered into big ones, to any descriptor.  Knows
 * nothing of what it writes. */
#ifndef VMSNAP_FILE_SINK_H
#define VMSNAP_FILE_SINK_H

#include "vmsnap.h"

enum { SINK_BYTES = 64 * 1024 };
struct file_sink {
	int fd;
	const char *name;
	uint64_t written; /* what was given so far */
	size_t held;
	uint8_t buffer[SINK_BYTES];
};

int sink_write(struct file_sink *sink, const void *bytes, size_t len, struct vmsnap_error *err);
int sink_flush(struct file_sink *sink, struct vmsnap_error *err);
/* At once, and whole: what a sink does when it is full. */
int sink_write_all(int fd, const char *name, const uint8_t *bytes, size_t len, struct vmsnap_error *err);

#endif
