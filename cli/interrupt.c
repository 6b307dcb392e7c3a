#define _GNU_SOURCE
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

/* Ctrl-C while the target stands still, or while another writes to the file: it is let go
 * and nothing is left behind.  A second one ends the program as usual (SA_RESETHAND). */
static volatile sig_atomic_t signal_seen;

static void on_interrupt(int number)
{
	signal_seen = number;
}

void interrupts_notice(void)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction before;
		/* What a parent made us ignore (nohup) stays ignored. */
		if (!sigaction(numbers[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

int interrupted_by(void)
{
	return signal_seen;
}

bool was_interrupted(void *ctx)
{
	(void)ctx;
	return signal_seen != 0;
}
