#define _GNU_SOURCE
/* vmsnap export: what snapshots say, for databases, monitoring and profilers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_flags.h"
#include "commands.h"
#include "interrupt.h"
#include "output.h"
#include "privilege.h"
#include "process_choose.h"
#include "process_find.h"
#include "say.h"
#include "sources.h"
#include "strip_arg.h"

/* Snapshots of one instant, as they come one after the other. */
struct exporting {
	const struct options *options;
	struct vmsnap_export *exported;
	const char *word; /* where those that wait came from */
	unsigned strip;   /* enum vmsnap_strip */
	struct vmsnap **instant;
	size_t count, room;
	size_t damaged;
	bool lines_of_code; /* the format's numbers are pages by code, if there are some */
	bool any_faults;    /* some snapshot is told with its page faults */
};

static int add_instant(struct exporting *e)
{
	struct vmsnap_error err;
	if (!e->count)
		return STATUS_OK;
	int rc = vmsnap_export_add(e->exported, (const struct vmsnap *const *)e->instant, e->count, &err);
	for (size_t i = 0; i < e->count; i++)
		vmsnap_unref(e->instant[i]);
	e->count = 0;
	return rc ? trouble_with(e->word, &err) : STATUS_OK;
}

/* Takes it. */
static int add_snapshot(struct exporting *e, const char *word, struct vmsnap *snap)
{
	int status = STATUS_OK;
	if (e->count && !vmsnap_same_instant(e->instant[0], snap))
		status = add_instant(e);
	e->word = word;
	e->any_faults |= vmsnap_faults_of(snap) && !(e->strip & VMSNAP_STRIP_FAULTS);
	if (!status && e->count == e->room) {
		size_t room = e->room ? 2 * e->room : 16;
		struct vmsnap **instant = reallocarray(e->instant, room, sizeof(struct vmsnap *));
		if (instant) {
			e->instant = instant;
			e->room = room;
		} else {
			status = trouble("export: out of memory");
		}
	}
	if (status)
		vmsnap_unref(snap);
	else
		e->instant[e->count++] = snap;
	return status;
}

/* ---- files ---- */

static int add_walk(struct exporting *e, const char *word, struct vmsnap_walk *walk)
{
	struct vmsnap_error err;
	struct vmsnap *snap;
	size_t index;
	for (;;) {
		int rc = vmsnap_walk_next(walk, &snap, &index, &err);
		if (rc == VMSNAP_END)
			return add_instant(e);
		if (rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_CANCELLED)
			return trouble_with(word, &err);
		if (rc) {
			say("%s: snapshot %zu is left out: %s", word, index + 1, err.message);
			e->damaged++;
			continue;
		}
		int status = add_snapshot(e, word, snap);
		if (status)
			return status;
	}
}

static int add_opened(struct exporting *e, const char *word, const struct vmsnap_file *file, const char *which)
{
	struct vmsnap_error err;
	struct vmsnap_walk *walk;
	size_t first = 0, count = vmsnap_file_count(file);
	if (which && vmsnap_file_select(file, which, &first, &count, &err))
		return trouble_with(word, &err);
	if (vmsnap_walk_new(file, first, count, &walk, &err))
		return trouble_with(word, &err);
	int status = add_walk(e, word, walk);
	vmsnap_walk_free(walk);
	return status;
}

static int add_file(struct exporting *e, const char *word)
{
	struct place place;
	struct vmsnap_file *file;
	int status = place_of_word(word, &place);
	if (status)
		return status;
	status = file_open(place.path, &file);
	if (!status) {
		status = add_opened(e, word, file, place.which);
		vmsnap_file_close(file);
	}
	free(place.path);
	return status;
}

/* ---- live processes ---- */

struct live {
	struct vmsnap **snaps;
	size_t count;
	struct vmsnap_set *set;
	struct vmsnap_group *group; /* NULL: nobody asks for it */
};

static void live_free(struct live *live)
{
	vmsnap_group_free(live->group);
	vmsnap_set_free(live->set);
	vmsnap_unref_all(live->snaps, live->count);
}

