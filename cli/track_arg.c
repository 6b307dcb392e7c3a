#include "track_arg.h"

#include <string.h>

#include "privilege.h"
#include "say.h"

static const struct {
	const char *word;
	int how;
} ways[] = {
	{ "", VMSNAP_WRITTEN_UNKNOWN },
	{ "soft-dirty", VMSNAP_WRITTEN_SOFT_DIRTY },
	{ "uffd", VMSNAP_WRITTEN_UFFD },
};

int track_how(const struct options *options, int *how)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(options->track, ways[i].word) != 0)
			continue;
		*how = ways[i].how;
		return STATUS_OK;
	}
	return trouble("%s: --track takes soft-dirty or uffd, not '%s'", options->command->name, options->track);
}

/* With the rights of who asks only.  To track changes a process (by userfaultfd it makes system calls for us), and who
 * does that is a process of theirs: ended or stopped just then, it would leave the other with registers of ours, or
 * standing. */
static int new_tracker(pid_t pid, int how, struct vmsnap_tracker **out, struct vmsnap_error *err)
{
	privilege_pause();
	int rc = vmsnap_tracker_new(pid, how, out, err);
	privilege_resume();
	return rc;
}

int tracker_open(const struct options *options, pid_t pid, struct vmsnap_tracker **out)
{
	struct vmsnap_error err;
	int how, status = track_how(options, &how);
	if (status)
		return status;
	int rc = new_tracker(pid, how, out, &err);
	if (rc == VMSNAP_ERR_NOT_FOUND && how == VMSNAP_WRITTEN_UNKNOWN)
		return trouble("%s: this kernel has no soft-dirty bits, so that --track has to say how: vmsnap %s "
		               "--track=uffd tracks by userfaultfd, for which the process is made to do two system "
		               "calls (vmsnap-record(1))",
		               options->command->name, options->command->name);
	if (rc == VMSNAP_ERR_PERMISSION && privilege_is_lent())
		return trouble("%s: process %d is changed when it is tracked, and capabilities that were lent are for "
		               "looking only: who owns it may, and root (%s)",
		               options->command->name, (int)pid, err.message);
	return rc ? trouble_with_process(NULL, &err) : STATUS_OK;
}
