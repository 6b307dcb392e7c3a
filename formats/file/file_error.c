#include "file_error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

static const char *word_of(int code)
{
	switch (code) {
	case VMSNAP_ERR_NOT_SNAPSHOT:
		return "not a vmsnap file";
	case VMSNAP_ERR_NEWER:
		return "written by a newer vmsnap";
	case VMSNAP_ERR_TRUNCATED:
		return "truncated";
	case VMSNAP_ERR_TOO_LARGE:
		return "too large";
	default:
		return "damaged";
	}
}

int file_bad(const char *name, struct vmsnap_error *err, int code, uint64_t offset, const char *format, ...)
{
	char detail[256];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	/* A long path must not push the offset out of the message. */
	return fail_at(err, code, offset, "%.160s: %s: %s, at offset %" PRIu64, name, word_of(code), detail, offset);
}
