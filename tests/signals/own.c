/* own.c - signals that a thread brings upon itself, and which come before its next
 * instruction: faults with their addresses, traps, and a SIGTRAP with a siginfo that only
 * the kernel gives to a tracer.  A fault that is lost happens again, a trap does not. */
#define _GNU_SOURCE
#include "../targets/target.h"

#include <setjmp.h>

#include "book.h"
#include "parts.h"

/* As PTRACE_GETSIGINFO has it when PTRACE_INTERRUPT stopped a thread (PTRACE_EVENT_STOP),
 * and when it made another one (PTRACE_EVENT_CLONE). */
enum { LIKE_A_STOP = SIGTRAP | 128 << 8, LIKE_A_BIRTH = SIGTRAP | 3 << 8 };

static sigjmp_buf back;
static char *forbidden;
static volatile int came, code, value;
static void *volatile address;

static void note(const siginfo_t *info)
{
	came = info->si_signo;
	code = info->si_code;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	note(info);
	address = info->si_addr;
	siglongjmp(back, 1);
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	note(info);
	value = info->si_value.sival_int;
}

static void expect(enum kind kind, int number, int wanted_code)
{
	if (came != number)
		return; /* the counts say so */
	book_came(kind);
	if (code != wanted_code)
		book_wrong("a thread's own signal has another code", code, wanted_code);
}

static void touch(unsigned round)
{
	char *at = forbidden + round % PAGE;
	came = 0;
	book_sent(OWN_FAULTS);
	if (!sigsetjmp(back, 1))
		*(volatile char *)at = 1;
	expect(OWN_FAULTS, SIGSEGV, SEGV_ACCERR);
	if (came && address != at)
		book_wrong("SIGSEGV at another address", (long)address, (long)at);
}

#if defined(__x86_64__) || defined(__i386__)
static void divide(void)
{
	volatile int many = 1000, zero = 0;
	came = 0;
	book_sent(OWN_FAULTS);
	if (!sigsetjmp(back, 1))
		many = many / zero;
	expect(OWN_FAULTS, SIGFPE, FPE_INTDIV);
	if (came && !address)
		book_wrong("SIGFPE without an address", 0, 1);
}

static void trap(void)
{
	came = 0;
	book_sent(OWN_FAULTS);
	__asm__ volatile("int3");
	expect(OWN_FAULTS, SIGTRAP, SI_KERNEL);
}
#else /* elsewhere neither is known to work: a division may not trap, a trap not go on */
static void divide(void)
{
}
static void trap(void)
{
}
#endif

/* Only to itself may a thread send what looks like the kernel's. */
static void send_odd(int round, int odd_code)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = odd_code };
	info.si_pid = getpid();
	info.si_value.sival_int = round;
	came = 0;
	book_sent(ODD);
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGTRAP, &info))
		book_wrong("rt_tgsigqueueinfo() failed", errno, 0);
	expect(ODD, SIGTRAP, odd_code);
	if (came && value != round)
		book_wrong("an odd signal came with another value", value, round);
}

/* One at a time: whoever begins to trace the thread meets the next one, whichever it is. */
static void do_one(int round)
{
	static const int odd[] = { LIKE_A_STOP, LIKE_A_BIRTH, SI_USER };
	switch (round % 6) {
	case 0:
		touch((unsigned)round);
		break;
	case 1:
		divide();
		break;
	case 2:
		trap();
		break;
	default:
		send_odd(round, odd[round % 3]);
	}
}

static void *run_own(void *nothing)
{
	use_other_stack();
	let_in(SIGSEGV);
	let_in(SIGFPE);
	let_in(SIGTRAP);
	for (int round = 1; !book->end; round++) {
		do_one(round);
		usleep(pace.own_us);
	}
	book->busy--;
	return nothing;
}

void start_own(void)
{
	forbidden = map_memory(PAGE, PROT_NONE, MAP_PRIVATE, -1);
	handle(SIGSEGV, on_fault, SA_ONSTACK);
	handle(SIGFPE, on_fault, SA_ONSTACK);
	handle(SIGTRAP, on_trap, SA_ONSTACK);
	book->busy++;
	start(run_own, NULL, PART_STACK);
}
