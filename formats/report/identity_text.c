#include "identity_text.h"

#include "format_value.h"
#include "text_fit.h"

void print_identity_line(struct text *text, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	text_format(text, "%u", info->tgid ? info->tgid : info->pid);
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
