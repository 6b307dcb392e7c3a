#include "filter.h"

#include <string.h>

#include "error.h"
#include "options.h"
#include "pattern.h"
#include "scan.h"
#include "sums.h"

/* What a page can be only while it is present: of one in swap its absence says nothing. */
static const uint32_t of_present = VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE;

/* ---- reading ---------------------------------------------------------------------- */

static int bad_perm(const char *perm, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_ARGUMENT,
	            "'%.60s' are no permissions: expected letters of rwxps, with a ! before those that a mapping must "
	            "not have, or all of them as in r-xp",
	            perm);
}

/* false: it was asked for before. */
static bool want_perm(struct filter *filter, uint32_t bit, bool wanted)
{
	bool before = (filter->perms | filter->without_perms) & bit;
	*(wanted ? &filter->perms : &filter->without_perms) |= bit;
	return !before;
}

/* "r-xp", as maps has it. */
static bool read_whole_perm(struct filter *filter, const char *perm)
{
	static const char letters[] = "rwx";
	if (strlen(perm) != 4 || (perm[3] != 'p' && perm[3] != 's'))
		return false;
	for (size_t i = 0; i < 3; i++)
		if (perm[i] != '-' && perm[i] != letters[i])
			return false;
	for (size_t i = 0; i < 3; i++)
		want_perm(filter, (uint32_t)VMSNAP_PERM_READ << i, perm[i] != '-');
	want_perm(filter, VMSNAP_PERM_SHARED, perm[3] == 's');
	return true;
}

static int read_perm(struct filter *filter, const char *perm, struct vmsnap_error *err)
{
	static const char letters[] = "rwxsp";
	if (!*perm)
		return bad_perm(perm, err);
	if (read_whole_perm(filter, perm))
		return VMSNAP_OK;
	for (const char *at = perm; *at; at++) {
		bool wanted = *at != '!';
		at += !wanted;
		const char *letter = *at ? strchr(letters, *at) : NULL;
		if (!letter)
			return bad_perm(perm, err);
		bool fresh = *letter == 'p'
		                     ? want_perm(filter, VMSNAP_PERM_SHARED, !wanted)
		                     : want_perm(filter, (uint32_t)VMSNAP_PERM_READ << (letter - letters), wanted);
		if (!fresh)
			return fail(err, VMSNAP_ERR_ARGUMENT, "'%.60s' says twice whether a mapping is %s", perm,
			            strchr("sp", *letter) ? "shared (s) or private (p)"
			            : *letter == 'r'      ? "readable (r)"
			            : *letter == 'w'      ? "writable (w)"
			                                  : "executable (x)");
	}
	return VMSNAP_OK;
}

static uint32_t flag_called(const char *word, size_t len)
{
	for (uint32_t flag = 1; flag <= VMSNAP_PAGE_PRESENT; flag <<= 1) {
		const char *name = vmsnap_page_flag_name(flag);
		if (name && strlen(name) == len && !memcmp(name, word, len))
			return flag;
	}
	return 0;
}

static int bad_only(const char *only, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_ARGUMENT,
	            "'%.40s' is nothing that a page can be: expected words of present, swapped, file, exclusive, "
	            "soft_dirty, uffd_wp, guard, zero and huge, with a ! before those that it must not be, as in "
	            "exclusive,!file; exclusive? is what may be exclusive or not",
	            only);
}

/* Whether some page can be all that.  It is present, in swap or a guard, or nothing of these; and what is said
 * of pages while they are present is said of no others. */
static bool can_be(const struct filter *filter)
{
	uint32_t places = filter->flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_GUARD);
	if ((filter->flags | filter->without_flags) & of_present)
		places |= VMSNAP_PAGE_PRESENT;
	return !(places & (places - 1)) && !(places & filter->without_flags);
}

static int read_only(struct filter *filter, const char *only, struct vmsnap_error *err)
{
	struct cursor c = { only, only + strlen(only) };
	for (bool more = true; more;) {
		struct cursor word = take_until(&c, ',');
		more = word.end < c.end;
		bool wanted = !take_char(&word, '!');
		bool doubt = word.end > word.at && word.end[-1] == '?';
		uint32_t flag = flag_called(word.at, (size_t)(word.end - word.at) - doubt);
		if (!flag)
			return bad_only(only, err);
		if ((filter->flags | filter->without_flags | filter->unsure | filter->sure) & flag)
			return fail(err, VMSNAP_ERR_ARGUMENT, "'%.60s' says twice whether a page is %s", only,
			            vmsnap_page_flag_name(flag));
		if (doubt)
			*(wanted ? &filter->unsure : &filter->sure) |= flag;
		else
			*(wanted ? &filter->flags : &filter->without_flags) |= flag;
	}
	if (can_be(filter))
		return VMSNAP_OK;
	return fail(
	        err, VMSNAP_ERR_ARGUMENT,
	        "'%.60s' is what no page can be: present, swapped and guard rule each other out, and exclusive, zero "
	        "and huge, and that it is not, are said of present pages",
	        only);
}

