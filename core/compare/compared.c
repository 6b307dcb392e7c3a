#include "compared.h"

#include "error.h"
#include "walk.h"

int comparable(const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	for (size_t i = 1; i < count; i++)
		if (snaps[i] && walk_page_shift(snaps[i]) != walk_page_shift(snaps[0]))
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "snapshots with pages of %llu and of %llu bytes cannot be compared",
			            (unsigned long long)snaps[0]->info.page_size,
			            (unsigned long long)snaps[i]->info.page_size);
	return VMSNAP_OK;
}

int states_known(const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (snaps[i] && snaps[i]->info.known.states_unknown)
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "which pages process %u had, and whose they were, is not known: %s; diff "
			            "compares what pages held",
			            snaps[i]->info.pid,
			            snaps[i]->info.source == VMSNAP_SOURCE_CORE ? "a core file does not tell"
			                                                        : "nothing told it");
	return VMSNAP_OK;
}
