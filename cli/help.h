/* help.h - help texts and shell completion, made from the tables. */
#ifndef VMSNAP_CLI_HELP_H
#define VMSNAP_CLI_HELP_H

#include "options.h"
#include "output.h"

/* `vmsnap --help` and its like: exit statuses. */
int help_all(void);
int help_command(const struct command *command); /* all of it: vmsnap help COMMAND */
int help_brief(const struct command *command);   /* on a screen: vmsnap COMMAND --help */
/* --version, with --long what may be known here, with --json that for programs. */
int help_version(int argc, char **argv);
void help_option(struct output *output, const struct option_row *row);
/* `vmsnap --completion SHELL`: of bash, zsh or fish. */
int completion_print(const char *shell);

#endif
