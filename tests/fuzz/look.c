#include "look.h"

#include "compare.h"
#include "fuzz.h"
#include "sink.h"

/* One for all inputs, as libFuzzer runs one at a time. */
static struct sink sink;

#define PRINT(...) SINK_PRINT(&sink, __VA_ARGS__)

/* Addresses where something begins or ends, and far from all. */
static size_t find_addresses(const struct vmsnap *snap, uint64_t *out, size_t room)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	size_t count = 0;
	out[count++] = 0;
	out[count++] = UINT64_MAX;
	size_t vmas = vmsnap_vma_count(snap);
	if (vmas) {
		out[count++] = vmsnap_vma(snap, vmas / 2)->start;
		out[count++] = vmsnap_vma(snap, vmas - 1)->end;
	}
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (count < room && vmsnap_run_next(&it, &run) == VMSNAP_OK)
		out[count++] = run.end - 1;
	return count;
}

static void look_at_pages(const struct vmsnap *snap, uint32_t choice)
{
	uint64_t addresses[8], entries[16];
	size_t count = find_addresses(snap, addresses, 8);
	/* Some of them each time: many inputs are worth more than much about one. */
	for (size_t i = choice >> 26 & 3; i < count; i += 4) {
		uint64_t end = addresses[i] < UINT64_MAX - 0x40000 ? addresses[i] + 0x40000 : UINT64_MAX;
		PRINT(vmsnap_print_page, snap, NULL, addresses[i]);
		PRINT(vmsnap_print_pages, snap, addresses[i], end, i & 1);
		vmsnap_pages_read(snap, addresses[i] & (0 - vmsnap_info(snap)->page_size), 16, entries);
	}
	/* Not each page: a run may have 2^40, and whoever asks for a line each waits. */
	PRINT(vmsnap_print_pages, snap, 0, UINT64_MAX, false);
}

/* Names from a root without any file: what is left are stacks and captured names. */
static void look_at_names(const struct vmsnap *snap, uint32_t choice)
{
	uint64_t addresses[8];
	struct vmsnap_names *names;
	struct vmsnap_error err = { 0 };
	if (vmsnap_names_new(snap, "/proc/self/map_files", &names, &err))
		return;
	size_t count = find_addresses(snap, addresses, 8);
	for (size_t i = choice >> 28 & 3; i < count; i += 4)
		PRINT(vmsnap_print_page, snap, names, addresses[i]);
	vmsnap_names_free(names);
}

/* Some of it. */
static void look_through_filter(const struct vmsnap *snap, uint32_t choice)
{
	static const struct vmsnap_filter filters[] = {
		{ .size = sizeof(filters[0]), .name = "*l[a-i]*" },
		{ .size = sizeof(filters[0]), .perm = "w!x", .only = "!zero" },
		{ .size = sizeof(filters[0]), .pfn = "1-ffff", .start = 1, .end = UINT64_MAX },
		{ .size = sizeof(filters[0]), .name = "", .only = "exclusive,!file" },
	};
	sink.out.filter = &filters[choice >> 26 & 3];
	PRINT(vmsnap_print_show, snap);
	PRINT(vmsnap_print_map, snap, NULL);
	PRINT(vmsnap_print_map, snap, snap);
	PRINT(vmsnap_print_pages, snap, 0, UINT64_MAX, false);
	sink.out.filter = NULL;
}

static void look_at_one(const struct vmsnap *snap, uint32_t choice)
{
	static const char *const columns[] = { NULL, "+PSS", "START,SIZE,NAME", "+PERM,RSS,SWAP", "NO_SUCH" };
	static const char *const sorts[] = { NULL, "-SIZE", "MAPPING", "VALUE" };
	sink.out.style.columns = columns[(choice >> 13) % 5];
	sink.out.style.sort = sorts[choice >> 22 & 3];
	PRINT(vmsnap_print_show, snap);
	PRINT(vmsnap_print_map, snap, NULL);
	PRINT(vmsnap_print_status, snap, NULL);
	sink.out.style.columns = NULL;
	sink.out.style.sort = choice >> 22 & 1 ? "-MAPPING" : NULL;
	look_at_pages(snap, choice);
	sink.out.style.sort = NULL;
	look_through_filter(snap, choice);
	look_at_names(snap, choice);
}

