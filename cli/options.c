#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "say.h"

enum { ROWS_MAX = 40, ROW_VALUE = 256, WIDTH_LIMIT = 10000, THREADS_LIMIT = 64, FILES_LIMIT = 1000000 };
#define TIME_LEAST 1e6  /* ns */
#define TIME_MOST  1e18 /* thirty years */

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(command_table[i].name, name))
			return &command_table[i];
	return NULL;
}

/* What getopt_long() wants, for one command.  A row's value is ROW_VALUE plus its
 * index, whether its letter or its name was used. */
struct getopt_arguments {
	struct option longs[ROWS_MAX + 1];
	char letters[3 * ROWS_MAX + 6];
};

static void arguments_make(struct getopt_arguments *arguments, const struct command *command)
{
	size_t count = 0, used = 0;
	arguments->letters[used++] = '-'; /* operands come in their order, as value 1 */
	arguments->letters[used++] = ':'; /* a missing value is told apart from an unknown option */
	for (size_t i = 0; i < option_count && count < ROWS_MAX; i++) {
		const struct option_row *row = &option_table[i];
		if (!(row->commands & command->bit))
			continue;
		int has_value = !row->placeholder ? no_argument : required_argument;
		if (row->kind == OPTION_COLOR || row->kind == OPTION_MAYBE)
			has_value = optional_argument;
		arguments->longs[count++] = (struct option){ row->name, has_value, NULL, ROW_VALUE + (int)i };
		if (row->letter) {
			arguments->letters[used++] = row->letter;
			if (row->placeholder)
				arguments->letters[used++] = ':';
		}
	}
	/* "-@1" is a snapshot of standard input: an "option" with what follows it. */
	arguments->letters[used++] = '@';
	arguments->letters[used++] = ':';
	arguments->letters[used++] = ':';
	arguments->longs[count] = (struct option){ 0 };
	arguments->letters[used] = '\0';
}

static const struct option_row *row_of(const struct command *command, int value)
{
	if (value >= ROW_VALUE)
		return &option_table[value - ROW_VALUE];
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].letter == value && option_table[i].commands & command->bit)
			return &option_table[i];
	return NULL;
}

static int bad_color(const struct command *command, const char *value)
{
	return trouble("%s: --color takes auto, always or never, not '%s'", command->name, value);
}

static int color_set(struct options *options, const char *value)
{
	static const char *const names[] = {
		[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"
	};
	if (!value) {
		options->color = COLOR_ALWAYS;
		return STATUS_OK;
	}
	for (int i = COLOR_AUTO; i <= COLOR_NEVER; i++) {
		if (!strcmp(value, names[i])) {
			options->color = (enum color_when)i;
			return STATUS_OK;
		}
	}
	return bad_color(options->command, value);
}

static int scheme_set(struct options *options, const char *value)
{
	static const char *const names[] = { [SCHEME_AUTO] = "auto", [SCHEME_DARK] = "dark", [SCHEME_LIGHT] = "light" };
	for (int i = SCHEME_AUTO; i <= SCHEME_LIGHT; i++) {
		if (!strcmp(value, names[i])) {
			options->scheme = (enum scheme_which)i;
			return STATUS_OK;
		}
	}
	return trouble("%s: --color-scheme takes dark, light or auto, not '%s'", options->command->name, value);
}

static int width_set(struct options *options, const char *value)
{
	char *end;
	unsigned long width = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || width > WIDTH_LIMIT)
		return trouble("%s: --width takes a number of columns up to %d, not '%s'", options->command->name,
		               WIDTH_LIMIT, value);
	options->width = (unsigned)width;
	options->width_given = true;
	return STATUS_OK;
}

static int number_set(const struct options *options, const char *name, unsigned limit, const char *value,
                      unsigned *number)
{
	char *end;
	unsigned long given = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || !given || given > limit)
		return trouble("%s: --%s takes a number from 1 to %u, not '%s'", options->command->name, name, limit,
		               value);
	*number = (unsigned)given;
	return STATUS_OK;
}

/* "2", "0.5", "100ms", "1m", "1h"; seconds unless it says otherwise. */
static bool time_parse(const char *value, uint64_t *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "m", 60e9 }, { "h", 3600e9 } };
	char *end;
	double number = *value >= '0' && *value <= '9' ? strtod(value, &end) : 0;
	for (size_t i = 0; number > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		double length = number * units[i].ns;
		if (strcmp(end, units[i].unit) != 0 || length < TIME_LEAST || length > TIME_MOST)
			continue;
		*ns = (uint64_t)length;
		return true;
	}
	return false;
}

static int word_add(const struct options *options, const struct option_row *row, struct word_list *list,
                    const char *value)
{
	if (list->count == WORDS_MAX)
		return trouble("%s: at most %d times --%s", options->command->name, WORDS_MAX, row->name);
	list->words[list->count++] = value;
	return STATUS_OK;
}

