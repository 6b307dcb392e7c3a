#include "rules.h"

#include <string.h>

#include "diff_view.h"
#include "error.h"
#include "page_state.h"

static const struct report_class_text texts[REPORT_CLASSES] = {
	[REPORT_UNTOUCHED] = { "untouched", "not resident", " " },
	[REPORT_PRIVATE] = { "private", "private", "" },
	[REPORT_FILE] = { "file", "page cache", "f" },
	[REPORT_SHARED] = { "shared", "shared", "=" },
	[REPORT_SWAPPED] = { "swapped", "in swap", "s" },
	[REPORT_ZERO] = { "zero", "zero page", "0" },
	[REPORT_GUARD] = { "guard", "guard", "g" },
	[REPORT_UNREAD] = { "unread", "unread", "?" },
	[REPORT_DUMPED] = { "dumped", "in the core file", "" },
	[REPORT_DUMP_HOLE] = { "dump_hole", "hole of the core file", "h" },
	[REPORT_COPIED] = { "copied", "copied on write", "\xe2\x89\xa0" },
	[REPORT_CHILD] = { "child", "copied by child", "\xe2\x89\xa0" },
	[REPORT_NEW] = { "new", "new", "+" },
	[REPORT_GONE] = { "gone", "gone", "\xe2\x88\x92" },
	[REPORT_SWAPPED_OUT] = { "swapped_out", "swapped out or in", "s" },
	[REPORT_WRITTEN] = { "written", "written", "w" },
	[REPORT_OTHER] = { "other", "changed otherwise", "~" },
};

const struct report_class_text *report_class_text(int report_class)
{
	return &texts[report_class];
}

/* ---- what the library says of pages that are made for it -------------------------------- */

enum { RULE_PAGE = 4096, RULE_PAIRS = STATES * STATES, RULE_FIRST_FRAME = 1 << 20, RULE_OTHER_FRAME = 1 << 24 };
static const uint64_t rule_start = UINT64_C(1) << 32;

static uint64_t rule_address(int memory, int moved, int pair)
{
	return rule_start + (uint64_t)((memory * 2 + moved) * RULE_PAIRS + pair) * 2 * RULE_PAGE;
}

static const char *const memory_names[RULE_MEMORIES] = { "", "/file", "/dev/zero" };
static const uint32_t memory_perms[RULE_MEMORIES] = {
	VMSNAP_PERM_READ | VMSNAP_PERM_WRITE,
	VMSNAP_PERM_READ | VMSNAP_PERM_WRITE,
	VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED,
};

static int add_mapping(struct vmsnap_builder *builder, int memory, struct vmsnap_error *err)
{
	struct vmsnap_vma vma = {
		.start = rule_address(memory, 0, 0),
		.end = rule_address(memory + 1, 0, 0),
		.perms = memory_perms[memory],
		.name = memory_names[memory],
		.inode = memory == RULE_ANONYMOUS ? 0 : (uint64_t)memory,
	};
	return vmsnap_builder_add_vma(builder, &vma, err);
}

static int add_page(struct vmsnap_builder *builder, uint64_t address, enum state state, bool other_frame, int number,
                    struct vmsnap_error *err)
{
	struct vmsnap_run run = { .start = address, .end = address + RULE_PAGE, .flags = state_flags(state) };
	if (!run.flags) /* what a core file has of a page is no state of it */
		return VMSNAP_OK;
	if (run.flags & VMSNAP_PAGE_PRESENT)
		run.pfn = (other_frame ? RULE_OTHER_FRAME : RULE_FIRST_FRAME) + 2 * (uint64_t)number;
	else if (run.flags & VMSNAP_PAGE_SWAPPED)
		run.swap_offset = 2 * (uint64_t)number + 1;
	return vmsnap_builder_add_run(builder, &run, err);
}

static int add_pages(struct vmsnap_builder *builder, int memory, int moved, bool b, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (int pair = 0; !rc && pair < RULE_PAIRS; pair++) {
		enum state state = (enum state)(b ? pair % STATES : pair / STATES);
		uint64_t address = rule_address(memory, moved, pair);
		rc = add_page(builder, address, state, b && moved, (memory * 2 + moved) * RULE_PAIRS + pair, err);
	}
	return rc;
}

/* One of the two snapshots: in each mapping all pairs of states, with the frame that was and with another. */
static int make_side(const struct vmsnap_known *known, bool b, struct vmsnap **out, struct vmsnap_error *err)
{
	struct vmsnap_info info = { .pid = 1,
		                    .tgid = 1,
		                    .start_time = 1,
		                    .page_size = RULE_PAGE,
		                    .known = *known,
		                    .monotonic = b ? 2 : 1,
		                    .freeze = VMSNAP_FREEZE_FULL,
		                    .consistent = true,
		                    .boot_id = "rules",
		                    .faults = UINT64_MAX,
		                    .swap_in_use = UINT64_MAX };
	struct vmsnap_builder *builder;
	info.known.written = 0;
	int rc = vmsnap_builder_new(&info, &builder, err);
	if (rc)
		return rc;
	for (int memory = 0; !rc && memory < RULE_MEMORIES; memory++)
		rc = add_mapping(builder, memory, err);
	for (int memory = 0; !rc && memory < RULE_MEMORIES; memory++)
		for (int moved = 0; !rc && moved < 2; moved++)
			rc = add_pages(builder, memory, moved, b, err);
	rc = rc ? rc : vmsnap_builder_finish(builder, out, err);
	vmsnap_builder_free(builder);
	return rc;
}

