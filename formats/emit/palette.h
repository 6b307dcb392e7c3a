/* palette.h - which colour a role has: of a class of pages, or of a text.  Who writes names the role; only what is here
 * knows colours. */
#ifndef VMSNAP_PALETTE_H
#define VMSNAP_PALETTE_H

#include <stdbool.h>

#include "page_class.h"
#include "vmsnap.h"

/* Beyond the classes, for text. */
enum { COLOR_DEFAULT = PAGE_CLASSES, COLOR_DIM, COLOR_BOLD, COLOR_ALARM, COLOR_ROLES };

struct palette_color {
	unsigned char red, green, blue, of_256, of_16;
};
/* Of a class but CLASS_HOLE, for a terminal that is light, or dark: as it fills cells, and as words about it are written,
 * which is not the same for what is quiet. */
const struct palette_color *palette_of_cell(bool light, int page_class);
const struct palette_color *palette_of_words(bool light, int page_class);
/* Of the others, which are not colours of a palette: "1;31", or NULL. */
const char *palette_attributes(int role);

#endif
