/* say.h - one line for a person, on standard error.  Names from outside may be in
 * it: nothing they hold moves the cursor or forges a line. */
#ifndef VMSNAP_CLI_SAY_H
#define VMSNAP_CLI_SAY_H

#include "vmsnap.h"

/* As diff(1): 0, 1 (diff found something) or 2. */
enum { STATUS_OK = 0, STATUS_DIFFERENT = 1, STATUS_TROUBLE = 2, STATUS_PIPE_CLOSED = 128 + 13 };

/* "vmsnap: …".  Returns nothing: what was said may be a note or an error. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
/* Says an error and returns STATUS_TROUBLE. */
__attribute__((format(printf, 1, 2))) int trouble(const char *format, ...);
/* The same for an error of the library; subject (a file, say) may be NULL. */
int trouble_with(const char *subject, const struct vmsnap_error *err);
/* The same where a process was looked at: who may not is told where to find out what he may. */
int trouble_with_process(const char *subject, const struct vmsnap_error *err);

#endif
