#define _GNU_SOURCE
#include "watch_round.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privilege.h"
#include "say.h"

/* ---- what it writes ---------------------------------------------------------------------------- */

/* No window shows more. */
enum { GATHERED_MAX = 4 << 20, GATHERED_STEP = 64 << 10 };

void gathered_clear(struct gathered *gathered)
{
	gathered->len = gathered->lines_beyond = 0;
}

void gathered_free(struct gathered *gathered)
{
	free(gathered->bytes);
	*gathered = (struct gathered){ .bytes = NULL };
}

static bool make_room(struct gathered *gathered)
{
	if (gathered->len < gathered->room)
		return true;
	if (gathered->room >= GATHERED_MAX)
		return false;
	char *bytes = realloc(gathered->bytes, gathered->room + GATHERED_STEP);
	if (!bytes)
		return false;
	gathered->bytes = bytes;
	gathered->room += GATHERED_STEP;
	return true;
}

void round_read(int *fd, struct gathered *gathered)
{
	char beyond[4096];
	bool keeps = make_room(gathered);
	char *to = keeps ? gathered->bytes + gathered->len : beyond;
	ssize_t len = read(*fd, to, keeps ? gathered->room - gathered->len : sizeof(beyond));
	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (len <= 0) {
		close(*fd);
		*fd = -1;
	} else if (keeps) {
		gathered->len += (size_t)len;
	} else {
		for (ssize_t i = 0; i < len; i++)
			gathered->lines_beyond += beyond[i] == '\n';
	}
}

/* ---- the child --------------------------------------------------------------------------------- */

/* It is stopped by nobody at the keyboard: what it looks at may stand still because of it.  And it ends with us. */
static void signals_as_usual(pid_t parent)
{
	sigset_t none;
	signal(SIGTSTP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(STATUS_TROUBLE);
}

/* The terminal's input is ours. */
static void descriptors_become(int output, int errors)
{
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || (output >= 0 && dup2(output, STDOUT_FILENO) < 0) ||
	    (errors >= 0 && dup2(errors, STDERR_FILENO) < 0))
		_exit(STATUS_TROUBLE);
	close(null);
}

__attribute__((noreturn)) static void be_the_command(const struct options *options)
{
	privilege_resume();
	exit(options->command->run(options));
}

static void close_both(int fds[2])
{
	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int round_start(struct round *round, const struct options *options, bool catch_output, bool catch_errors)
{
	int output[2] = { -1, -1 }, errors[2] = { -1, -1 };
	pid_t parent = getpid();
	*round = (struct round){ .output = -1, .errors = -1 };
	if ((catch_output && pipe2(output, O_CLOEXEC)) || (catch_errors && pipe2(errors, O_CLOEXEC)) ||
	    (round->pid = fork()) < 0) {
		int status = trouble("cannot start another round: %s", strerror(errno));
		close_both(output);
		close_both(errors);
		round->pid = 0;
		return status;
	}
	if (!round->pid) {
		signals_as_usual(parent);
		descriptors_become(output[1], errors[1]);
		be_the_command(options);
	}
	round->output = output[0];
	round->errors = errors[0];
	if (catch_output)
		close(output[1]);
	if (catch_errors)
		close(errors[1]);
	return STATUS_OK;
}

bool round_is_read(const struct round *round)
{
	return round->output < 0 && round->errors < 0;
}

int round_finish(struct round *round)
{
	int status;
	while (waitpid(round->pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_TROUBLE;
	round->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void round_stop(struct round *round)
{
	int both[2] = { round->output, round->errors };
	close_both(both);
	round->output = round->errors = -1;
	if (!round->pid)
		return;
	kill(round->pid, SIGTERM);
	round_finish(round);
}
