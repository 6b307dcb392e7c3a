#define _GNU_SOURCE
#include "pread_all.h"

#include <errno.h>
#include <unistd.h>

ssize_t pread_all(int fd, void *bytes, size_t len, uint64_t offset)
{
	size_t done = 0;
	while (done < len && offset <= INT64_MAX - len) {
		ssize_t got = pread(fd, (char *)bytes + done, len - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}
