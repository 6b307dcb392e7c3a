/* help_brief.c - the help of one command on a screen of 80 by 24: its main options, its columns, two examples that
 * work as they stand ($$ is the shell's own process, and files are those that others of them make). */
#include <string.h>

#include "help.h"
#include "output.h"

static const struct brief {
	unsigned bit;        /* of one command */
	const char *options; /* those told, by names */
	const char *examples[2];
} briefs[] = {
	{ CMD_CAPTURE,
	  "output append label tree match contents hash track smaps",
	  { "vmsnap capture $$ -o a.vms", "vmsnap capture $$ --contents -o c.vms" } },
	{ CMD_RECORD,
	  "output every for on tree contents track rotate max-files",
	  { "vmsnap record -o run.vms --every 100ms -- sleep 1", "vmsnap record $$ --for 1s -o shell.vms" } },
	{ CMD_SHOW,
	  "by long name perm only range sort json watch",
	  { "vmsnap show $$", "vmsnap show a.vms --by kind" } },
	{ CMD_PAGES,
	  "each long name perm only range pfn json",
	  { "vmsnap pages a.vms --name '[stack]'", "vmsnap pages $$ --only exclusive -o START,END,PAGES" } },
	{ CMD_PAGE,
	  "history json no-names sysroot",
	  { "vmsnap page $$ 400000", "vmsnap page run.vms 400000 --history" } },
	{ CMD_DUMP,
	  "diff save raw json no-freeze",
	  { "vmsnap dump $$ 400000+100", "vmsnap dump c.vms 400000+100" } },
	{ CMD_DIFF,
	  "long totals values written aslr name perm sort json",
	  { "vmsnap diff a.vms $$", "vmsnap diff run.vms@1 run.vms" } },
	{ CMD_COW,
	  "base long totals map name json watch",
	  { "vmsnap cow fork.vms", "vmsnap cow fork.vms --base before.vms" } },
	{ CMD_GROUP,
	  "tree match cgroup by long totals sort json watch",
	  { "vmsnap group --tree $$", "vmsnap group fork.vms --by mapping" } },
	{ CMD_MAP, "name perm only range width ascii watch", { "vmsnap map $$", "vmsnap map a.vms b.vms" } },
	{ CMD_STATUS, "json sort bytes", { "vmsnap status $$", "vmsnap status a.vms b.vms" } },
	{ CMD_SERIES, "by cow min sort json width", { "vmsnap series run.vms", "vmsnap series run.vms --by kind" } },
	{ CMD_WHO, "json no-names sysroot sort", { "vmsnap who /bin/sh", "sudo vmsnap who pfn:1000" } },
	{ CMD_BLAME,
	  "for by long track save json tree match",
	  { "vmsnap blame -- ls", "vmsnap blame --by line --save ls.vms -- ls" } },
	{ CMD_REPORT,
	  "output range contents strip sysroot",
	  { "vmsnap report run.vms -o run.html", "vmsnap report a.vms b.vms -o two.html" } },
	{ CMD_EXPORT,
	  "format output table schema runs changed strip match",
	  { "vmsnap export --format sqlite -o all.db run.vms", "vmsnap export --format openmetrics $$" } },
	{ CMD_COPY,
	  "output thin strip delta full quiet",
	  { "vmsnap copy a.vms b.vms -o both.vms", "vmsnap copy run.vms --thin 1/s -o thin.vms" } },
	{ CMD_LIST, "json sort raw noheadings", { "vmsnap list run.vms", "vmsnap list run.vms -o TIME,RSS,WHY" } },
	{ CMD_CHECK, "json raw noheadings", { "vmsnap check run.vms", "vmsnap check run.vms --json" } },
};

static const struct brief *brief_of(const struct command *command)
{
	for (size_t i = 0; i < sizeof(briefs) / sizeof(*briefs); i++)
		if (briefs[i].bit == command->bit)
			return &briefs[i];
	return NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static void options_print(struct output *output, const struct command *command, const char *words)
{
	output_format(output, "Options (all, with what columns say: vmsnap help %s):\n", command->name);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].commands & command->bit && has_word(words, option_table[i].name))
			help_option(output, &option_table[i]);
	if (command->reports[0] && !has_word(words, "output"))
		output_text(output, "  -o, --output COLUMNS      only these columns; +A,... these too:\n");
}

/* Of the first table, as many as go into two lines. */
static void columns_print(struct output *output, int report)
{
	enum { MOST = 75, LINES = 2 };
	const char *name;
	size_t column = 0, lines = 0;
	for (size_t i = 0; (name = vmsnap_report_column_name(report, i)); i++) {
		if (column && column + 1 + strlen(name) > MOST) {
			column = 0;
			if (++lines == LINES) {
				output_text(output, " ...");
				break;
			}
			output_text(output, "\n");
		}
		output_format(output, "%s%s", column ? " " : "    ", name);
		column += (column ? 1 : 4) + strlen(name);
	}
	output_text(output, "\n");
}

int help_brief(const struct command *command)
{
	const struct brief *brief = brief_of(command);
	if (!brief)
		return help_command(command);
	const struct options plain = { 0 };
	struct output output;
	output_init(&output, &plain);
	output_format(&output, "Usage: vmsnap %s [OPTION]... %s\n", command->name, command->operands);
	output_format(&output, "%c%s.\n\n", command->summary[0] - 'a' + 'A', command->summary + 1);
	options_print(&output, command, brief->options);
	if (command->reports[0])
		columns_print(&output, command->reports[0]);
	output_text(&output, "\nExamples:\n");
	for (size_t i = 0; i < sizeof(brief->examples) / sizeof(*brief->examples); i++)
		output_format(&output, "  %s\n", brief->examples[i]);
	return output_finish(&output, VMSNAP_OK, NULL);
}
