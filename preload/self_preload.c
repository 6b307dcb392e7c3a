/* self_preload.c - libvmsnap-self.so, for programs that cannot be changed: with LD_PRELOAD, and VMSNAP_SELF=FILE,
 * it appends a snapshot of the program to the file whenever a signal comes (docs/self.md).
 *
 * It is in programs that nobody knows: nothing is called in the signal handler that may take a lock, memory or an end
 * (open(2) and its like of libc are points at which a thread may be cancelled), errno stays as it is, and what goes
 * wrong is told once, on stderr, if that is still what it was. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "preload_words.h"
#include "raw_syscall.h"
#include "self_memory.h"

/* What a signal handler is given is the signal, so the rest is kept here; written only before the handler is there,
 * but for the atomic ones. */
static struct preload {
	struct preload_words words;
	struct stat stderr_was;
	_Atomic(struct vmsnap_self *) self;
	size_t bytes;
	/* Whose turn it is: a process's number, which the child of a fork() does not have, and one of BUSY and AGAIN.
	 */
	_Atomic uint64_t turn;
	atomic_bool said;
} preload;

enum { BUSY = 1, AGAIN = 2, TURN_SHIFT = 2 };

/* ---- words on stderr -------------------------------------------------------------------- */

static void say_raw(const char *text)
{
	struct stat now;
	size_t len = strlen(text);
	/* It may have been closed, and be a file of the program's by now. */
	if (fstat(STDERR_FILENO, &now) || now.st_dev != preload.stderr_was.st_dev ||
	    now.st_ino != preload.stderr_was.st_ino)
		return;
	(void)raw_syscall4(SYS_write, STDERR_FILENO, (long)text, (long)len, 0);
}

static void say_once(const char *text)
{
	if (!atomic_exchange(&preload.said, true))
		say_raw(text);
}

/* ---- the file --------------------------------------------------------------------------- */

static const char magic[16] = "\x89VMS\r\n\x1a\n\x01";

/* Whether it ends as a whole file does. */
static bool ends_whole(int fd, off_t size)
{
	char head[8], tail[48];
	if (size < (off_t)sizeof(tail) + 16)
		return false;
	bool read = raw_syscall4(SYS_pread64, fd, (long)head, sizeof(head), 0) == (long)sizeof(head) &&
	            raw_syscall4(SYS_pread64, fd, (long)tail, sizeof(tail), (long)(size - (off_t)sizeof(tail))) ==
	                    (long)sizeof(tail);
	return read && !memcmp(head, magic, sizeof(head)) && !memcmp(tail, "END \1\0\0\0\20\0\0\0\0\0\0\0", 16);
}

/* SIGXFSZ would end the program. */
static bool may_grow(const struct vmsnap_self *self, off_t size)
{
	struct rlimit limit;
	uint64_t most = 65536 + 4 * self->text_len + 64 * self->run_count;
	return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	       (uint64_t)size + most <= limit.rlim_cur;
}

/* Others append to it, too: for a tenth of a second they are waited for. */
static bool lock(int fd)
{
	enum { TRIES = 100 };
	struct timespec pause = { 0, 1000000 };
	for (int i = 0; i < TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return true;
		(void)raw_syscall4(SYS_nanosleep, (long)&pause, 0, 0, 0);
	}
	return false;
}

static const char *append_to(int fd, struct vmsnap_self *self)
{
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return "vmsnap: VMSNAP_SELF: the file is not a regular one of this user: nothing is written\n";
	if (!lock(fd) || fstat(fd, &st))
		return "vmsnap: VMSNAP_SELF: another process is writing to the file: left out\n";
	if (st.st_size && !ends_whole(fd, st.st_size))
		return "vmsnap: VMSNAP_SELF: the file is not one of vmsnap's, or is cut off: nothing is written\n";
	if (!may_grow(self, st.st_size))
		return "vmsnap: VMSNAP_SELF: the file may not grow (ulimit -f): nothing is written\n";
	if (lseek(fd, 0, SEEK_END) == st.st_size && !vmsnap_self_write(self, fd))
		return NULL;
	if (ftruncate(fd, st.st_size))
		return "vmsnap: VMSNAP_SELF: writing failed, and the file is cut off\n";
	return "vmsnap: VMSNAP_SELF: the file cannot be written: disk full?\n";
}

