#include "address.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "say.h"

/* Digits only, of which there must be one; no sign, no blank.  Returns what
 * follows them, or NULL. */
static const char *take_number(const char *text, unsigned base, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = text;
	uint64_t value = 0;
	for (; *p; p++) {
		char c = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;
		const char *digit = strchr(digits, c);
		if (!digit || (unsigned)(digit - digits) >= base)
			break;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digit - digits), &value))
			return NULL;
	}
	*number = value;
	return p > text ? p : NULL;
}

static const char *take_address(const char *text, uint64_t *address)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	return take_number(text, 16, address);
}

/* "64K" is decimal, "8p" are pages, "1000" is hexadecimal like an address. */
static bool parse_length(const char *text, uint64_t page_size, uint64_t *length)
{
	static const char units[] = "KMGT";
	uint64_t number;
	const char *end = take_number(text, 10, &number);
	if (end && *end && !end[1]) {
		const char *unit = strchr(units, *end);
		uint64_t factor = unit ? UINT64_C(1024) << (10 * (unit - units)) : page_size;
		if (unit || *end == 'p')
			return !__builtin_mul_overflow(number, factor, length);
	}
	end = take_address(text, length);
	return end && !*end;
}

int address_parse(const char *text, uint64_t *address)
{
	const char *end = take_address(text, address);
	if (end && !*end)
		return STATUS_OK;
	if (isalpha((unsigned char)*text) && text[strspn(text, "0123456789abcdefABCDEFxX")])
		return trouble(
		        "'%s' is not an address: expected hexadecimal digits, as in 7f0012345000; names of variables "
		        "are for gdb, where it is vmsnap page &%s",
		        text, text);
	return trouble("'%s' is not an address: expected hexadecimal digits, as in 7f0012345000 or 0x7f0012345000",
	               text);
}

bool address_is_range(const char *text)
{
	uint64_t number;
	const char *end = take_address(text, &number);
	if (!end || !*end)
		return end != NULL;
	const char *rest = *end == '-' ? take_address(end + 1, &number) : NULL;
	return *end == '+' ? parse_length(end + 1, 1, &number) : rest && !*rest;
}

static int bad_range(const char *text)
{
	return trouble("'%s' is not a range: expected ADDRESS, START-END or START+LENGTH in hexadecimal, "
	               "as in 7f0000000000-7f0000200000 or 7f0000000000+64K",
	               text);
}

/* *alone: it is an ADDRESS, and *end is that too. */
static int parse_range(const char *text, uint64_t page_size, uint64_t *start, uint64_t *end, bool *alone)
{
	const char *rest = take_address(text, start);
	if (!rest)
		return bad_range(text);
	if (!*rest)
		*end = *start;
	else if (*rest == '-') {
		const char *after = take_address(rest + 1, end);
		if (!after || *after)
			return bad_range(text);
	} else if (*rest == '+') {
		uint64_t length;
		if (!parse_length(rest + 1, page_size, &length) || __builtin_add_overflow(*start, length, end))
			return bad_range(text);
	} else
		return bad_range(text);
	if (*rest && *end <= *start)
		return trouble("'%s' is an empty range: its end must lie above its start", text);
	*alone = !*rest;
	return STATUS_OK;
}

int address_range_parse(const char *text, uint64_t page_size, uint64_t *start, uint64_t *end)
{
	bool alone;
	int status = parse_range(text, page_size, start, end, &alone);
	if (status)
		return status;
	*start -= *start % page_size;
	uint64_t last = alone ? *end : *end - 1; /* the last byte that is wanted */
	last -= last % page_size;
	/* The highest page of all has no address after it. */
	*end = last > UINT64_MAX - page_size ? UINT64_MAX : last + page_size;
	return STATUS_OK;
}

int address_bytes_parse(const char *text, uint64_t page_size, uint64_t *start, uint64_t *end)
{
	bool alone;
	int status = parse_range(text, page_size, start, end, &alone);
	return status || !alone ? status : address_range_parse(text, page_size, start, end);
}

void range_tell_empty(const struct vmsnap *snap, const char *word, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++)
		if (vmsnap_vma(snap, i)->start < end && vmsnap_vma(snap, i)->end > start)
			return;
	say("%s: nothing is mapped from %" PRIx64 " to %" PRIx64 "; vmsnap page %s %" PRIx64 " tells what is around it",
	    word, start, end, word, start);
}
