#define _GNU_SOURCE
#include "contents_arg.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "say.h"

static int take_wanted(const struct options *options, struct contents_arg *out)
{
	const char *contents = options->contents;
	if (options->hash && contents)
		return trouble("%s: --hash keeps hashes instead of what --contents keeps; choose one",
		               options->command->name);
	if (!options->hash && !contents) {
		if (options->exclude.count || options->undumped)
			return trouble("%s: --%s is about --contents or --hash", options->command->name,
			               options->undumped ? "undumped" : "exclude");
		return STATUS_OK;
	}
	if (options->hash)
		out->wanted = VMSNAP_WANT_HASHES;
	else if (!*contents || !strcmp(contents, "private"))
		out->wanted = VMSNAP_WANT_PRIVATE;
	else if (!strcmp(contents, "all"))
		out->wanted = VMSNAP_WANT_ALL;
	else
		return trouble("%s: --contents takes private or all, not '%s'", options->command->name, contents);
	out->wanted |= options->undumped ? VMSNAP_WANT_UNDUMPED : 0u;
	return STATUS_OK;
}

/* START-END and START+LENGTH begin with a digit of an address and have one of these; all else is a name. */
static bool looks_like_a_range(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEFxX");
	return digits && (text[digits] == '-' || text[digits] == '+') &&
	       !text[digits + 1 + strspn(text + digits + 1, "0123456789abcdefABCDEFxXkKmMgGtTpP")];
}

static int take_excluded(const struct options *options, struct contents_arg *out)
{
	for (size_t i = 0; i < options->exclude.count; i++) {
		const char *text = options->exclude.words[i];
		if (!looks_like_a_range(text)) {
			out->exclude[out->exclude_count++] = text;
			continue;
		}
		struct vmsnap_range *range = &out->exclude_ranges[out->exclude_range_count++];
		int status = address_range_parse(text, (uint64_t)sysconf(_SC_PAGESIZE), &range->start, &range->end);
		if (status)
			return status;
	}
	return STATUS_OK;
}

/* What pages hold waits in a file without a name: beside the snapshot, where there is room for that, or where
 * temporary files are.  If none can be made it waits in memory. */
static void spool(struct vmsnap_store *store, const char *path)
{
	struct vmsnap_error err;
	char folder[4096];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	const char *folders[] = { strcmp(path, "-") != 0 ? folder : NULL, secure_getenv("TMPDIR"), "/var/tmp" };
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (folders[i] && *folders[i] && !vmsnap_store_spool(store, folders[i], &err))
			return;
}

int contents_parse(const struct options *options, const char *path, struct contents_arg *out)
{
	struct vmsnap_error err;
	int status = take_wanted(options, out);
	if (status || !out->wanted)
		return status;
	status = take_excluded(options, out);
	if (status)
		return status;
	if (vmsnap_store_new(&out->store, &err))
		return trouble_with(NULL, &err);
	if (!options->hash)
		spool(out->store, path);
	return STATUS_OK;
}

void contents_apply(const struct contents_arg *contents, struct vmsnap_capture_options *to)
{
	to->contents = contents->wanted;
	to->store = contents->store;
	to->exclude = contents->exclude;
	to->exclude_count = contents->exclude_count;
	to->exclude_ranges = contents->exclude_ranges;
	to->exclude_range_count = contents->exclude_range_count;
}

static bool is_name_of_any(const char *pattern, const struct vmsnap *snap)
{
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++) {
		const char *name = vmsnap_vma(snap, i)->name;
		if (!strcmp(pattern, name) || !fnmatch(pattern, name, 0))
			return true;
	}
	return false;
}

void contents_tell_unmatched(const struct contents_arg *contents, const struct vmsnap *const *snaps, size_t count)
{
	for (size_t i = 0; i < contents->exclude_count; i++) {
		bool found = false;
		for (size_t k = 0; !found && k < count; k++)
			found = is_name_of_any(contents->exclude[i], snaps[k]);
		if (!found)
			say("warning: --exclude %s: no mapping has such a name, nothing was left out for it",
			    contents->exclude[i]);
	}
}

void contents_release(struct contents_arg *contents)
{
	vmsnap_store_unref(contents->store);
	contents->store = NULL;
}
