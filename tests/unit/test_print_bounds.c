/* Names of megabytes, as a file may claim them: a line for people stays within bounds, with
 * a width and without; programs get the whole name. */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "test_print_support.h"
#include "text_fit.h"

/* Of four names, what stands between them, and then some. */
enum { ENDLESS = 1 << 20, LINE_MOST = 5 * 4 * FIT_MOST, ROOM = 64 << 20 };

static char endless[ENDLESS + 1];
static char *printed;
static size_t printed_len;
static bool unicode;

static int gather(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	assert_true(printed_len + len < ROOM);
	memcpy(printed + printed_len, text, len);
	printed_len += len;
	return 0;
}

static size_t longest_line(void)
{
	size_t longest = 0;
	for (size_t at = 0; at < printed_len;) {
		const char *end = memchr(printed + at, '\n', printed_len - at);
		size_t len = end ? (size_t)(end - (printed + at)) : printed_len - at;
		longest = len > longest ? len : longest;
		at += len + 1;
	}
	return longest;
}

static struct vmsnap *claiming_much(void)
{
	struct vmsnap *snap = sample_snapshot();
	struct vmsnap_info *info = &snap->info;
	info->comm = info->exe = info->label = info->reason = info->host = info->kernel = info->tool = endless;
	info->cmdline = endless;
	info->cmdline_len = ENDLESS + 1;
	for (size_t i = 0; i < snap->vma_count; i++)
		snap->vmas[i].name = endless;
	static char status[ENDLESS + 64];
	snap->status_len = (size_t)snprintf(status, sizeof(status), "Name:\t%s\nVmRSS:\t 8 kB\n", endless);
	snap->status = status;
	return snap;
}

/* As long as the kernel lets paths be, and no byte of them a character. */
enum { PATH_BYTES = 4095 };
static char mapped[PATH_BYTES + sizeof(" (deleted)")], executable[PATH_BYTES + 1];

static struct vmsnap *with_long_paths(void)
{
	struct vmsnap *snap = sample_snapshot();
	memset(mapped, '\xff', PATH_BYTES);
	memset(executable, '\xfe', PATH_BYTES);
	mapped[0] = executable[0] = '/';
	strcpy(mapped + PATH_BYTES, " (deleted)");
	snap->info.exe = executable;
	for (size_t i = 0; i < snap->vma_count; i++)
		snap->vmas[i].name = mapped;
	return snap;
}