static void look_at_diff(const struct vmsnap *a, const struct vmsnap *b, uint32_t choice)
{
	struct vmsnap_diff *diff = compare_diff(a, b);
	sink.out.style.sort = choice >> 22 & 1 ? "CHANGE" : NULL;
	if (diff)
		PRINT(vmsnap_print_diff, diff, NULL, choice >> 16 & 3);
	sink.out.style.sort = NULL;
	vmsnap_diff_free(diff);
	PRINT(vmsnap_print_status, a, b);
	PRINT(vmsnap_print_map, a, b);
}

static void look_at_aslr(const struct vmsnap *a, const struct vmsnap *b, uint32_t choice)
{
	struct vmsnap_aslr *aslr = compare_aslr(a, b);
	sink.out.style.sort = choice >> 22 & 1 ? "-DSIZE" : NULL;
	if (aslr)
		PRINT(vmsnap_print_aslr, aslr, choice >> 16 & 3);
	sink.out.style.sort = NULL;
	vmsnap_aslr_free(aslr);
}

static void look_at_cow(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                        uint32_t choice)
{
	struct vmsnap_cow *cow = compare_cow(parent, child, base);
	sink.out.style.sort = choice >> 22 & 1 ? "-VERDICT" : NULL;
	if (cow)
		PRINT(vmsnap_print_cow, cow, NULL, choice >> 18 & 3);
	sink.out.style.sort = NULL;
	vmsnap_cow_free(cow);
}

static void look_at_blame(const struct vmsnap *const *before, const struct vmsnap *const *after, size_t count,
                          uint32_t choice)
{
	struct vmsnap_blame *blame = compare_blame(before, after, count);
	if (blame)
		PRINT(vmsnap_print_blame, blame, (int)(choice >> 16 & 7) % VMSNAP_BLAME_BY_COUNT, NULL,
		      choice >> 19 & 1 ? VMSNAP_PRINT_LONG : 0);
	vmsnap_blame_free(blame);
}

void look_at_all(struct vmsnap *const *snaps, size_t count, uint32_t choice)
{
	const struct vmsnap *all[LOOK_SNAPSHOTS];
	sink_init(&sink, choice);
	for (size_t i = 0; i < count; i++)
		all[i] = snaps[i];
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap *next = all[(i + 1) % count], *base = choice >> 21 & 1 ? all[0] : NULL;
		look_at_one(all[i], choice);
		look_at_diff(all[i], next, choice);
		look_at_aslr(all[i], next, choice);
		look_at_cow(all[i], next, base, choice);
		look_at_blame(&all[i], &next, 1, choice);
	}
	if (!count)
		return;
	look_at_blame(all, all, count, choice);
	uint64_t addresses[8];
	size_t found = find_addresses(all[0], addresses, 8);
	PRINT(vmsnap_print_history, all, NULL, count, addresses[found - 1]);
	PRINT(vmsnap_print_snapshots, all, NULL, count);
}

void look_at_status(const struct vmsnap *a, const struct vmsnap *b, uint32_t choice)
{
	sink_init(&sink, choice);
	PRINT(vmsnap_print_status, a, b);
	PRINT(vmsnap_print_show, a);
	if (b)
		look_at_diff(a, b, choice);
}

int look_at_file(const struct vmsnap_file *file, uint32_t choice)
{
	struct vmsnap_error err = { 0 };
	sink_init(&sink, choice);
	int rc = vmsnap_print_list(file, &sink.out, &err);
	sink_check(&sink, rc, &err);
	rc = vmsnap_print_check(file, &sink.out, &err);
	bool was_full = sink.full;
	if (rc && !was_full)
		FUZZ_CHECK(err.code == rc && err.message[0]);
	/* What check() returns is what it found, not how printing went. */
	sink_check(&sink, was_full ? rc : VMSNAP_OK, &err);
	return was_full ? VMSNAP_END : rc;
}