/* As people write it, up to a '-': 0x or not, capitals or not. */
static bool take_frame(struct cursor *c, uint64_t *frame)
{
	char digits[17];
	size_t len = 0;
	const char *dash = memchr(c->at, '-', (size_t)(c->end - c->at)), *end = dash ? dash : c->end;
	if (end - c->at > 2 && c->at[0] == '0' && (c->at[1] == 'x' || c->at[1] == 'X'))
		c->at += 2;
	for (; c->at < end && len < sizeof(digits); c->at++)
		digits[len++] = *c->at >= 'A' && *c->at <= 'F' ? (char)(*c->at - 'A' + 'a') : *c->at;
	struct cursor number = { digits, digits + len };
	return c->at == end && take_hex(&number, frame) && number.at == number.end;
}

static int read_frames(struct filter *filter, const char *pfn, struct vmsnap_error *err)
{
	struct cursor c = { pfn, pfn + strlen(pfn) };
	bool good = take_frame(&c, &filter->first_frame);
	filter->last_frame = filter->first_frame;
	if (good && take_char(&c, '-'))
		good = take_frame(&c, &filter->last_frame);
	filter->frames = true;
	if (good && c.at == c.end && filter->first_frame <= filter->last_frame)
		return VMSNAP_OK;
	return fail(err, VMSNAP_ERR_ARGUMENT,
	            "'%.60s' are no frames: expected hexadecimal numbers, as in 1a2b or 1a2b-1cff", pfn);
}

int filter_init(struct filter *filter, const struct vmsnap_filter *given, struct vmsnap_error *err)
{
	*filter = (struct filter){ .any = given != NULL, .end = UINT64_MAX };
	if (!given)
		return VMSNAP_OK;
	int rc = options_take(&filter->given, sizeof(filter->given), given, "struct vmsnap_filter", err);
	if (rc)
		return rc;
	given = &filter->given;
	if ((given->end || given->start) && given->end <= given->start)
		return fail(err, VMSNAP_ERR_ARGUMENT, "expected a range START-END with START below END");
	if (given->perm)
		rc = read_perm(filter, given->perm, err);
	if (!rc && given->only)
		rc = read_only(filter, given->only, err);
	if (!rc && given->pfn)
		rc = read_frames(filter, given->pfn, err);
	return rc;
}

VMSNAP_API int vmsnap_filter_check(const struct vmsnap_filter *given, struct vmsnap_error *err)
{
	struct filter filter;
	return filter_init(&filter, given, err);
}

/* ---- what a snapshot knows -------------------------------------------------------- */

static int unknown(const struct filter *filter, const struct vmsnap_known *known, const char **what)
{
	uint32_t asked = filter->flags | filter->without_flags | filter->unsure | filter->sure;
	*what = filter->frames && !known->pfn                          ? "in which frames pages lie (root would know)"
	        : asked & VMSNAP_PAGE_EXCLUSIVE && !known->exclusive   ? "which pages are exclusive"
	        : asked & VMSNAP_PAGE_SOFT_DIRTY && !known->soft_dirty ? "which pages are soft-dirty"
	        : asked & VMSNAP_PAGE_ZERO && !known->zero             ? "which pages are the zero page"
	        : asked & VMSNAP_PAGE_HUGE && !known->huge             ? "which pages are huge"
	                                                               : NULL;
	return *what != NULL;
}

int filter_fit(struct filter *filter, const struct vmsnap *snap, struct vmsnap_error *err)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const char *what;
	filter->known = info->known;
	if (info->known.states_unknown && filter_has_states(filter))
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "this snapshot does not know what its pages were: a core file does not tell");
	if (unknown(filter, &info->known, &what))
		return fail(err, VMSNAP_ERR_ARGUMENT, "this snapshot does not know %s", what);
	if (!filter->given.end)
		return VMSNAP_OK;
	uint64_t last = filter->given.end - 1;
	last -= last % info->page_size;
	filter->start = filter->given.start - filter->given.start % info->page_size;
	/* The highest page of all has no address after it. */
	filter->end = last > UINT64_MAX - info->page_size ? UINT64_MAX : last + info->page_size;
	return VMSNAP_OK;
}

/* ---- choosing --------------------------------------------------------------------- */

