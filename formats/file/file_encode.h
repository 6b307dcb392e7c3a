/* file_encode.h - the model to payloads of sections (docs/format.md, section 4).
 * Compresses nothing, writes nothing.  A snapshot that the format cannot hold (an
 * unaligned mapping, say) is VMSNAP_ERR_ARGUMENT. */
#ifndef VMSNAP_FILE_ENCODE_H
#define VMSNAP_FILE_ENCODE_H

#include "file_deflate.h"
#include "file_frames.h"
#include "vmsnap.h"

int encode_snap(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
/* Of one that is written without what its pages hold. */
int encode_snap_alone(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_vmas(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_thrd(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_smap(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_name(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_types(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_writ(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_kpag(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_faults(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_memory_events(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_node(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);
int encode_dump(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err);

/* Pages come in several payloads, so that they can be compressed and written
 * while the next is made. */
enum { ENCODE_RUNS_MAX = 32768, ENCODE_BATCH = 128 };
struct page_encoder {
	uint64_t page_size;
	bool frames_known;
	struct vmsnap_run_iter runs;
	const struct vmsnap_run *given; /* instead of those; NULL: none */
	size_t given_left;
	bool absent_too; /* pages that are not there any more: a difference */
	struct vmsnap_run batch[ENCODE_BATCH];
	size_t next, batched;     /* of the batch; none: no more */
	uint64_t *gaps, *lengths; /* scratch, ENCODE_RUNS_MAX each */
	uint8_t *states, *swap_types;
	struct frame_writer frames;
};
int page_encoder_init(struct page_encoder *encoder, const struct vmsnap *snap, struct vmsnap_error *err);
/* What differs from the pages of another snapshot: as PAGE, and runs without flags are pages that are gone. */
int page_encoder_init_difference(struct page_encoder *encoder, const struct vmsnap *snap, const struct vmsnap_run *runs,
                                 size_t count, struct vmsnap_error *err);
void page_encoder_free(struct page_encoder *encoder);
/* Whether another payload is to come. */
bool page_encoder_more(const struct page_encoder *encoder);
/* VMSNAP_END once there are no more. */
int page_encoder_next(struct page_encoder *encoder, struct payload *out, struct vmsnap_error *err);

static inline int encode_done(const struct payload *out)
{
	return out->bytes.failed ? VMSNAP_ERR_NO_MEMORY : VMSNAP_OK;
}

#endif
