#include "palette.h"

#include <stddef.h>

/* Chosen so that any two are told apart by normal sight and by protan, deutan and tritan sight, that words
 * stand out from the terminal's background by 4.5:1 and cells by 3:1, and that nothing quiet stands out as much as an
 * event does, nor private memory is as bright as what lies beside it in a cell (tests/unit/test_palette.c).  What is
 * untouched is nearly the background.  256: of the cube and the greys, which every terminal shows alike.  16 are the
 * user's own: quiet ones are those that fall back in the usual tables. */
static const struct palette_color cells[][PAGE_CLASSES] = {
	[false] = {
		[CLASS_UNTOUCHED] = { 0x1c, 0x21, 0x28, 234, 0 },
		[CLASS_PRIVATE] = { 0x60, 0x6a, 0x75, 242, 8 },
		[CLASS_FILE] = { 0x8f, 0x80, 0x9c, 103, 5 },
		[CLASS_SHARED] = { 0x4e, 0x87, 0xfb, 69, 12 },
		[CLASS_SWAPPED] = { 0xed, 0xe4, 0x11, 220, 3 },
		[CLASS_COPIED] = { 0xe8, 0x64, 0x08, 202, 9 },
		[CLASS_NEW] = { 0x1f, 0xe5, 0xba, 79, 10 },
		[CLASS_GONE] = { 0xf4, 0x79, 0xd0, 176, 6 },
		[CLASS_WRITTEN] = { 0x49, 0xb0, 0xfa, 75, 14 },
		[CLASS_OTHER] = { 0xf2, 0xf5, 0xf7, 254, 15 },
		[CLASS_CHILD] = { 0xff, 0xb8, 0x78, 216, 11 },
		[CLASS_SWAPPED_OUT] = { 0xed, 0xe4, 0x11, 220, 3 },
		[CLASS_SWAPPED_IN] = { 0xed, 0xe4, 0x11, 220, 3 },
	},
	[true] = {
		[CLASS_UNTOUCHED] = { 0xe4, 0xe8, 0xec, 254, 15 },
		[CLASS_PRIVATE] = { 0x69, 0x6a, 0x7a, 242, 8 },
		[CLASS_FILE] = { 0x9a, 0x89, 0xac, 103, 14 },
		[CLASS_SHARED] = { 0x45, 0x8c, 0xff, 69, 12 },
		[CLASS_SWAPPED] = { 0x5c, 0x46, 0x12, 94, 9 },
		[CLASS_COPIED] = { 0xb6, 0x46, 0x0c, 160, 1 },
		[CLASS_NEW] = { 0x06, 0x4b, 0x4e, 23, 2 },
		[CLASS_GONE] = { 0x80, 0x10, 0x81, 90, 5 },
		[CLASS_WRITTEN] = { 0x12, 0x67, 0xab, 25, 13 },
		[CLASS_OTHER] = { 0x20, 0x26, 0x2e, 235, 0 },
		[CLASS_CHILD] = { 0x55, 0x01, 0x01, 52, 3 },
		[CLASS_SWAPPED_OUT] = { 0x5c, 0x46, 0x12, 94, 9 },
		[CLASS_SWAPPED_IN] = { 0x5c, 0x46, 0x12, 94, 9 },
	},
};

/* Of those that are too faint for words. */
static const struct palette_color words[][CLASS_EVENTS] = {
	[false] = {
		[CLASS_UNTOUCHED] = { 0x8b, 0x94, 0xa0, 246, 7 },
		[CLASS_PRIVATE] = { 0x8b, 0x94, 0xa0, 246, 7 },
		[CLASS_FILE] = { 0xa4, 0x8f, 0xbb, 139, 5 },
		[CLASS_SHARED] = { 0x5c, 0x95, 0xea, 68, 12 },
	},
	[true] = {
		[CLASS_UNTOUCHED] = { 0x66, 0x6a, 0x70, 242, 8 },
		[CLASS_PRIVATE] = { 0x66, 0x6a, 0x70, 242, 8 },
		[CLASS_FILE] = { 0x80, 0x64, 0x9a, 96, 13 },
		[CLASS_SHARED] = { 0x1f, 0x68, 0xc4, 26, 4 },
	},
};

static const char *const attributes[COLOR_ROLES] = {
	[COLOR_DIM] = "2",
	[COLOR_BOLD] = "1",
	[COLOR_ALARM] = "1;31",
};

/* What is unread is drawn as a sign of its own over what looks untouched; and what a core file has is in no picture
 * with states of pages. */
static int colored_as(int page_class)
{
	switch (page_class) {
	case CLASS_UNREAD:
		return CLASS_UNTOUCHED;
	case CLASS_DUMPED:
		return CLASS_PRIVATE;
	case CLASS_DUMP_HOLE:
		return CLASS_SHARED;
	default:
		return page_class;
	}
}

const struct palette_color *palette_of_cell(bool light, int page_class)
{
	return &cells[light][colored_as(page_class)];
}

const struct palette_color *palette_of_words(bool light, int page_class)
{
	int as = colored_as(page_class);
	bool faint = as >= CLASS_UNTOUCHED && as <= CLASS_SHARED;
	return faint ? &words[light][as] : palette_of_cell(light, page_class);
}

const char *palette_attributes(int role)
{
	return role >= 0 && role < COLOR_ROLES ? attributes[role] : NULL;
}
