/* Completion for bash.  bash-completion is not needed, only bash itself. */
#include <string.h>

#include "help.h"
#include "output.h"
#include "say.h"

static const char head[] =
	"# bash completion for vmsnap, made by `vmsnap --completion bash`\n"
	"\n"
	"_vmsnap_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
	"_vmsnap_files() { mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); compopt -o filenames 2>/dev/null; }\n"
	"_vmsnap_folders() { mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); compopt -o filenames 2>/dev/null; }\n"
	"# The last of a list, behind \"A,B,\", \"+\" or \"-\".\n"
	"_vmsnap_columns()\n"
	"{\n"
	"\tlocal last=${cur##*[,+-]}\n"
	"\tmapfile -t COMPREPLY < <(compgen -P \"${cur%\"$last\"}\" -W \"$1\" -- \"$last\")\n"
	"}\n"
	"_vmsnap_pids() { _vmsnap_words \"$(cd /proc && echo [0-9]*)\"; }\n"
	"\n"
	"_vmsnap()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\tCOMPREPLY=()\n"
	"\tif ((COMP_CWORD == 1)); then\n"
	"\t\t_vmsnap_words \"";

static const char tail[] =
	"\tesac\n"
	"}\n"
	"complete -F _vmsnap vmsnap\n";

static const char *value_action(enum option_value value)
{
	switch (value) {
	case VALUE_FILE:
	case VALUE_SNAPSHOT:
		return "_vmsnap_files";
	case VALUE_FOLDER:
		return "_vmsnap_folders";
	case VALUE_COLUMN:
		return "_vmsnap_columns \"$columns\"";
	case VALUE_SCHEME:
		return "_vmsnap_words \"dark light auto\"";
	case VALUE_BY:
		return "_vmsnap_words \"kind file node\"";
	case VALUE_GROUP_BY:
		return "_vmsnap_words \"mapping name\"";
	case VALUE_BLAME_BY:
		return "_vmsnap_words \"function line mapping variable page thread stack\"";
	case VALUE_STRIP:
		return "_vmsnap_words \"pfns cmdline names host contents faults\"";
	case VALUE_EVENTS:
		return "_vmsnap_columns \"fork exec exit growth=\"";
	case VALUE_SERIES_BY:
		return "_vmsnap_words \"mapping kind process state\"";
	case VALUE_FORMAT:
		return "_vmsnap_words \"sqlite tsv openmetrics pprof folded\"";
	case VALUE_SCHEMA:
		return "_vmsnap_words \"sqlite clickhouse postgres\"";
	case VALUE_NONE:
	case VALUE_ANY:
	case VALUE_WHEN:
	case VALUE_CONTENTS:
	case VALUE_TRACK:
		break;
	}
	return ":";
}

/* "--color" takes its value only with "=", which bash splits off as a word. */
static void values_print(struct output *output, const struct command *command)
{
	output_text(output, "\t\tcase $before in\n");
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		if (!(row->commands & command->bit) || !row->placeholder || row->kind == OPTION_COLOR ||
		    row->kind == OPTION_MAYBE)
			continue;
		output_format(output, "\t\t--%s", row->name);
		if (row->letter)
			output_format(output, " | -%c", row->letter);
		output_format(output, ") %s; return ;;\n", value_action(row->value));
	}
	output_text(output, "\t\tesac\n");
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

static void columns_print(struct output *output, const struct command *command)
{
	const char *name;
	output_text(output, "\t\tlocal columns=\"");
	for (int report = 0; report < COMMAND_REPORTS; report++)
		for (size_t i = 0; (name = vmsnap_report_column_name(command->reports[report], i)); i++)
			if (!is_listed(command, report, name))
				output_format(output, "%s ", name);
	output_text(output, "\"\n");
}

static void command_print(struct output *output, const struct command *command)
{
	output_format(output, "\t%s)\n", command->name);
	if (command->reports[0])
		columns_print(output, command);
	values_print(output, command);
	output_text(output, "\t\t[[ $cur == -* ]] && _vmsnap_words \"");
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		if (!(row->commands & command->bit))
			continue;
		if (row->kind == OPTION_COLOR)
			output_format(output, "--%s=auto --%s=always --%s=never ", row->name, row->name, row->name);
		else
			output_format(output, "--%s ", row->name);
		if (row->value == VALUE_CONTENTS)
			output_format(output, "--%s=private --%s=all ", row->name, row->name);
		else if (row->value == VALUE_TRACK)
			output_format(output, "--%s=soft-dirty --%s=uffd ", row->name, row->name);
	}
	output_text(output, "\" && return\n");
	const char *operand = command->bit & (CMD_CAPTURE | CMD_RECORD | CMD_GROUP) ? "_vmsnap_pids" : "_vmsnap_files";
	output_format(output, "\t\t%s ;;\n", operand);
}

static void names_print(struct output *output)
{
	for (size_t i = 0; i < command_count; i++)
		output_format(output, "%s ", command_table[i].name);
}

int completion_print(const char *shell)
{
	if (strcmp(shell, "bash"))
		return trouble("--completion knows bash, not '%s'", shell);
	const struct options plain = { 0 };
	struct output output;
	output_init(&output, &plain);
	output_text(&output, head);
	names_print(&output);
	output_text(&output, "help --help --version\"\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < command_count; i++)
		command_print(&output, &command_table[i]);
	output_text(&output, "\thelp) _vmsnap_words \"");
	names_print(&output);
	output_text(&output, "\" ;;\n");
	output_text(&output, tail);
	return output_finish(&output, VMSNAP_OK, NULL);
}
