/* record_rounds.c - what a process writes, round by round, printed: record --track without a file. */
#define _GNU_SOURCE
#include "names.h"
#include "privilege.h"
#include "record.h"
#include "say.h"

/* What it is called now; symbols that were read once are kept. */
static void rename_by(struct record *record, const struct vmsnap *snap)
{
	struct vmsnap_error err;
	if (record->names && vmsnap_names_rebind(record->names, snap, &err)) {
		vmsnap_names_free(record->names);
		record->names = NULL;
	} else if (!record->names) {
		record->names = names_quiet(record->options, snap);
	}
	if (record->names)
		vmsnap_names_set_demangled(record->names, !record->options->no_demangle);
}

/* Its files are opened with no more right than the user has. */
static int print_round(struct record *record, const struct vmsnap *snap)
{
	struct vmsnap_error err;
	privilege_pause();
	rename_by(record, snap);
	int rc = vmsnap_print_written(snap, record->names, &record->output.to, &err);
	bool written = output_flush(&record->output);
	privilege_resume();
	if (!written)
		return STATUS_PIPE_CLOSED; /* output_finish() tells */
	if (vmsnap_tracker_tracking(record->tracker) == VMSNAP_TRACKING_DISTURBED)
		say("somebody else has cleared soft-dirty bits: what was written until now is not known");
	return rc ? trouble_with_process(NULL, &err) : STATUS_OK;
}

static int look(struct record *record, struct vmsnap **snap)
{
	struct vmsnap_error err;
	int rc = vmsnap_tracker_look(record->tracker, snap, &err);
	if (rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_ZOMBIE) {
		say("%s", err.message);
		return RECORD_OVER;
	}
	return rc ? trouble_with_process(NULL, &err) : STATUS_OK;
}

int record_first_round(struct record *record)
{
	struct vmsnap *first;
	int status = look(record, &first);
	if (!status)
		vmsnap_unref(first);
	return status;
}

int record_round(struct record *record)
{
	struct vmsnap *snap;
	int status = look(record, &snap);
	if (status)
		return status;
	status = print_round(record, snap);
	vmsnap_unref(snap);
	return status;
}
