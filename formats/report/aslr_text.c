#include "aslr_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "format_value.h"
#include "identity_text.h"
#include "text_fit.h"

const char *aslr_kind_words(int kind)
{
	static const char *const words[VMSNAP_ASLR_KIND_COUNT] = {
		[VMSNAP_ASLR_FILE] = "files",
		[VMSNAP_ASLR_BEHIND] = "behind a file",
		[VMSNAP_ASLR_HEAP] = "[heap]",
		[VMSNAP_ASLR_STACK] = "[stack]",
		[VMSNAP_ASLR_THREAD_STACK] = "thread stacks",
		[VMSNAP_ASLR_ARENA] = "malloc arenas",
		[VMSNAP_ASLR_ANONYMOUS] = "anonymous memory",
		[VMSNAP_ASLR_SHARED] = "shared memory",
		[VMSNAP_ASLR_KERNEL] = "the kernel's",
	};
	return kind >= 0 && kind < VMSNAP_ASLR_KIND_COUNT ? words[kind] : "";
}

/* ---- which groups are told ------------------------------------------------------------ */

enum { TOLD_MAX = 3 };

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

typedef uint64_t (*bytes_of_fn)(const struct vmsnap_aslr_side *side);

static uint64_t size_of(const struct vmsnap_aslr_side *side)
{
	return side->size;
}

static uint64_t private_of(const struct vmsnap_aslr_side *side)
{
	return side->private_bytes;
}

/* A group, or the memory behind its file alone. */
struct told_group {
	const char *name; /* in B, as it is the newer one */
	int kind;
	uint64_t a, b; /* bytes */
};
/* Those in which most is more or less, the most first. */
struct told {
	struct told_group groups[TOLD_MAX];
	size_t count, more;
};

static void told_add(struct told *told, struct told_group group)
{
	uint64_t bytes = apart(group.a, group.b);
	size_t at = told->count;
	if (!bytes)
		return;
	while (at && apart(told->groups[at - 1].a, told->groups[at - 1].b) < bytes)
		at--;
	told->more += told->count == TOLD_MAX;
	if (at == TOLD_MAX)
		return;
	size_t kept = told->count < TOLD_MAX ? told->count : TOLD_MAX - 1;
	memmove(&told->groups[at + 1], &told->groups[at], (kept - at) * sizeof(*told->groups));
	told->groups[at] = group;
	told->count = kept + 1;
}

/* Of each group, what lies behind its file in A and in B; NULL without memory. */
static uint64_t (*sum_behind(struct text *text, const struct vmsnap_aslr *aslr, bytes_of_fn bytes_of))[2]
{
	struct vmsnap_aslr_row row;
	uint64_t(*behind)[2] = calloc(vmsnap_aslr_group_count(aslr) + 1, sizeof(*behind));
	if (!behind)
		text_fail(text, ENOMEM);
	for (size_t i = 0; behind && !text_failed(text) && !vmsnap_aslr_row(aslr, i, &row); i++) {
		behind[row.group][0] += row.kind == VMSNAP_ASLR_BEHIND ? bytes_of(&row.in_a) : 0;
		behind[row.group][1] += row.kind == VMSNAP_ASLR_BEHIND ? bytes_of(&row.in_b) : 0;
	}
	return behind;
}

/* Right behind a file lies its .bss, and what the kernel joined with it because it came to lie there: of an allocator,
 * say, which takes as much elsewhere in the next run.  So it is told apart from what the file itself has. */
