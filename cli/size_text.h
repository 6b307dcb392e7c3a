/* size_text.h - sizes in lines for people: "3.2M". */
#ifndef VMSNAP_CLI_SIZE_TEXT_H
#define VMSNAP_CLI_SIZE_TEXT_H

#include <stdint.h>

/* Three digits at most. */
const char *size_text(uint64_t bytes, char text[16]);

#endif
