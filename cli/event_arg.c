#define _GNU_SOURCE
#include "event_arg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

/* "10M", "4096", "1.5G"; K and more are powers of 1024. */
static bool size_parse(const char *text, size_t len, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	char word[32], *end;
	if (!len || len >= sizeof(word) || *text < '0' || *text > '9')
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	double size = strtod(word, &end);
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (*end && (!unit || !*unit || end[1]))
		return false;
	for (ptrdiff_t i = unit ? unit - units : -1; i >= 0; i--)
		size *= 1024;
	if (!(size >= 1) || size > 1e18)
		return false;
	*bytes = (uint64_t)size;
	return true;
}

static int event_set(const char *word, size_t len, struct event_arg *out)
{
	static const char growth[] = "growth=";
	const size_t prefix = sizeof(growth) - 1;
	if (len > prefix && !strncmp(word, growth, prefix)) {
		if (size_parse(word + prefix, len - prefix, &out->growth))
			return STATUS_OK;
		return trouble("record: --on growth= takes a size, as 10M or 1G, not '%.*s'", (int)(len - prefix),
		               word + prefix);
	}
	const struct {
		const char *name;
		bool *set;
	} events[] = { { "fork", &out->fork }, { "exec", &out->exec }, { "exit", &out->exit } };
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strlen(events[i].name) != len || strncmp(word, events[i].name, len) != 0)
			continue;
		*events[i].set = true;
		return STATUS_OK;
	}
	return trouble("record: --on takes fork, exec, exit and growth=SIZE, joined by commas, not '%.*s'", (int)len,
	               word);
}

int events_parse(const struct options *options, struct event_arg *out)
{
	int status = STATUS_OK;
	*out = (struct event_arg){ .growth = 0 };
	for (const char *word = options->on; word && !status;) {
		size_t len = strcspn(word, ",");
		status = event_set(word, len, out);
		word = word[len] ? word + len + 1 : NULL;
	}
	return status;
}
