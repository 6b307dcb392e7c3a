#define _GNU_SOURCE
#include "file_write.h"

#include <string.h>

#include "error.h"
#include "file_contents_write.h"
#include "file_encode.h"
#include "file_pipeline.h"
#include "file_sink.h"
#include "section.h"

struct stream_writer {
	struct file_sink sink;
	struct work *work; /* asked between sections */
	struct vmsnap_error *err;
	struct deflater *deflater;
	struct payload payload;
	struct bytes stored;
	/* of the snapshot that is being written */
	uint64_t start;
	uint32_t sections, headers_crc;
	struct contents_writer *contents; /* NULL: without what pages hold, until now */
	uint64_t whole;                   /* bytes that were in the file already */
	struct vmsnap_file *before;       /* these, or NULL */
	bool no_contents;
};

static int put_section(struct stream_writer *writer, uint32_t type, bool required, const struct payload *payload,
                       const struct bytes *deflated)
{
	const struct bytes *stored = deflated ? deflated : &payload->bytes;
	uint8_t header[SECTION_HEADER_BYTES];
	if (work_ask(writer->work))
		return work_fail(writer->work, VMSNAP_ERR_CANCELLED, writer->err);
	struct section section = {
		.type = type,
		.flags = (uint16_t)((required ? SECTION_REQUIRED : 0) | (deflated ? SECTION_DEFLATED : 0)),
		.stored = stored->len,
		.raw = payload->bytes.len,
		.crc = crc_of(0, stored->data, stored->len),
	};
	section_write(&section, header);
	writer->headers_crc = crc_of(writer->headers_crc, header, sizeof(header));
	writer->sections++;
	int rc = sink_write(&writer->sink, header, sizeof(header), writer->err);
	return rc ? rc : sink_write(&writer->sink, stored->data, stored->len, writer->err);
}

/* Writes what is in writer->payload. */
static int put_payload(struct stream_writer *writer, uint32_t type, bool required, enum deflate_effort effort)
{
	bool deflated = deflate_payload(writer->deflater, &writer->payload, effort, &writer->stored);
	return put_section(writer, type, required, &writer->payload, deflated ? &writer->stored : NULL);
}

static int put_encoded(struct stream_writer *writer, const struct vmsnap *snap, uint32_t type, bool required,
                       int (*encode)(const struct vmsnap *, struct payload *, struct vmsnap_error *))
{
	payload_clear(&writer->payload);
	int rc = encode(snap, &writer->payload, writer->err);
	return rc ? rc : put_payload(writer, type, required, DEFLATE_SMALL_TEXT);
}

static int put_status(struct stream_writer *writer, const struct vmsnap *snap)
{
	payload_clear(&writer->payload);
	size_t len;
	const char *status = vmsnap_status_text(snap, &len);
	put_bytes(&writer->payload.bytes, status, len);
	if (writer->payload.bytes.failed)
		return fail_no_memory(writer->err);
	return put_payload(writer, SECTION_STAT, true, DEFLATE_SMALL_TEXT);
}

/* ---- pages, compressed in several threads ---- */

struct deflate_job {
	struct payload payload;
	struct bytes stored; /* if deflated */
	bool deflated;
};

static void *new_deflater(void)
{
	return deflater_new();
}

static void free_deflater(void *deflater)
{
	deflater_free(deflater);
}

static void deflate_one(void *deflater, void *context)
{
	struct deflate_job *job = context;
	job->deflated = deflate_payload(deflater, &job->payload, DEFLATE_FAST, &job->stored);
}

static void free_deflated(void *context)
{
	struct deflate_job *job = context;
	payload_free(&job->payload);
	bytes_free(&job->stored);
}

static const struct pipeline_ops deflate_ops = { .job_size = sizeof(struct deflate_job),
	                                         .worker_new = new_deflater,
	                                         .worker_free = free_deflater,
	                                         .work = deflate_one,
	                                         .job_free = free_deflated };

