/* terminal_ask.h - asks the terminal what its background is (OSC 11).  What a terminal answers comes as if it were
 * typed, among what is typed, and from whoever is at the other end: it may never come, or come late, and may hold
 * anything. */
#ifndef VMSNAP_CLI_TERMINAL_ASK_H
#define VMSNAP_CLI_TERMINAL_ASK_H

#include <stdbool.h>

#include "color_choice.h"

/* What comes back, byte by byte. */
enum hearing_state {
	HEARING_TYPED, /* nothing, or what the user types */
	HEARING_ESCAPE,
	HEARING_OSC, /* ESC ] ... up to BEL or ESC \ */
	HEARING_OSC_ESCAPE,
	HEARING_CSI,     /* ESC [, as keys have it, too */
	HEARING_PRIVATE, /* ESC [ ? ... up to a letter */
};
enum { ANSWER_MAX = 64, STRAYS_MAX = 128 };
struct hearing {
	enum hearing_state state;
	enum background background;
	bool over; /* all is answered */
	size_t answer_len, stray_len;
	char answer[ANSWER_MAX];          /* of an OSC; what is longer is none of ours */
	unsigned char strays[STRAYS_MAX]; /* what was no answer */
};

/* Zero: nothing was asked. */
struct terminal_question {
	bool open; /* not all is answered, and may still be */
	struct hearing hearing;
};

/* Whether standard input and output are one terminal; and whether it is ours now, too. */
bool terminal_is_one(void);
bool terminal_is_whole(void);
/* Asks, and waits for at most so long; only of a terminal that is whole.  Does not ask if something has been typed that
 * nobody has read yet.  However it ends, the terminal is left as it was. */
enum background terminal_ask_background(struct terminal_question *question, int milliseconds);
/* Takes away an answer that has come since, so that nobody takes it for something typed. */
void terminal_hear_out(struct terminal_question *question);

#endif
