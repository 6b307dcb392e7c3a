/* set.h - snapshots of one instant: a tree of processes, a group.  What several of them map counts
 * once there.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_SET_API_H
#define VMSNAP_SET_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether both show one process, by its number, its start time and the boot.  It may have executed
 * another program between. */
bool vmsnap_same_process(const struct vmsnap *a, const struct vmsnap *b);
/* Whether both were taken at one time, as those of a tree are.  Of what nobody knows when it was
 * taken: false. */
bool vmsnap_same_instant(const struct vmsnap *a, const struct vmsnap *b);

struct vmsnap_set;
/* Of one snapshot or more, which it holds, in their order.  VMSNAP_ERR_ARGUMENT if they are not of
 * one instant, or if a process is among them twice. */
int vmsnap_set_new(const struct vmsnap *const *snaps, size_t count, struct vmsnap_set **out, struct vmsnap_error *err);
void vmsnap_set_free(struct vmsnap_set *set);
size_t vmsnap_set_count(const struct vmsnap_set *set);
const struct vmsnap *vmsnap_set_at(const struct vmsnap_set *set, size_t index); /* NULL past the end */
/* The same process in the set, of another time maybe; NULL if it is not there. */
const struct vmsnap *vmsnap_set_same(const struct vmsnap_set *set, const struct vmsnap *snap);
/* The parent of one of its snapshots; NULL if it is not there. */
const struct vmsnap *vmsnap_set_parent(const struct vmsnap_set *set, const struct vmsnap *snap);

/* Bytes.  The zero page is in none of them but resident: it is nobody's. */
struct vmsnap_set_sums {
	uint64_t resident; /* a page counts once for each process that maps it */
	uint64_t distinct; /* a frame counts once; without those that are hidden */
	uint64_t hidden;   /* pages whose frames are not known: as much more there may be at the most */
};
int vmsnap_set_sums_sized(const struct vmsnap_set *set, struct vmsnap_set_sums *out, size_t size,
                          struct vmsnap_error *err);
static inline int vmsnap_set_sums(const struct vmsnap_set *set, struct vmsnap_set_sums *out, struct vmsnap_error *err)
{
	return vmsnap_set_sums_sized(set, out, sizeof(*out), err);
}

#ifdef __cplusplus
}
#endif
#endif
