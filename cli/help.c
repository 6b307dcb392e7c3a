#include "help.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "say.h"

enum { OPTION_COLUMN = 26 };

static void snapshots_print(struct output *output, bool cores)
{
	output_text(output, "A snapshot is one of\n"
	                    "  FILE         the last snapshot in FILE; of export, report, series: all\n"
	                    "  FILE@N       the Nth; FILE@-1 is the last, FILE@-2 the one before\n"
	                    "  FILE@LABEL   the newest with this label; for diff and cow all of a tree\n");
	if (cores)
		output_text(output, "  CORE         a core file; what it does not tell is unknown\n");
	output_text(output, "  PID, pid:PID a live process; a file with such a name is ./PID\n"
	                    "  -            standard input\n");
}

int help_all(void)
{
	const struct options plain = { 0 };
	struct output output;
	output_init(&output, &plain);
	output_text(&output, "Usage: vmsnap COMMAND [OPTION]... [ARGUMENT]...\n\n"
	                     "What happens to a Linux process's memory, page by page.\n\nCommands:\n");
	for (size_t i = 0; i < command_count; i++)
		output_format(&output, "  %-9s %s\n", command_table[i].name, command_table[i].summary);
	output_text(&output, "  help      all about one of them: vmsnap help COMMAND\n\n"
	                     "Options:\n"
	                     "  -h, --help              this text\n"
	                     "  -V, --version           the version; with --long what may be known here\n"
	                     "      --completion SHELL  for bash, zsh or fish: its completion\n\n");
	snapshots_print(&output, true);
	output_text(&output, "\nThe exit status is 0, or 1 if diff found something, or 2 after an error.\n"
	                     "More: vmsnap COMMAND --help (short), vmsnap help COMMAND, and vmsnap(1).\n");
	return output_finish(&output, VMSNAP_OK, NULL);
}

void help_option(struct output *output, const struct option_row *row)
{
	char words[64];
	const char *open = "", *close = "";
	if (row->kind == OPTION_COLOR || row->kind == OPTION_MAYBE) {
		open = "[";
		close = "]";
	}
	int len = snprintf(words, sizeof(words), "%c%c%s --%s%s%s%s%s", row->letter ? '-' : ' ',
	                   row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name, open,
	                   row->placeholder ? "=" : "", row->placeholder ? row->placeholder : "", close);
	if (len > OPTION_COLUMN - 2)
		output_format(output, "  %s\n  %*s%s\n", words, OPTION_COLUMN, "", row->help);
	else
		output_format(output, "  %-*s%s\n", OPTION_COLUMN, words, row->help);
}

static void columns_print(struct output *output, int report)
{
	const char *name;
	for (size_t i = 0; (name = vmsnap_report_column_name(report, i)); i++) {
		const char *mark = vmsnap_report_column_usual(report, i) ? " " : "+";
		output_format(output, " %s%-10s%s%s\n", mark, name, strlen(name) > 9 ? "  " : " ",
		              vmsnap_report_column_help(report, i));
	}
}

/* What stands above the second table of a command, and those after it. */
static const char *columns_title(int report)
{
	switch (report) {
	case VMSNAP_REPORT_VALUES:
		return "or, of variables (--values):\n";
	case VMSNAP_REPORT_STATUS_TWO:
		return "or, of two snapshots:\n";
	case VMSNAP_REPORT_SERIES_COW:
		return "or, of forks (--cow):\n";
	case VMSNAP_REPORT_WHO_FILE:
		return "or, of a file, a line for each process:\n";
	case VMSNAP_REPORT_ASLR:
		return "or, of two runs (--aslr):\n";
	case VMSNAP_REPORT_GROUP_BY:
		return "or, by what is shared (--by):\n";
	case VMSNAP_REPORT_KINDS:
		return "or, added up (--by):\n";
	default:
		return "or, of trees, a line for each process:\n";
	}
}

static void all_columns_print(struct output *output, const struct command *command)
{
	if (!command->reports[0])
		return;
	output_text(output, "\nColumns; those with + are printed if asked for:\n");
	for (int i = 0; i < COMMAND_REPORTS; i++) {
		if (i && command->reports[i])
			output_text(output, columns_title(command->reports[i]));
		columns_print(output, command->reports[i]);
		if (command->reports[i] == VMSNAP_REPORT_SHOW)
			output_text(output, " +PSS, ...   each key of smaps, in capitals, if they were kept\n");
	}
}

int help_command(const struct command *command)
{
	const struct options plain = { 0 };
	struct output output;
	output_init(&output, &plain);
	output_format(&output, "Usage: vmsnap %s [OPTION]... %s\n\n", command->name, command->operands);
	output_format(&output, "%c%s.\n%s\nOptions:\n", command->summary[0] - 'a' + 'A', command->summary + 1,
	              command->details);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].commands & command->bit)
			help_option(&output, &option_table[i]);
	all_columns_print(&output, command);
	if (!(command->bit & (CMD_CAPTURE | CMD_LIST | CMD_CHECK | CMD_RECORD | CMD_COPY))) {
		output_text(&output, "\n");
		snapshots_print(&output, command->bit != CMD_EXPORT);
	}
	output_format(&output, "\nMore: vmsnap-%s(1).\n", command->name);
	return output_finish(&output, VMSNAP_OK, NULL);
}

static int abilities_print(const struct options *options)
{
	struct vmsnap_abilities *abilities;
	struct vmsnap_error err;
	if (vmsnap_abilities_new(&abilities, &err))
		return trouble("%s", err.message);
	struct output output;
	output_init(&output, options);
	int rc = vmsnap_print_abilities(abilities, &output.to, &err);
	vmsnap_abilities_free(abilities);
	return output_finish(&output, rc, &err);
}

int help_version(int argc, char **argv)
{
	struct options options = { 0 };
	bool at_length = false;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--long") || !strcmp(argv[i], "-l"))
			at_length = true;
		else if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-J"))
			at_length = options.json = true;
		else
			return trouble("--version takes --long and --json, not '%s'", argv[i]);
	}
	if (at_length)
		return abilities_print(&options);
	struct output output;
	output_init(&output, &options);
	output_format(&output, "vmsnap %s\n", vmsnap_version());
	return output_finish(&output, VMSNAP_OK, NULL);
}
