/* group.h - processes of one instant: who shares how much memory with whom, and what became of it.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_GROUP_API_H
#define VMSNAP_GROUP_API_H

#include <vmsnap/compare.h>
#include <vmsnap/set.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one instant ------------------------------------------------------------- */

/* Whose a frame is.  One that is mapped in several ways is of the last of them. */
enum vmsnap_memory {
	VMSNAP_MEMORY_PRIVATE, /* of no file: what processes have after a fork until one of them writes */
	VMSNAP_MEMORY_CACHE,   /* the page cache's, mapped privately: programs and libraries */
	VMSNAP_MEMORY_SHARED,  /* of a file or of shared memory, in a shared mapping of some process */
	VMSNAP_MEMORY_COUNT
};
const char *vmsnap_memory_name(int memory); /* "private" */

/* How often the kernel says that frames are mapped, in all processes: /proc/kpagecount, of this machine and
 * now, for root.  VMSNAP_ERR_NOT_FOUND: it does not count each page (CONFIG_NO_PAGE_MAPCOUNT). */
struct vmsnap_frame_counter;
int vmsnap_frame_counter_open(struct vmsnap_frame_counter **out, struct vmsnap_error *err);
void vmsnap_frame_counter_close(struct vmsnap_frame_counter *counter); /* NULL is fine */
/* Of `count` frames that follow each other; 0 or an errno.  As vmsnap_group_options wants it. */
int vmsnap_frame_counter_read(void *counter, uint64_t frame, size_t count, uint64_t *counts);

struct vmsnap_group_options {
	size_t size;                  /* sizeof(struct vmsnap_group_options) */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	/* How often frames are mapped in all processes, in order of frames, each that is not exclusive once: right
	 * after a capture vmsnap_frame_counter_read().  NULL: what the snapshots know. */
	int (*counts)(void *ctx, uint64_t frame, size_t count, uint64_t *counts);
	void *counts_ctx;
};

struct vmsnap_group;
/* Takes 64 bytes for each run of pages meanwhile, 24 for each pair of processes, and for each set of
 * processes that share something a bit for each process. */
int vmsnap_group_new(const struct vmsnap_set *set, const struct vmsnap_group_options *options,
                     struct vmsnap_group **out, struct vmsnap_error *err);
void vmsnap_group_free(struct vmsnap_group *group);

/* Where the numbers of a process come from. */
enum vmsnap_group_source {
	VMSNAP_GROUP_FRAMES, /* frames: exact */
	VMSNAP_GROUP_SMAPS, /* frames are not known; PSS and USS are the sums of smaps, a kilobyte for each mapping less
	                     * at the most */
	VMSNAP_GROUP_NOTHING, /* neither is there: nothing but rss is known */
	VMSNAP_GROUP_SOURCE_COUNT
};
const char *vmsnap_group_source_name(int source); /* "frames" */
enum vmsnap_group_role {
	VMSNAP_GROUP_ALONE,  /* neither parent nor child of another in the group */
	VMSNAP_GROUP_MASTER, /* others are its children, and its parent is not there */
	VMSNAP_GROUP_WORKER, /* its parent is there */
	VMSNAP_GROUP_ROLE_COUNT
};
const char *vmsnap_group_role_name(int role); /* "worker"; NULL: alone */

/* Bytes.  As smaps counts, the zero page, hugetlb pages and device memory are left out of all of them. */
struct vmsnap_group_process {
	const struct vmsnap *snap; /* held by the group */
	size_t space; /* the first process in the group with the same address space; itself, as a rule.  All
	               * below is told of the first one, and again of others, and counts once */
	int source;   /* enum vmsnap_group_source */
	int role;     /* enum vmsnap_group_role */
	uint64_t rss;
	/* Each page divided by how often its frame is mapped, in all processes of the machine. */
	uint64_t pss;
	bool pss_known;
	uint64_t share;       /* each page divided by how often its frame is mapped in the group; if frames are known */
	uint64_t uss;         /* pages whose frames are mapped once, by anybody */
	uint64_t own;         /* frames that no other process maps: more than uss if this one maps some twice */
	uint64_t own_unknown; /* as much may be in uss and own besides: it is not known who else maps it */
	/* Pages by whose they are: enum vmsnap_memory.  They make rss. */
	uint64_t of_private, of_cache, of_shared;
	/* Frames that some other process of the group maps, too. */
	uint64_t with_private, with_cache, with_shared;
	uint64_t outside; /* frames that processes outside the group map, too: as far as that is known */
	uint64_t hidden;  /* pages whose frames are not known; they are in rss and of_…, and else nowhere */
};
size_t vmsnap_group_count(const struct vmsnap_group *group);
int vmsnap_group_process_sized(const struct vmsnap_group *group, size_t index, struct vmsnap_group_process *out,
                               size_t size);
static inline int vmsnap_group_process(const struct vmsnap_group *group, size_t index, struct vmsnap_group_process *out)
{
	return vmsnap_group_process_sized(group, index, out, sizeof(*out));
}

