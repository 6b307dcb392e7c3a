#define _GNU_SOURCE
#include "privilege.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum sets { NONE, PERMITTED_ONLY, EFFECTIVE_TOO };

/* To have fewer is always allowed, so this does not fail.  It is this thread's own
 * matter; others that are made later have what this one had. */
static void have(enum sets sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (!geteuid() || syscall(SYS_capget, &header, data))
		return;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted = sets == NONE ? 0 : data[i].permitted;
		data[i].effective = sets == EFFECTIVE_TOO ? data[i].permitted : 0;
		data[i].inheritable = sets == NONE ? 0 : data[i].inheritable;
	}
	(void)syscall(SYS_capset, &header, data);
}

bool privilege_is_lent(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (!geteuid() || syscall(SYS_capget, &header, data))
		return false;
	uint32_t any = 0;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= data[i].permitted;
	return any != 0;
}

void privilege_drop(void)
{
	have(NONE);
}

void privilege_pause(void)
{
	have(PERMITTED_ONLY);
}

void privilege_resume(void)
{
	have(EFFECTIVE_TOO);
}
