/* watch.c - --watch: when a round is due, what ends it all, and where the text goes. */
#define _GNU_SOURCE
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "json_line.h"
#include "privilege.h"
#include "say.h"
#include "snapshot_arg.h"
#include "terminal.h"
#include "watch_frame.h"
#include "watch_round.h"
#include "watch_screen.h"
#include "watch_target.h"
#include "write_all.h"

enum { NS_A_MS = 1000000, NS_A_SECOND = 1000 * NS_A_MS };

struct watch {
	const struct options *options; /* as given */
	struct options once;           /* of one round */
	struct targets targets;
	struct vmsnap *first; /* of diff: what all later looks are compared with */
	time_t first_at;
	uint64_t next; /* when a round is due */

	struct screen screen;
	int signals;
	sigset_t mask_before;
	struct round round;
	struct gathered output, errors;
	struct frame frames[2]; /* the one that is shown, and the one before it */
	size_t shown;
	bool any_shown, any_before;
	size_t beyond; /* lines for which there is no room */
	bool over;
	int over_by; /* the signal that ended it; 0: the user did, or the process's end */
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

/* One that took longer than it should have is not made up for. */
static void next_time(struct watch *watch)
{
	uint64_t now = now_ns(), every = watch->options->watch;
	watch->next = watch->next + every > now ? watch->next + every : now + every;
}

static void clock_text(time_t when, const char *format, char text[32])
{
	struct tm local;
	if (!localtime_r(&when, &local) || !strftime(text, 32, format, &local))
		*text = '\0';
}

/* ---- the first look ---------------------------------------------------------------------------- */

/* diff of one process: with how it is now. */
static int first_look(struct watch *watch)
{
	const struct options *options = watch->options;
	struct sources sources;
	if (options->command->bit != CMD_DIFF || options->operand_count != 1)
		return STATUS_OK;
	sources_init(&sources, options);
	int status = sources_expect(&sources, options->operands[0]);
	status = status ? status : snapshot_from_word(&sources, options->operands[0], &watch->first);
	sources_close(&sources);
	watch->first_at = time(NULL);
	watch->once.first = watch->first;
	return status;
}

static int process_has_ended(pid_t pid)
{
	say("process %d has ended", (int)pid);
	return STATUS_OK;
}

/* ---- a file, a pipe: the texts follow each other ----------------------------------------------- */

static int cannot_write(int error)
{
	return error == EPIPE ? STATUS_PIPE_CLOSED : trouble("cannot write to standard output: %s", strerror(error));
}

static int put_divider(const struct watch *watch, bool again)
{
	char when[32], line[64];
	if (watch->options->raw || watch->options->no_headings)
		return 0;
	clock_text(time(NULL), "%Y-%m-%d %H:%M:%S", when);
	int len = snprintf(line, sizeof(line), "%s==> %s <==\n", again ? "\n" : "", when);
	return write_all(STDOUT_FILENO, line, (size_t)len);
}

/* As it comes, behind a line that divides it from the one before; as JSON without what would make it more than a
 * line.  What fails at once leaves nothing. */
static int put_text(struct watch *watch, bool again)
{
	struct json_line line = { .in_string = false };
	char bytes[16384];
	bool json = watch->options->json, any = false;
	int error = 0;
	ssize_t len;
	while (!error && (len = read(watch->round.output, bytes, sizeof(bytes))) > 0) {
		size_t kept = json ? json_line_squeeze(&line, bytes, (size_t)len) : (size_t)len;
		error = any || json ? 0 : put_divider(watch, again);
		error = error ? error : write_all(STDOUT_FILENO, bytes, kept);
		any = true;
	}
	return error || !any || !json ? error : write_all(STDOUT_FILENO, "\n", 1);
}

static int one_text(struct watch *watch, bool again)
{
	int status = round_start(&watch->round, &watch->once, true, false);
	if (status)
		return status;
	int error = put_text(watch, again);
	if (error) {
		round_stop(&watch->round);
		return cannot_write(error);
	}
	close(watch->round.output);
	status = round_finish(&watch->round);
	return status == STATUS_DIFFERENT ? STATUS_OK : status;
}

static void wait_for_next(struct watch *watch)
{
	uint64_t now;
	while ((now = now_ns()) < watch->next) {
		uint64_t left = watch->next - now;
		struct timespec timeout = { .tv_sec = (time_t)(left / NS_A_SECOND),
			                    .tv_nsec = (long)(left % NS_A_SECOND) };
		if (ppoll(watch->targets.fds, watch->targets.processes.count, &timeout, NULL) != 0)
			return;
	}
}

static int watch_as_text(struct watch *watch)
{
	pid_t ended = 0;
	for (bool again = false;; again = true) {
		int status = one_text(watch, again);
		if (status)
			return again && (ended = targets_ended(&watch->targets)) ? process_has_ended(ended) : status;
		next_time(watch);
		if (!ended)
			wait_for_next(watch);
		ended = targets_ended(&watch->targets);
		if (ended)
			return process_has_ended(ended);
	}
}

/* ---- a screen: what is on it ------------------------------------------------------------------- */

static void put_title(const struct watch *watch, struct sketch *sketch)
{
	const struct options *options = watch->options;
	char text[256], when[32], since[32] = "";
	size_t used = (size_t)snprintf(text, sizeof(text), "vmsnap %s", options->command->name);
	for (int i = 0; i < options->operand_count && used + strlen(options->operands[i]) + 2 < sizeof(text) / 2; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", options->operands[i]);
	for (size_t i = 0; i < used; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	if (watch->first)
		clock_text(watch->first_at, ", since %H:%M:%S", since);
	clock_text(time(NULL), "%H:%M:%S", when);
	snprintf(text + used, sizeof(text) - used, "  every %g s, %s%s  (q: quit)",
	         (double)options->watch / (double)NS_A_SECOND, when, since);
	size_t len = strlen(text), limit = watch->screen.columns;
	sketch_string(sketch, "\033[1m");
	sketch_put(sketch, text, len < limit ? len : limit);
	sketch_string(sketch, "\033[0m");
}

static void end_line(const struct watch *watch, size_t width, struct sketch *sketch)
{
	/* In the last column the cursor has not moved on yet, and what is there would go. */
	if (width < watch->screen.columns)
		sketch_string(sketch, "\033[K");
}

static void put_plain_line(const struct watch *watch, const char *text, size_t len, struct sketch *sketch)
{
	struct frame line = { .text = NULL };
	size_t beyond, at = 0;
	sketch_string(sketch, "\r\n");
	if (frame_fill(&line, text, len, 1, watch->screen.columns, &beyond) && line.count) {
		frame_draw_line(&line, 0, NULL, &at, watch->screen.columns, sketch);
		end_line(watch, line.lines[0].count, sketch);
	} else
		end_line(watch, 0, sketch);
	frame_free(&line);
}

/* What was said on standard error: its last lines. */
enum { ERROR_LINES = 3 };
static size_t error_lines(const struct gathered *errors, const char *lines[ERROR_LINES], size_t lens[ERROR_LINES])
{
	size_t count = 0, end = errors->len;
	while (end && count < ERROR_LINES) {
		size_t stop = errors->bytes[end - 1] == '\n' ? end - 1 : end, from = stop;
		while (from && errors->bytes[from - 1] != '\n')
			from--;
		lines[count] = errors->bytes + from;
		lens[count++] = stop - from;
		end = from;
	}
	return count;
}

/* Rows between the title and what stands below. */
static size_t room_for_lines(const struct watch *watch)
{
	const char *lines[ERROR_LINES];
	size_t lens[ERROR_LINES], below = error_lines(&watch->errors, lines, lens);
	return watch->screen.rows > below + 1 ? watch->screen.rows - below - 1 : 0;
}

static void put_below(const struct watch *watch, size_t hidden, struct sketch *sketch)
{
	const char *lines[ERROR_LINES];
	size_t lens[ERROR_LINES];
	char more[64];
	if (hidden) {
		int len = snprintf(more, sizeof(more), "\033[7m%zu more line%s: the window is too low\033[0m", hidden,
		                   hidden == 1 ? "" : "s");
		put_plain_line(watch, more, (size_t)len, sketch);
	}
	for (size_t i = error_lines(&watch->errors, lines, lens); i > 0 && watch->screen.rows > 1 + i; i--)
		put_plain_line(watch, lines[i - 1], lens[i - 1], sketch);
}

/* In one piece, over what is there, so that nothing flickers. */
static int draw(struct watch *watch)
{
	const struct frame *now = &watch->frames[watch->shown];
	const struct frame *before = watch->any_before ? &watch->frames[!watch->shown] : NULL;
	struct sketch sketch = { .bytes = NULL };
	size_t room = room_for_lines(watch), all = now->count + watch->beyond, at = 0;
	size_t shown = all <= room ? all : room ? room - 1 : 0;
	sketch_string(&sketch, "\033[H");
	put_title(watch, &sketch);
	sketch_string(&sketch, "\033[K");
	for (size_t i = 0; i < shown && i < now->count; i++) {
		sketch_string(&sketch, "\r\n");
		frame_draw_line(now, i, before, &at, watch->screen.columns, &sketch);
		end_line(watch, now->lines[i].count, &sketch);
	}
	put_below(watch, room ? all - shown : 0, &sketch);
	sketch_string(&sketch, "\033[J");
	int error = sketch.failed ? ENOMEM : screen_write(&watch->screen, sketch.bytes, sketch.len);
	sketch_free(&sketch);
	return error == EINTR ? 0 : error;
}

static bool take_frame(struct watch *watch)
{
	enum { LINES_MOST = 1000 };
	watch->any_before = watch->any_shown;
	watch->shown = !watch->shown;
	watch->any_shown = true;
	bool filled = frame_fill(&watch->frames[watch->shown], watch->output.bytes ? watch->output.bytes : "",
	                         watch->output.len, LINES_MOST, watch->screen.columns, &watch->beyond);
	watch->beyond += watch->output.lines_beyond;
	return filled;
}

/* ---- a screen: what happens -------------------------------------------------------------------- */

static int signals_open(struct watch *watch)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction action;
		/* What a parent made us ignore (nohup) stays ignored. */
		if (!sigaction(numbers[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&set, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &watch->mask_before);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch->signals < 0 ? trouble("cannot wait for signals: %s", strerror(errno)) : STATUS_OK;
}

static void signals_close(struct watch *watch)
{
	if (watch->signals >= 0)
		close(watch->signals);
	sigprocmask(SIG_SETMASK, &watch->mask_before, NULL);
}

/* The signal acts as it would have, when all is as it was. */
static void act_on(const struct watch *watch, int number)
{
	sigset_t before;
	raise(number);
	sigprocmask(SIG_SETMASK, &watch->mask_before, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void at_signal(struct watch *watch)
{
	struct signalfd_siginfo info;
	while (!watch->over && read(watch->signals, &info, sizeof(info)) == sizeof(info)) {
		int number = (int)info.ssi_signo;
		if (number == SIGTSTP) {
			screen_leave(&watch->screen);
			act_on(watch, SIGTSTP);
		}
		if (number == SIGTSTP || number == SIGCONT || number == SIGWINCH) {
			screen_measure(&watch->screen);
			if (number != SIGWINCH)
				screen_take(&watch->screen);
			watch->any_shown = false; /* what changes now is where lines stand */
			watch->next = 0;
		} else {
			watch->over = true;
			watch->over_by = number == SIGINT ? 0 : number;
		}
	}
}

static void at_key(struct watch *watch)
{
	char keys[256];
	ssize_t len = read(STDIN_FILENO, keys, sizeof(keys));
	if (len <= 0)
		watch->screen.keys = len < 0 && errno == EINTR;
	for (ssize_t i = 0; i < len; i++) {
		watch->over |= keys[i] == 'q' || keys[i] == 'Q';
		if (keys[i] == ' ' || keys[i] == '\n' || keys[i] == '\r')
			watch->next = 0;
	}
}

enum { POLL_SIGNALS, POLL_KEYS, POLL_OUTPUT, POLL_ERRORS, POLL_FIXED };

/* What can be waited for; the processes come last, while no round looks at them. */
static int wait_for_any(struct watch *watch, struct pollfd *fds, uint64_t until)
{
	size_t targets = watch->round.pid ? 0 : watch->targets.processes.count;
	uint64_t now = now_ns(), left = until > now ? until - now : 0;
	struct timespec timeout = { .tv_sec = (time_t)(left / NS_A_SECOND), .tv_nsec = (long)(left % NS_A_SECOND) };
	fds[POLL_SIGNALS] = (struct pollfd){ .fd = watch->signals, .events = POLLIN };
	fds[POLL_KEYS] = (struct pollfd){ .fd = watch->screen.keys ? STDIN_FILENO : -1, .events = POLLIN };
	fds[POLL_OUTPUT] = (struct pollfd){ .fd = watch->round.pid ? watch->round.output : -1, .events = POLLIN };
	fds[POLL_ERRORS] = (struct pollfd){ .fd = watch->round.pid ? watch->round.errors : -1, .events = POLLIN };
	memcpy(fds + POLL_FIXED, watch->targets.fds, targets * sizeof(*fds));
	if (ppoll(fds, POLL_FIXED + targets, until == UINT64_MAX ? NULL : &timeout, NULL) < 0)
		return 0;
	if (fds[POLL_SIGNALS].revents)
		at_signal(watch);
	if (fds[POLL_KEYS].revents)
		at_key(watch);
	if (fds[POLL_OUTPUT].revents)
		round_read(&watch->round.output, &watch->output);
	if (fds[POLL_ERRORS].revents)
		round_read(&watch->round.errors, &watch->errors);
	return 0;
}

/* The exit status of the round; what it wrote is gathered. */
static int one_round(struct watch *watch, struct pollfd *fds, bool catch_errors)
{
	gathered_clear(&watch->output);
	gathered_clear(&watch->errors);
	if (!watch->options->width_given)
		watch->once.width = watch->screen.columns;
	int status = round_start(&watch->round, &watch->once, true, catch_errors);
	if (status)
		return status;
	while (!watch->over && !round_is_read(&watch->round))
		wait_for_any(watch, fds, UINT64_MAX);
	if (watch->over) {
		round_stop(&watch->round);
		return STATUS_OK;
	}
	return round_finish(&watch->round);
}

/* ---- a screen: the loop ------------------------------------------------------------------------ */

/* What was seen last stays. */
static void leave_with_last(struct watch *watch)
{
	const struct frame *last = &watch->frames[watch->shown];
	screen_leave(&watch->screen);
	if (last->text_len)
		(void)write_all(STDOUT_FILENO, last->text, last->text_len);
}

static int rounds(struct watch *watch, struct pollfd *fds)
{
	bool catch_errors = isatty(STDERR_FILENO);
	while (!watch->over) {
		next_time(watch);
		int status = one_round(watch, fds, catch_errors);
		if (watch->over)
			break;
		bool well = status == STATUS_OK || status == STATUS_DIFFERENT;
		int error = well && !take_frame(watch) ? ENOMEM : 0;
		pid_t ended = targets_ended(&watch->targets);
		if (ended && !error && watch->frames[watch->shown].text_len) {
			leave_with_last(watch);
			return process_has_ended(ended);
		}
		if (!well) {
			screen_leave(&watch->screen);
			(void)write_all(STDERR_FILENO, watch->errors.bytes, watch->errors.len);
			return status;
		}
		error = error ? error : draw(watch);
		if (error) {
			screen_leave(&watch->screen);
			return cannot_write(error);
		}
		while (!watch->over && now_ns() < watch->next && !targets_ended(&watch->targets))
			wait_for_any(watch, fds, watch->next);
	}
	return STATUS_OK;
}

static int watch_on_screen(struct watch *watch)
{
	struct pollfd *fds = calloc(POLL_FIXED + watch->targets.processes.count, sizeof(*fds));
	int status = fds ? signals_open(watch) : trouble("out of memory");
	if (!status) {
		screen_open(&watch->screen, watch->signals);
		screen_take(&watch->screen);
		status = rounds(watch, fds);
		screen_close(&watch->screen);
	}
	if (fds)
		signals_close(watch);
	free(fds);
	if (watch->over_by)
		raise(watch->over_by);
	return status;
}

/* ---- the command ------------------------------------------------------------------------------- */

/* A round's standard output is a pipe: what the terminal is, we know. */
static void colors_as_here(struct watch *watch)
{
	struct terminal_question question = { .open = false };
	bool any = terminal_color(watch->options->color) != VMSNAP_COLOR_NONE;
	watch->once.color = any ? COLOR_ALWAYS : COLOR_NEVER;
	if (any)
		watch->once.scheme = terminal_is_light(watch->options->scheme, &question) ? SCHEME_LIGHT : SCHEME_DARK;
}

int watch_run(const struct options *options)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return trouble("out of memory");
	/* How wide characters are (watch_frame.c) is the locale's, too. */
	(void)terminal_speaks_utf8();
	watch->options = options;
	watch->once = *options;
	watch->once.watch = 0;
	watch->once.width_given = true; /* they write into a pipe */
	watch->once.width = options->width_given ? options->width : terminal_width();
	watch->signals = -1;
	bool screen = !options->json && screen_can_be();
	int status = targets_open(&watch->targets, options);
	status = status ? status : first_look(watch);
	/* The rounds have them back. */
	privilege_pause();
	watch->next = now_ns();
	if (!status && screen)
		colors_as_here(watch);
	status = status ? status : screen ? watch_on_screen(watch) : watch_as_text(watch);
	vmsnap_unref(watch->first);
	gathered_free(&watch->output);
	gathered_free(&watch->errors);
	frame_free(&watch->frames[0]);
	frame_free(&watch->frames[1]);
	targets_free(&watch->targets);
	free(watch);
	return status;
}
