/* queued.c - real-time signals with values and standard ones, to threads and to the
 * process, received in four ways.
 *
 * A sender gives each receiver's signals numbers of their own, 1, 2, 3, …; the kernel
 * delivers those of one number (SIGRTMIN + …) in the order in which they were sent. */
#define _GNU_SOURCE
#include "../targets/target.h"

#include <sys/signalfd.h>

#include "book.h"
#include "parts.h"

enum way { HANDLER, OTHER_STACK, WAITING, DESCRIPTOR, WAYS };
/* Not more are on their way to one receiver: all queues of a user have a common limit. */
enum { WINDOW = 16, MARKER = 1 << 30 };

struct receiver {
	enum way way;
	bool of_process;      /* what is sent to the process is for it */
	int queued, standard; /* signal numbers */
	_Atomic pid_t tid;
	const char *stack; /* the other one, if it uses one */
	unsigned sent;     /* the sender's */
	atomic_uint seen;  /* the last number that came */
	atomic_bool standard_out, through;
};

static struct receiver *receivers;
static int receiver_count;
static _Thread_local struct receiver *me;

/* ---- receiving ---- */

static void take_standard(struct receiver *to, const siginfo_t *info)
{
	check_sender(info, to->of_process ? SI_USER : SI_TKILL);
	if (!atomic_exchange(&to->standard_out, false))
		book_wrong("a standard signal came that nobody sent", info->si_signo, 0);
	book_came(to->of_process ? STANDARD_PROCESS : STANDARD_THREAD);
}

static void take_queued(struct receiver *to, const siginfo_t *info)
{
	unsigned value = (unsigned)info->si_value.sival_int, number = value & ~(unsigned)MARKER;
	check_sender(info, SI_QUEUE);
	/* One that is missing is lost, which the counts will say. */
	if (number <= to->seen)
		book_wrong("a queued signal came twice or too late", number, (long)to->seen + 1);
	to->seen = number;
	book_came(to->of_process ? QUEUED_PROCESS : QUEUED_THREAD);
	if (value & MARKER)
		to->through = true;
}

static void take(struct receiver *to, const siginfo_t *info)
{
	if (info->si_signo == to->standard)
		take_standard(to, info);
	else if (info->si_signo == to->queued)
		take_queued(to, info);
	else
		book_wrong("a signal for another", info->si_signo, to->queued);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	char here;
	(void)number, (void)context;
	if (!me) {
		book_wrong("a signal came to a thread that blocks it", info->si_signo, 0);
		return;
	}
	if (me->stack && (&here < me->stack || &here >= me->stack + PART_STACK))
		book_wrong("a handler ran on another stack than its own", info->si_signo, 0);
	take(me, info);
}

static void take_by_waiting(const sigset_t *wanted)
{
	siginfo_t info;
	/* Not sigwaitinfo(), which gives SI_TKILL as SI_USER.  A stop may interrupt it. */
	while (!me->through)
		if (syscall(SYS_rt_sigtimedwait, wanted, &info, NULL, (size_t)_NSIG / 8) > 0)
			take(me, &info);
}

static void take_by_descriptor(const sigset_t *wanted)
{
	struct signalfd_siginfo found;
	int fd = signalfd(-1, wanted, SFD_CLOEXEC);
	if (fd < 0)
		cannot("make a signalfd");
	while (!me->through) {
		if (read(fd, &found, sizeof(found)) != (ssize_t)sizeof(found))
			continue;
		siginfo_t info = { .si_signo = (int)found.ssi_signo, .si_code = found.ssi_code };
		info.si_pid = (pid_t)found.ssi_pid;
		info.si_value.sival_int = found.ssi_int;
		take(me, &info);
	}
	close(fd);
}

static void take_by_handler(void)
{
	sigset_t before;
	if (me->way == OTHER_STACK)
		me->stack = use_other_stack();
	sigfillset(&before);
	sigdelset(&before, me->queued);
	sigdelset(&before, me->standard);
	while (!me->through)
		sigsuspend(&before);
}

