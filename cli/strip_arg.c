#include "strip_arg.h"

#include <string.h>

#include "say.h"
#include "vmsnap.h"

int strip_parse(const struct options *options, unsigned *strip)
{
	*strip = 0;
	for (const char *words = options->strip; words && *words;) {
		size_t len = strcspn(words, ",");
		unsigned bit = 1;
		const char *name;
		while ((name = vmsnap_strip_name(bit)) && (strlen(name) != len || strncmp(name, words, len) != 0))
			bit <<= 1;
		if (!name)
			return trouble("%s: '%.*s' cannot be stripped: expected pfns, cmdline, names, host, contents or faults",
			               options->command->name, (int)len, words);
		*strip |= bit;
		words += len + (words[len] == ',');
	}
	return STATUS_OK;
}
