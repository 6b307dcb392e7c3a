#include "file_watch.h"

#include <string.h>

struct file_watch file_watch_begin(uint64_t limit)
{
	return (struct file_watch){ .limit = limit };
}

static void stop(struct file_watch *watch, int code, const char *what)
{
	watch->code = code;
	watch->wrong = watch->at - watch->held;
	watch->what = what;
}

/* Between two snapshots the header of a stream may stand, but for the first place, where
 * it must. */
static bool may_be_stream(const struct file_watch *watch)
{
	return !watch->inside && (watch->at == watch->held || watch->head[0] != 'S');
}

/* Cores are not judged as they come, nor is what may be one that is compressed. */
static bool may_be_core(const struct file_watch *watch)
{
	static const uint8_t magics[][4] = { { 0x7f, 'E', 'L', 'F' },
		                             { 0x28, 0xb5, 0x2f, 0xfd },
		                             { 4, 0x22, 0x4d, 0x18 } };
	for (size_t i = 0; watch->at == watch->held && i < sizeof(magics) / sizeof(*magics); i++)
		if (!memcmp(watch->head, magics[i], watch->held < 4 ? watch->held : 4))
			return true;
	return false;
}

static void judge_stream(struct file_watch *watch)
{
	if (may_be_core(watch)) {
		watch->skip = watch->held < 4 ? 0 : UINT64_MAX;
		watch->held = watch->held < 4 ? watch->held : 0;
		return;
	}
	int code =
	        stream_header_read(watch->head, watch->held < STREAM_HEADER_BYTES ? watch->held : STREAM_HEADER_BYTES);
	if (code == VMSNAP_ERR_NOT_SNAPSHOT && watch->at > watch->held)
		stop(watch, VMSNAP_ERR_CORRUPT, "expected a SNAP section");
	else if (code == VMSNAP_ERR_NOT_SNAPSHOT)
		stop(watch, code, watch->held ? "expected the bytes 89 56 4d 53" : "it is empty");
	else if (code == VMSNAP_ERR_CORRUPT)
		stop(watch, code, "wrong checksum of a stream's header");
	else if (code == VMSNAP_ERR_NEWER)
		stop(watch, code, "a stream of another version");
	else if (code == VMSNAP_OK)
		watch->held = 0;
}

static void judge_section(struct file_watch *watch)
{
	struct section section;
	if (!watch->inside && memcmp(watch->head, "SNAP", watch->held < 4 ? watch->held : 4) != 0) {
		stop(watch, VMSNAP_ERR_CORRUPT, "expected a SNAP section");
	} else if (watch->held == SECTION_HEADER_BYTES && !section_read(watch->head, &section)) {
		stop(watch, VMSNAP_ERR_CORRUPT, "expected the header of a section");
	} else if (watch->held == SECTION_HEADER_BYTES) {
		if (section.stored > watch->limit - watch->at)
			stop(watch, VMSNAP_ERR_TOO_LARGE, "a section is longer than all of the input may be");
		watch->skip = section.stored;
		watch->inside = section.type != SECTION_END;
		watch->whole |= !watch->inside && !watch->code;
		watch->held = 0;
	}
}

static size_t least(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

void file_watch_pass(struct file_watch *watch, const uint8_t *bytes, size_t len)
{
	while (len && !watch->code) {
		size_t now = least(watch->skip, len);
		if (!now) {
			size_t want = may_be_stream(watch) && watch->held ? STREAM_HEADER_BYTES : SECTION_HEADER_BYTES;
			/* The first byte tells which of the two it is. */
			now = least(watch->held ? want - watch->held : 1, len);
			memcpy(watch->head + watch->held, bytes, now);
			watch->held += now;
		} else {
			watch->skip -= now;
		}
		watch->at += now;
		bytes += now;
		len -= now;
		if (watch->held)
			(may_be_stream(watch) ? judge_stream : judge_section)(watch);
	}
}
