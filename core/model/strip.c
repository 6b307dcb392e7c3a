/* strip.c - a snapshot without what is nobody else's business. */
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "error.h"

/* Whose page it is alone is not known of one that was on the move, which shows by its frame. */
static bool exclusive_doubtful(const struct vmsnap *snap)
{
	const struct vmsnap_known *known = &snap->info.known;
	bool some = false;
	for (size_t i = 0; known->pfn && known->exclusive && !some && i < snap->runs.count; i++) {
		uint64_t entry = snap->runs.items[i].entry;
		some = (entry & ENTRY_PRESENT) && !(entry & (ENTRY_FRAME_MASK | ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)));
	}
	return some;
}

static int strip_frames(struct vmsnap *snap)
{
	const struct run_list before = snap->runs;
	snap->info.known.exclusive = snap->info.known.exclusive && !exclusive_doubtful(snap);
	snap->info.known.pfn = false;
	snap->info.zero_pfn = 0;
	snap->runs = (struct run_list){ 0 };
	snap->own_runs = true;
	for (size_t i = 0; i < before.count; i++) {
		const struct run *run = &before.items[i];
		uint64_t entry = run->entry & ~ENTRY_FRAME_MASK;
		/* That it may not be in swap is told by its type. */
		if (entry_doubtful(run->entry))
			entry |= ENTRY_DOUBTFUL;
		if (run_list_append(&snap->runs, snap->info.page_size, run_start(run), run_pages(run), entry))
			return VMSNAP_ERR_NO_MEMORY;
	}
	return VMSNAP_OK;
}

static void set_faults(struct vmsnap *snap, const struct vmsnap_faults *faults)
{
	struct vmsnap_faults *before = snap->faults;
	snap->faults = vmsnap_faults_ref(faults);
	vmsnap_faults_unref(before);
}

/* That the debugger wrote somewhere stays: those pages are not to be taken for the program's doing. */
static int strip_names(struct vmsnap *snap)
{
	size_t kept = 0;
	for (size_t i = 0; i < snap->annotation_count; i++) {
		struct vmsnap_annotation annotation = snap->annotations[i];
		if (annotation.kind != VMSNAP_ANNOTATION_DEBUGGER_WRITE)
			continue;
		annotation.function = annotation.symbol = annotation.type = "";
		snap->annotations[kept++] = annotation;
	}
	snap->annotation_count = kept;
	snap->types = NULL;
	snap->types_len = 0;
	struct vmsnap_faults *faults = NULL;
	int rc = snap->faults ? faults_without_names(snap->faults, &faults) : VMSNAP_OK;
	set_faults(snap, faults);
	vmsnap_faults_unref(faults);
	return rc;
}

static int strip(struct vmsnap *snap, unsigned what)
{
	struct vmsnap_info *info = &snap->info;
	if (what & VMSNAP_STRIP_CMDLINE) {
		info->cmdline = NULL;
		info->cmdline_len = 0;
	}
	if (what & VMSNAP_STRIP_HOST)
		info->host = info->machine_hash = "";
	if (what & VMSNAP_STRIP_FAULTS)
		set_faults(snap, NULL);
	if (what & VMSNAP_STRIP_NAMES && strip_names(snap))
		return VMSNAP_ERR_NO_MEMORY;
	if (what & VMSNAP_STRIP_CONTENTS)
		snap->contents = (struct contents){ 0 };
	return what & VMSNAP_STRIP_PFNS && snap->info.known.pfn ? strip_frames(snap) : VMSNAP_OK;
}

VMSNAP_API const char *vmsnap_strip_name(unsigned what)
{
	static const char *const names[] = { "pfns", "cmdline", "names", "host", "contents", "faults" };
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (what == 1u << i)
			return names[i];
	return NULL;
}

VMSNAP_API int vmsnap_strip(const struct vmsnap *snap, unsigned what, struct vmsnap **out, struct vmsnap_error *err)
{
	enum {
		ALL = (VMSNAP_STRIP_FAULTS << 1) - 1,
		IN_MEMORY = VMSNAP_STRIP_CMDLINE | VMSNAP_STRIP_NAMES | VMSNAP_STRIP_HOST
	};
	if (!snap || !out || what & ~(unsigned)ALL)
		return fail(err, VMSNAP_ERR_ARGUMENT, "expected a snapshot, and what is to be taken away");
	if (what & IN_MEMORY && !(what & VMSNAP_STRIP_CONTENTS) && snap->contents.bytes)
		return fail(
		        err, VMSNAP_ERR_ARGUMENT,
		        "what the pages of process %u hold is kept, and in it may be the %s as well: contents are to "
		        "be taken away, too",
		        snap->info.pid,
		        what & VMSNAP_STRIP_CMDLINE ? "command line"
		        : what & VMSNAP_STRIP_HOST  ? "host's name"
		                                    : "names");
	struct vmsnap_builder *builder;
	int rc = vmsnap_builder_from(snap, &builder, err);
	if (rc)
		return rc;
	if (strip(builder->snap, what)) {
		vmsnap_builder_free(builder);
		return fail_no_memory(err);
	}
	rc = vmsnap_builder_finish(builder, out, err);
	vmsnap_builder_free(builder);
	return rc;
}
