/* fuzz_print.c - a snapshot file of unknown origin, printed in every way there is. */
#include "fuzz.h"
#include "look.h"

enum { MEMORY_MAX = 4 << 20 };
static const struct vmsnap_limits limits = { .size = sizeof(limits), .memory = MEMORY_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmsnap_file *file;
	struct vmsnap *loaded[LOOK_SNAPSHOTS];
	uint32_t choice = fuzz_hash(data, size);
	size_t good = 0;
	if (vmsnap_file_open_memory(data, size, &limits, &file, NULL))
		return 0;
	bool whole = !vmsnap_file_damage(file, NULL);
	for (size_t i = 0; i < vmsnap_file_count(file) && good < LOOK_SNAPSHOTS; i++) {
		if (!vmsnap_file_load(file, i, &loaded[good], NULL))
			good++;
		else
			whole = false;
	}
	/* What check finds whole is all there. */
	if (look_at_file(file, choice) == VMSNAP_OK)
		FUZZ_CHECK(whole);
	look_at_all(loaded, good, choice);
	for (size_t i = 0; i < good; i++)
		vmsnap_unref(loaded[i]);
	vmsnap_file_close(file);
	return 0;
}
