#define _GNU_SOURCE
#include "preload_words.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Those that come from elsewhere: a handler that returns from one of the others would be called for ever. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT },     { "USR1", SIGUSR1 },   { "USR2", SIGUSR2 },
	{ "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "PWR", SIGPWR },       { "WINCH", SIGWINCH }, { "URG", SIGURG },
	{ "IO", SIGIO },     { "PROF", SIGPROF }, { "VTALRM", SIGVTALRM },
};

struct word {
	const char *at;
	size_t len;
};

static bool is(struct word word, const char *wanted)
{
	return strlen(wanted) == word.len && !memcmp(word.at, wanted, word.len);
}

static bool take_key(struct word *word, const char *key)
{
	size_t len = strlen(key);
	if (word->len < len || memcmp(word->at, key, len) != 0)
		return false;
	word->at += len;
	word->len -= len;
	return true;
}

static bool take_number(struct word *word, uint64_t *out)
{
	size_t len = word->len;
	for (*out = 0; word->len && *word->at >= '0' && *word->at <= '9' && *out < UINT64_C(1) << 50; word->len--)
		*out = *out * 10 + (uint64_t)(*word->at++ - '0');
	return word->len < len;
}

static int signal_of(struct word word)
{
	uint64_t number;
	if (is(word, "none"))
		return 0;
	(void)take_key(&word, "SIG");
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (is(word, signals[i].name))
			return signals[i].number;
	bool real_time = take_key(&word, "RTMIN+");
	if (!take_number(&word, &number) || word.len)
		return -1;
	number += real_time ? (uint64_t)SIGRTMIN : 0;
	if (number >= (uint64_t)SIGRTMIN && number <= (uint64_t)SIGRTMAX)
		return (int)number;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals) && !real_time; i++)
		if (number == (uint64_t)signals[i].number)
			return signals[i].number;
	return -1;
}

static bool read_room(struct word word, size_t *out)
{
	static const char units[] = "KMG";
	uint64_t bytes;
	if (!take_number(&word, &bytes))
		return false;
	const char *unit = word.len == 1 ? strchr(units, *word.at) : NULL;
	if (word.len && (!unit || !*unit))
		return false;
	bytes <<= unit ? 10 * (unit - units + 1) : 0;
	*out = (size_t)bytes;
	return bytes >= 128 << 10 && bytes <= UINT64_C(1) << 40;
}

/* Control characters of a hostile value do not reach a terminal. */
static bool refuse(char wrong[PRELOAD_WRONG], const char *why, struct word word)
{
	enum { SHOWN = 60 };
	char shown[SHOWN + 1];
	size_t len = word.len < SHOWN ? word.len : SHOWN;
	for (size_t i = 0; i < len; i++)
		shown[i] = word.at[i] >= ' ' && word.at[i] <= '~' ? word.at[i] : '?';
	shown[len] = '\0';
	snprintf(wrong, PRELOAD_WRONG, "vmsnap: VMSNAP_SELF: %s '%s%s': no snapshots are taken\n", why, shown,
	         len < word.len ? "..." : "");
	return false;
}

/* Where the program goes later does not matter. */
static bool read_path(struct word word, char path[PATH_MAX])
{
	size_t len = 0;
	if (!word.len || word.len >= PATH_MAX)
		return false;
	if (*word.at != '/') {
		if (!getcwd(path, PATH_MAX - 1) || *path != '/')
			return false;
		len = strlen(path);
		path[len++] = '/';
	}
	if (len + word.len >= PATH_MAX)
		return false;
	memcpy(path + len, word.at, word.len);
	path[len + word.len] = '\0';
	return true;
}

bool preload_words_read(const char *value, struct preload_words *out, char wrong[PRELOAD_WRONG])
{
	struct word word = { value, strcspn(value, ",") };
	int number = -1;
	*out = (struct preload_words){ 0 };
	if (!read_path(word, out->path))
		return refuse(wrong, "no file can have the path", word);
	while (word.at[word.len]) {
		word.at += word.len + 1;
		word.len = strcspn(word.at, ",");
		struct word rest = word;
		if (is(word, "start"))
			out->at_start = true;
		else if (is(word, "exit"))
			out->at_exit = true;
		else if (take_key(&rest, "signal=") && (number = signal_of(rest)) >= 0)
			out->signal = number;
		else if (take_key(&(struct word){ word.at, word.len }, "signal="))
			return refuse(wrong, "no signal that can be taken is", rest);
		else if (!take_key(&rest, "room=") || !read_room(rest, &out->room))
			return refuse(wrong, "expected signal=USR2, start, exit or room=64M, not", word);
	}
	if (number < 0 && !out->at_start && !out->at_exit)
		out->signal = SIGUSR2;
	return true;
}
