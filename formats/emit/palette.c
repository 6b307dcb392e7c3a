#include "palette.h"

#include <stddef.h>

/* For a dark terminal and for the colour-blind.  256: the nearest of the cube;
 * 16: one that differs from its neighbours. */
static const struct palette_color classes[PAGE_CLASSES] = {
	[CLASS_HOLE] = { 0, 0, 0, 0, 0 },
	[CLASS_UNTOUCHED] = { 0x1c, 0x20, 0x26, 234, 0 },
	[CLASS_PRIVATE] = { 0x3f, 0x46, 0x51, 240, 7 },
	[CLASS_FILE] = { 0x7e, 0x6d, 0x8b, 96, 6 },
	[CLASS_SHARED] = { 0x1c, 0x5f, 0xbb, 25, 4 },
	[CLASS_SWAPPED] = { 0xef, 0xe0, 0x34, 220, 3 },
	[CLASS_COPIED] = { 0xfb, 0x5d, 0x0c, 202, 1 },
	[CLASS_NEW] = { 0x61, 0xdc, 0xa1, 79, 2 },
	[CLASS_GONE] = { 0xf1, 0x76, 0xda, 212, 5 },
	[CLASS_WRITTEN] = { 0x39, 0xc5, 0xe6, 81, 14 },
	[CLASS_OTHER] = { 0xc9, 0xd1, 0xd9, 252, 15 },
	[CLASS_CHILD] = { 0x93, 0x51, 0x07, 94, 9 },
	[CLASS_SWAPPED_OUT] = { 0xef, 0xe0, 0x34, 220, 3 },
	[CLASS_SWAPPED_IN] = { 0xef, 0xe0, 0x34, 220, 3 },
};

static const char *const attributes[COLOR_ROLES] = {
	[COLOR_DIM] = "2",
	[COLOR_BOLD] = "1",
	[COLOR_ALARM] = "1;31",
};

const struct palette_color *palette_of_class(int page_class)
{
	return &classes[page_class];
}

const char *palette_attributes(int role)
{
	return role >= 0 && role < COLOR_ROLES ? attributes[role] : NULL;
}
