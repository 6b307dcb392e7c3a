/* fuzz_status.c - the text of /proc/PID/status, alone and compared with another; and
 * that of /proc/PID/stat, which holds a name too.  A byte of 0 parts the texts. */
#include <string.h>

#include "fuzz.h"
#include "look.h"
#include "procdir.h"
#include "snapshot.h"

static struct vmsnap *snapshot_of(const char *text, size_t len)
{
	struct vmsnap *snap = snapshot_new();
	FUZZ_CHECK(snap);
	snap->info.page_size = 4096;
	snap->status = arena_copy(&snap->strings, text, len);
	snap->status_len = len;
	FUZZ_CHECK(snap->status);
	return snap;
}

static void check_fields(const struct vmsnap *snap)
{
	struct vmsnap_status_field field, found;
	size_t count = vmsnap_status_count(snap);
	const char *end = snap->status;
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(vmsnap_status_field(snap, i, &field) == VMSNAP_OK);
		FUZZ_CHECK(field.key >= end && field.key_len && field.key[field.key_len] == ':');
		FUZZ_CHECK(field.text > field.key && field.text + field.text_len <= snap->status + snap->status_len);
		FUZZ_CHECK(!memchr(field.key, '\n', field.key_len) && !memchr(field.text, '\n', field.text_len));
		FUZZ_CHECK(!(field.is_size && field.is_number));
		end = field.text + field.text_len;
		char key[64];
		if (field.key_len >= sizeof(key) || memchr(field.key, 0, field.key_len))
			continue;
		memcpy(key, field.key, field.key_len);
		key[field.key_len] = '\0';
		FUZZ_CHECK(vmsnap_status_find(snap, key, &found) == VMSNAP_OK && found.key <= field.key);
	}
	FUZZ_CHECK(vmsnap_status_field(snap, count, &field) == VMSNAP_ERR_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
	size_t first = zero ? (size_t)(zero - data) : size;
	const char *text = (const char *)data;
	struct vmsnap *snaps[] = { snapshot_of(text, first), snapshot_of(text + first, size - first) };
	struct proc_stat stat;
	check_fields(snaps[0]);
	check_fields(snaps[1]);
	look_at_status(snaps[0], zero ? snaps[1] : NULL, fuzz_hash(data, size));
	(void)proc_stat_parse(text, first, &stat);
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
	return 0;
}