static bool name_fits(const char *wanted, const char *name)
{
	const char *slash = strrchr(name, '/');
	return !strcmp(wanted, name) || pattern_fits(wanted, name) || (slash && pattern_fits(wanted, slash + 1));
}

bool filter_takes_vma(const struct filter *filter, const struct vmsnap_vma *vma)
{
	if (!vma)
		return !filter->given.name && !filter->given.perm;
	if ((vma->perms & filter->perms) != filter->perms || vma->perms & filter->without_perms)
		return false;
	if (vma->end <= filter->start || vma->start >= filter->end)
		return false;
	return !filter->given.name || name_fits(filter->given.name, vma->name);
}

/* Which flags of a run may as well be the other way round.  What looks swapped and may not be is perhaps a page
 * that is just being moved: a present one, but never the zero page. */
static uint32_t unknown_flags(const struct filter *filter, const struct vmsnap_run *run)
{
	const uint32_t of_moving = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_HUGE;
	if (run->flags & VMSNAP_PAGE_PRESENT)
		return vmsnap_exclusive_known(&filter->known, run) ? 0 : VMSNAP_PAGE_EXCLUSIVE;
	return run->flags & VMSNAP_PAGE_SWAPPED && !vmsnap_swap_known(run) ? VMSNAP_PAGE_SWAPPED | of_moving : 0;
}

/* A present page whose frame is not told was just being moved. */
static bool frame_unknown(const struct filter *filter, const struct vmsnap_run *run)
{
	if (run->flags & VMSNAP_PAGE_PRESENT)
		return !run->pfn;
	return unknown_flags(filter, run) & VMSNAP_PAGE_PRESENT;
}

enum choice { LEFT_OUT, TAKEN, NOT_KNOWN };

/* *of: the flags because of which it is not known. */
static enum choice choose_flags(const struct filter *filter, const struct vmsnap_run *run, uint32_t *of)
{
	/* HUGE of what looks swapped means another thing. */
	uint32_t flags = run->flags & ~(run->flags & VMSNAP_PAGE_PRESENT ? 0u : (uint32_t)VMSNAP_PAGE_HUGE);
	uint32_t wanted = filter->flags, unwanted = filter->without_flags;
	uint32_t unknown = unknown_flags(filter, run);
	wanted |= unwanted & of_present ? VMSNAP_PAGE_PRESENT : 0;
	*of = 0;
	if (((flags | unknown) & wanted) != wanted || flags & ~unknown & unwanted)
		return LEFT_OUT;
	if ((unknown & filter->unsure) != filter->unsure || unknown & filter->sure)
		return LEFT_OUT;
	*of = unknown & (wanted | unwanted);
	return *of ? NOT_KNOWN : TAKEN;
}

/* Keeps `pages` pages of the run, from the one `skip` pages behind its first on. */
static void cut(struct vmsnap_run *run, uint64_t page_size, uint64_t skip, uint64_t pages)
{
	run->start += skip * page_size;
	run->end = run->start + pages * page_size;
	/* A hidden frame (0) does not count up. */
	run->pfn += run->pfn ? skip : 0;
	run->swap_offset += run->swap_offset || run->swap_type ? skip : 0;
}

static bool cut_to_frames(const struct filter *filter, uint64_t page_size, struct vmsnap_run *run)
{
	uint64_t last = run->pfn + (run->end - run->start) / page_size - 1;
	uint64_t from = run->pfn > filter->first_frame ? run->pfn : filter->first_frame;
	uint64_t to = last < filter->last_frame ? last : filter->last_frame;
	if (!(run->flags & VMSNAP_PAGE_PRESENT) || from > to)
		return false;
	cut(run, page_size, from - run->pfn, to - from + 1);
	return true;
}

static bool cut_to_range(const struct filter *filter, uint64_t page_size, struct vmsnap_run *run)
{
	uint64_t start = run->start > filter->start ? run->start : filter->start;
	uint64_t end = run->end < filter->end ? run->end : filter->end;
	if (start >= end)
		return false;
	cut(run, page_size, (start - run->start) / page_size, (end - start) / page_size);
	return true;
}

/* Cuts the run down to the pages that are wanted, or may be. */
static enum choice choose(const struct filter *filter, uint64_t page_size, struct vmsnap_run *run, uint32_t *of)
{
	enum choice choice = choose_flags(filter, run, of);
	if (choice == LEFT_OUT || !cut_to_range(filter, page_size, run))
		return LEFT_OUT;
	if (!filter->frames)
		return choice;
	if (frame_unknown(filter, run)) {
		*of |= FILTER_FRAME;
		return NOT_KNOWN;
	}
	return cut_to_frames(filter, page_size, run) ? choice : LEFT_OUT;
}

