/* file_error.h - what is wrong with a file, in one line. */
#ifndef VMSNAP_FILE_ERROR_H
#define VMSNAP_FILE_ERROR_H

#include <stdint.h>

#include "vmsnap.h"

/* One line that names the file, the kind of error and the offset. */
__attribute__((format(printf, 5, 6))) int file_bad(const char *name, struct vmsnap_error *err, int code,
                                                   uint64_t offset, const char *format, ...);

#endif
