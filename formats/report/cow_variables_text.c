#include "cow_variables_text.h"

#include <inttypes.h>
#include <string.h>

#include "cow_answer_text.h"
#include "cow_rows.h"
#include "cow_unnamed_text.h"
#include "error.h"
#include "format_value.h"
#include "name_pages_text.h"
#include "name_sweep.h"
#include "name_text.h"
#include "program_vma.h"
#include "text_color.h"
#include "text_fit.h"

static bool find_local(void *ctx, const struct vmsnap_name *name)
{
	bool *found = ctx;
	*found = name_in_frame(name);
	return !*found;
}

bool cow_range_has_locals(const struct vmsnap_cow_range *range, const struct naming *naming)
{
	bool found = false;
	/* No file has locals: its symbols need not be read to look for them. */
	if (!naming->names || !range->vma || range->vma->inode)
		return false;
	return !vmsnap_names_in(naming->names, range->start, range->end, find_local, &found, NULL) && found;
}

/* What a line says became of its page: who copied it. */
static const char *became(int verdict)
{
	switch (verdict) {
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
		return "parent";
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
		return "child";
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
		return "both";
	case VMSNAP_VERDICT_COPIED:
		return "either";
	case VMSNAP_VERDICT_SHARED:
		return "shared";
	case VMSNAP_VERDICT_ONLY_IN_CHILD:
	case VMSNAP_VERDICT_ONLY_IN_PARENT:
		return "alone";
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
	case VMSNAP_VERDICT_DROPPED_BY_PARENT:
	case VMSNAP_VERDICT_DROPPED_BY_BOTH:
		return "dropped";
	case VMSNAP_VERDICT_UNKNOWN:
		return "?";
	default:
		return "new";
	}
}

/* So that it all fits into thirty lines, as a rule; who stands in a debugger wants to see more. */
enum { VARIABLES_SHOWN = 5, IN_DEBUGGER_SHOWN = 16, BECAME_WIDTH = 7 };

struct section {
	struct text *text;
	const struct vmsnap_cow *cow;
	const struct cow_touched *touched;
	const struct naming *naming;
	const struct vmsnap_vma *program; /* a mapping of its file; NULL: not known, or not mapped */
	bool frames;                      /* of frames, not of the program */
	const struct vmsnap_cow_range *range;
	size_t most, lines;
	uint64_t sides;    /* of which there is a line: bits, by verdict */
	uint64_t left_out; /* bytes */
	bool told;         /* it says what lies on a page that is not shared any more, or cannot */
};

/* "redis-server", as a piece of a line. */
static void put_program(struct fit_line *line, const char *before, const struct section *section)
{
	const char *exe = vmsnap_info(vmsnap_cow_child(section->cow))->exe, *slash = strrchr(exe, '/');
	exe = slash && slash[1] ? slash + 1 : exe;
	fit_words(line, before);
	if (!*exe) {
		fit_words(line, "the program");
		return;
	}
	size_t width = fit_width(line->text, exe, strlen(exe)), room = fit_room(line->text, 2);
	fit_next(line, width < room ? width : room);
	fit_name(line->text, exe, strlen(exe), room);
}

/* "variables of gdb_demo on pages that are not shared any more   (-l: all ranges)" */
static void put_title_line(const struct section *section)
{
	struct text *text = section->text;
	struct fit_line line = fit_line(text, 0, 2);
	if (section->frames) {
		text_string(text, "local variables\n");
		return;
	}
	put_program(&line, "variables of", section);
	fit_words(&line, "on pages not shared any more");
	color_start(text, COLOR_DIM);
	fit_words(&line, "(-l: every range)");
	color_end(text, COLOR_DIM);
	text_string(text, "\n");
}

/* Who copied little is not left out because of who copied much. */
static bool is_first_of_side(const struct section *section)
{
	static const uint64_t copied =
	        UINT64_C(1) << VMSNAP_VERDICT_COPIED_BY_PARENT | UINT64_C(1) << VMSNAP_VERDICT_COPIED_BY_CHILD |
	        UINT64_C(1) << VMSNAP_VERDICT_COPIED_BY_BOTH | UINT64_C(1) << VMSNAP_VERDICT_COPIED;
	return copied & ~section->sides & UINT64_C(1) << section->range->verdict;
}

