/* builder.h - makes a snapshot from what is given: for other sources than a process or a file, and
 * to add to a snapshot what only a debugger knows.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_BUILDER_API_H
#define VMSNAP_BUILDER_API_H

#include <vmsnap/contents.h>
#include <vmsnap/faults.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A snapshot in the making; of one thread.  Everything given is copied. */
struct vmsnap_builder;

/* Whose memory it is, and what is known of its pages.  info->page_size is a power of two from
 * 4096 to 2^30; strings may be NULL for "". */
int vmsnap_builder_new_sized(const struct vmsnap_info *info, size_t size, struct vmsnap_builder **out,
                             struct vmsnap_error *err);
static inline int vmsnap_builder_new(const struct vmsnap_info *info, struct vmsnap_builder **out,
                                     struct vmsnap_error *err)
{
	return vmsnap_builder_new_sized(info, sizeof(*info), out, err);
}
/* Begins with all that a snapshot has, and adds annotations to it: mappings, pages, status and
 * threads are those that are there (VMSNAP_ERR_ARGUMENT).  The new snapshot holds the old one
 * and shares its memory with it. */
int vmsnap_builder_from(const struct vmsnap *snap, struct vmsnap_builder **out, struct vmsnap_error *err);
void vmsnap_builder_free(struct vmsnap_builder *builder); /* NULL is fine */

/* Mappings and runs come in the order of their addresses, whole pages, and do not overlap.
 * Whether a file is deleted is read from its name. */
int vmsnap_builder_add_vma_sized(struct vmsnap_builder *builder, const struct vmsnap_vma *vma, size_t size,
                                 struct vmsnap_error *err);
static inline int vmsnap_builder_add_vma(struct vmsnap_builder *builder, const struct vmsnap_vma *vma,
                                         struct vmsnap_error *err)
{
	return vmsnap_builder_add_vma_sized(builder, vma, sizeof(*vma), err);
}
int vmsnap_builder_add_run(struct vmsnap_builder *builder, const struct vmsnap_run *run, struct vmsnap_error *err);
/* What was written of the process's pages, enum vmsnap_page_written: ranges in the order of their addresses, whole
 * pages.  Only if info.known.written says who told it. */
int vmsnap_builder_add_written(struct vmsnap_builder *builder, const struct vmsnap_layer_range *range,
                               struct vmsnap_error *err);
/* The same of what the kernel knows of pages: VMSNAP_LAYER_KPAGE_FLAGS, _COUNT or _NODE, which is known from then
 * on.  range NULL: adds none. */
int vmsnap_builder_add_layer(struct vmsnap_builder *builder, int layer, const struct vmsnap_layer_range *range,
                             struct vmsnap_error *err);
/* The text of /proc/PID/status. */
int vmsnap_builder_set_status(struct vmsnap_builder *builder, const char *text, size_t len, struct vmsnap_error *err);
int vmsnap_builder_add_thread_sized(struct vmsnap_builder *builder, const struct vmsnap_thread *thread, size_t size,
                                    struct vmsnap_error *err);
static inline int vmsnap_builder_add_thread(struct vmsnap_builder *builder, const struct vmsnap_thread *thread,
                                            struct vmsnap_error *err)
{
	return vmsnap_builder_add_thread_sized(builder, thread, sizeof(*thread), err);
}
/* In any order; NULL strings are "".  If one of them is refused, none is added. */
int vmsnap_builder_add_annotations_sized(struct vmsnap_builder *builder, const struct vmsnap_annotation *annotations,
                                         size_t count, size_t size, struct vmsnap_error *err);
static inline int vmsnap_builder_add_annotations(struct vmsnap_builder *builder,
                                                 const struct vmsnap_annotation *annotations, size_t count,
                                                 struct vmsnap_error *err)
{
	return vmsnap_builder_add_annotations_sized(builder, annotations, count, sizeof(*annotations), err);
}

/* Types of what annotations name (vmsnap_types()), in the place of those that there are; also to a snapshot that there
 * is (vmsnap_builder_from()).  VMSNAP_ERR_ARGUMENT if they are not as docs/format.md has them. */
int vmsnap_builder_set_types(struct vmsnap_builder *builder, const void *bytes, size_t len, struct vmsnap_error *err);

/* What it is called, in the place of what it was called; also of a snapshot that there is. */
int vmsnap_builder_set_label(struct vmsnap_builder *builder, const char *label, struct vmsnap_error *err);

/* Page faults of the time before the snapshot, in the place of those that there are, which it holds from then on; also
 * to a snapshot that there is.  NULL: none. */
int vmsnap_builder_set_faults(struct vmsnap_builder *builder, const struct vmsnap_faults *faults,
                              struct vmsnap_error *err);

/* What pages hold, whole pages in the order of their addresses.  store: where they are kept; all of a snapshot
 * are in one.  NULL: that of the pages before, or one of its own.
 * Pages larger than 64 KiB have none: VMSNAP_ERR_ARGUMENT, as a file cannot hold them. */
int vmsnap_builder_add_contents(struct vmsnap_builder *builder, struct vmsnap_store *store, uint64_t address,
                                const void *bytes, size_t len, struct vmsnap_error *err);

/* The snapshot, with one reference.  The builder is empty then, and only to be freed. */
int vmsnap_builder_finish(struct vmsnap_builder *builder, struct vmsnap **out, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
