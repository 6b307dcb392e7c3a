#define _GNU_SOURCE
#include "book.h"

#include "../targets/target.h"

struct book *book;

static const char *const names[KINDS] = {
	"queued-thread", "queued-process", "standard-thread", "standard-process", "timers", "children", "faults", "odd",
};

void book_open(void)
{
	book = (struct book *)map_memory(sizeof(*book), PROT_READ | PROT_WRITE, MAP_SHARED, -1);
}

void book_sent(enum kind kind)
{
	atomic_fetch_add(&book->sent[kind], 1);
}

void book_came(enum kind kind)
{
	atomic_fetch_add(&book->came[kind], 1);
}

/* ---- text without stdio: a handler may have interrupted it ---- */

static char *put(char *at, const char *end, const char *text)
{
	while (*text && at < end)
		*at++ = *text++;
	return at;
}

static char *put_number(char *at, const char *end, long number)
{
	char digits[24];
	size_t first = sizeof(digits) - 1;
	unsigned long left = number < 0 ? 0ul - (unsigned long)number : (unsigned long)number;
	digits[first] = 0;
	do
		digits[--first] = (char)('0' + left % 10);
	while (left /= 10);
	if (number < 0)
		digits[--first] = '-';
	return put(at, end, digits + first);
}

void book_wrong(const char *what, long found, long wanted)
{
	atomic_fetch_add(&book->wrong, 1);
	if (atomic_exchange(&book->said, 1))
		return;
	const char *end = book->first + sizeof(book->first) - 1;
	char *at = put(book->first, end, what);
	at = put_number(put(at, end, ": "), end, found);
	put_number(put(at, end, ", not "), end, wanted);
}

/* "count KIND SENT CAME" for each, then what was wrong. */
void book_report(void)
{
	long lost = 0;
	for (int kind = 0; kind < KINDS; kind++) {
		unsigned long sent = book->sent[kind], came = book->came[kind];
		say("count %s %lu %lu\n", names[kind], sent, came);
		lost += (long)sent - (long)came;
	}
	if (book->wrong)
		say("wrong %lu %s\n", (unsigned long)book->wrong, book->first);
	if (book->busy)
		say("unfinished %d\n", book->busy);
	say("lost %ld\n", lost);
}
