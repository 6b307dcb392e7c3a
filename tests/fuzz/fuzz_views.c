/* fuzz_views.c - what is told of several snapshots of unknown origin together: groups, series, blame, who has a page,
 * values, and the documents that are made of them. */
#include "fuzz.h"
#include "sink.h"

enum { MEMORY_MAX = 4 << 20, SNAPSHOTS = 6 };
static const struct vmsnap_limits limits = { .size = sizeof(limits), .memory = MEMORY_MAX };
/* In which no file is found. */
static const char nowhere[] = "/proc/self/map_files";
static struct sink sink;

struct views {
	const struct vmsnap_file *file;
	const struct vmsnap *snaps[SNAPSHOTS];
	size_t count; /* at least one */
	uint32_t choice;
};

#define PRINT(...) SINK_PRINT(&sink, __VA_ARGS__)

/* What cannot be made says why. */
static bool made(int rc, const struct vmsnap_error *err)
{
	FUZZ_CHECK(!rc || (err->code == rc && err->message[0]));
	return !rc;
}

static unsigned flags_of(const struct views *views)
{
	return views->choice >> 16 & 3;
}

/* Where something lies, or nothing. */
static uint64_t place(const struct views *views, unsigned bits)
{
	const struct vmsnap *snap = views->snaps[0];
	size_t vmas = vmsnap_vma_count(snap);
	const struct vmsnap_vma *vma = vmas ? vmsnap_vma(snap, bits % vmas) : NULL;
	return vma ? vma->start + (uint64_t)(bits & 3) * vmsnap_info(snap)->page_size : bits;
}

static struct vmsnap_names *names_of(const struct views *views)
{
	struct vmsnap_names *names = NULL;
	struct vmsnap_error err = { 0 };
	if (views->choice >> 20 & 1)
		(void)vmsnap_names_new(views->snaps[0], nowhere, &names, &err);
	return names;
}

static struct vmsnap_set *set_of(const struct vmsnap *const *snaps, size_t count)
{
	struct vmsnap_set *set = NULL;
	struct vmsnap_error err = { 0 };
	return made(vmsnap_set_new(snaps, count, &set, &err), &err) ? set : NULL;
}

/* ---- several processes --------------------------------------------------------- */

static void print_group(const struct views *views, const struct vmsnap_group *group, const struct vmsnap_group *before)
{
	struct vmsnap_group_change *change = NULL;
	struct vmsnap_names *names = names_of(views);
	struct vmsnap_error err = { 0 };
	if (before && !made(vmsnap_group_change_new(before, group, NULL, &change, &err), &err))
		before = NULL;
	PRINT(vmsnap_print_group, group, before, change, flags_of(views));
	for (int by = VMSNAP_GROUP_BY_MAPPING; by <= VMSNAP_GROUP_BY_NAME; by++)
		PRINT(vmsnap_print_group_by, group, before, change, by, names, flags_of(views));
	vmsnap_names_free(names);
	vmsnap_group_change_free(change);
}

static void look_at_groups(const struct views *views)
{
	size_t half = views->count / 2;
	struct vmsnap_set *first = half ? set_of(views->snaps, half) : NULL;
	struct vmsnap_set *all = set_of(views->snaps + half, views->count - half);
	struct vmsnap_group *before = NULL, *group = NULL;
	struct vmsnap_error err = { 0 };
	if (first && !made(vmsnap_group_new(first, NULL, &before, &err), &err))
		before = NULL;
	if (all && made(vmsnap_group_new(all, NULL, &group, &err), &err))
		print_group(views, group, before);
	vmsnap_group_free(group);
	vmsnap_group_free(before);
	vmsnap_set_free(all);
	vmsnap_set_free(first);
}

static void look_at_sets(const struct views *views)
{
	size_t half = views->count / 2;
	struct vmsnap_set *a = half ? set_of(views->snaps, half) : NULL;
	struct vmsnap_set *b = set_of(views->snaps + half, views->count - half);
	struct vmsnap_set_diff *diff = NULL;
	struct vmsnap_set_cow *cow = NULL;
	struct vmsnap_error err = { 0 };
	if (a && b && made(vmsnap_set_diff_new(a, b, NULL, &diff, &err), &err))
		PRINT(vmsnap_print_set_diff, diff, flags_of(views));
	if (b && made(vmsnap_set_cow_new(b, a, NULL, &cow, &err), &err))
		PRINT(vmsnap_print_set_cow, cow, flags_of(views));
	vmsnap_set_cow_free(cow);
	vmsnap_set_diff_free(diff);
	vmsnap_set_free(b);
	vmsnap_set_free(a);
}

