/* record_command.h - the command that vmsnap record runs: what it records, or while it records. */
#ifndef VMSNAP_CLI_RECORD_COMMAND_H
#define VMSNAP_CLI_RECORD_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct record_command {
	char *const *words; /* NULL-terminated, as argv is; NULL: there is no command */
	pid_t pid;          /* 0: not started, or it has ended */
	int go, failed;     /* pipes: it waits for the one, and tells by the other that it cannot be executed */
	bool started;
	bool begun; /* its program's exec was told */
	bool ended;
	int status; /* as a shell has it: what it exited with, or 128 and the signal */
};

/* It exists, and waits. */
int command_prepare(struct record_command *command);
/* It executes its program.  STATUS_OK, or, after saying why it cannot, what a shell gives then: 126 or 127; its end is
 * waited for by command_finish(), before which whoever traces it must let it go. */
int command_start(struct record_command *command);
/* Whether it has ended, without waiting. */
bool command_has_ended(struct record_command *command);
/* The recording is over before it is: SIGTERM, if `end`, and then its end is waited for. */
void command_finish(struct record_command *command, bool end);

#endif
