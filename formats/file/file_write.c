#define _GNU_SOURCE
#include "file_write.h"

#include <string.h>

#include "builder.h"
#include "error.h"
#include "file_contents_write.h"
#include "file_delta_write.h"
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
	struct delta_writer *deltas; /* NULL: each is whole */
	/* Of the snapshot that is being written; pages_bytes: in sections PAGE, before they are deflated. */
	uint64_t contents_bytes, pages_bytes;
};

static int put_header(struct stream_writer *writer, const struct section *section)
{
	uint8_t header[SECTION_HEADER_BYTES];
	if (work_ask(writer->work))
		return work_fail(writer->work, VMSNAP_ERR_CANCELLED, writer->err);
	section_write(section, header);
	writer->headers_crc = crc_of(writer->headers_crc, header, sizeof(header));
	writer->sections++;
	return sink_write(&writer->sink, header, sizeof(header), writer->err);
}

static int put_section(struct stream_writer *writer, uint32_t type, bool required, const struct payload *payload,
                       const struct bytes *deflated)
{
	const struct bytes *stored = deflated ? deflated : &payload->bytes;
	struct section section = {
		.type = type,
		.flags = (uint16_t)((required ? SECTION_REQUIRED : 0) | (deflated ? SECTION_DEFLATED : 0)),
		.stored = stored->len,
		.raw = payload->bytes.len,
		.crc = crc_of(0, stored->data, stored->len),
	};
	writer->pages_bytes += type == SECTION_PAGE ? section.raw : 0;
	int rc = put_header(writer, &section);
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

static int encode_status(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	size_t len;
	const char *status = vmsnap_status_text(snap, &len);
	put_bytes(&out->bytes, status, len);
	return encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
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

enum { PART = 16 * 1024 };

/* Each part is given to a checksum, or written. */
static int each_part(struct stream_writer *writer, const struct section_parts *parts, uint32_t *crc)
{
	uint8_t part[PART];
	size_t most = PART / parts->granule * parts->granule;
	int rc = VMSNAP_OK;
	for (size_t at = 0; !rc && at < parts->between;) {
		size_t left = parts->between - at, len = left < most ? left : most;
		parts->next(parts->ctx, at, part, len);
		if (crc)
			*crc = crc_of(*crc, part, len);
		else
			rc = sink_write(&writer->sink, part, len, writer->err);
		at += len;
	}
	return rc;
}

static int put_parts(void *ctx, uint32_t type, const struct section_parts *parts)
{
	struct stream_writer *writer = ctx;
	const struct bytes *before = parts->before, *behind = parts->behind;
	struct section section = { .type = type, .stored = before->len + parts->between + behind->len };
	section.raw = section.stored;
	section.crc = crc_of(0, before->data, before->len);
	each_part(writer, parts, &section.crc);
	section.crc = crc_of(section.crc, behind->data, behind->len);
	int rc = put_header(writer, &section);
	rc = rc ? rc : sink_write(&writer->sink, before->data, before->len, writer->err);
	rc = rc ? rc : each_part(writer, parts, NULL);
	return rc ? rc : sink_write(&writer->sink, behind->data, behind->len, writer->err);
}

/* What is mostly hashes does not become smaller: it is not tried for long. */
static int put_hash(void *ctx, uint32_t type, struct payload *payload)
{
	struct stream_writer *writer = ctx;
	bool deflated = deflate_payload(writer->deflater, payload, DEFLATE_FAST, &writer->stored);
	return put_section(writer, type, false, payload, deflated ? &writer->stored : NULL);
}

/* What lies in another file comes into this one. */
static int put_contents(struct stream_writer *writer, const struct vmsnap *snap)
{
	const struct section_put put = {
		.put = put_block, .put_parts = put_parts, .put_small = put_hash, .ctx = writer
	};
	uint64_t before = writer->sink.written;
	struct vmsnap *stored = NULL;
	int rc = snap->contents.backed ? snapshot_with_store(snap, writer->work, &stored, writer->err) : VMSNAP_OK;
	if (rc)
		return rc;
	snap = stored ? stored : snap;
	rc = contents_writer_put(writer->contents, snap, writer->whole + writer->start, &put, writer->err);
	writer->contents_bytes = writer->sink.written - before;
	vmsnap_unref(stored);
	return rc;
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

static bool always(const struct vmsnap *snap)
{
	(void)snap;
	return true;
}

static bool has_threads(const struct vmsnap *snap)
{
	return vmsnap_thread_count(snap);
}

static bool has_smaps(const struct vmsnap *snap)
{
	bool some = vmsnap_smaps_key_count(snap);
	for (size_t i = 0; !some && i < vmsnap_vma_count(snap); i++)
		some = *vmsnap_smaps_flags(snap, i);
	return some;
}

static bool has_names(const struct vmsnap *snap)
{
	return vmsnap_annotation_count(snap);
}

static bool has_written(const struct vmsnap *snap)
{
	return vmsnap_layer_range_count(snap, VMSNAP_LAYER_WRITTEN);
}

static bool has_kpage(const struct vmsnap *snap)
{
	return vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS) || vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_COUNT);
}

static bool has_nodes(const struct vmsnap *snap)
{
	return vmsnap_layer_known(snap, VMSNAP_LAYER_NODE);
}

static bool has_dump(const struct vmsnap *snap)
{
	return vmsnap_layer_known(snap, VMSNAP_LAYER_DUMPED);
}

static bool has_types(const struct vmsnap *snap)
{
	size_t len;
	return vmsnap_types(snap, &len);
}

static bool has_faults(const struct vmsnap *snap)
{
	return vmsnap_faults_of(snap);
}

static bool has_memory_events(const struct vmsnap *snap)
{
	const struct vmsnap_faults *faults = vmsnap_faults_of(snap);
	return faults &&
	       (vmsnap_faults_info(faults)->flags & VMSNAP_FAULTS_MEMORY || vmsnap_faults_memory_event(faults, 0));
}

/* What comes once in a snapshot, in the order in which it is written. */
typedef int (*encode_fn)(const struct vmsnap *, struct payload *, struct vmsnap_error *);
static const struct once {
	uint32_t type;
	bool required;
	bool (*has)(const struct vmsnap *);
	encode_fn encode;
} onces[] = {
	{ SECTION_SNAP, true, always, encode_snap },
	{ SECTION_STAT, true, always, encode_status },
	{ SECTION_VMAS, true, always, encode_vmas },
	{ SECTION_THRD, false, has_threads, encode_thrd },
	{ SECTION_SMAP, false, has_smaps, encode_smap },
	{ SECTION_NAME, false, has_names, encode_name },
	{ SECTION_WRIT, false, has_written, encode_writ },
	{ SECTION_KPAG, false, has_kpage, encode_kpag },
	{ SECTION_NODE, false, has_nodes, encode_node },
	{ SECTION_TYPES, false, has_types, encode_types },
	{ SECTION_EVNT, false, has_faults, encode_faults },
	{ SECTION_MEVT, false, has_memory_events, encode_memory_events },
	/* Who does not know of it would take what it has no states of for absent. */
	{ SECTION_DUMP, true, has_dump, encode_dump },
};
enum { ONCES = sizeof(onces) / sizeof(*onces), ONCES_BEFORE_PAGES = 4, ONCES_BEFORE_CONTENTS = 6 };

/* What SNAP says of contents depends on whether they are written. */
static encode_fn encoder_of(const struct stream_writer *writer, const struct once *once)
{
	return once->type == SECTION_SNAP && !writer->contents ? encode_snap_alone : once->encode;
}

static int put_onces(struct stream_writer *writer, const struct vmsnap *snap, size_t from, size_t to)
{
	int rc = VMSNAP_OK;
	for (size_t i = from; !rc && i < to; i++)
		if (onces[i].has(snap))
			rc = put_encoded(writer, snap, onces[i].type, onces[i].required, encoder_of(writer, &onces[i]));
	return rc;
}

static int put_contents_of(struct stream_writer *writer, const struct vmsnap *snap)
{
	return writer->contents && vmsnap_contents_kind(snap) ? put_contents(writer, snap) : VMSNAP_OK;
}

static int put_whole(struct stream_writer *writer, const struct vmsnap *snap)
{
	int rc = put_onces(writer, snap, 0, ONCES_BEFORE_PAGES);
	rc = rc ? rc : put_pages(writer, snap);
	rc = rc ? rc : put_onces(writer, snap, ONCES_BEFORE_PAGES, ONCES_BEFORE_CONTENTS);
	rc = rc ? rc : put_contents_of(writer, snap);
	return rc ? rc : put_onces(writer, snap, ONCES_BEFORE_CONTENTS, ONCES);
}

/* ---- as a difference ---------------------------------------------------------------- */

/* All payloads; and the SNAP by which the snapshot is found, if it becomes a difference. */
static int encode_all(struct stream_writer *writer, const struct vmsnap *snap, struct payloads *own,
                      struct payload *finding)
{
	int rc = VMSNAP_OK;
	struct payload payload = { 0 };
	for (size_t i = 0; !rc && i < ONCES; i++) {
		if (!onces[i].has(snap))
			continue;
		payload_clear(&payload);
		rc = encoder_of(writer, &onces[i])(snap, &payload, writer->err);
		if (rc)
			break;
		struct bytes *place = payloads_place(own, onces[i].type);
		if (onces[i].type == SECTION_SNAP)
			snap_split(cursor_of(payload.bytes.data, payload.bytes.len), &finding->bytes, place);
		else
			put_bytes(place, payload.bytes.data, payload.bytes.len);
		if (place->failed || finding->bytes.failed)
			rc = fail_no_memory(writer->err);
	}
	payload_free(&payload);
	return rc;
}

static int put_difference(struct stream_writer *writer, struct payload *finding, struct payload *delta)
{
	bool deflated = deflate_payload(writer->deflater, finding, DEFLATE_SMALL, &writer->stored);
	int rc = put_section(writer, SECTION_SNAP, true, finding, deflated ? &writer->stored : NULL);
	deflated = !rc && deflate_payload(writer->deflater, delta, DEFLATE_SMALL, &writer->stored);
	return rc ? rc : put_section(writer, SECTION_DELT, true, delta, deflated ? &writer->stored : NULL);
}

/* Whole, or as a difference. */
static int put_shortest(struct stream_writer *writer, const struct vmsnap *snap, struct payloads *own, bool *whole)
{
	struct payload finding = { 0 }, delta = { 0 };
	int rc = encode_all(writer, snap, own, &finding);
	rc = rc ? rc : delta_writer_make(writer->deltas, snap, writer->whole + writer->start, own, &delta, writer->err);
	*whole = rc == VMSNAP_END;
	if (*whole) {
		rc = put_whole(writer, snap);
	} else if (!rc) {
		rc = put_difference(writer, &finding, &delta);
		rc = rc ? rc : put_contents_of(writer, snap);
	}
	payload_free(&finding);
	payload_free(&delta);
	return rc;
}

static int put_snapshot(struct stream_writer *writer, const struct vmsnap *snap)
{
	struct payloads own = { 0 };
	bool whole = true;
	writer->start = writer->sink.written;
	writer->sections = 0;
	writer->headers_crc = 0;
	writer->contents_bytes = writer->pages_bytes = 0;
	int rc = writer->deltas ? put_shortest(writer, snap, &own, &whole) : put_whole(writer, snap);
	uint64_t bytes = writer->sink.written - writer->start - writer->contents_bytes;
	rc = rc ? rc : put_end(writer);
	if (!rc && writer->deltas)
		delta_writer_wrote(writer->deltas, snap,
		                   &(struct delta_written){ .offset = writer->whole + writer->start,
		                                            .whole = whole,
		                                            .bytes = bytes,
		                                            .pages = writer->pages_bytes,
		                                            .crc = writer->headers_crc },
		                   &own);
	payloads_free(&own);
	return rc;
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
	delta_writer_free(writer->deltas);
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
	writer->deltas = stream->deltas ? delta_writer_new(stream->before) : NULL;
	if (!writer->deflater || (stream->deltas && !writer->deltas)) {
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
