/* Forks: what became of the pages of a parent and its child since the first instant at which both are there. */
#include <string.h>

#include "error.h"
#include "report.h"

static const struct vmsnap *at_this_instant(const struct vmsnap_html *html, uint32_t process)
{
	const struct report_process *of = &html->processes[process];
	return of->last && of->last_instant == html->instant_count - 1 ? of->last : NULL;
}

static bool is_parent(const struct vmsnap *parent, const struct vmsnap *child)
{
	return !vmsnap_info(child)->known.states_unknown && parent != child &&
	       vmsnap_info(child)->ppid == vmsnap_info(parent)->pid &&
	       vmsnap_info(parent)->start_time <= vmsnap_info(child)->start_time;
}

static bool fork_is_known(const struct vmsnap_html *html, uint32_t parent, uint32_t child)
{
	for (size_t i = 0; i < html->fork_count; i++)
		if (html->forks[i].parent == parent && html->forks[i].child == child)
			return true;
	return false;
}

static int fork_skip(struct report_fork *fork, struct vmsnap_error *err)
{
	int rc = track_skip(&fork->verdicts, err);
	return rc ? rc : track_skip(&fork->inferred, err);
}

static int fork_new(struct vmsnap_html *html, uint32_t parent, uint32_t child, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	struct report_fork *fork = REPORT_ROOM(html, html->forks, html->fork_count, html->fork_room, &rc);
	if (rc)
		return work_fail(&html->work, rc, err);
	*fork = (struct report_fork){ .parent = parent,
		                      .child = child,
		                      .base_instant = (uint32_t)html->instant_count - 1,
		                      .parent_base = vmsnap_ref(at_this_instant(html, parent)),
		                      .child_base = vmsnap_ref(at_this_instant(html, child)) };
	track_init(&fork->verdicts, false, &html->work);
	track_init(&fork->inferred, false, &html->work);
	for (size_t i = 1; !rc && i < html->instant_count; i++)
		rc = fork_skip(fork, err);
	return rc;
}

static int find_forks(struct vmsnap_html *html, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (uint32_t child = 0; !rc && child < html->process_count; child++) {
		const struct vmsnap *of_child = at_this_instant(html, child);
		for (uint32_t parent = 0; !rc && of_child && parent < html->process_count; parent++) {
			const struct vmsnap *of_parent = at_this_instant(html, parent);
			if (of_parent && is_parent(of_parent, of_child) && !fork_is_known(html, parent, child))
				rc = fork_new(html, parent, child, err);
		}
	}
	return rc;
}

struct run_list {
	struct track_run *items;
	size_t count, room;
};
struct verdict_lists {
	struct run_list verdicts, inferred;
};

static int list_run(struct vmsnap_html *html, struct run_list *list, uint64_t start, uint64_t end, int value)
{
	int rc = VMSNAP_OK;
	struct track_run *item = REPORT_ROOM(html, list->items, list->count, list->room, &rc);
	if (item)
		*item = (struct track_run){ .page = start / html->page_size,
			                    .pages = (end - start) / html->page_size,
			                    .value = (uint8_t)value };
	return rc;
}

/* Verdicts by address.  Where the child put memory over memory, what was there comes behind what is, at lower
 * addresses again: that is left out, as one page has one value. */
static int list_verdicts(struct vmsnap_html *html, const struct vmsnap_cow *cow, struct verdict_lists *lists)
{
	struct vmsnap_cow_range range;
	uint64_t next = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_cow_range(cow, i, &range); i++) {
		uint64_t start = range.start, end = range.end;
		if (html->options.end) {
			start = start > html->options.start ? start : html->options.start;
			end = end < html->options.end ? end : html->options.end;
		}
		if (start < next || start >= end)
			continue;
		rc = list_run(html, &lists->verdicts, start, end, range.verdict + 1);
		int marks = (range.inferred ? FORK_INFERRED : 0) | (range.touched ? FORK_TOUCHED : 0);
		if (!rc && marks)
			rc = list_run(html, &lists->inferred, start, end, marks);
		next = end;
	}
	return rc;
}

static bool is_lost(int verdict)
{
	int page_class = report_class_of_verdict(verdict);
	return page_class == REPORT_COPIED || page_class == REPORT_CHILD || page_class == REPORT_NEW;
}

static int name_lost(struct vmsnap_html *html, const struct report_fork *fork, const struct vmsnap_cow *cow,
                     struct vmsnap_error *err)
{
	struct vmsnap_cow_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_cow_range(cow, i, &range); i++)
		if (is_lost(range.verdict))
			rc = names_of_pages(html, &html->processes[fork->child], range.start, range.end, err);
	return rc;
}

static int keep_warning(struct vmsnap_html *html, struct report_fork *fork, const struct vmsnap_cow *cow)
{
	const char *warning = vmsnap_cow_warning(cow);
	fork->warning = strings_add(&html->strings, warning, strlen(warning));
	return html->strings.failed;
}

static void lists_free(struct vmsnap_html *html, struct verdict_lists *lists)
{
	work_free(&html->work, lists->verdicts.items, lists->verdicts.room, sizeof(struct track_run));
	work_free(&html->work, lists->inferred.items, lists->inferred.room, sizeof(struct track_run));
}

static int add_verdicts(struct report_fork *fork, const struct verdict_lists *lists, struct vmsnap_error *err)
{
	int rc = track_add(&fork->verdicts, lists->verdicts.items, lists->verdicts.count, err);
	return rc ? rc : track_add(&fork->inferred, lists->inferred.items, lists->inferred.count, err);
}

static int fork_compare(struct vmsnap_html *html, struct report_fork *fork, const struct vmsnap *parent,
                        const struct vmsnap *child, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = { .size = sizeof(options),
		                                  .cancelled = html->options.cancelled,
		                                  .cancel_ctx = html->options.cancel_ctx };
	struct vmsnap_cow *cow;
	struct verdict_lists lists = { 0 };
	int rc = vmsnap_cow_new_between(parent, child, fork->parent_base, fork->child_base, &options, &cow, err);
	if (rc)
		return rc;
	rc = list_verdicts(html, cow, &lists);
	rc = rc ? rc : keep_warning(html, fork, cow);
	rc = rc ? work_fail(&html->work, rc, err) : add_verdicts(fork, &lists, err);
	rc = rc ? rc : name_lost(html, fork, cow, err);
	lists_free(html, &lists);
	vmsnap_cow_free(cow);
	return rc;
}

int forks_add(struct vmsnap_html *html, struct vmsnap_error *err)
{
	int rc = find_forks(html, err);
	for (size_t i = 0; !rc && i < html->fork_count; i++) {
		struct report_fork *fork = &html->forks[i];
		const struct vmsnap *parent = at_this_instant(html, fork->parent),
		                    *child = at_this_instant(html, fork->child);
		if (parent && child)
			rc = fork_compare(html, fork, parent, child, err);
		else
			rc = fork_skip(fork, err);
	}
	return rc;
}

void fork_free(struct report_fork *fork)
{
	vmsnap_unref(fork->parent_base);
	vmsnap_unref(fork->child_base);
	track_free(&fork->verdicts);
	track_free(&fork->inferred);
}