/* ---- as classes ------------------------------------------------------------------------- */

static int quiet_of_state(const struct vmsnap *snap, enum state state)
{
	static const uint8_t quiet[PAGE_CLASSES] = {
		[CLASS_UNTOUCHED] = REPORT_UNTOUCHED, [CLASS_PRIVATE] = REPORT_PRIVATE, [CLASS_FILE] = REPORT_FILE,
		[CLASS_SHARED] = REPORT_SHARED,       [CLASS_SWAPPED] = REPORT_SWAPPED,
	};
	struct vmsnap_run run = { .flags = state_flags(state), .pfn = 1 };
	if (state == STATE_ZERO || state == STATE_HUGE_ZERO)
		return REPORT_ZERO;
	if (state == STATE_GUARD)
		return REPORT_GUARD;
	if (state == STATE_UNREAD)
		return REPORT_UNREAD;
	if (state == STATE_DUMPED || state == STATE_DUMP_HOLE)
		return state == STATE_DUMPED ? REPORT_DUMPED : REPORT_DUMP_HOLE;
	if (state == STATE_PRESENT || state == STATE_HUGE_PRESENT || state == STATE_LOOKS_SWAPPED)
		return REPORT_PRIVATE; /* what is not known is drawn so, as on a terminal */
	return quiet[page_quiet_class(snap, &run)];
}

static int class_of_range(const struct vmsnap_diff_range *range, int quiet)
{
	static const uint8_t events[PAGE_CLASSES] = {
		[CLASS_COPIED] = REPORT_COPIED,
		[CLASS_NEW] = REPORT_NEW,
		[CLASS_GONE] = REPORT_GONE,
		[CLASS_SWAPPED_OUT] = REPORT_SWAPPED_OUT,
		[CLASS_SWAPPED_IN] = REPORT_SWAPPED_OUT,
		[CLASS_WRITTEN] = REPORT_WRITTEN,
		[CLASS_OTHER] = REPORT_OTHER,
	};
	int page_class = diff_range_class(range);
	return page_class == CLASS_HOLE ? quiet : events[page_class];
}

static uint8_t *rule_at(struct rules *rules, uint64_t address, int *b)
{
	uint64_t number = (address - rule_start) / RULE_PAGE / 2;
	int pair = (int)(number % RULE_PAIRS), moved = (int)(number / RULE_PAIRS % 2);
	*b = pair % STATES;
	return &rules->changed[number / RULE_PAIRS / 2][moved][pair / STATES][pair % STATES];
}

static void fill_changed(struct rules *rules, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_range range;
	for (size_t i = 0; !vmsnap_diff_range(diff, i, &range); i++) {
		int b;
		uint8_t *rule = rule_at(rules, range.start, &b);
		*rule = (uint8_t)class_of_range(&range, rules->quiet[b]);
	}
}

static void fill_quiet(struct rules *rules, const struct vmsnap *snap)
{
	for (int state = 0; state < STATES; state++)
		rules->quiet[state] = (uint8_t)quiet_of_state(snap, (enum state)state);
	for (int i = 0; i < RULE_MEMORIES * 2 * STATES; i++)
		memcpy((uint8_t *)rules->changed + i * STATES, rules->quiet, STATES);
}

int rules_make(struct rules *rules, const struct vmsnap_known *known, struct vmsnap_error *err)
{
	struct vmsnap *a = NULL, *b = NULL;
	struct vmsnap_diff *diff = NULL;
	int rc = make_side(known, false, &a, err);
	rc = rc ? rc : make_side(known, true, &b, err);
	rc = rc ? rc : vmsnap_diff_new(a, b, &diff, err);
	if (!rc) {
		fill_quiet(rules, a);
		fill_changed(rules, diff);
		vmsnap_diff_free(diff);
	}
	vmsnap_unref(a);
	vmsnap_unref(b);
	return rc;
}

enum rule_memory rule_memory_of(const struct vmsnap_vma *vma)
{
	if (vma->perms & VMSNAP_PERM_SHARED)
		return RULE_SHARED;
	return vma->inode ? RULE_FILE : RULE_ANONYMOUS;
}

int report_class_of_verdict(int verdict)
{
	switch (verdict) {
	case VMSNAP_VERDICT_SHARED:
		return REPORT_SHARED;
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
		return REPORT_CHILD;
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
	case VMSNAP_VERDICT_COPIED:
		return REPORT_COPIED;
	case VMSNAP_VERDICT_FILE:
	case VMSNAP_VERDICT_SHARED_MAPPING:
		return REPORT_FILE;
	case VMSNAP_VERDICT_SWAPPED:
		return REPORT_SWAPPED;
	case VMSNAP_VERDICT_ZERO_SHARED:
	case VMSNAP_VERDICT_ZERO_IN_CHILD:
	case VMSNAP_VERDICT_ZERO_IN_PARENT:
	case VMSNAP_VERDICT_ZERO_IN_BOTH:
	case VMSNAP_VERDICT_ZERO:
		return REPORT_ZERO;
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
	case VMSNAP_VERDICT_DROPPED_BY_PARENT:
	case VMSNAP_VERDICT_DROPPED_BY_BOTH:
		return REPORT_GONE;
	case VMSNAP_VERDICT_UNKNOWN:
		return REPORT_OTHER;
	default:
		return REPORT_NEW;
	}
}