static void look_for_who(const struct views *views)
{
	const struct vmsnap_vma *vma = vmsnap_vma(views->snaps[0], 0);
	const struct vmsnap_who_query queries[] = {
		{ .kind = VMSNAP_WHO_FRAME,
		  .pid = (pid_t)vmsnap_info(views->snaps[0])->pid,
		  .address = place(views, views->choice >> 22) },
		{ .kind = VMSNAP_WHO_FRAME, .pfn = views->choice >> 22 },
		{ .kind = VMSNAP_WHO_SWAP, .swap_type = views->choice >> 30, .swap_offset = views->choice >> 24 & 63 },
		{ .kind = VMSNAP_WHO_FILE, .path = vma ? vma->name : "", .by_name = true },
	};
	struct vmsnap_who_query query = queries[views->choice >> 18 & 3];
	struct vmsnap_who *who = NULL;
	struct vmsnap_error err = { 0 };
	query.size = sizeof(query);
	if (!made(vmsnap_who_new(&query, &who, &err), &err))
		return;
	for (size_t i = 0; i < views->count; i++)
		(void)made(vmsnap_who_add(who, views->snaps[i], &err), &err);
	struct vmsnap_names *names = names_of(views);
	PRINT(vmsnap_print_who, who, names);
	vmsnap_names_free(names);
	vmsnap_who_free(who);
}

/* ---- several times ------------------------------------------------------------- */

static void look_at_series(const struct views *views)
{
	struct vmsnap_series_options options = { .size = sizeof(options), .by = (int)(views->choice >> 22 & 3) };
	struct vmsnap_series *series = NULL;
	struct vmsnap_series_forks *forks = NULL;
	struct vmsnap_error err = { 0 };
	uint64_t min = views->choice >> 24 & 1 ? 0 : UINT64_C(1) << 20;
	if (views->choice >> 25 & 1 ? made(vmsnap_series_open(views->file, &options, &series, &err), &err)
	                            : made(vmsnap_series_of(views->snaps, views->count, &options, &series, &err), &err))
		PRINT(vmsnap_print_series, series, min);
	vmsnap_series_close(series);
	options.by = 0;
	if (made(vmsnap_series_forks_of(views->snaps, views->count, &options, &forks, &err), &err))
		PRINT(vmsnap_print_series_forks, forks);
	vmsnap_series_forks_close(forks);
	PRINT(vmsnap_print_file_history, views->file, &options, place(views, views->choice >> 22));
}

static void look_at_blame(const struct views *views)
{
	size_t half = views->count / 2;
	struct vmsnap_blame *blame = NULL;
	struct vmsnap_error err = { 0 };
	int rc = vmsnap_blame_stored(views->snaps, half, views->snaps + half, views->count - half, NULL, &blame, &err);
	const struct vmsnap_faults *faults = vmsnap_faults_of(views->snaps[half]);
	if (rc == VMSNAP_ERR_NOT_FOUND || !made(rc, &err))
		return;
	struct vmsnap_names *names = names_of(views);
	PRINT(vmsnap_print_blame, blame, (int)((views->choice >> 22) % VMSNAP_BLAME_BY_COUNT), names, flags_of(views));
	vmsnap_blame_free(blame);
	blame = NULL;
	if (faults &&
	    made(vmsnap_blame_new(views->snaps, views->count, views->snaps, views->count, faults, NULL, &blame, &err),
	         &err))
		PRINT(vmsnap_print_blame, blame, (int)((views->choice >> 25) % VMSNAP_BLAME_BY_COUNT), names,
		      flags_of(views));
	vmsnap_blame_free(blame);
	vmsnap_names_free(names);
}

static void look_at_values(const struct views *views)
{
	const struct vmsnap *a = views->snaps[0], *b = views->snaps[views->count - 1];
	struct vmsnap_names *names = NULL;
	struct vmsnap_value_diff *diff = NULL;
	struct vmsnap_error err = { 0 };
	uint64_t start = place(views, views->choice >> 22);
	if (vmsnap_names_new(b, nowhere, &names, &err))
		return;
	const struct vmsnap_value_options options = { .size = sizeof(options), .names = names };
	if (made(vmsnap_value_diff_new(a, b, &options, &diff, &err), &err))
		PRINT(vmsnap_print_values, diff);
	vmsnap_value_diff_free(diff);
	diff = NULL;
	if (made(vmsnap_value_at(b, start, &options, &diff, &err), &err))
		PRINT(vmsnap_print_values, diff);
	vmsnap_value_diff_free(diff);
	PRINT(vmsnap_print_written, b, names);
	vmsnap_names_free(names);
	uint64_t end = start < UINT64_MAX - 0x2000 ? start + 0x2000 : UINT64_MAX;
	PRINT(vmsnap_print_dump, a, views->choice >> 24 & 1 ? b : NULL, start, end);
}