static struct told find_told(struct text *text, const struct vmsnap_aslr *aslr, bytes_of_fn bytes_of)
{
	struct told told = { .count = 0 };
	struct vmsnap_aslr_sums sums;
	uint64_t(*behind)[2] = sum_behind(text, aslr, bytes_of);
	for (size_t i = 0; behind && !text_failed(text) && !vmsnap_aslr_group(aslr, i, &sums); i++) {
		const char *name = *sums.name_b ? sums.name_b : sums.name_a;
		uint64_t a = bytes_of(&sums.in_a), b = bytes_of(&sums.in_b);
		told_add(&told, (struct told_group){ name, sums.kind, a - behind[i][0], b - behind[i][1] });
		told_add(&told, (struct told_group){ name, VMSNAP_ASLR_BEHIND, behind[i][0], behind[i][1] });
	}
	free(behind);
	return told;
}

/* ---- sentences -------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
	const char *slash = *path == '/' ? strrchr(path, '/') : NULL;
	return slash && slash[1] ? slash + 1 : path;
}

/* Without its folder. */
static void put_group_name(struct fit_line *line, const struct told_group *group)
{
	bool named = *group->name && group->kind != VMSNAP_ASLR_THREAD_STACK && group->kind != VMSNAP_ASLR_ARENA;
	if (!named) {
		fit_words(line, aslr_kind_words(group->kind));
		return;
	}
	if (group->kind == VMSNAP_ASLR_BEHIND)
		fit_words(line, "behind");
	const char *part = last_part(group->name);
	size_t room = fit_room(line->text, 8);
	fit_next(line, fit_path_width(line->text, part, room));
	fit_path(line->text, part, room);
}

static const char *sign_of(uint64_t a, uint64_t b)
{
	return b > a ? "+" : "-";
}

/* "+3.00M anonymous memory, +160K libfoo.so.2 (40 pages)" */
static void put_groups(struct text *text, const struct vmsnap_aslr *aslr, const char *what, bytes_of_fn bytes_of,
                       bool pages)
{
	struct told told = find_told(text, aslr, bytes_of);
	uint64_t page_size = vmsnap_info(vmsnap_aslr_b(aslr))->page_size;
	struct fit_line line = fit_line(text, 0, 2);
	char words[96];
	if (!told.count)
		return;
	fit_words(&line, what);
	for (size_t i = 0; i < told.count; i++) {
		uint64_t a = told.groups[i].a, b = told.groups[i].b, bytes = apart(a, b);
		if (i)
			fit_glue(&line, ",");
		snprintf(words, sizeof(words), "%s%s", sign_of(a, b), word_size(text->style, bytes).text);
		fit_piece(&line, words);
		put_group_name(&line, &told.groups[i]);
		if (!pages)
			continue;
		uint64_t count = page_size ? bytes / page_size : 0;
		snprintf(words, sizeof(words), "(%" PRIu64 " page%s)", count, word_plural(count));
		fit_words(&line, words);
	}
	if (told.more) {
		fit_glue(&line, ",");
		snprintf(words, sizeof(words), "%zu more", told.more);
		fit_words(&line, words);
	}
	text_string(text, "\n");
}

/* "3.00M more" */
static void put_change(struct fit_line *line, const char *before, uint64_t a, uint64_t b, const char *than,
                       const char *after)
{
	char words[128];
	if (a == b)
		snprintf(words, sizeof(words), "%sas much %s%s", before, than, after);
	else
		snprintf(words, sizeof(words), "%s%s %s %s%s", before, word_size(line->text->style, apart(a, b)).text,
		         b > a ? "more" : "less", *than ? "than " : "", after);
	fit_words(line, words);
}

static void put_answer(struct text *text, const struct vmsnap_aslr *aslr, const struct vmsnap_aslr_sums *all)
{
	struct fit_line line = fit_line(text, 0, 2);
	bool unknown = vmsnap_info(vmsnap_aslr_a(aslr))->known.states_unknown ||
	               vmsnap_info(vmsnap_aslr_b(aslr))->known.states_unknown;
	put_change(&line, "B maps ", all->in_a.size, all->in_b.size, "as ", unknown ? "A;" : "A,");
	if (unknown) {
		fit_words(&line, "how much is resident, and how much is private, a core file does not tell.");
		text_string(text, "\n");
		return;
	}
	put_change(&line, "", all->in_a.resident, all->in_b.resident, "", "is resident,");
	put_change(&line, "and ", all->in_a.private_bytes, all->in_b.private_bytes, "", "is private.");
	text_string(text, "\n");
}