static void write_file(struct vmsnap_self *self)
{
	long fd = raw_syscall4(SYS_openat, AT_FDCWD, (long)preload.words.path,
	                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	const char *wrong = fd < 0 ? "vmsnap: VMSNAP_SELF: the file cannot be opened: nothing is written\n"
	                           : append_to((int)fd, self);
	if (fd >= 0)
		(void)raw_syscall4(SYS_close, fd, 0, 0, 0);
	if (wrong)
		say_once(wrong);
}

/* ---- snapshots -------------------------------------------------------------------------- */

/* In the child of a fork() the memory is there, and empty: it is made ready again. */
static struct vmsnap_self *prepare(bool again)
{
	struct vmsnap_self_options options = { .size = sizeof(options), .bytes = preload.words.room };
	struct vmsnap_self *self = atomic_load(&preload.self);
	if (self && !again) {
		options.memory = self;
		options.bytes = preload.bytes;
	} else if (self) {
		vmsnap_self_free(self);
	}
	self = NULL;
	if (vmsnap_self_prepare(&options, &self, NULL))
		self = NULL;
	else
		preload.bytes = self->bytes;
	atomic_store(&preload.self, self);
	return self;
}

static struct vmsnap_self *capture(void)
{
	struct vmsnap_self *self = atomic_load(&preload.self);
	int rc = self ? vmsnap_capture_self(self) : VMSNAP_ERR_ARGUMENT;
	if (rc == VMSNAP_ERR_ARGUMENT && (self = prepare(false)))
		rc = vmsnap_capture_self(self);
	/* It did not fit: if nobody said how much room there may be, more is taken. */
	if (!rc && self->told.known_until && !preload.words.room && (self = prepare(true)))
		rc = vmsnap_capture_self(self);
	return rc ? NULL : self;
}

static void take_one(const char *reason)
{
	struct vmsnap_self *self = capture();
	if (!self) {
		say_once("vmsnap: VMSNAP_SELF: no snapshot could be taken (is /proc mounted?)\n");
		return;
	}
	strcpy(self->identity.reason, reason);
	write_file(self);
}

/* The memory of a parent that waits for our exec, and is in the middle of its own snapshot, perhaps (vfork). */
static bool is_lent(void)
{
	const struct vmsnap_self *self = atomic_load(&preload.self);
	return self && self->magic == SELF_MAGIC && self->pid != (uint32_t)raw_syscall4(SYS_getpid, 0, 0, 0, 0);
}

/* A signal that comes meanwhile, to another thread, is done by the one that is at it. */
static void take(const char *reason)
{
	int before = errno, cancel = PTHREAD_CANCEL_ENABLE;
	if (is_lent())
		return;
	uint64_t mine = (uint64_t)raw_syscall4(SYS_getpid, 0, 0, 0, 0) << TURN_SHIFT, turn = atomic_load(&preload.turn);
	do {
		if (turn >> TURN_SHIFT == mine >> TURN_SHIFT && (turn & BUSY)) {
			if (atomic_compare_exchange_strong(&preload.turn, &turn, mine | BUSY | AGAIN))
				return;
			continue;
		}
		if (atomic_compare_exchange_strong(&preload.turn, &turn, mine | BUSY))
			break;
	} while (true);
	/* To make room, files are read by the C library's calls, at which a thread may be cancelled. */
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	do {
		atomic_store(&preload.turn, mine | BUSY);
		take_one(reason);
		turn = mine | BUSY;
	} while (!atomic_compare_exchange_strong(&preload.turn, &turn, mine));
	(void)pthread_setcancelstate(cancel, NULL);
	errno = before;
}

static void on_signal(int number)
{
	(void)number;
	take("VMSNAP_SELF: a signal");
}

/* ---- begin and end ---------------------------------------------------------------------- */

/* Only where nobody has done anything about it: what is ignored stays so in programs that this one starts. */
static void install_handler(int number)
{
	struct sigaction old, action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };
	sigfillset(&action.sa_mask);
	if (sigaction(number, NULL, &old) || (old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL)
		say_raw("vmsnap: VMSNAP_SELF: the signal is ignored, or somebody else's: left alone\n");
	else
		(void)sigaction(number, &action, NULL);
}

__attribute__((constructor)) static void begin(void)
{
	const char *value = secure_getenv("VMSNAP_SELF");
	int before = errno;
	if (!value || fstat(STDERR_FILENO, &preload.stderr_was))
		memset(&preload.stderr_was, 0xff, sizeof(preload.stderr_was));
	if (value && *value) {
		char wrong[PRELOAD_WRONG];
		if (!preload_words_read(value, &preload.words, wrong)) {
			say_raw(wrong);
		} else {
			(void)prepare(false);
			if (preload.words.signal)
				install_handler(preload.words.signal);
			if (preload.words.at_start)
				take("VMSNAP_SELF: at the start");
		}
	}
	errno = before;
}

__attribute__((destructor)) static void end(void)
{
	if (preload.words.at_exit)
		take("VMSNAP_SELF: at the end");
}
