/* Completion for fish: a line for each thing that may come next. */
#include <string.h>

#include "completed.h"
#include "completion.h"

static const char head[] =
        "# fish completion for vmsnap, made by `vmsnap --completion fish`\n"
        "\n"
        "function __vmsnap_first\n"
        "\ttest (count (commandline -opc)) -eq 1\n"
        "end\n"
        "function __vmsnap_is\n"
        "\tset -l words (commandline -opc)\n"
        "\ttest (count $words) -ge 2; and contains -- $words[2] $argv\n"
        "end\n"
        "function __vmsnap_pids\n"
        "\tstring match -r '[0-9]+$' -- /proc/*\n"
        "end\n"
        "# The last of a list, behind \"A,B,\", \"+\" or \"-\".\n"
        "function __vmsnap_list\n"
        "\tset -l before (commandline -ct | string replace -r '^(--[a-z-]+=|-[a-z])' '' | string replace -r '[^,+-]*$' "
        "'')\n"
        "\tprintf '%s\\n' \"$before\"$argv\n"
        "end\n"
        "\n"
        "complete -c vmsnap -n __vmsnap_first -f\n"
        "complete -c vmsnap -n '__vmsnap_is help' -f\n"
        "complete -c vmsnap -n __vmsnap_first -s h -l help -d 'what there is'\n"
        "complete -c vmsnap -n __vmsnap_first -s V -l version -d 'the version'\n"
        "complete -c vmsnap -n __vmsnap_first -l completion -x -a 'bash zsh fish' -d 'completion for a shell'\n"
        "complete -c vmsnap -n __vmsnap_first -a help -d 'these texts'\n";

/* Text in quotes: 'it\'s'. */
static void quoted_print(struct output *output, const char *text)
{
	output_text(output, "'");
	for (; *text; text++)
		output_format(output, "%s%c", strchr("'\\", *text) ? "\\" : "", *text);
	output_text(output, "'");
}

/* What -a takes of an option, and that there may be nothing else (-x) or files (-F). */
static void value_print(struct output *output, const struct command *command, enum option_value value)
{
	struct completed completed = completed_value(value);
	switch (completed.by) {
	case COMPLETE_FILES:
		output_text(output, " -r -F");
		break;
	case COMPLETE_FOLDERS:
		output_text(output, " -x -a '(__fish_complete_directories)'");
		break;
	case COMPLETE_WORDS:
		output_format(output, " -x -a '%s'", completed.words);
		break;
	case COMPLETE_LIST:
		output_format(output, " -x -a '(__vmsnap_list %s)'", completed.words);
		break;
	case COMPLETE_COLUMNS:
		output_text(output, " -x -a '(__vmsnap_list ");
		command_columns_print(output, command, "\"");
		output_text(output, ")'");
		break;
	case COMPLETE_NOTHING:
		output_text(output, " -x");
		break;
	}
}

static void option_print(struct output *output, const struct command *command, const struct option_row *row)
{
	output_format(output, "complete -c vmsnap -n '__vmsnap_is %s'", command->name);
	if (row->letter)
		output_format(output, " -s %c", row->letter);
	output_format(output, " -l %s", row->name);
	/* Without -r a value comes only with "=", and may be left out. */
	if (row->placeholder && option_value_is_optional(row))
		output_format(output, " -f -a '%s'", completed_value(row->value).words);
	else if (row->placeholder)
		value_print(output, command, row->value);
	output_text(output, " -d ");
	quoted_print(output, row->help);
	output_text(output, "\n");
}

static void command_print(struct output *output, const struct command *command)
{
	output_format(output, "complete -c vmsnap -n __vmsnap_first -a %s -d ", command->name);
	quoted_print(output, command->summary);
	output_format(output, "\ncomplete -c vmsnap -n '__vmsnap_is help' -a %s -d ", command->name);
	quoted_print(output, command->summary);
	output_text(output, "\n");
	if (command_takes_processes(command))
		output_format(output, "complete -c vmsnap -n '__vmsnap_is %s' -a '(__vmsnap_pids)'\n", command->name);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].commands & command->bit)
			option_print(output, command, &option_table[i]);
}

void completion_fish(struct output *output)
{
	output_text(output, head);
	for (size_t i = 0; i < command_count; i++)
		command_print(output, &command_table[i]);
}
