/* aslr.h - two runs of one program, or two of its workers: mappings are matched by what they are (file, offset, kind,
 * order) and not by their addresses, which are others in each run.  Snapshots of any two hosts and times will do:
 * frames are not compared.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_ASLR_API_H
#define VMSNAP_ASLR_API_H

#include <vmsnap/compare.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a mapping is, as far as the snapshot alone tells. */
enum vmsnap_aslr_kind {
	VMSNAP_ASLR_FILE,         /* a file's */
	VMSNAP_ASLR_BEHIND,       /* anonymous memory right behind a program or library: its .bss, or more */
	VMSNAP_ASLR_HEAP,         /* [heap] */
	VMSNAP_ASLR_STACK,        /* [stack] */
	VMSNAP_ASLR_THREAD_STACK, /* some other thread's, and the guard below it */
	VMSNAP_ASLR_ARENA,        /* a heap of malloc's beside [heap], and what is reserved for it */
	VMSNAP_ASLR_ANONYMOUS,
	VMSNAP_ASLR_SHARED, /* shared memory: memfd, System V, MAP_SHARED without a file */
	VMSNAP_ASLR_KERNEL, /* [vdso] and its like */
	VMSNAP_ASLR_KIND_COUNT
};
const char *vmsnap_aslr_kind_name(int kind); /* "thread_stack" */

/* What two matched mappings differ in; their addresses are no difference. */
enum vmsnap_aslr_difference {
	VMSNAP_ASLR_ONLY_A,
	VMSNAP_ASLR_ONLY_B,
	VMSNAP_ASLR_SIZE,
	VMSNAP_ASLR_PERMISSIONS,
	VMSNAP_ASLR_NAME,     /* of the file: another folder or version */
	VMSNAP_ASLR_BUILD_ID, /* of the file; both are known */
	VMSNAP_ASLR_RESIDENT,
	VMSNAP_ASLR_PRIVATE,
	VMSNAP_ASLR_SWAPPED,
	VMSNAP_ASLR_CONTENTS, /* some page holds something else, and not only other addresses, as far as is known */
	VMSNAP_ASLR_DIFFERENCE_COUNT
};
const char *vmsnap_aslr_difference_name(int difference); /* "build_id" */

/* Bytes of one side.  This struct does not grow. */
struct vmsnap_aslr_side {
	uint64_t size, resident, swapped;
	uint64_t private_bytes; /* of private mappings: no file's page and not the zero page, swapped ones included.
	                         * Of a file's mapping: what was copied out of it by a write */
	uint64_t exclusive, exclusive_unknown; /* as in struct vmsnap_sums */
	uint64_t swapped_unknown;              /* may be swapped as well; in none of the others */
};
/* Pages that both keep contents of (capture --contents, --hash), at the same place of two matched mappings: of
 * stacks counted from their ends.  This struct does not grow. */
struct vmsnap_aslr_contents {
	uint64_t compared, same;
	/* Not the same, but all that differs are addresses, each of one place in matched mappings: with bytes only,
	 * not with hashes. */
	uint64_t same_but_addresses;
};

struct vmsnap_aslr;
/* options: of them only what cancels is asked. */
int vmsnap_aslr_new(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                    struct vmsnap_aslr **out, struct vmsnap_error *err);
void vmsnap_aslr_free(struct vmsnap_aslr *aslr);
/* The snapshots it was made from, which it holds. */
const struct vmsnap *vmsnap_aslr_a(const struct vmsnap_aslr *aslr);
const struct vmsnap *vmsnap_aslr_b(const struct vmsnap_aslr *aslr);
/* vmsnap_memory_left() of both, without what it has taken itself. */
uint64_t vmsnap_aslr_memory_left(const struct vmsnap_aslr *aslr);
/* Whether anything differs. */
bool vmsnap_aslr_any(const struct vmsnap_aslr *aslr);
/* Whether contents were compared: both keep some, of pages of one size. */
bool vmsnap_aslr_contents_known(const struct vmsnap_aslr *aslr);

struct vmsnap_aslr_row {
	int kind;                       /* enum vmsnap_aslr_kind */
	uint32_t differs;               /* 1 << enum vmsnap_aslr_difference, or-ed */
	size_t group;                   /* rows of one group belong together: see below */
	const struct vmsnap_vma *a, *b; /* NULL if there is none on that side */
	/* Of these, what is meant: where one has as several mappings what the other has as one, parts of it. */
	uint64_t start_a, end_a, start_b, end_b;
	struct vmsnap_aslr_side in_a, in_b;
	struct vmsnap_aslr_contents contents;
};
/* By address in B; what only A has behind what lies below it there. */
size_t vmsnap_aslr_count(const struct vmsnap_aslr *aslr);
int vmsnap_aslr_row_sized(const struct vmsnap_aslr *aslr, size_t index, struct vmsnap_aslr_row *out, size_t size);
static inline int vmsnap_aslr_row(const struct vmsnap_aslr *aslr, size_t index, struct vmsnap_aslr_row *out)
{
	return vmsnap_aslr_row_sized(aslr, index, out, sizeof(*out));
}

/* A file with the memory behind its segments, or all memory of one kind and name. */
struct vmsnap_aslr_sums {
	const char *name_a, *name_b; /* of the file or memory; "" if none, or not there */
	int kind;                    /* of the first row; of a file VMSNAP_ASLR_FILE */
	struct vmsnap_aslr_side in_a, in_b;
	struct vmsnap_aslr_contents contents;
	size_t only_a, only_b, both, differ; /* rows */
};
#define VMSNAP_ASLR_ALL SIZE_MAX /* all groups together */
size_t vmsnap_aslr_group_count(const struct vmsnap_aslr *aslr);
int vmsnap_aslr_group_sized(const struct vmsnap_aslr *aslr, size_t group, struct vmsnap_aslr_sums *out, size_t size);
static inline int vmsnap_aslr_group(const struct vmsnap_aslr *aslr, size_t group, struct vmsnap_aslr_sums *out)
{
	return vmsnap_aslr_group_sized(aslr, group, out, sizeof(*out));
}

#ifdef __cplusplus
}
#endif
#endif