static int row_set(struct options *options, const struct option_row *row, const char *value)
{
	char *field = (char *)options + row->field;
	const bool yes = true;
	uint64_t time = 0;
	switch (row->kind) {
	case OPTION_FLAG:
		memcpy(field, &yes, sizeof(yes));
		return STATUS_OK;
	case OPTION_TEXT:
		memcpy(field, &value, sizeof(value));
		return STATUS_OK;
	case OPTION_COLOR:
		return color_set(options, value);
	case OPTION_SCHEME:
		return scheme_set(options, value);
	case OPTION_WIDTH:
		return width_set(options, value);
	case OPTION_THREADS:
		return number_set(options, row->name, THREADS_LIMIT, value, &options->threads);
	case OPTION_FILES:
		return number_set(options, row->name, FILES_LIMIT, value, &options->max_files);
	case OPTION_MAYBE:
		value = value ? value : "";
		memcpy(field, &value, sizeof(value));
		return STATUS_OK;
	case OPTION_LIST:
		return word_add(options, row, (struct word_list *)(void *)field, value);
	case OPTION_TIME:
		if (!time_parse(value, &time))
			return trouble("%s: --%s takes a time from 1ms on, as 2, 0.5, 100ms, 1m or 1h, not '%s'",
			               options->command->name, row->name, value);
		memcpy(field, &time, sizeof(time));
		return STATUS_OK;
	}
	return STATUS_TROUBLE;
}

/* The names that "--no" may mean, "--no-freeze, --no-names"; "" if none. */
static void names_beginning(const struct command *command, const char *word, size_t len, char *text, size_t room)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		size_t need = strlen(row->name) + 5;
		if (!(row->commands & command->bit) || strncmp(row->name, word, len) || need > room - used)
			continue;
		used = (size_t)(stpcpy(stpcpy(stpcpy(text + used, used ? ", " : ""), "--"), row->name) - text);
	}
}

static int unknown_long(const struct command *command, const char *word)
{
	char name[64] = "", meant[256];
	size_t len = strcspn(word + 2, "=");
	names_beginning(command, word + 2, len, meant, sizeof(meant));
	if (*meant)
		return trouble("%s: '%s' may mean %s", command->name, word, meant);
	if (len < sizeof(name))
		memcpy(name, word + 2, len);
	struct nearest nearest;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].commands & command->bit)
			nearest_try(&nearest, option_table[i].name);
	if (nearest.best)
		return trouble("%s: there is no option '--%.*s'; did you mean '--%s'? See 'vmsnap %s --help'.",
		               command->name, (int)len, word + 2, nearest.best, command->name);
	return trouble("%s: there is no option '--%.*s'. See 'vmsnap %s --help'.", command->name, (int)len, word + 2,
	               command->name);
}

/* After getopt_long() said '?' or ':'. */
static int bad_option(const struct command *command, int said, const char *word)
{
	const struct option_row *row = optopt ? row_of(command, optopt) : NULL;
	if (said == ':' && row)
		return trouble("%s: --%s needs a value: %s", command->name, row->name, row->placeholder);
	if (row)
		return trouble("%s: --%s takes no value", command->name, row->name);
	if (optopt)
		return trouble("%s: there is no option '-%c'. See 'vmsnap %s --help'.", command->name, optopt,
		               command->name);
	return unknown_long(command, word);
}

static int operands_check(const struct options *options)
{
	const struct command *command = options->command;
	if (options->operand_count < command->operands_min)
		return trouble("%s: something is missing: vmsnap %s %s (see 'vmsnap %s --help')", command->name,
		               command->name, command->operands, command->name);
	if (options->operand_count > command->operands_max)
		return trouble("%s: '%s' is one too many: vmsnap %s %s (see 'vmsnap %s --help')", command->name,
		               options->operands[command->operands_max], command->name, command->operands,
		               command->name);
	return STATUS_OK;
}

/* argv[optind - 1] is a snapshot of standard input.  In "-q@1" it is not. */
static bool is_operand(int value, const char *word)
{
	return value == 1 || (value == '@' && !strncmp(word, "-@", 2));
}

int options_parse(struct options *options, const struct command *command, int argc, char **argv)
{
	struct getopt_arguments arguments;
	arguments_make(&arguments, command);
	*options = (struct options){ .command = command };
	opterr = 0;
	optind = 1;
	/* Operands are collected where words were read already. */
	options->operands = argv + 1;
	int value;
	while ((value = getopt_long(argc, argv, arguments.letters, arguments.longs, NULL)) != -1) {
		if (value == '?' || value == ':')
			return bad_option(command, value, argv[optind - 1]);
		if (is_operand(value, argv[optind - 1])) {
			options->operands[options->operand_count++] = argv[optind - 1];
			continue;
		}
		const struct option_row *row = row_of(command, value);
		if (!row)
			return trouble("%s: there is no option '-%c'. See 'vmsnap %s --help'.", command->name, value,
			               command->name);
		int status = row_set(options, row, optarg);
		if (status)
			return status;
	}
	options->plain_count = options->operand_count;
	while (optind < argc) /* after "--" */
		options->operands[options->operand_count++] = argv[optind++];
	options->operands[options->operand_count] = NULL; /* as argv has it: it is one that is executed */
	/* Of these that is a command. */
	if (!(command->bit & (CMD_RECORD | CMD_BLAME)))
		options->plain_count = options->operand_count;
	return options->help ? STATUS_OK : operands_check(options);
}