static void put_counts(struct text *text, const struct vmsnap_aslr_sums *all)
{
	struct fit_line line = fit_line(text, 0, 2);
	char words[160];
	snprintf(words, sizeof(words), "%zu mapping%s in both, of which %zu differ%s; %zu only in A, %zu only in B.",
	         all->both, word_plural(all->both), all->differ, all->differ == 1 ? "s" : "", all->only_a, all->only_b);
	fit_words(&line, words);
	text_string(text, "\n");
}

/* Two programs share little but libc: the numbers are right, but hardly what was meant. */
static void put_programs(struct text *text, const struct vmsnap *a, const struct vmsnap *b)
{
	const char *in_a = last_part(vmsnap_info(a)->exe), *in_b = last_part(vmsnap_info(b)->exe);
	if (!*in_a || !*in_b || !strcmp(in_a, in_b))
		return;
	struct fit_line line = fit_line(text, 0, 2);
	fit_words(&line, "These are two programs:");
	fit_next(&line, fit_path_width(text, in_a, fit_room(text, 0)));
	fit_path(text, in_a, fit_room(text, 0));
	fit_words(&line, "and");
	fit_next(&line, fit_path_width(text, in_b, fit_room(text, 0)));
	fit_path(text, in_b, fit_room(text, 0));
	text_string(text, "\n");
}

int put_aslr_summary(struct text *text, const struct vmsnap_aslr *aslr)
{
	struct vmsnap_aslr_sums all;
	int rc = vmsnap_aslr_group(aslr, VMSNAP_ASLR_ALL, &all);
	if (rc)
		return rc;
	text_string(text, "A  ");
	print_identity_line(text, vmsnap_aslr_a(aslr));
	text_string(text, "\nB  ");
	print_identity_line(text, vmsnap_aslr_b(aslr));
	text_string(text, "\n");
	put_programs(text, vmsnap_aslr_a(aslr), vmsnap_aslr_b(aslr));
	text_blank(text);
	put_answer(text, aslr, &all);
	put_groups(text, aslr, "Mapped:", size_of, false);
	if (!vmsnap_info(vmsnap_aslr_a(aslr))->known.states_unknown &&
	    !vmsnap_info(vmsnap_aslr_b(aslr))->known.states_unknown)
		put_groups(text, aslr, "Private:", private_of, true);
	put_counts(text, &all);
	text_blank(text);
	return VMSNAP_OK;
}

void put_aslr_contents(struct text *text, const struct vmsnap_aslr *aslr)
{
	struct fit_line line = fit_line(text, 0, 2);
	struct vmsnap_aslr_sums all;
	char words[160];
	if (!vmsnap_aslr_contents_known(aslr) || vmsnap_aslr_group(aslr, VMSNAP_ASLR_ALL, &all))
		return;
	const struct vmsnap_aslr_contents *contents = &all.contents;
	uint64_t differ = contents->compared - contents->same - contents->same_but_addresses;
	text_blank(text);
	snprintf(words, sizeof(words),
	         "Of %" PRIu64 " page%s of which both keep contents, %" PRIu64 " hold%s the same, %" PRIu64
	         " the same but for addresses,",
	         contents->compared, word_plural(contents->compared), contents->same, contents->same == 1 ? "s" : "",
	         contents->same_but_addresses);
	fit_words(&line, words);
	snprintf(words, sizeof(words), "and %" PRIu64 " something else.", differ);
	fit_words(&line, words);
	if (differ)
		fit_words(&line,
		          "A page that holds addresses of its process, counters, times or random numbers differs "
		          "in each run, though the program did the same.");
	text_string(text, "\n");
}
