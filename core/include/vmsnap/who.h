/* who.h - which processes map a frame, a page or a file: now, or in snapshots.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_WHO_API_H
#define VMSNAP_WHO_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vmsnap_who_kind {
	VMSNAP_WHO_FRAME, /* a frame of memory */
	VMSNAP_WHO_SWAP,  /* a slot of a swap area */
	VMSNAP_WHO_FILE,
};
const char *vmsnap_who_kind_name(int kind); /* "frame" */

/* What is asked for. */
struct vmsnap_who_query {
	size_t size;   /* sizeof(struct vmsnap_who_query) */
	uint32_t kind; /* enum vmsnap_who_kind */
	uint64_t pfn;  /* of FRAME */
	/* FRAME, if it is not 0: the one that the page of an address is in, of this process; if it is in swap, its
	 * slot; and if frames are not known, the same page of the file that is mapped there. */
	pid_t pid;
	uint64_t address;
	uint32_t swap_type; /* of SWAP */
	uint64_t swap_offset;
	const char *boot_id; /* of snapshots: which boot they have to be of; NULL: that of the first */
	const char *path;    /* of FILE: it is opened; if it cannot be, mappings of that name, as maps has it */
	bool by_name;        /* it is not opened */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
};

struct vmsnap_who;
/* Looks at all processes now, one after the other: nothing is stopped, and of each only maps and what of pagemap
 * may hold it is read. VMSNAP_ERR_PERMISSION: frames are not known to this user. */
int vmsnap_who_now(const struct vmsnap_who_query *query, struct vmsnap_who **out, struct vmsnap_error *err);
/* The same of snapshots, which are added; with nothing in it yet.  Of FILE, mappings of the name that is its path. */
int vmsnap_who_new(const struct vmsnap_who_query *query, struct vmsnap_who **out, struct vmsnap_error *err);
/* What it needs of the snapshot is copied.  Of FRAME and SWAP, one in which no frames are known, or of another boot, is
 * counted as unreadable. */
int vmsnap_who_add(struct vmsnap_who *who, const struct vmsnap *snap, struct vmsnap_error *err);
/* What is added from now on is of a file that is called so, of the snapshots of which vmsnap_who_add() sees all. */
int vmsnap_who_begin_file(struct vmsnap_who *who, const char *name, struct vmsnap_error *err);
void vmsnap_who_free(struct vmsnap_who *who); /* NULL is fine */

/* Numbers that are not known are UINT64_MAX.  This struct grows at its end. */
struct vmsnap_who_info {
	uint32_t kind; /* enum vmsnap_who_kind: what the query came to */
	bool live;     /* of processes, not of snapshots */
	bool frames_known;
	uint64_t page_size;
	/* Of who was looked at: */
	uint64_t looked;     /* processes that have memory, or snapshots */
	uint64_t unreadable; /* those that could not be read */
	uint64_t went, came; /* processes that ended meanwhile, and that began */
	uint64_t found;      /* mappings of the frame, an address space counting once; of a file, of the file */
	/* Of a frame: */
	uint64_t pfn;
	uint64_t flags;                 /* 1 << enum vmsnap_kpage_flag */
	uint64_t counted, counted_then; /* how often it is mapped, says the kernel, after the look and before */
	bool count_exact;               /* it counts each page of a large one (mapcount), and not their average */
	bool moved;                     /* the page that was asked about was in another frame afterwards */
	uint32_t swap_type;             /* of a slot */
	uint64_t swap_offset;
	/* Of a file: */
	const char *path;
	bool by_name;                  /* it could not be opened, or it is looked for in snapshots */
	uint32_t dev_major, dev_minor; /* as maps shows them */
	uint64_t inode;
	uint64_t offset, bytes; /* which part was asked for; bytes: of the file, or one page */
	uint64_t cached, dirty; /* bytes that the page cache has of it */
	bool cached_by_mincore; /* where cachestat(2) is not told */
	uint64_t files;         /* vmsnap_who_begin_file() */
};
void vmsnap_who_info_sized(const struct vmsnap_who *who, struct vmsnap_who_info *out, size_t size);
static inline void vmsnap_who_info(const struct vmsnap_who *who, struct vmsnap_who_info *out)
{
	vmsnap_who_info_sized(who, out, sizeof(*out));
}

/* Who maps it, in the order of their numbers; of snapshots as they were added. */
struct vmsnap_who_process {
	uint32_t pid, uid;
	uint32_t memory_of;  /* another one of these, whose address space it has; 0: it has its own */
	bool self;           /* the process that looks */
	bool other_file;     /* it maps a file that has, or had, this name and is another one */
	uint64_t start_time; /* as in struct vmsnap_info */
	const char *comm;
	int64_t taken;             /* of a snapshot */
	const char *label;         /* of a snapshot; "" if none */
	uint64_t snapshot;         /* of a snapshot: how many were added before it */
	const struct vmsnap *snap; /* without pages, for names; NULL: it ended, or it is a snapshot's */
	uint64_t mappings;         /* of the file, or that the frame is in */
	/* Of a file, bytes: */
	uint64_t size;          /* of the mappings */
	uint64_t resident;      /* pages of the page cache that it maps */
	uint64_t copied;        /* pages of its own in their place, present or in swap: it wrote there */
	uint64_t copied_code;   /* those in mappings that are executable: patched */
	bool pages_known;       /* its page tables could be read */
	uint64_t first, places; /* which of vmsnap_who_place() are its */
	uint64_t address;       /* of a file: where the first of these mappings begins */
	const char *file;       /* that the snapshot is of; "": nobody said */
	uint64_t file_snapshot; /* how many of that file were added before it */
};
int vmsnap_who_process_sized(const struct vmsnap_who *who, size_t index, struct vmsnap_who_process *out, size_t size);
static inline int vmsnap_who_process(const struct vmsnap_who *who, size_t index, struct vmsnap_who_process *out)
{
	return vmsnap_who_process_sized(who, index, out, sizeof(*out));
}

/* Pages that follow each other: where the frame is mapped; of a file, pages of a process's own. */
struct vmsnap_who_place {
	uint64_t start, end;
	uint32_t flags; /* enum vmsnap_page_flag, of the first page, as pagemap has it */
	uint64_t process;
	struct vmsnap_vma vma;
};
int vmsnap_who_place_sized(const struct vmsnap_who *who, size_t index, struct vmsnap_who_place *out, size_t size);
static inline int vmsnap_who_place(const struct vmsnap_who *who, size_t index, struct vmsnap_who_place *out)
{
	return vmsnap_who_place_sized(who, index, out, sizeof(*out));
}

#ifdef __cplusplus
}
#endif
#endif
