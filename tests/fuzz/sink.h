/* sink.h - takes the text that the library prints and holds it against what every
 * text promises: no control characters, valid UTF-8, and JSON that is JSON. */
#ifndef VMSNAP_FUZZ_SINK_H
#define VMSNAP_FUZZ_SINK_H

#include "vmsnap.h"

enum { SINK_BYTES = 64 * 1024 };

struct sink {
	struct vmsnap_output out;
	size_t len;
	bool full; /* refused what did not fit */
	char text[SINK_BYTES];
};

/* A style out of the bits of a number. */
void sink_init(struct sink *sink, uint32_t choice);
/* After printing: rc is what the print function returned.  Ready for the next one. */
void sink_check(struct sink *sink, int rc, const struct vmsnap_error *err);

/* SINK_PRINT(&sink, vmsnap_print_show, snap): in the sink's style. */
#define SINK_PRINT(sink, print, ...)                                                                                   \
	do {                                                                                                           \
		struct vmsnap_error error_ = { 0 };                                                                    \
		int rc_ = print(__VA_ARGS__, &(sink)->out, &error_);                                                   \
		sink_check(sink, rc_, &error_);                                                                        \
	} while (0)

/* Whether the bytes are one JSON value and white space. */
bool json_valid(const char *text, size_t len);

#endif
