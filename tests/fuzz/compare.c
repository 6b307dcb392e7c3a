#include "compare.h"

#include <string.h>

#include "fuzz.h"

static void check_diff(const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_vma vma;
	struct vmsnap_diff_range range;
	struct vmsnap_diff_status status;
	uint64_t end = 0, page_size = vmsnap_info(vmsnap_diff_b(diff))->page_size;
	for (size_t i = 0; i < vmsnap_diff_vma_count(diff); i++) {
		FUZZ_CHECK(vmsnap_diff_vma(diff, i, &vma) == VMSNAP_OK && (vma.a || vma.b));
		FUZZ_CHECK(vmsnap_vma_change_name(vma.change));
	}
	for (size_t i = 0; i < vmsnap_diff_range_count(diff); i++) {
		FUZZ_CHECK(vmsnap_diff_range(diff, i, &range) == VMSNAP_OK && range.changes);
		FUZZ_CHECK(range.start < range.end && range.start >= end && !((range.start | range.end) % page_size));
		FUZZ_CHECK(range.changes < 1u << VMSNAP_CHANGE_COUNT);
		end = range.end;
	}
	for (size_t i = 0; i < vmsnap_diff_status_count(diff); i++)
		FUZZ_CHECK(vmsnap_diff_status(diff, i, &status) == VMSNAP_OK && (status.a.key_len || status.b.key_len));
}

static void check_totals(const struct vmsnap_diff *diff)
{
	uint64_t pages[VMSNAP_CHANGE_COUNT] = { 0 }, page_size = vmsnap_info(vmsnap_diff_b(diff))->page_size;
	struct vmsnap_diff_range range;
	for (size_t i = 0; i < vmsnap_diff_range_count(diff); i++) {
		vmsnap_diff_range(diff, i, &range);
		for (int change = 0; change < VMSNAP_CHANGE_COUNT; change++)
			if (range.changes >> change & 1)
				pages[change] += (range.end - range.start) / page_size;
	}
	for (int change = 0; change < VMSNAP_CHANGE_COUNT; change++)
		FUZZ_CHECK(pages[change] == vmsnap_diff_pages(diff, change));
}

struct vmsnap_diff *compare_diff(const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_diff *diff;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_diff_new(a, b, &diff, &err);
	if (rc) {
		FUZZ_CHECK(err.code == rc && err.message[0]);
		return NULL;
	}
	check_diff(diff);
	check_totals(diff);
	if (a == b)
		FUZZ_CHECK(!vmsnap_diff_any(diff) && !vmsnap_diff_range_count(diff) && !vmsnap_diff_vma_count(diff));
	return diff;
}

static void check_cow(const struct vmsnap_cow *cow)
{
	struct vmsnap_cow_range range;
	uint64_t pages[VMSNAP_VERDICT_COUNT] = { 0 }, page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size;
	for (size_t i = 0; i < vmsnap_cow_range_count(cow); i++) {
		FUZZ_CHECK(vmsnap_cow_range(cow, i, &range) == VMSNAP_OK && range.start < range.end);
		/* Where memory was moved over other memory, both are told: ranges may step back. */
		FUZZ_CHECK(range.verdict >= 0 && range.verdict < VMSNAP_VERDICT_COUNT);
		pages[range.verdict] += (range.end - range.start) / page_size;
	}
	for (int verdict = 0; verdict < VMSNAP_VERDICT_COUNT; verdict++)
		FUZZ_CHECK(pages[verdict] == vmsnap_cow_pages(cow, verdict));
	FUZZ_CHECK(!strchr(vmsnap_cow_warning(cow), '\n'));
}

struct vmsnap_cow *compare_cow(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base)
{
	struct vmsnap_cow *cow;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_cow_new(parent, child, base, &cow, &err);
	if (rc) {
		FUZZ_CHECK(err.code == rc && err.message[0]);
		return NULL;
	}
	check_cow(cow);
	return cow;
}

static void check_aslr(const struct vmsnap_aslr *aslr)
{
	struct vmsnap_aslr_row row;
	struct vmsnap_aslr_sums all, sums;
	uint64_t size_a = 0, size_b = 0, groups_b = 0;
	for (size_t i = 0; !vmsnap_aslr_row(aslr, i, &row); i++) {
		FUZZ_CHECK((row.a || row.b) && vmsnap_aslr_kind_name(row.kind));
		FUZZ_CHECK(row.group < vmsnap_aslr_group_count(aslr));
		FUZZ_CHECK(row.contents.same + row.contents.same_but_addresses <= row.contents.compared);
		FUZZ_CHECK(!row.a ||
		           (row.a->start <= row.start_a && row.start_a < row.end_a && row.end_a <= row.a->end));
		FUZZ_CHECK(!row.b ||
		           (row.b->start <= row.start_b && row.start_b < row.end_b && row.end_b <= row.b->end));
		size_a += row.in_a.size;
		size_b += row.in_b.size;
	}
	for (size_t i = 0; i < vmsnap_vma_count(vmsnap_aslr_a(aslr)); i++)
		size_a -= vmsnap_vma(vmsnap_aslr_a(aslr), i)->end - vmsnap_vma(vmsnap_aslr_a(aslr), i)->start;
	FUZZ_CHECK(!size_a);
	for (size_t i = 0; !vmsnap_aslr_group(aslr, i, &sums); i++)
		groups_b += sums.in_b.size;
	FUZZ_CHECK(!vmsnap_aslr_group(aslr, VMSNAP_ASLR_ALL, &all) && all.in_b.size == size_b && groups_b == size_b);
}

struct vmsnap_aslr *compare_aslr(const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_aslr *aslr;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_aslr_new(a, b, NULL, &aslr, &err);
	if (rc) {
		FUZZ_CHECK(err.code == rc && err.message[0]);
		return NULL;
	}
	check_aslr(aslr);
	if (a == b)
		FUZZ_CHECK(!vmsnap_aslr_any(aslr));
	return aslr;
}

static void check_blame(const struct vmsnap_blame *blame)
{
	const struct vmsnap_blamed *told, *last = NULL;
	size_t first = 0;
	for (size_t i = 0; (told = vmsnap_blame_at(blame, i)); last = told, i++) {
		uint64_t page_size = vmsnap_info(told->snap)->page_size;
		FUZZ_CHECK(told->start < told->end && !((told->start | told->end) % page_size));
		FUZZ_CHECK(!last || last->snap != told->snap || last->end <= told->start);
		FUZZ_CHECK(vmsnap_became_name(told->became) && told->first == first);
		for (size_t k = 0; k < told->count; k++) {
			const struct vmsnap_fault *fault = vmsnap_blame_fault(blame, told->first + k);
			FUZZ_CHECK(fault && fault->kind < VMSNAP_FAULT_KIND_COUNT);
		}
		first += told->count;
	}
	FUZZ_CHECK(!vmsnap_blame_fault(blame, first));
}

struct vmsnap_blame *compare_blame(const struct vmsnap *const *before, const struct vmsnap *const *after, size_t count)
{
	struct vmsnap_blame *blame;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_blame_stored(before, count, after, count, NULL, &blame, &err);
	if (rc) {
		FUZZ_CHECK(err.code == rc && err.message[0]);
		return NULL;
	}
	check_blame(blame);
	return blame;
}
