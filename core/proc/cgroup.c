#include "cgroup.h"

#include <string.h>

static bool is(struct cursor word, const char *wanted)
{
	size_t len = strlen(wanted);
	return (size_t)(word.end - word.at) == len && memcmp(word.at, wanted, len) == 0;
}

/* "0::/path", "1:name=systemd:/path", "5:memory:/path": how much the path is worth; 0: no such line. */
static int take_line(struct cursor line, struct cursor *path)
{
	struct cursor number = take_until(&line, ':'), controllers = take_until(&line, ':');
	*path = line;
	if (line.at == line.end || *line.at != '/')
		return 0;
	int worth = is(number, "0") && is(controllers, "") ? 3 : is(controllers, "name=systemd") ? 2 : 1;
	/* The root is where everybody is that nobody has put elsewhere. */
	return is(line, "/") ? 1 : worth + 1;
}

struct cursor cgroup_path(const struct proc_text *text)
{
	struct cursor best = { "", "" };
	struct cursor c = best;
	int most = 0;
	if (text->len)
		c = (struct cursor){ text->text, text->text + text->len };
	while (c.at < c.end) {
		struct cursor path;
		int worth = take_line(take_until(&c, '\n'), &path);
		if (worth > most) {
			most = worth;
			best = path;
		}
	}
	return best;
}
