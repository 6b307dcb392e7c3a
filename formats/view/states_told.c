#include "states_told.h"

#include <inttypes.h>

#include "error.h"

int states_told(const struct vmsnap *snap, const char *what, struct vmsnap_error *err)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	if (!info->known.states_unknown)
		return VMSNAP_OK;
	return fail(err, VMSNAP_ERR_ARGUMENT,
	            "process %" PRIu32 " is %s, which does not tell which pages it had: %s needs that", info->pid,
	            info->source == VMSNAP_SOURCE_CORE ? "of a core file" : "of a source", what);
}
