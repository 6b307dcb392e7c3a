/* patched_code - a function that is overwritten while the program runs.
 *
 *   call     calls the function
 *   open     mprotect: its page may be written to
 *   patch    puts the code of another function in its place
 *   close    mprotect: as it was
 *   restore  all three, with the code that was there */
#define _GNU_SOURCE
#include "lab.h"

enum { CODE = 16, ROOM = 65536 };

/* On a page that holds nothing else.  The two are as long as each other and refer to nothing. */
__attribute__((aligned(ROOM), noinline, section(".text.patched"))) int answer(void)
{
	return 42;
}
__attribute__((aligned(ROOM), noinline, section(".text.patched"))) int other_answer(void)
{
	return 43;
}

static int (*volatile const function)(void) = answer;
static unsigned char *page_start;
static size_t page;

static void protect(int protection)
{
	if (mprotect(page_start, page, protection))
		cannot("change the protection of code");
}

static void write_code(const void *code)
{
	memcpy(page_start, code, CODE);
	__builtin___clear_cache((char *)page_start, (char *)page_start + CODE);
}

int main(void)
{
	unsigned char original[CODE];
	page = (size_t)sysconf(_SC_PAGESIZE);
	page_start = (unsigned char *)(uintptr_t)function;
	memcpy(original, page_start, CODE);
	begin();
	say_range("answer", page_start, page);
	for (;;) {
		const char *word = next_word();
		if (!strcmp(word, "call")) {
			printf("the answer is %d\n", function());
		} else if (!strcmp(word, "open")) {
			protect(PROT_READ | PROT_WRITE | PROT_EXEC);
		} else if (!strcmp(word, "patch")) {
			write_code((const void *)(uintptr_t)other_answer);
		} else if (!strcmp(word, "close")) {
			protect(PROT_READ | PROT_EXEC);
		} else if (!strcmp(word, "restore")) {
			protect(PROT_READ | PROT_WRITE | PROT_EXEC);
			write_code(original);
			protect(PROT_READ | PROT_EXEC);
		}
	}
}