static void put_variables(void *ctx, struct name_sweep *sweep, uint64_t start, uint64_t end)
{
	struct section *section = ctx;
	struct text *text = section->text;
	struct top_names top;
	const char *word = became(section->range->verdict);
	int color = cow_verdict_color(section->range->verdict);
	if (text_failed(text))
		return;
	if (section->lines >= section->most && !is_first_of_side(section)) {
		section->left_out += end - start;
		return;
	}
	section->sides |= UINT64_C(1) << section->range->verdict;
	if (!section->lines++) {
		text_blank(text);
		put_title_line(section);
	}
	name_sweep_top(sweep, &top);
	struct word where = word_pages(start, end, sweep->page_size);
	text_string(text, "  ");
	color_start(text, COLOR_DIM);
	text_string(text, where.text);
	color_end(text, COLOR_DIM);
	text_string(text, " ");
	color_start(text, color);
	text_string(text, word);
	color_end(text, color);
	size_t pad = strlen(word) < BECAME_WIDTH ? BECAME_WIDTH - strlen(word) : 0;
	text_repeat(text, ' ', pad + 1);
	top_names_put(&top, text, 2 + strlen(where.text) + 1 + strlen(word) + pad + 1);
	text_string(text, "\n");
}

/* A debugger's frames are told of while they are shared still, too: that is what one wants to hear. */
static bool is_told(const struct section *section, const struct vmsnap_cow_range *range)
{
	struct touched_reasons reasons = { .count = 0 };
	bool quiet = verdict_is_quiet(range->verdict);
	if (section->frames)
		return (!quiet || range->verdict == VMSNAP_VERDICT_SHARED) &&
		       cow_range_has_locals(range, section->naming);
	if (quiet || !vma_is_programs(vmsnap_cow_child(section->cow), section->program, range->vma))
		return false;
	/* A breakpoint tells where it is; what else lies on its page nobody wrote. */
	cow_touched_reasons(section->touched, range, &reasons);
	return !touched_by_breakpoints(&reasons);
}

static int put_range(struct section *section, const struct vmsnap_cow_range *range, struct vmsnap_error *err)
{
	struct name_sweep sweep;
	section->range = range;
	name_sweep_init(&sweep, section->naming, &section->text->work,
	                vmsnap_info(vmsnap_cow_child(section->cow))->page_size, put_variables, section);
	int rc = name_sweep_add(&sweep, range->start, range->end, err);
	rc = rc ? rc : name_sweep_finish(&sweep, err);
	name_sweep_free(&sweep);
	return rc;
}

static int put_section(struct section *section, struct vmsnap_error *err)
{
	struct vmsnap_cow_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !text_failed(section->text) && !vmsnap_cow_range(section->cow, i, &range); i++)
		if (is_told(section, &range)) {
			section->told |= verdict_is_lost(range.verdict);
			rc = put_range(section, &range, err);
		}
	uint64_t pages = section->left_out / vmsnap_info(vmsnap_cow_child(section->cow))->page_size;
	if (pages)
		text_format(section->text, "  and %" PRIu64 " more page%s (-l)\n", pages, word_plural(pages));
	return rc;
}

/* That none of the program's own is there is an answer, too. */
static void put_none(const struct section *own)
{
	struct fit_line line = fit_line(own->text, 0, 2);
	struct cow_costs costs = cow_costs(own->cow);
	uint64_t lost = 0;
	for (int i = 0; i < COST_KINDS; i++)
		lost += costs.copied[i];
	if (own->lines || !own->program || !lost)
		return;
	text_blank(own->text);
	put_program(&line, "No variable of", own);
	fit_words(&line, own->told ? "is known to lie" : "itself lies");
	fit_words(&line, "on a page that is not shared any more");
	text_string(own->text, "\n");
}

int put_cow_variables(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                      const struct naming *naming, struct vmsnap_error *err)
{
	const struct vmsnap_vma *program = program_vma(vmsnap_cow_child(cow));
	struct section frames = { text, cow, touched, naming, program, true, NULL, IN_DEBUGGER_SHOWN, 0, 0, 0, 0 };
	struct section own = { text, cow, touched, naming, program, false, NULL, VARIABLES_SHOWN, 0, 0, 0, 0 };
	if (!naming->names)
		return VMSNAP_OK;
	int rc = put_section(&frames, err);
	if (frames.lines)
		own.most = IN_DEBUGGER_SHOWN;
	rc = rc ? rc : put_section(&own, err);
	if (rc || text_failed(text))
		return rc;
	put_none(&own);
	return program ? put_cow_unnamed(text, cow, naming, program, err) : rc;
}
