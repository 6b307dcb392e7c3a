#include "completed.h"

#include <string.h>

struct completed completed_value(enum option_value value)
{
	switch (value) {
	case VALUE_FILE:
	case VALUE_SNAPSHOT:
		return (struct completed){ COMPLETE_FILES, NULL };
	case VALUE_FOLDER:
		return (struct completed){ COMPLETE_FOLDERS, NULL };
	case VALUE_COLUMN:
		return (struct completed){ COMPLETE_COLUMNS, NULL };
	case VALUE_WHEN:
		return (struct completed){ COMPLETE_WORDS, "auto always never" };
	case VALUE_CONTENTS:
		return (struct completed){ COMPLETE_WORDS, "private all" };
	case VALUE_TRACK:
		return (struct completed){ COMPLETE_WORDS, "soft-dirty uffd" };
	case VALUE_SCHEME:
		return (struct completed){ COMPLETE_WORDS, "dark light auto" };
	case VALUE_BY:
		return (struct completed){ COMPLETE_WORDS, "kind file node" };
	case VALUE_GROUP_BY:
		return (struct completed){ COMPLETE_WORDS, "mapping name" };
	case VALUE_BLAME_BY:
		return (struct completed){ COMPLETE_WORDS, "function line mapping variable page thread stack" };
	case VALUE_STRIP:
		return (struct completed){ COMPLETE_LIST, "pfns cmdline names host contents faults" };
	case VALUE_EVENTS:
		return (struct completed){ COMPLETE_LIST, "fork exec exit growth=" };
	case VALUE_SERIES_BY:
		return (struct completed){ COMPLETE_WORDS, "mapping kind process state" };
	case VALUE_FORMAT:
		return (struct completed){ COMPLETE_WORDS, "sqlite tsv openmetrics pprof folded" };
	case VALUE_SCHEMA:
		return (struct completed){ COMPLETE_WORDS, "sqlite clickhouse postgres" };
	case VALUE_NONE:
	case VALUE_ANY:
		break;
	}
	return (struct completed){ COMPLETE_NOTHING, NULL };
}

bool option_value_is_optional(const struct option_row *row)
{
	return row->kind == OPTION_COLOR || row->kind == OPTION_MAYBE;
}

bool command_takes_processes(const struct command *command)
{
	return command->bit & (CMD_CAPTURE | CMD_RECORD | CMD_GROUP | CMD_BLAME);
}

/* Whether one of the first tables of a command has a column of that name. */
static bool is_listed(const struct command *command, int reports, const char *wanted)
{
	const char *name;
	for (int report = 0; report < reports; report++)
		for (size_t i = 0; (name = vmsnap_report_column_name(command->reports[report], i)); i++)
			if (!strcmp(name, wanted))
				return true;
	return false;
}

void command_columns_print(struct output *output, const struct command *command, const char *quote)
{
	const char *name;
	for (int report = 0; report < COMMAND_REPORTS; report++)
		for (size_t i = 0; (name = vmsnap_report_column_name(command->reports[report], i)); i++)
			if (!is_listed(command, report, name))
				output_format(output, "%s%s%s ", quote, name, quote);
}