static int capture(const struct options *options, const struct processes *processes, unsigned more_flags,
                   struct live *live)
{
	struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = capture_flags(options) | more_flags,
		.cancelled = was_interrupted,
	};
	struct vmsnap_error err;
	int rc = vmsnap_capture_set(processes->pids, processes->count, &how, &live->snaps, &live->count, &err);
	if (rc == VMSNAP_ERR_CANCELLED && interrupted_by())
		return 128 + interrupted_by();
	return rc ? trouble_with(NULL, &err) : STATUS_OK;
}

/* Who shares how much is told there. */
static bool tells_shares(const struct options *options)
{
	const char *format = options->format ? options->format : "", *table = options->table ? options->table : "";
	return !strcmp(format, "sqlite") || (!strcmp(format, "tsv") && !strcmp(table, "group_share"));
}

static bool frames_known(const struct live *live)
{
	for (size_t i = 0; i < live->count; i++)
		if (!vmsnap_info(live->snaps[i])->known.pfn)
			return false;
	return true;
}

/* Without frames, PSS is in smaps, which takes its time and is not captured otherwise. */
static int capture_well(const struct options *options, const struct processes *processes, struct live *live)
{
	int status = capture(options, processes, 0, live);
	if (status || !tells_shares(options) || frames_known(live))
		return status;
	vmsnap_unref_all(live->snaps, live->count);
	live->snaps = NULL;
	live->count = 0;
	return capture(options, processes, VMSNAP_CAPTURE_SMAPS, live);
}

/* At once: frames may go on to others. */
static int group_live(struct live *live)
{
	struct vmsnap_frame_counter *counter = NULL;
	struct vmsnap_group_options how = { .size = sizeof(how), .cancelled = was_interrupted };
	struct vmsnap_error err;
	if (frames_known(live) && !vmsnap_frame_counter_open(&counter, &err)) {
		how.counts = vmsnap_frame_counter_read;
		how.counts_ctx = counter;
	}
	int rc = vmsnap_set_new((const struct vmsnap *const *)live->snaps, live->count, &live->set, &err);
	rc = rc ? rc : vmsnap_group_new(live->set, &how, &live->group, &err);
	vmsnap_frame_counter_close(counter);
	if (rc == VMSNAP_ERR_CANCELLED && interrupted_by())
		return 128 + interrupted_by();
	return rc ? trouble_with(NULL, &err) : STATUS_OK;
}

/* Captured first, so that what follows is done with nobody's rights but the caller's. */
static int capture_all(const struct options *options, struct live *live)
{
	struct processes processes = { 0 };
	int status = STATUS_OK;
	for (int i = 0; !status && i < options->operand_count; i++) {
		size_t index;
		if (word_is_process(options->operands[i]))
			status = processes_add(&processes, options->operands[i], &index);
	}
	if (!status && processes_were_found(options))
		status = processes_of_options(options, &processes);
	if (!status && processes.count)
		status = capture_well(options, &processes, live);
	if (!status && live->count && tells_shares(options))
		status = group_live(live);
	processes_free(&processes);
	return status;
}

/* ---- the whole ---- */

static bool number_of(const char *(*name_of)(int), int count, const char *word, int *number)
{
	for (*number = 0; *number < count; ++*number) {
		const char *name = name_of(*number);
		if (name && !strcmp(name, word))
			return true;
	}
	return false;
}

static int parse_dialect(const struct options *options, int *dialect)
{
	*dialect = VMSNAP_SCHEMA_SQLITE;
	if (options->schema && !number_of(vmsnap_schema_dialect_name, VMSNAP_SCHEMA_COUNT, options->schema, dialect))
		return trouble("export: no schema for '%s': expected sqlite, clickhouse or postgres", options->schema);
	return STATUS_OK;
}