static int put_finished(struct stream_writer *writer, struct pipeline *pipeline)
{
	struct deflate_job *job = pipeline_finish(pipeline);
	if (!job)
		return VMSNAP_END;
	return put_section(writer, SECTION_PAGE, true, &job->payload, job->deflated ? &job->stored : NULL);
}

static int put_many_pages(struct stream_writer *writer, struct page_encoder *encoder, struct pipeline *pipeline)
{
	/* The first one is made already, to see whether there are more. */
	struct deflate_job *first = pipeline_next(pipeline);
	struct payload empty = first->payload;
	first->payload = writer->payload;
	writer->payload = empty;
	pipeline_start(pipeline);
	int rc = VMSNAP_OK;
	while (!rc) {
		struct deflate_job *job = pipeline_next(pipeline);
		if (!job) {
			rc = put_finished(writer, pipeline);
			continue;
		}
		payload_clear(&job->payload);
		rc = page_encoder_next(encoder, &job->payload, writer->err);
		if (!rc)
			pipeline_start(pipeline);
	}
	while (rc == VMSNAP_END) {
		int finished = put_finished(writer, pipeline);
		if (finished == VMSNAP_END)
			return VMSNAP_OK;
		if (finished)
			rc = finished;
	}
	return rc;
}

static int put_pages(struct stream_writer *writer, const struct vmsnap *snap)
{
	struct page_encoder encoder;
	int rc = page_encoder_init(&encoder, snap, writer->err);
	payload_clear(&writer->payload);
	rc = rc ? rc : page_encoder_next(&encoder, &writer->payload, writer->err);
	if (!rc && page_encoder_more(&encoder)) {
		struct pipeline *pipeline = pipeline_new(&deflate_ops, pipeline_threads());
		rc = pipeline ? put_many_pages(writer, &encoder, pipeline) : fail_no_memory(writer->err);
		pipeline_free(pipeline);
	} else if (!rc) {
		rc = put_payload(writer, SECTION_PAGE, true, DEFLATE_SMALL);
	}
	page_encoder_free(&encoder);
	return rc == VMSNAP_END ? VMSNAP_OK : rc;
}

static int put_block(void *ctx, uint32_t type, const struct payload *payload, const struct bytes *deflated)
{
	return put_section(ctx, type, false, payload, deflated);
}

/* What is mostly hashes does not become smaller: it is not tried for long. */
static int put_hash(void *ctx, uint32_t type, struct payload *payload)
{
	struct stream_writer *writer = ctx;
	bool deflated = deflate_payload(writer->deflater, payload, DEFLATE_FAST, &writer->stored);
	return put_section(writer, type, false, payload, deflated ? &writer->stored : NULL);
}

static int put_contents(struct stream_writer *writer, const struct vmsnap *snap)
{
	const struct section_put put = { .put = put_block, .put_small = put_hash, .ctx = writer };
	return contents_writer_put(writer->contents, snap, writer->whole + writer->start, &put, writer->err);
}

static int put_end(struct stream_writer *writer)
{
	uint8_t bytes[END_BYTES];
	struct section_end end = { .distance = writer->sink.written - writer->start,
		                   .sections = writer->sections,
		                   .crc = writer->headers_crc };
	end_write(&end, bytes);
	return sink_write(&writer->sink, bytes, sizeof(bytes), writer->err);
}

static bool has_smaps(const struct vmsnap *snap)
{
	bool some = vmsnap_smaps_key_count(snap);
	for (size_t i = 0; !some && i < vmsnap_vma_count(snap); i++)
		some = *vmsnap_smaps_flags(snap, i);
	return some;
}

