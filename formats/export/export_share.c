/* export_share.c - of several processes of one instant: who shares how much, and what forks copied. */
#include "export_share.h"

#include <stdlib.h>

#include "error.h"

struct export_share {
	struct vmsnap_set *before; /* the instant before: what forks are compared with */
};

/* snap: of its process, as it is told (maybe less than the group has). */
static int group_row(struct export_rows *rows, const struct vmsnap_group *group, size_t index,
                     const struct vmsnap *snap, struct vmsnap_error *err)
{
	struct vmsnap_group_process process;
	struct row row = row_begin(rows, EXPORT_GROUP_SHARE);
	vmsnap_group_process(group, index, &process);
	bool frames = process.source == VMSNAP_GROUP_FRAMES && !process.hidden;
	row_put_key(&row, snap ? snap : process.snap);
	row_put(&row, vmsnap_group_count(group));
	row_put_string(&row, vmsnap_group_role_name(process.role));
	row_put_string(&row, vmsnap_group_source_name(process.source));
	row_put(&row, process.rss);
	row_put_if(&row, process.pss_known, process.pss);
	row_put_if(&row, process.source != VMSNAP_GROUP_NOTHING && !process.own_unknown, process.uss);
	row_put_if(&row, frames && !process.own_unknown, process.own);
	row_put_if(&row, frames, process.of_private);
	row_put_if(&row, frames, process.of_cache);
	row_put_if(&row, frames, process.of_shared);
	row_put_if(&row, frames, process.with_private);
	row_put_if(&row, frames, process.with_cache);
	row_put_if(&row, frames, process.with_shared);
	return row_end(&row, err);
}

static int group_rows(struct export_rows *rows, const struct vmsnap_set *set, struct vmsnap_error *err)
{
	struct vmsnap_group_options how = { .size = sizeof(how),
		                            .cancelled = rows->work->cancelled,
		                            .cancel_ctx = rows->work->cancel_ctx };
	struct vmsnap_group *group;
	int rc = vmsnap_group_new(set, &how, &group, err);
	if (rc)
		return rc;
	size_t count = vmsnap_group_count(group);
	for (size_t i = 0; !rc && i < count; i++)
		rc = group_row(rows, group, i, NULL, err);
	vmsnap_group_free(group);
	return rc;
}

static int given_rows(struct export_rows *rows, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++)
		rc = group_row(rows, rows->group, i, snaps[i], err);
	return rc;
}

static int cow_row(struct export_rows *rows, const struct vmsnap_set_cow_row *fork, int verdict, uint64_t bytes,
                   struct vmsnap_error *err)
{
	struct row row = row_begin(rows, EXPORT_COW);
	row_put_key(&row, fork->parent);
	row_put_other_key(&row, fork->child);
	row_put_string(&row, vmsnap_verdict_name(verdict));
	row_put(&row, bytes);
	return row_end(&row, err);
}

static int cow_rows(struct export_rows *rows, const struct vmsnap_set *set, const struct vmsnap_set *before,
                    struct vmsnap_error *err)
{
	struct vmsnap_compare_options how = { .size = sizeof(how),
		                              .cancelled = rows->work->cancelled,
		                              .cancel_ctx = rows->work->cancel_ctx };
	struct vmsnap_set_cow *cow;
	struct vmsnap_set_cow_row fork;
	int rc = vmsnap_set_cow_new(set, before, &how, &cow, err);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && !vmsnap_set_cow_row(cow, i, &fork); i++) {
		bool told = fork.parent && fork.relation == VMSNAP_RELATION_COMPARABLE;
		for (int verdict = 0; !rc && told && verdict < VMSNAP_VERDICT_COUNT; verdict++) {
			uint64_t pages = vmsnap_set_cow_pages(cow, i, verdict);
			if (pages)
				rc = cow_row(rows, &fork, verdict, pages * vmsnap_info(fork.child)->page_size, err);
		}
	}
	vmsnap_set_cow_free(cow);
	return rc;
}

/* Some of those before are there still. */
static bool goes_on(const struct vmsnap_set *set, const struct vmsnap_set *before)
{
	const struct vmsnap *snap;
	for (size_t i = 0; before && (snap = vmsnap_set_at(set, i)); i++)
		if (vmsnap_set_same(before, snap))
			return true;
	return false;
}

int export_share_rows(struct export_rows *rows, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err)
{
	struct vmsnap_set *set;
	bool groups = rows->tables & 1u << EXPORT_GROUP_SHARE, forks = rows->tables & 1u << EXPORT_COW;
	if ((count < 2 && !rows->group) || (!groups && !forks))
		return VMSNAP_OK;
	if (!rows->share && !(rows->share = calloc(1, sizeof(*rows->share))))
		return fail_no_memory(err);
	int rc = vmsnap_set_new(snaps, count, &set, err);
	if (rc)
		return rc == VMSNAP_ERR_ARGUMENT ? VMSNAP_OK : rc; /* a file that has one process twice at one time */
	if (groups)
		rc = rows->group ? given_rows(rows, snaps, count, err) : group_rows(rows, set, err);
	if (!rc && forks)
		rc = cow_rows(rows, set, goes_on(set, rows->share->before) ? rows->share->before : NULL, err);
	vmsnap_set_free(rows->share->before);
	rows->share->before = set;
	return rc;
}

void export_share_free(struct export_share *share)
{
	if (share)
		vmsnap_set_free(share->before);
	free(share);
}
