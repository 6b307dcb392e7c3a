#include "identity_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text_fit.h"

struct word word_process(const struct vmsnap_info *info)
{
	uint32_t number = info->tgid ? info->tgid : info->pid;
	struct word word = { "?" };
	if (number)
		snprintf(word.text, sizeof(word.text), "%" PRIu32, number);
	return word;
}

struct word word_process_alone(const struct vmsnap_info *info)
{
	bool known = info->tgid || info->pid || *info->comm;
	return known ? word_process(info) : (struct word){ "process ?" };
}

void print_identity_line(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	text_string(text, word_process_alone(info).text);
	if (*info->comm) {
		text_string(text, " ");
		fit_whole(text, info->comm);
	}
	if (info->tgid && info->tgid != info->pid)
		text_format(text, ", thread %u", info->pid);
	if (*info->label) {
		text_string(text, ", \"");
		fit_whole(text, info->label);
		text_string(text, "\"");
	}
	if (info->taken)
		text_format(text, ", %s", word_time_local(info->taken).text);
}

void fit_identity(struct fit_line *line, const char *role, const struct vmsnap *snap, bool by_number,
                  const struct vmsnap *than)
{
	const struct vmsnap_info *info = vmsnap_info(snap), *before = than ? vmsnap_info(than) : NULL;
	struct text *text = line->text;
	fit_words(line, role);
	if (by_number) {
		fit_piece(line, word_process(info).text);
	}
	if (by_number && *info->comm && (!before || strcmp(before->comm, info->comm) != 0)) {
		size_t width = fit_width(text, info->comm, strlen(info->comm));
		fit_next(line, width);
		fit_whole(text, info->comm);
	}
	if (*info->label && (!before || strcmp(before->label, info->label) != 0)) {
		size_t width = fit_width(text, info->label, strlen(info->label)) + 2;
		fit_next(line, width);
		text_string(text, "\"");
		fit_whole(text, info->label);
		text_string(text, "\"");
	}
}

void put_title(struct text *text, const struct vmsnap *snap)
{
	static const char before[] = "==> ", after[] = " <==";
	const struct vmsnap_info *info = vmsnap_info(snap);
	const char *title = text->out.title;
	char pid[24];
	if (!title || text->style->raw || text->style->no_headings)
		return;
	int len = snprintf(pid, sizeof(pid), ": %s%s", word_process(info).text, *info->comm ? " " : "");
	size_t comm = fit_width(text, info->comm, strlen(info->comm));
	text_string(text, before);
	fit_path(text, title, fit_room(text, sizeof(before) + sizeof(after) - 2 + (size_t)len + comm));
	text_string(text, pid);
	fit_name(text, info->comm, strlen(info->comm), fit_room(text, sizeof(before) + sizeof(after) + FIT_LEAST));
	text_string(text, after);
	text_string(text, "\n");
}