static int put_snapshot(struct stream_writer *writer, const struct vmsnap *snap)
{
	writer->start = writer->sink.written;
	writer->sections = 0;
	writer->headers_crc = 0;
	int rc = put_encoded(writer, snap, SECTION_SNAP, true, writer->contents ? encode_snap : encode_snap_alone);
	rc = rc ? rc : put_status(writer, snap);
	rc = rc ? rc : put_encoded(writer, snap, SECTION_VMAS, true, encode_vmas);
	if (!rc && vmsnap_thread_count(snap))
		rc = put_encoded(writer, snap, SECTION_THRD, false, encode_thrd);
	rc = rc ? rc : put_pages(writer, snap);
	if (!rc && has_smaps(snap))
		rc = put_encoded(writer, snap, SECTION_SMAP, false, encode_smap);
	if (!rc && vmsnap_annotation_count(snap))
		rc = put_encoded(writer, snap, SECTION_NAME, false, encode_name);
	if (!rc && writer->contents && vmsnap_contents_kind(snap))
		rc = put_contents(writer, snap);
	if (!rc && vmsnap_layer_range_count(snap, VMSNAP_LAYER_WRITTEN))
		rc = put_encoded(writer, snap, SECTION_WRIT, false, encode_writ);
	bool kpage = vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS) ||
	             vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_COUNT);
	if (!rc && kpage)
		rc = put_encoded(writer, snap, SECTION_KPAG, false, encode_kpag);
	if (!rc && vmsnap_layer_known(snap, VMSNAP_LAYER_NODE))
		rc = put_encoded(writer, snap, SECTION_NODE, false, encode_node);
	size_t types_len;
	if (!rc && vmsnap_types(snap, &types_len))
		rc = put_encoded(writer, snap, SECTION_TYPES, false, encode_types);
	return rc ? rc : put_end(writer);
}

static bool has_contents(const struct vmsnap *const *snaps, size_t count)
{
	bool some = false;
	for (size_t i = 0; !some && i < count; i++)
		some = vmsnap_contents_kind(snaps[i]);
	return some;
}

/* When the first one comes that has any. */
static int begin_contents(struct stream_writer *writer)
{
	writer->contents = contents_writer_new();
	if (!writer->contents)
		return fail_no_memory(writer->err);
	return writer->before ? contents_writer_continue(writer->contents, writer->before, writer->work, writer->err)
	                      : VMSNAP_OK;
}

int stream_writer_add(struct stream_writer *writer, int fd, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	writer->err = err;
	writer->sink.fd = fd;
	if (!writer->no_contents && !writer->contents && has_contents(snaps, count))
		rc = begin_contents(writer);
	if (!rc && !writer->whole && !writer->sink.written) {
		uint8_t bytes[STREAM_HEADER_BYTES];
		stream_header_write(bytes);
		rc = sink_write(&writer->sink, bytes, sizeof(bytes), err);
	}
	for (size_t i = 0; !rc && i < count; i++)
		rc = put_snapshot(writer, snaps[i]);
	return rc ? rc : sink_flush(&writer->sink, err);
}

uint64_t stream_writer_bytes(const struct stream_writer *writer)
{
	return writer->whole + writer->sink.written;
}

void stream_writer_free(struct stream_writer *writer)
{
	if (!writer)
		return;
	contents_writer_free(writer->contents);
	deflater_free(writer->deflater);
	payload_free(&writer->payload);
	bytes_free(&writer->stored);
	free(writer);
}

int stream_writer_new(const struct file_stream *stream, struct work *work, struct stream_writer **out,
                      struct vmsnap_error *err)
{
	/* Never whole on the stack, not even for a moment: it may be a small one. */
	struct stream_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return fail_no_memory(err);
	writer->deflater = deflater_new();
	writer->work = work;
	writer->sink.name = stream->name;
	writer->whole = stream->whole;
	writer->before = stream->before;
	writer->no_contents = stream->no_contents;
	if (!writer->deflater) {
		stream_writer_free(writer);
		return fail_no_memory(err);
	}
	*out = writer;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_write_fd(int fd, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct file_stream stream = { .name = "the output" };
	struct stream_writer *writer;
	int rc = stream_writer_new(&stream, &work, &writer, err);
	if (rc)
		return rc;
	rc = stream_writer_add(writer, fd, snaps, count, err);
	stream_writer_free(writer);
	return rc;
}