static void *receive(void *receiver)
{
	sigset_t wanted;
	me = receiver;
	sigemptyset(&wanted);
	sigaddset(&wanted, me->queued);
	sigaddset(&wanted, me->standard);
	me->tid = gettid();
	if (me->way == WAITING)
		take_by_waiting(&wanted);
	else if (me->way == DESCRIPTOR)
		take_by_descriptor(&wanted);
	else
		take_by_handler();
	return NULL;
}

/* ---- sending ---- */

/* The queue may be full: then once more. */
static void send_queued(struct receiver *to, unsigned mark)
{
	union sigval value = { .sival_int = (int)(++to->sent | mark) };
	siginfo_t info = { .si_code = SI_QUEUE };
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value = value;
	book_sent(to->of_process ? QUEUED_PROCESS : QUEUED_THREAD);
	while (to->of_process ? sigqueue(getpid(), to->queued, value)
	                      : (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), to->tid, to->queued, &info))
		usleep(1000);
}

static void send_standard(struct receiver *to)
{
	if (to->standard_out)
		return;
	to->standard_out = true;
	book_sent(to->of_process ? STANDARD_PROCESS : STANDARD_THREAD);
	if (to->of_process ? kill(getpid(), to->standard) : (int)syscall(SYS_tgkill, getpid(), to->tid, to->standard))
		book_wrong("kill() failed", errno, 0);
}

/* To all of one kind, until the end, then the marker. */
static void *send_to(void *of_process)
{
	bool process = of_process != NULL;
	while (!book->end) {
		for (int i = 0; i < receiver_count; i++) {
			struct receiver *to = &receivers[i];
			if (to->of_process != process)
				continue;
			if (to->sent - to->seen < WINDOW)
				send_queued(to, 0);
			send_standard(to);
		}
		usleep(pace.sending_us);
	}
	for (int i = 0; i < receiver_count; i++)
		if (receivers[i].of_process == process)
			send_queued(&receivers[i], MARKER);
	for (int i = 0; i < receiver_count; i++)
		while (receivers[i].of_process == process && !receivers[i].through)
			usleep(1000);
	book->busy--;
	return NULL;
}

/* ---- */

static struct receiver make_receiver(int index)
{
	static const int to_thread[WAYS] = { SIGUSR1, SIGWINCH, SIGURG, SIGVTALRM };
	static const int to_process[WAYS] = { SIGUSR2, SIGHUP, SIGIO, SIGALRM };
	enum way way = (enum way)(index % WAYS);
	/* Only one thread lets in what is sent to the process: the order would be nobody's. */
	bool of_process = index < WAYS;
	return (struct receiver){ .way = way,
		                  .of_process = of_process,
		                  .queued = SIGRTMIN + (of_process ? 0 : WAYS) + (int)way,
		                  .standard = (of_process ? to_process : to_thread)[way] };
}

static void *idle(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

static void start_receivers(int idlers)
{
	for (int i = 0; i < receiver_count; i++) {
		receivers[i] = make_receiver(i);
		int flags = receivers[i].way == OTHER_STACK ? SA_ONSTACK : 0;
		handle(receivers[i].queued, on_signal, flags);
		handle(receivers[i].standard, on_signal, flags);
	}
	for (int i = 0; i < receiver_count; i++) {
		/* Some idle ones before each, the rest behind the last. */
		for (int n = idlers / receiver_count; n > 0; n--)
			start(idle, NULL, IDLE_STACK);
		start(receive, &receivers[i], PART_STACK);
	}
	for (int n = idlers % receiver_count; n > 0; n--)
		start(idle, NULL, IDLE_STACK);
	for (int i = 0; i < receiver_count; i++)
		while (!receivers[i].tid)
			usleep(1000);
}

void start_queued(int count, int idlers)
{
	receiver_count = count;
	receivers = (struct receiver *)map_private((size_t)count * sizeof(*receivers));
	start_receivers(idlers);
	book->busy += 2;
	start(send_to, NULL, PART_STACK);
	start(send_to, receivers, PART_STACK);
}
