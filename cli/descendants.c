#include "descendants.h"

#include "say.h"
#include "vmsnap.h"

int processes_add_descendants(struct processes *all, const char *command)
{
	const struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = VMSNAP_CAPTURE_NO_PAGES | VMSNAP_CAPTURE_NO_FREEZE | VMSNAP_CAPTURE_DESCENDANTS |
		         VMSNAP_CAPTURE_BRIEF,
	};
	struct vmsnap **snaps;
	size_t count;
	struct vmsnap_error err;
	if (vmsnap_capture_set(all->pids, all->count, &how, &snaps, &count, &err))
		return trouble_with(command, &err);
	int status = STATUS_OK;
	for (size_t i = 0; !status && i < count; i++)
		status = processes_add_pid(all, (pid_t)vmsnap_info(snaps[i])->pid);
	vmsnap_unref_all(snaps, count);
	return status;
}
