/* watch_screen.h - the terminal while --watch has it: taken, drawn on, given back as it was. */
#ifndef VMSNAP_CLI_WATCH_SCREEN_H
#define VMSNAP_CLI_WATCH_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct screen {
	int fd;      /* standard output, or the same terminal by another descriptor, on which nothing waits */
	int signals; /* what interrupts a wait for a terminal that takes nothing */
	bool keys;   /* standard input is the same terminal */
	bool taken;
	struct termios before;
	unsigned rows, columns;
};

/* Whether there can be one: standard output is a terminal on which the cursor can be moved. */
bool screen_can_be(void);
void screen_open(struct screen *screen, int signals);
/* Another screen (what was there comes back), no cursor; keys come one by one, unseen. */
void screen_take(struct screen *screen);
/* Everything as it was. */
void screen_leave(struct screen *screen);
void screen_close(struct screen *screen);
/* How large it is now. */
void screen_measure(struct screen *screen);
/* 0, EINTR (a signal is waiting: what was written is torn), or why nothing can be written. */
int screen_write(const struct screen *screen, const char *bytes, size_t len);

#endif
