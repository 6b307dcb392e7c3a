/* map_caption.h - what stands beside a strip of the picture. */
#ifndef VMSNAP_MAP_CAPTION_H
#define VMSNAP_MAP_CAPTION_H

#include "map_strips.h"
#include "mapping_label.h"

struct caption {
	const char *name; /* raw bytes */
	size_t len;
	bool named;                 /* else it is but "anonymous" */
	size_t others;              /* other memory in the strip, that has names of its own */
	struct mapping_label label; /* holds the name, if it is one */
	char size[112];             /* "170M rw-p", "2.40M ×6" */
	char event[128];            /* "30.1M copied", "2.19M resident"; "": nothing */
	bool changed;               /* the event is a change */
};
struct caption caption_of(struct text *text, const struct map *map, const struct map_strip *strip);
void caption_free(struct caption *caption, struct text *text);
/* Of its name alone. */
size_t caption_name_width(struct text *text, const struct caption *caption);
/* In one line; what has no room is left out, a name is cut.  Returns how wide it is. */
size_t caption_width(struct text *text, const struct caption *caption);
/* Whether it can be put beside a strip, in one line or in CAPTION_LINES, without leaving out what happened. */
bool caption_fits_beside(struct text *text, const struct caption *caption, unsigned lines, size_t room);
size_t caption_put(struct text *text, const struct caption *caption, size_t room);
/* In lines below each other: the name, the size, what happened; behind so many blanks, if there is anything. */
enum { CAPTION_LINES = 3 };
void caption_put_line(struct text *text, const struct caption *caption, unsigned line, size_t gap, size_t room);

#endif
