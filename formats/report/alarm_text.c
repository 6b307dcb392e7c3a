#include "alarm_text.h"

#include "text_color.h"
#include "text_fit.h"

void put_alarm(struct text *text, const char *words)
{
	struct fit_line line = fit_line(text, 2, 2);
	color_start(text, COLOR_ALARM);
	text_string(text, "! ");
	fit_words(&line, words);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

void put_note(struct text *text, const char *words)
{
	struct fit_line line = fit_line(text, 0, 2);
	fit_words(&line, words);
	text_string(text, "\n");
}
