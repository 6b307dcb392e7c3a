/* fuzz_smaps.c - the text of /proc/PID/smaps. */
#include <string.h>

#include "fuzz.h"
#include "maps.h"
#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_error err = { 0 };
	FUZZ_CHECK(text && snap);
	memcpy(text, data, size);
	snap->info.page_size = 4096;
	int rc = smaps_parse(text, size, snap, &err);
	FUZZ_CHECK(rc == VMSNAP_OK || (rc == VMSNAP_ERR_PROC && err.code == rc && err.message[0]));
	free(text);
	if (!rc)
		model_check(snap);
	for (size_t v = 0; !rc && v < vmsnap_vma_count(snap); v++)
		for (size_t k = 0; k < vmsnap_smaps_key_count(snap); k++)
			(void)vmsnap_smaps_value(snap, v, k);
	vmsnap_unref(snap);
	return 0;
}
