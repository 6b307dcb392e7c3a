/* completion.h - the three shells'. */
#ifndef VMSNAP_CLI_COMPLETION_H
#define VMSNAP_CLI_COMPLETION_H

#include "output.h"

void completion_bash(struct output *output);
void completion_zsh(struct output *output);
void completion_fish(struct output *output);

#endif
