/* Completion for bash.  bash-completion is not needed, only bash itself. */
#include <string.h>

#include "completed.h"
#include "completion.h"

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

static const char tail[] = "\tesac\n"
                           "}\n"
                           "complete -F _vmsnap vmsnap\n";

static void value_print(struct output *output, enum option_value value)
{
	struct completed completed = completed_value(value);
	switch (completed.by) {
	case COMPLETE_FILES:
		output_text(output, "_vmsnap_files");
		break;
	case COMPLETE_FOLDERS:
		output_text(output, "_vmsnap_folders");
		break;
	case COMPLETE_COLUMNS:
		output_text(output, "_vmsnap_columns \"$columns\"");
		break;
	case COMPLETE_WORDS:
		output_format(output, "_vmsnap_words \"%s\"", completed.words);
		break;
	case COMPLETE_LIST:
		output_format(output, "_vmsnap_columns \"%s\"", completed.words);
		break;
	case COMPLETE_NOTHING:
		output_text(output, ":");
		break;
	}
}

/* "--color" takes its value only with "=", which bash splits off as a word. */
static void values_print(struct output *output, const struct command *command)
{
	output_text(output, "\t\tcase $before in\n");
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		if (!(row->commands & command->bit) || !row->placeholder || option_value_is_optional(row))
			continue;
		output_format(output, "\t\t--%s", row->name);
		if (row->letter)
			output_format(output, " | -%c", row->letter);
		output_text(output, ") ");
		value_print(output, row->value);
		output_text(output, "; return ;;\n");
	}
	output_text(output, "\t\tesac\n");
}

/* --color and --color=auto, as words, for bash offers what is typed and no more. */
static void optional_print(struct output *output, const struct option_row *row)
{
	const char *words = completed_value(row->value).words;
	while (*words) {
		size_t len = strcspn(words, " ");
		output_format(output, "--%s=%.*s ", row->name, (int)len, words);
		words += len + (words[len] == ' ');
	}
}

static void command_print(struct output *output, const struct command *command)
{
	output_format(output, "\t%s)\n", command->name);
	if (command->reports[0]) {
		output_text(output, "\t\tlocal columns=\"");
		command_columns_print(output, command, "");
		output_text(output, "\"\n");
	}
	values_print(output, command);
	output_text(output, "\t\t[[ $cur == -* ]] && _vmsnap_words \"");
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		if (!(row->commands & command->bit))
			continue;
		output_format(output, "--%s ", row->name);
		if (option_value_is_optional(row))
			optional_print(output, row);
	}
	output_text(output, "\" && return\n");
	output_format(output, "\t\t%s ;;\n", command_takes_processes(command) ? "_vmsnap_pids" : "_vmsnap_files");
}

static void names_print(struct output *output)
{
	for (size_t i = 0; i < command_count; i++)
		output_format(output, "%s ", command_table[i].name);
}

void completion_bash(struct output *output)
{
	output_text(output, head);
	names_print(output);
	output_text(output, "help --help --version\"\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < command_count; i++)
		command_print(output, &command_table[i]);
	output_text(output, "\thelp) _vmsnap_words \"");
	names_print(output);
	output_text(output, "\" ;;\n");
	output_text(output, tail);
}