/* Of all of them, in bytes; of frames each once. */
enum vmsnap_group_total {
	VMSNAP_GROUP_TOTAL_SPACES,  /* how many address spaces */
	VMSNAP_GROUP_TOTAL_RSS,     /* the sum */
	VMSNAP_GROUP_TOTAL_PSS,     /* the sum; if all are known */
	VMSNAP_GROUP_TOTAL_FRAMES,  /* in frames */
	VMSNAP_GROUP_TOTAL_PRIVATE, /* of these, by whose they are */
	VMSNAP_GROUP_TOTAL_CACHE,
	VMSNAP_GROUP_TOTAL_SHARED,
	VMSNAP_GROUP_TOTAL_OWN,            /* that one process of the group maps, whoever else does */
	VMSNAP_GROUP_TOTAL_BY_ALL_PRIVATE, /* that all of them map */
	VMSNAP_GROUP_TOTAL_BY_ALL_CACHE,
	VMSNAP_GROUP_TOTAL_BY_ALL_SHARED,
	VMSNAP_GROUP_TOTAL_OUTSIDE,         /* that processes outside the group map, too, as far as that is known */
	VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN, /* of which that is not known */
	VMSNAP_GROUP_TOTAL_HIDDEN,          /* pages whose frames are not known: all others say the least then */
	VMSNAP_GROUP_TOTAL_USS,             /* in frames that nobody outside the group maps, as far as that is known */
	VMSNAP_GROUP_TOTAL_COUNT
};
const char *vmsnap_group_total_name(int total); /* "by_all_private" */
uint64_t vmsnap_group_total(const struct vmsnap_group *group, int total);

/* Frames that both map, in bytes; enum vmsnap_memory.  Of processes by their index; of one address space, and of
 * what there is not, 0. */
uint64_t vmsnap_group_pair(const struct vmsnap_group *group, size_t a, size_t b, int memory);

/* Mappings of one name, device and inode, and those without a name, in all processes. */
struct vmsnap_group_mapping {
	const struct vmsnap_vma *vma; /* one of them */
	size_t processes;             /* how many address spaces have one */
	uint64_t size, rss;           /* the sums */
	uint64_t pss;                 /* if pss_known */
	bool pss_known;
	uint64_t frames; /* bytes; each once, as are the others */
	uint64_t by_all; /* mapped by all processes of the group */
	uint64_t shared; /* by two or more */
	uint64_t own;    /* by one of the group */
	uint64_t outside;
	uint64_t hidden;
};
size_t vmsnap_group_mapping_count(const struct vmsnap_group *group); /* those with most frames come first */
int vmsnap_group_mapping_sized(const struct vmsnap_group *group, size_t index, struct vmsnap_group_mapping *out,
                               size_t size);
static inline int vmsnap_group_mapping(const struct vmsnap_group *group, size_t index, struct vmsnap_group_mapping *out)
{
	return vmsnap_group_mapping_sized(group, index, out, sizeof(*out));
}
/* That of one of a process's mappings, as vmsnap_vma() counts; SIZE_MAX: there is none such. */
size_t vmsnap_group_mapping_of(const struct vmsnap_group *group, size_t process, size_t vma);

/* Neighbouring pages of a process's private memory: either all are shared with another process of the group, or
 * none.  This struct does not grow. */
struct vmsnap_group_range {
	uint64_t start, end;
	size_t vma; /* as vmsnap_vma() counts */
	bool shared;
};
/* In address order, until fn returns false.  Pages whose frames are not known are in none. */
int vmsnap_group_ranges(const struct vmsnap_group *group, size_t process,
                        bool (*fn)(void *ctx, const struct vmsnap_group_range *range), void *ctx,
                        struct vmsnap_error *err);

/* ---- two instants ------------------------------------------------------------ */

/* What of the sharing was lost between two groups of one machine: pages of private memory that at A some other
 * process of the group had, too, and at B, at the same address of the same process, none has. */
struct vmsnap_group_change;
/* VMSNAP_ERR_ARGUMENT: they are of two machines, or of two boots of one. */
int vmsnap_group_change_new(const struct vmsnap_group *a, const struct vmsnap_group *b,
                            const struct vmsnap_group_options *options, struct vmsnap_group_change **out,
                            struct vmsnap_error *err);
void vmsnap_group_change_free(struct vmsnap_group_change *change);

/* A process; those of B in B's order, then those that only A has. */
struct vmsnap_group_change_process {
	size_t a, b;     /* indexes in the groups; SIZE_MAX: it is not there */
	bool known;      /* below: both are there, run the same program, and their frames are known */
	uint64_t copied; /* bytes that got other frames: they were written to */
	uint64_t left;   /* bytes in the same frames, which all others have left: they wrote to them, gave them back or
	                    ended */
};
size_t vmsnap_group_change_count(const struct vmsnap_group_change *change);
int vmsnap_group_change_process_sized(const struct vmsnap_group_change *change, size_t index,
                                      struct vmsnap_group_change_process *out, size_t size);
static inline int vmsnap_group_change_process(const struct vmsnap_group_change *change, size_t index,
                                              struct vmsnap_group_change_process *out)
{
	return vmsnap_group_change_process_sized(change, index, out, sizeof(*out));
}
/* Bytes that were lost in the mappings of B, as vmsnap_group_mapping() of B counts: in all processes, each for itself.
 */
uint64_t vmsnap_group_change_lost(const struct vmsnap_group_change *change, size_t mapping);
/* The mapping at A with the same name, device and inode; SIZE_MAX: there is none. */
size_t vmsnap_group_change_mapping(const struct vmsnap_group_change *change, size_t mapping);
/* Where: by process, and in it by address.  This struct does not grow. */
struct vmsnap_group_lost {
	size_t process; /* as vmsnap_group_change_process() counts */
	uint64_t start, end;
	bool copied; /* into other frames */
};
int vmsnap_group_change_range(const struct vmsnap_group_change *change, size_t index, struct vmsnap_group_lost *out);

#ifdef __cplusplus
}
#endif
#endif
