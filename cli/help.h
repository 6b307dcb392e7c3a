/* help.h - help texts and shell completion, made from the tables. */
#ifndef VMSNAP_CLI_HELP_H
#define VMSNAP_CLI_HELP_H

#include "options.h"

/* `vmsnap --help`, `vmsnap COMMAND --help`, `vmsnap --version`: exit statuses. */
int help_all(void);
int help_command(const struct command *command);
int help_version(void);
/* `vmsnap --completion bash`. */
int completion_print(const char *shell);

#endif