/* ---- one ------------------------------------------------------------------------ */

static void look_at_each(const struct views *views)
{
	struct vmsnap_names *names = names_of(views);
	const struct vmsnap *snap = views->snaps[views->choice % views->count];
	PRINT(vmsnap_print_show_with, snap, flags_of(views));
	sink.out.names = names;
	for (int by = 0; by < VMSNAP_SHOW_BY_COUNT; by++)
		PRINT(vmsnap_print_show_by, snap, by);
	PRINT(vmsnap_print_show_with, snap, flags_of(views));
	sink.out.names = NULL;
	PRINT(vmsnap_print_pages_with, snap, 0, UINT64_MAX, flags_of(views) & VMSNAP_PRINT_LONG);
	vmsnap_names_free(names);
}

/* ---- documents ------------------------------------------------------------------ */

static int forget(void *ctx, const char *text, size_t len)
{
	(void)text;
	*(uint64_t *)ctx += len;
	return 0;
}

static void make_page(const struct views *views)
{
	const struct vmsnap_html_options options = {
		.size = sizeof(options),
		.strip = views->choice >> 22 & 1,
		.sysroot = nowhere,
		.contents = views->choice >> 23 & 1,
	};
	struct vmsnap_html *html = NULL;
	struct vmsnap_error err = { 0 };
	uint64_t len = 0;
	if (!made(vmsnap_html_new(&options, &html, &err), &err))
		return;
	for (size_t i = 0; i < views->count; i++)
		(void)made(vmsnap_html_add(html, views->snaps[i], i + 1, &err), &err);
	if (made(vmsnap_html_write(html, forget, &len, &err), &err))
		FUZZ_CHECK(len);
	vmsnap_html_free(html);
}

static void make_exports(const struct views *views)
{
	static const int formats[] = { VMSNAP_EXPORT_TSV, VMSNAP_EXPORT_FOLDED, VMSNAP_EXPORT_PPROF,
		                       VMSNAP_EXPORT_OPENMETRICS };
	int format = formats[views->choice >> 22 & 3];
	uint64_t len = 0;
	struct vmsnap_export_options options = { .size = sizeof(options), .write = forget, .ctx = &len };
	struct vmsnap_export *export = NULL;
	struct vmsnap_error err = { 0 };
	if (format == VMSNAP_EXPORT_TSV) {
		options.table = views->choice >> 24 & 1 ? "fault" : "vma";
		options.flags = VMSNAP_EXPORT_RUNS;
	}
	if (!made(vmsnap_export_new(format, &options, &export, &err), &err))
		return;
	int rc = vmsnap_export_add(export, views->snaps, views->count, &err);
	if (made(rc, &err))
		(void)made(vmsnap_export_finish(export, &err), &err);
	vmsnap_export_free(export);
}

static void look(const struct views *views)
{
	static void (*const looks[])(const struct views *) = { look_at_groups, look_at_sets,  look_for_who,
		                                               look_at_series, look_at_blame, look_at_values,
		                                               look_at_each,   make_page,     make_exports };
	sink_init(&sink, views->choice);
	looks[(views->choice >> 7) % (sizeof(looks) / sizeof(*looks))](views);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmsnap_file *file;
	struct vmsnap *loaded[SNAPSHOTS];
	struct views views = { .choice = fuzz_hash(data, size) };
	if (vmsnap_file_open_memory(data, size, &limits, &file, NULL))
		return 0;
	views.file = file;
	for (size_t i = 0; i < vmsnap_file_count(file) && views.count < SNAPSHOTS; i++)
		if (!vmsnap_file_load(file, i, &loaded[views.count], NULL)) {
			views.snaps[views.count] = loaded[views.count];
			views.count++;
		}
	if (views.count)
		look(&views);
	for (size_t i = 0; i < views.count; i++)
		vmsnap_unref(loaded[i]);
	vmsnap_file_close(file);
	return 0;
}
