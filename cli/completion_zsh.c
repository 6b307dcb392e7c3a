/* Completion for zsh, by its _arguments. */
#include <string.h>

#include "completed.h"
#include "completion.h"

static const char head[] = "#compdef vmsnap\n"
                           "# zsh completion for vmsnap, made by `vmsnap --completion zsh`\n"
                           "\n"
                           "_vmsnap_pids() {\n"
                           "\tlocal -a pids\n"
                           "\tpids=(/proc/<1->(N/:t))\n"
                           "\tcompadd \"$@\" -o nosort -- $pids\n"
                           "}\n"
                           "# The last of a list, behind \"A,B,\", \"+\" or \"-\".\n"
                           "_vmsnap_list() {\n"
                           "\tcompset -P '*[,+-]'\n"
                           "\tcompadd -S '' -- \"$@\"\n"
                           "}\n"
                           "\n"
                           "_vmsnap() {\n"
                           "\tlocal curcontext=$curcontext ret=1\n"
                           "\tlocal -a commands\n"
                           "\tcommands=(\n";

static const char commands_end[] = "\t\t'help:these texts'\n"
                                   "\t)\n"
                                   "\tif ((CURRENT == 2)); then\n"
                                   "\t\t_describe -t commands command commands && ret=0\n"
                                   "\t\t[[ $PREFIX == -* ]] && compadd -- --help --version --completion && ret=0\n"
                                   "\t\treturn ret\n"
                                   "\tfi\n"
                                   "\tlocal command=$words[2]\n"
                                   "\tshift words\n"
                                   "\t((CURRENT--))\n"
                                   "\tcase $command in\n"
                                   "\thelp) _describe -t commands command commands && ret=0 ;;\n"
                                   "\t--completion) compadd -- bash zsh fish && ret=0 ;;\n";

static const char tail[] = "\tesac\n"
                           "\treturn ret\n"
                           "}\n"
                           "\n"
                           "# Read by compinit as a function's body, or by `source` as it stands.\n"
                           "if [[ $funcstack[1] == _vmsnap ]]; then\n"
                           "\t_vmsnap \"$@\"\n"
                           "else\n"
                           "\tcompdef _vmsnap vmsnap\n"
                           "fi\n";

/* Text between quotes: what would end them, or mean something to _arguments, with a backslash. */
static void quoted_print(struct output *output, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			output_text(output, "'\\''");
		else
			output_format(output, "%s%c", strchr(special, *text) ? "\\" : "", *text);
	}
}

static void action_print(struct output *output, const struct command *command, enum option_value value)
{
	struct completed completed = completed_value(value);
	switch (completed.by) {
	case COMPLETE_FILES:
		output_text(output, "_files");
		break;
	case COMPLETE_FOLDERS:
		output_text(output, "_files -/");
		break;
	case COMPLETE_WORDS:
		output_format(output, "(%s)", completed.words);
		break;
	case COMPLETE_LIST:
		output_format(output, "{_vmsnap_list %s}", completed.words);
		break;
	case COMPLETE_COLUMNS:
		output_text(output, "{_vmsnap_list ");
		command_columns_print(output, command, "\"");
		output_text(output, "}");
		break;
	case COMPLETE_NOTHING:
		output_text(output, " ");
		break;
	}
}

/* '--name=[help]:PLACEHOLDER:action'; of an option that has a letter, for both of them. */
static void option_print(struct output *output, const struct command *command, const struct option_row *row)
{
	bool maybe = option_value_is_optional(row);
	output_text(output, "\t\t\t");
	if (row->kind == OPTION_LIST)
		output_text(output, "'*'");
	if (row->letter && row->placeholder)
		output_format(output, "'(-%c --%s)'{-%c+,--%s=}'", row->letter, row->name, row->letter, row->name);
	else if (row->letter)
		output_format(output, "'(-%c --%s)'{-%c,--%s}'", row->letter, row->name, row->letter, row->name);
	else
		output_format(output, "'--%s%s", row->name, maybe ? "=-" : row->placeholder ? "=" : "");
	output_text(output, "[");
	quoted_print(output, row->help, "[]:\\");
	output_text(output, "]");
	if (row->placeholder) {
		output_text(output, maybe ? "::" : ":");
		quoted_print(output, row->placeholder, ":\\");
		output_text(output, ":");
		action_print(output, command, row->value);
	}
	output_text(output, "' \\\n");
}

static void command_print(struct output *output, const struct command *command)
{
	output_format(output, "\t%s)\n\t\t_arguments -s \\\n", command->name);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].commands & command->bit)
			option_print(output, command, &option_table[i]);
	const char *operand =
	        command_takes_processes(command) ? "'*:process or file:{_vmsnap_pids; _files}'" : "'*:snapshot:_files'";
	output_format(output, "\t\t\t%s && ret=0\n\t\t;;\n", operand);
}

void completion_zsh(struct output *output)
{
	output_text(output, head);
	for (size_t i = 0; i < command_count; i++) {
		output_format(output, "\t\t'%s:", command_table[i].name);
		quoted_print(output, command_table[i].summary, ":\\");
		output_text(output, "'\n");
	}
	output_text(output, commands_end);
	for (size_t i = 0; i < command_count; i++)
		command_print(output, &command_table[i]);
	output_text(output, tail);
}
