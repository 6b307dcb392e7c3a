#include "capture_flags.h"

#include "privilege.h"
#include "vmsnap.h"

unsigned capture_flags(const struct options *options)
{
	return (options->no_freeze ? VMSNAP_CAPTURE_NO_FREEZE : 0u) |
	       (options->tree ? VMSNAP_CAPTURE_DESCENDANTS : 0u) |
	       (privilege_is_lent() ? VMSNAP_CAPTURE_WATCHDOG : 0u) |
	       (options->no_realtime ? 0u : VMSNAP_CAPTURE_REALTIME) | VMSNAP_CAPTURE_DROP_OWN_MAPPINGS;
}