static const struct vmsnap_file *file_of(struct vmsnap *snap)
{
	char path[] = "/tmp/vmsnap-bounds-XXXXXX";
	struct vmsnap_file *file = NULL;
	const struct vmsnap *one = snap;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(vmsnap_write_fd(fd, &one, 1, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	close(fd);
	unlink(path);
	return file;
}

struct reports {
	struct vmsnap *snaps[2];
	struct vmsnap_diff *diff;
	const struct vmsnap_file *file;
};

enum { REPORTS = 10 };
static int report(const struct reports *r, int which, const struct vmsnap_output *out)
{
	const struct vmsnap *const *snaps = (const struct vmsnap *const *)r->snaps;
	const char *const names[] = { endless, endless };
	uint64_t at = r->snaps[0]->vmas[0].start;
	switch (which) {
	case 0:
		return vmsnap_print_show(snaps[0], out, NULL);
	case 1:
		return vmsnap_print_pages(snaps[0], 0, UINT64_MAX, false, out, NULL);
	case 2:
		return vmsnap_print_page(snaps[0], NULL, at, out, NULL);
	case 3:
		return vmsnap_print_diff(r->diff, NULL, 0, out, NULL);
	case 4:
		return vmsnap_print_status(snaps[0], NULL, out, NULL);
	case 5:
		return vmsnap_print_map(snaps[0], NULL, out, NULL);
	case 6:
		return vmsnap_print_snapshots(snaps, names, 2, out, NULL);
	case 7:
		return vmsnap_print_history(snaps, names, 2, at, out, NULL);
	case 8:
		return vmsnap_print_list(r->file, out, NULL);
	default:
		return vmsnap_print_check(r->file, out, NULL);
	}
}

static void each_report_of(struct vmsnap *(*make)(void), unsigned width, bool raw, bool json, void (*look)(int which))
{
	struct reports reports = { .snaps = { make(), make() } };
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = gather };
	out.style = (struct vmsnap_style){
		.size = sizeof(out.style), .width = width, .unicode = unicode, .raw = raw, .json = json
	};
	reports.file = file_of(reports.snaps[0]);
	reports.snaps[1]->vmas[0].perms ^= VMSNAP_PERM_WRITE;
	assert_int_equal(vmsnap_diff_new(reports.snaps[0], reports.snaps[1], &reports.diff, NULL), VMSNAP_OK);
	for (int which = 0; which < REPORTS; which++) {
		printed_len = 0;
		assert_int_equal(report(&reports, which, &out), VMSNAP_OK);
		look(which);
	}
	vmsnap_diff_free(reports.diff);
	vmsnap_file_close((struct vmsnap_file *)(uintptr_t)reports.file);
	vmsnap_unref(reports.snaps[0]);
	vmsnap_unref(reports.snaps[1]);
}

static void each_report(unsigned width, bool raw, bool json, void (*look)(int which))
{
	each_report_of(claiming_much, width, raw, json, look);
}

static void stays_within_bounds(int which)
{
	if (longest_line() > LINE_MOST)
		fail_msg("report %d has a line of %zu bytes", which, longest_line());
}

static void fits_or_wraps(int which)
{
	stays_within_bounds(which);
	/* What is in a file: comm, label and reason in some lines of a terminal. */
	if (which == 8)
		assert_in_range(longest_line(), 1, 1500);
}

static void has_the_whole_comm(int which)
{
	if (which == 0 || which == 8)
		assert_non_null(memmem(printed, printed_len, endless, ENDLESS));
}

static void is_not_cut(int which)
{
	if (which == 0 || which == 1 || which == 8)
		assert_non_null(memmem(printed, printed_len, endless, ENDLESS));
}

static void lines_for_people_are_bounded(void **state)
{
	(void)state;
	each_report(0, false, false, stays_within_bounds);
	each_report(100, false, false, fits_or_wraps);
}

/* They take no column, so that no number of them fills a line. */
static void accents_without_end_are_bounded(void **state)
{
	(void)state;
	for (size_t i = 1; i + 1 < ENDLESS; i += 2)
		memcpy(endless + i, "\xcc\x81", 2);
	each_report(0, false, false, stays_within_bounds);
	each_report(100, false, false, stays_within_bounds);
	unicode = true;
	each_report(0, false, false, stays_within_bounds);
	each_report(100, false, false, stays_within_bounds);
	unicode = false;
	memset(endless, 'x', ENDLESS);
}

static void programs_get_the_whole_name(void **state)
{
	(void)state;
	each_report(0, false, true, has_the_whole_comm);
	each_report(100, true, false, is_not_cut);
}

static void assert_whole(const char *path)
{
	char escaped[4 * PATH_BYTES + sizeof(" (deleted)")];
	size_t len = 0;
	for (; *path; path++)
		len += (size_t)snprintf(escaped + len, sizeof(escaped) - len,
		                        (unsigned char)*path >= 0x80 ? "\\x%02x" : "%c", (unsigned char)*path);
	assert_non_null(memmem(printed, printed_len, escaped, len));
}

static void has_whole_paths(int which)
{
	if (which == 0 || which == 2 || which == 3)
		assert_whole(mapped);
	if (which == 0)
		assert_whole(executable);
}

static void legal_paths_are_not_cut_where_there_is_no_terminal(void **state)
{
	(void)state;
	each_report_of(with_long_paths, 0, false, false, has_whole_paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_for_people_are_bounded),
		cmocka_unit_test(accents_without_end_are_bounded),
		cmocka_unit_test(programs_get_the_whole_name),
		cmocka_unit_test(legal_paths_are_not_cut_where_there_is_no_terminal),
	};
	memset(endless, 'x', ENDLESS);
	printed = malloc(ROOM);
	if (!printed)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(printed);
	return failed;
}
