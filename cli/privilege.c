#define _GNU_SOURCE
#include "privilege.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "options.h"
#include "process_arg.h"
#include "say.h"

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

static bool names_process(const struct options *options)
{
	unsigned bit = options->command->bit;
	if (processes_were_found(options))
		return true;
	if (bit & (CMD_LIST | CMD_CHECK | CMD_COPY))
		return false;
	/* All processes are looked at for a frame and for a file. */
	if ((bit & CMD_WHO) && options->operand_count == 1)
		return true;
	/* What comes second there is an address. */
	int count = bit & (CMD_PAGES | CMD_PAGE | CMD_DUMP | CMD_WHO) ? 1 : options->operand_count;
	for (int i = 0; i < count; i++)
		if (word_is_process(options->operands[i]))
			return true;
	return (options->base && word_is_process(options->base)) || (options->other && word_is_process(options->other));
}

int privilege_start(const struct options *options)
{
	if (getuid() != geteuid() || getgid() != getegid())
		return trouble("this command must not be installed set-user-ID or set-group-ID; give it capabilities "
		               "instead (setcap)");
	if (!names_process(options))
		privilege_drop();
	return STATUS_OK;
}
