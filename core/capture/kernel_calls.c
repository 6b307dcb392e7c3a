#define _GNU_SOURCE
#include "kernel_calls.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "array.h"
#include "error.h"
#include "sorted.h"

/* ---- names and numbers ------------------------------------------------------------------ */

static const struct {
	const char *name;
	int32_t number;
} rows[] = {
#define SYSCALL_ROW(name) { #name, SYS_##name },
#include "syscall_names.h"
#undef SYSCALL_ROW
};

const char *syscall_name(int32_t number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return rows[i].name;
	return NULL;
}

int32_t syscall_number(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strncmp(rows[i].name, name, len) && !rows[i].name[len])
			return rows[i].number;
	return -1;
}

/* ---- the kernel's functions ------------------------------------------------------------- */

/* A system call's own function often ends by a jump to the one that does its work, and so is not seen.  That one tells
 * as well, if no other system call has it. */
static int32_t number_of_function(const char *name)
{
	static const char *const prefixes[] = { "__x64_sys_", "__arm64_sys_", "__se_sys_",
		                                "__do_sys_",  "ksys_",        "__sys_" };
	if (!strcmp(name, "__sys_accept4")) /* accept(2), too */
		return -1;
	if (!strcmp(name, "do_readv"))
		return syscall_number("readv", 5);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);
		if (!strncmp(name, prefixes[i], len)) /* compilers append .isra.0 and the like */
			return syscall_number(name + len, strcspn(name + len, "."));
	}
	return -1;
}

static int by_start(const void *x, const void *y)
{
	const struct kernel_function *a = x, *b = y;
	return (a->start > b->start) - (a->start < b->start);
}

static bool take_function(char *line, struct kernel_function *out)
{
	char *at, *name, *end;
	out->start = strtoull(line, &at, 16);
	if (!out->start || *at != ' ' ||
	    (tolower((unsigned char)at[1]) != 't' && tolower((unsigned char)at[1]) != 'w') || at[2] != ' ')
		return false;
	name = at + 3;
	end = name + strcspn(name, " \t\n");
	*end = '\0';
	if (!strncmp(name, "__pfx_", 6))
		return false;
	out->number = number_of_function(name);
	return true;
}

/* Functions that are none of these count, too: where one ends, another one begins. */
void kernel_calls_read(struct kernel_calls *calls)
{
	CLEANUP_FCLOSE FILE *file = fopen("/proc/kallsyms", "re");
	char line[1024];
	size_t room = 0;
	*calls = (struct kernel_calls){ .items = NULL };
	while (file && fgets(line, sizeof(line), file)) {
		struct kernel_function function;
		if (!take_function(line, &function))
			continue;
		struct kernel_function *items = array_room(calls->items, calls->count, &room, sizeof(*items));
		if (!items)
			break;
		calls->items = items;
		calls->items[calls->count++] = function;
	}
	if (calls->count)
		qsort(calls->items, calls->count, sizeof(*calls->items), by_start);
}

void kernel_calls_free(struct kernel_calls *calls)
{
	free(calls->items);
	*calls = (struct kernel_calls){ .items = NULL };
}

/* Of several names of one address any that is a call's. */
static int32_t number_at(const struct kernel_calls *calls, uint64_t address)
{
	size_t above = SORTED_ABOVE(struct kernel_function, start, calls->items, calls->count, address);
	for (size_t i = above; i-- > 0 && calls->items[i].start == calls->items[above - 1].start;)
		if (calls->items[i].number >= 0)
			return calls->items[i].number;
	return -1;
}

int32_t kernel_calls_find(const struct kernel_calls *calls, const uint64_t *chain, size_t count)
{
	enum { OUTERMOST = 8 };
	for (size_t i = count; i-- > 0 && count - i <= OUTERMOST;) {
		int32_t number = number_at(calls, chain[i] - 1);
		if (number >= 0)
			return number;
	}
	return -1;
}
