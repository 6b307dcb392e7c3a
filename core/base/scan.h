/* scan.h - a cursor over text that we did not write, and what may be taken from
 * it.  Each take_* advances and returns true, or leaves the cursor and returns
 * false. */
#ifndef VMSNAP_SCAN_H
#define VMSNAP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const char *at, *end;
};

static inline bool take_char(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Lower-case hexadecimal, as the kernel writes it; at least one digit. */
static inline bool take_hex(struct cursor *c, uint64_t *out)
{
	const char *at = c->at;
	uint64_t value = 0;
	int digit;
	for (; at < c->end && (digit = hex_digit(*at)) >= 0; at++) {
		if (value >> 60)
			return false;
		value = value << 4 | (uint64_t)digit;
	}
	if (at == c->at)
		return false;
	c->at = at;
	*out = value;
	return true;
}

static inline bool take_decimal(struct cursor *c, uint64_t *out)
{
	const char *at = c->at;
	uint64_t value = 0;
	for (; at < c->end && *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (at == c->at)
		return false;
	c->at = at;
	*out = value;
	return true;
}

static inline void take_spaces(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

/* Up to, not including, the next `stop` or the end; skips the stop. */
static inline struct cursor take_until(struct cursor *c, char stop)
{
	struct cursor part = { c->at, c->end };
	const char *found = c->at < c->end ? memchr(c->at, stop, (size_t)(c->end - c->at)) : NULL;
	if (found)
		part.end = found;
	c->at = found ? found + 1 : c->end;
	return part;
}

#endif
