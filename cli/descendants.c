#include "descendants.h"

#include "say.h"
#include "vmsnap.h"

int descendants_find(const struct processes *all, const char *command, struct vmsnap ***snaps, size_t *count)
{
	const struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = VMSNAP_CAPTURE_NO_PAGES | VMSNAP_CAPTURE_NO_FREEZE | VMSNAP_CAPTURE_DESCENDANTS |
		         VMSNAP_CAPTURE_BRIEF,
	};
	struct vmsnap_error err;
	return vmsnap_capture_set(all->pids, all->count, &how, snaps, count, &err) ? trouble_with_process(command, &err)
	                                                                           : STATUS_OK;
}

int processes_add_descendants(struct processes *all, const char *command)
{
	struct vmsnap **snaps;
	size_t count;
	int status = descendants_find(all, command, &snaps, &count);
	if (status)
		return status;
	for (size_t i = 0; !status && i < count; i++)
		status = processes_add_pid(all, (pid_t)vmsnap_info(snaps[i])->pid);
	vmsnap_unref_all(snaps, count);
	return status;
}
