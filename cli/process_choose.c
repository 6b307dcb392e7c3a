#include "process_choose.h"

#include "process_find.h"
#include "say.h"
#include "vmsnap.h"

int processes_of_options(const struct options *options, struct processes *out)
{
	int status = STATUS_OK;
	for (size_t i = 0; !status && i < options->cgroup.count; i++)
		status = processes_of_cgroup(options->cgroup.words[i], out);
	for (size_t i = 0; !status && i < options->match.count; i++)
		status = processes_that_match(options->match.words[i], out);
	return status;
}

int processes_choose(const struct options *options, struct processes *out)
{
	int status = processes_parse(options->operands, options->plain_count, out);
	status = status ? status : processes_of_options(options, out);
	if (!status && !out->count && !out->again)
		status = trouble("%s: of which process? Its number, as in vmsnap %s 1234, or --match NAME, or --cgroup "
		                 "PATH. See 'vmsnap %s --help'.",
		                 options->command->name, options->command->name, options->command->name);
	return status;
}

bool processes_may_have_gone(const struct options *options, int rc)
{
	return processes_were_found(options) &&
	       (rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_ZOMBIE);
}
