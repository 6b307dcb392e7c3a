#define _GNU_SOURCE
#include "record_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"
#include "privilege.h"
#include "say.h"

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* What main() and the recording changed of it is as it was. */
static void signals_as_they_were(void)
{
	sigset_t none;
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void be_command(const struct record_command *command, int go, int failed)
{
	char byte;
	privilege_drop();
	/* Nobody says go: we have gone. */
	if (read(go, &byte, 1) != 1)
		_exit(NOT_EXECUTABLE);
	signals_as_they_were();
	execvp(command->words[0], command->words);
	int error = errno;
	if (write(failed, &error, sizeof(error)) < 0)
		_exit(NOT_EXECUTABLE);
	_exit(error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

int command_prepare(struct record_command *command)
{
	int go[2], failed[2];
	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return trouble("cannot make a pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		return trouble("cannot start %s: %s", command->words[0], strerror(errno));
	if (!pid) {
		close(go[1]);
		close(failed[0]);
		be_command(command, go[0], failed[1]);
	}
	close(go[0]);
	close(failed[1]);
	command->pid = pid;
	command->go = go[1];
	command->failed = failed[0];
	return STATUS_OK;
}

static void note_end(struct record_command *command, int status)
{
	command->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	command->pid = 0;
	command->ended = true;
}

int command_start(struct record_command *command)
{
	int error = 0;
	bool told = write(command->go, "", 1) == 1;
	command->started = true;
	close(command->go);
	/* Its end of the pipe is closed by its exec. */
	while (read(command->failed, &error, sizeof(error)) < 0 && errno == EINTR) {
	}
	close(command->failed);
	if (told && !error)
		return STATUS_OK;
	trouble("cannot execute %s: %s", command->words[0], strerror(error));
	return error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

/* Who is its tracer is told of its stops by the same call, and they are not for us to take. */
bool command_has_ended(struct record_command *command)
{
	siginfo_t info = { 0 };
	int status;
	if (!command->pid)
		return command->ended;
	if (waitid(P_PID, (id_t)command->pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid ||
	    (info.si_code != CLD_EXITED && info.si_code != CLD_KILLED && info.si_code != CLD_DUMPED))
		return false;
	if (waitpid(command->pid, &status, WNOHANG) == command->pid)
		note_end(command, status);
	return command->ended;
}

void command_finish(struct record_command *command, bool end)
{
	int status, seen = interrupted_by();
	if (!command->pid)
		return;
	/* What waits to begin ends when nobody will tell it to. */
	if (!command->started) {
		close(command->go);
		close(command->failed);
	} else if (end) {
		kill(command->pid, SIGTERM);
	}
	/* A second Ctrl-C ends us, as it is not noticed any more; another signal ends the wait. */
	while (waitpid(command->pid, &status, 0) < 0)
		if (errno != EINTR || interrupted_by() != seen)
			return;
	note_end(command, status);
}
