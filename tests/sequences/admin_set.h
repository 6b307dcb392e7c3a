/* admin_set.h - CAP_SYS_ADMIN, put aside and taken up again. */
#ifndef ADMIN_SET_H
#define ADMIN_SET_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel hides frames from who opens pagemap without CAP_SYS_ADMIN. */
static inline bool admin_set(bool on)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	uint32_t bit = 1u << CAP_SYS_ADMIN;
	if (syscall(SYS_capget, &header, data) || !(data[0].permitted & bit))
		return false;
	data[0].effective = on ? data[0].effective | bit : data[0].effective & ~bit;
	return !syscall(SYS_capset, &header, data);
}

#endif