static int write_out(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno == EINTR && !interrupted_by())
			continue;
		if (n < 0)
			return errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int export_open(struct exporting *e)
{
	const struct options *options = e->options;
	struct vmsnap_export_options how = {
		.size = sizeof(how), .host = options->host, .table = options->table, .cancelled = was_interrupted
	};
	struct vmsnap_error err;
	int format, status = parse_dialect(options, &how.dialect);
	how.flags = (options->runs ? VMSNAP_EXPORT_RUNS : 0u) | (options->changed ? VMSNAP_EXPORT_CHANGED : 0u) |
	            (options->arguments ? VMSNAP_EXPORT_ARGUMENTS : 0u) |
	            (options->no_headings ? VMSNAP_EXPORT_NO_HEADING : 0u);
	status = status ? status : strip_parse(options, &how.strip);
	e->strip = how.strip;
	how.raw_symbols = options->no_demangle;
	if (!status && !options->format)
		status = trouble("export: --format is missing: sqlite, tsv, openmetrics, pprof or folded");
	if (!status && !number_of(vmsnap_export_format_name, VMSNAP_EXPORT_COUNT, options->format, &format))
		status = trouble("export: no format '%s': expected sqlite, tsv, openmetrics, pprof or folded",
		                 options->format);
	if (status)
		return status;
	e->lines_of_code = format == VMSNAP_EXPORT_FOLDED;
	how.path = options->file && !place_is_input(options->file) ? options->file : NULL;
	how.write = how.path ? NULL : write_out;
	if (format == VMSNAP_EXPORT_SQLITE && (!options->file || place_is_input(options->file)))
		return trouble("export: a database is a file: say which with -o FILE");
	return vmsnap_export_new(format, &how, &e->exported, &err) ? trouble_with("export", &err) : STATUS_OK;
}

static int add_live(struct exporting *e, const struct live *live)
{
	struct vmsnap_error err;
	int status = STATUS_OK;
	if (live->group)
		return vmsnap_export_add_group(e->exported, live->group, &err) ? trouble_with("export", &err)
		                                                               : STATUS_OK;
	for (size_t i = 0; !status && i < live->count; i++)
		status = add_snapshot(e, "export", vmsnap_ref(live->snaps[i]));
	return status ? status : add_instant(e);
}

static int export_all(struct exporting *e, const struct live *live)
{
	const struct options *options = e->options;
	struct vmsnap_error err;
	int status = export_open(e);
	for (int i = 0; !status && i < options->operand_count; i++)
		if (!word_is_process(options->operands[i]))
			status = add_file(e, options->operands[i]);
	status = status ? status : add_instant(e);
	status = status || !live->count ? status : add_live(e, live);
	if (!status && vmsnap_export_finish(e->exported, &err))
		status = trouble_with("export", &err);
	/* What is in a line is not said there. */
	if (!status && e->lines_of_code && !e->any_faults)
		say("no page faults are kept with these snapshots (vmsnap blame --save): bytes that are resident "
		    "instead");
	return status ? status : e->damaged ? STATUS_TROUBLE : STATUS_OK;
}

static int print_schema(const struct options *options)
{
	struct output *output = malloc(sizeof(*output));
	struct vmsnap_error err;
	int dialect, status = parse_dialect(options, &dialect);
	if (status || !output) {
		free(output);
		return status ? status : trouble("export: out of memory");
	}
	output_init(output, options);
	int rc = vmsnap_export_schema(dialect, &output->to, &err);
	status = output_finish(output, rc, &err);
	free(output);
	return status;
}

int cmd_export(const struct options *options)
{
	struct exporting e = { .options = options };
	struct live live = { .snaps = NULL };
	if (!options->format && options->schema)
		return print_schema(options);
	if (!options->operand_count && !processes_were_found(options))
		return trouble("export: a file or a process is missing; try 'vmsnap export --help'");
	interrupts_notice();
	int status = capture_all(options, &live);
	privilege_drop();
	status = status ? status : export_all(&e, &live);
	for (size_t i = 0; i < e.count; i++)
		vmsnap_unref(e.instant[i]);
	live_free(&live);
	vmsnap_export_free(e.exported);
	free(e.instant);
	return status;
}