bool filter_cut_run(const struct filter *filter, uint64_t page_size, struct vmsnap_run *run)
{
	uint32_t of;
	return choose(filter, page_size, run, &of) == TAKEN;
}

bool filter_next(const struct filter *filter, struct vmsnap_run_iter *it, struct vmsnap_run *run)
{
	while (vmsnap_run_next(it, run) == VMSNAP_OK)
		if (!filter->any || filter_cut_run(filter, vmsnap_info(it->snap)->page_size, run))
			return true;
	return false;
}

bool filter_sum(const struct filter *filter, const struct vmsnap *snap, const struct vmsnap_vma *vma,
                struct vmsnap_sums *sums)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	struct vmsnap_sums part = { 0 };
	bool any = !filter_has_states(filter);
	if (filter_takes_whole(filter, vma)) {
		vmsnap_sum(snap, vma->start, vma->end, sums);
		return true;
	}
	if (any) {
		uint64_t start = filter->start > vma->start ? filter->start : vma->start;
		uint64_t end = filter->end < vma->end ? filter->end : vma->end;
		vmsnap_sum(snap, start, end, &part);
	}
	/* What is in swap without being shown has no state that could be asked for. */
	*sums = (struct vmsnap_sums){ .size = vma->end - vma->start, .swap_unknown = part.swap_unknown };
	vmsnap_run_iter_init(&it, snap, vma->start, vma->end);
	while (filter_next(filter, &it, &run)) {
		sums_add_run(sums, &filter->known, &run);
		any = true;
	}
	return any;
}

/* ---- what is left out for not being known ------------------------------------------ */

/* Of what lies between two addresses, all in one mapping or in none; *swapped: what shows as being in swap. */
static int count_runs(struct filter *filter, const struct vmsnap *snap, uint64_t start, uint64_t end, struct work *work,
                      uint64_t *swapped)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	int rc = VMSNAP_OK;
	vmsnap_run_iter_init(&it, snap, start, end);
	while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK) {
		uint32_t of;
		*swapped += vmsnap_swap_known(&run) ? run.end - run.start : 0;
		if (choose(filter, vmsnap_info(snap)->page_size, &run, &of) == NOT_KNOWN) {
			filter->unknown += run.end - run.start;
			filter->unknown_of |= of;
		}
		rc = work_step(work);
	}
	return rc;
}

/* Of shared memory in swap it may be known how much there is, or that there may be some, but not of which pages. */
static void count_hidden_swap(struct filter *filter, const struct vmsnap *snap, uint64_t start, uint64_t end,
                              uint64_t shown)
{
	const uint32_t of_others = of_present | VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_GUARD;
	struct vmsnap_sums sums;
	if (!(filter->flags & VMSNAP_PAGE_SWAPPED) || filter->flags & of_others || filter->frames || filter->unsure ||
	    filter->without_flags & (of_present | VMSNAP_PAGE_SWAPPED))
		return;
	vmsnap_sum(snap, start, end, &sums);
	uint64_t hidden = sums.swap_unknown + (sums.swapped > shown ? sums.swapped - shown : 0);
	filter->unknown += hidden;
	filter->unknown_of |= hidden ? VMSNAP_PAGE_SWAPPED : 0;
}

static int count_part(struct filter *filter, const struct vmsnap *snap, const struct vmsnap_vma *vma, uint64_t start,
                      uint64_t end, struct work *work)
{
	uint64_t swapped = 0;
	start = start > filter->start ? start : filter->start;
	end = end < filter->end ? end : filter->end;
	if (start >= end || !filter_takes_vma(filter, vma))
		return VMSNAP_OK;
	int rc = count_runs(filter, snap, start, end, work, &swapped);
	if (!rc && vma)
		count_hidden_swap(filter, snap, start, end, swapped);
	return rc;
}

static uint64_t within(uint64_t address, uint64_t start, uint64_t end)
{
	return address < start ? start : address < end ? address : end;
}

int filter_count_unknown(struct filter *filter, const struct vmsnap *snap, uint64_t start, uint64_t end,
                         struct work *work)
{
	const struct vmsnap_vma *vma;
	uint64_t at = start;
	int rc = VMSNAP_OK;
	filter->unknown = filter->unknown_of = 0;
	if (!filter_has_states(filter))
		return rc;
	for (size_t i = 0; !rc && (vma = vmsnap_vma(snap, i)); i++) {
		uint64_t from = within(vma->start, start, end), to = within(vma->end, start, end);
		rc = count_part(filter, snap, NULL, at, from, work);
		rc = rc ? rc : count_part(filter, snap, vma, from, to, work);
		at = to;
	}
	return rc ? rc : count_part(filter, snap, NULL, at, end, work);
}
