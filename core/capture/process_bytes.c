#define _GNU_SOURCE
#include "process_bytes.h"

#include <sys/uio.h>

size_t process_bytes_some(uint32_t pid, uint64_t address, void *out, size_t len)
{
	enum { PAGE = 4096 };
	struct iovec to = { out, len };
	/* Between two pieces the kernel stops if the second cannot be read, and gives the first. */
	size_t left = PAGE - (size_t)(address & (PAGE - 1));
	struct iovec from[2] = { { (void *)(uintptr_t)address, left < len ? left : len },
		                 { (void *)(uintptr_t)(address + left), left < len ? len - left : 0 } };
	ssize_t got = process_vm_readv((pid_t)pid, &to, 1, from, from[1].iov_len ? 2 : 1, 0);
	return got > 0 ? (size_t)got : 0;
}

bool process_bytes(uint32_t pid, uint64_t address, void *out, size_t len)
{
	return process_bytes_some(pid, address, out, len) == len;
}
