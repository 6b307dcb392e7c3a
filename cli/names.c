#include "names.h"

#include <string.h>

#include "say.h"

struct vmsnap_names *names_open(const struct options *options, const struct vmsnap *snap)
{
	struct vmsnap_names *names;
	struct vmsnap_error err;
	if (options->no_names || options->totals)
		return NULL;
	if (!vmsnap_names_new(snap, options->sysroot, &names, &err)) {
		vmsnap_names_set_demangled(names, !options->no_demangle);
		return names;
	}
	say("no names: %s", err.message);
	return NULL;
}

struct vmsnap_names *names_quiet(const struct options *options, const struct vmsnap *snap)
{
	struct vmsnap_names *names;
	struct vmsnap_error err;
	if (options->no_names)
		return NULL;
	if (!vmsnap_names_new(snap, options->sysroot, &names, &err))
		return names;
	say("no names: %s", err.message);
	return NULL;
}

static bool has_names(const struct vmsnap *snap)
{
	const struct vmsnap_annotation *name;
	for (size_t i = 0; (name = vmsnap_annotation(snap, i)); i++)
		if (name->kind != VMSNAP_ANNOTATION_DEBUGGER_WRITE && strcmp(name->type, VMSNAP_MALLOC_HEAP) != 0)
			return true;
	return false;
}

void names_add_fallback(struct vmsnap_names *names, const struct vmsnap *snap, const struct vmsnap *from)
{
	struct vmsnap_error err;
	if (names && from && !has_names(snap) && vmsnap_names_add_fallback(names, from, &err))
		say("no names of local variables: %s", err.message);
}

void names_close(struct vmsnap_names *names)
{
	if (!names)
		return;
	const char *line = vmsnap_names_warning(names);
	while (*line) {
		size_t len = strcspn(line, "\n");
		if (len)
			say("names: %.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
	vmsnap_names_free(names);
}
