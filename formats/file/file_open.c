/* file_open.c - an open file, as its users see it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core_snapshot.h"
#include "error.h"
#include "file_contents.h"
#include "file_delta.h"
#include "file_delta_work.h"
#include "file_error.h"
#include "file_index.h"
#include "file_load.h"
#include "file_packed.h"
#include "file_pages_base.h"
#include "file_pipeline.h"
#include "options.h"
#include "section.h"
#include "thread.h"

struct vmsnap_file {
	struct file_source source;
	struct file_index index;
	struct vmsnap_limits limits;
	struct file_contents *contents;
	struct delta_states *states;
	struct vmsnap *core; /* the one of a core file; NULL: it is a file of ours */
};

static int check_limits(const struct vmsnap_limits *limits, struct vmsnap_limits *out, struct vmsnap_error *err)
{
	int rc = options_take(out, sizeof(*out), limits, "struct vmsnap_limits", err);
	if (!rc && !out->input_bytes)
		out->input_bytes = FILE_MEMORY_DEFAULT;
	return rc;
}

static struct work work_of(const struct vmsnap_limits *limits, uint64_t memory)
{
	return (struct work){ .limit = memory, .cancelled = limits->cancelled, .cancel_ctx = limits->cancel_ctx };
}

static uint64_t stored_bytes(const struct vmsnap_file *file)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < file->index.count; i++)
		sum += file->index.entries[i].bytes;
	return sum;
}

/* A core file is one snapshot, and what it takes is little: nothing is left for later but the bytes of its pages. */
static int open_core(struct vmsnap_file *file, struct vmsnap_error *err)
{
	uint64_t memory = file->limits.memory ? file->limits.memory : file_usual_memory(file->source.size);
	uint64_t cut;
	int rc = core_snapshot_read(&file->source, work_of(&file->limits, memory), &file->core, &cut, err);
	if (rc)
		return rc;
	file->index.entries = calloc(1, sizeof(*file->index.entries));
	if (!file->index.entries)
		return fail_no_memory(err);
	file->index.entries[0].bytes = file->source.size;
	file->index.count = file->index.capacity = 1;
	if (cut)
		file_bad(file->source.name, &file->index.damage, VMSNAP_ERR_TRUNCATED, cut,
		         "the core file was cut off, and what some pages held is missing");
	return VMSNAP_OK;
}

/* Takes over the opened source; rc is what opening it gave. */
static int finish_open(struct vmsnap_file *file, int rc, struct vmsnap_file **out, struct vmsnap_error *err)
{
	if (rc) {
		free(file);
		return rc;
	}
	struct work work = work_of(&file->limits, WORK_UNLIMITED);
	rc = file_packed_open(&file->source, &file->limits, &work, err);
	rc = rc                           ? rc
	     : core_elf_is(&file->source) ? open_core(file, err)
	                                  : file_index_find(&file->index, &file->source, &work, err);
	/* What holds nothing whole is not opened, unless nothing was ever in it. */
	if (!rc && !file->index.count && file->index.damage.code) {
		rc = file->index.damage.code;
		if (err)
			*err = file->index.damage;
	}
	if (rc) {
		vmsnap_file_close(file);
		return rc;
	}
	uint64_t memory = file->limits.memory ? file->limits.memory : file_usual_memory(stored_bytes(file));
	file->contents = file_contents_new(&file->source, file->index.entries, file->index.count, memory);
	file->states = delta_states_new();
	if (!file->contents || !file->states) {
		vmsnap_file_close(file);
		return fail_no_memory(err);
	}
	*out = file;
	return VMSNAP_OK;
}

static int new_file(const struct vmsnap_limits *limits, struct vmsnap_file **file, struct vmsnap_error *err)
{
	struct vmsnap_limits checked;
	int rc = check_limits(limits, &checked, err);
	if (rc)
		return rc;
	*file = calloc(1, sizeof(**file));
	if (!*file)
		return fail_no_memory(err);
	(*file)->limits = checked;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_file_open(const char *path, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                                struct vmsnap_error *err)
{
	struct vmsnap_file *file;
	int rc = new_file(limits, &file, err);
	if (rc)
		return rc;
	return finish_open(file, file_source_open(&file->source, path, &file->limits, err), out, err);
}

VMSNAP_API int vmsnap_file_open_fd(int fd, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                                   struct vmsnap_error *err)
{
	struct vmsnap_file *file;
	int rc = new_file(limits, &file, err);
	if (rc)
		return rc;
	rc = file_source_open_fd(&file->source, fd, "the input", &file->limits, err);
	return finish_open(file, rc, out, err);
}

VMSNAP_API int vmsnap_file_open_memory(const void *bytes, size_t len, const struct vmsnap_limits *limits,
                                       struct vmsnap_file **out, struct vmsnap_error *err)
{
	struct vmsnap_file *file;
	int rc = new_file(limits, &file, err);
	if (rc)
		return rc;
	return finish_open(file, file_source_open_memory(&file->source, bytes, len, err), out, err);
}

VMSNAP_API void vmsnap_file_close(struct vmsnap_file *file)
{
	if (!file)
		return;
	delta_states_free(file->states);
	file_contents_close(file->contents);
	vmsnap_unref(file->core);
	file_source_close(&file->source);
	file_index_free(&file->index);
	free(file);
}

VMSNAP_API size_t vmsnap_file_count(const struct vmsnap_file *file)
{
	return file->index.count;
}

VMSNAP_API int vmsnap_file_damage(const struct vmsnap_file *file, struct vmsnap_error *err)
{
	if (err)
		*err = file->index.damage;
	return file->index.damage.code;
}

int file_no_such_number(const struct vmsnap_file *file, const char *which, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_NOT_FOUND, "%.160s: there is no snapshot %.40s: the file holds %zu",
	            file->source.name, which, file->index.count);
}

static int entry_at(const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *out,
                    struct vmsnap_error *err)
{
	char number[32];
	snprintf(number, sizeof(number), "%zu", index + 1);
	if (index >= file->index.count)
		return file_no_such_number(file, number, err);
	*out = file->index.entries[index];
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_file_entry_sized(const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *out,
                                       size_t size, struct vmsnap_error *err)
{
	struct vmsnap_file_entry all;
	int rc = entry_at(file, index, &all, err);
	if (rc)
		return rc;
	if (size > offsetof(struct vmsnap_file_entry, deltas) && !file->core)
		all.deltas = delta_depth(&file->source, &all, file_section_once);
	struct_give(out, size, &all, sizeof(all));
	return VMSNAP_OK;
}

int file_entry(const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *out, struct vmsnap_error *err)
{
	return entry_at(file, index, out, err);
}

static int load_knowing(const struct vmsnap_file *file, size_t index, enum file_load_part part, unsigned threads,
                        const uint64_t *around, const struct file_known *known, size_t known_count,
                        struct file_known *out, struct vmsnap_error *err)
{
	struct vmsnap_file_entry entry;
	int rc = entry_at(file, index, &entry, err);
	if (rc)
		return rc;
	uint64_t memory = file->limits.memory ? file->limits.memory : file_usual_memory(entry.bytes);
	*out = (struct file_known){ .index = index };
	if (file->core) {
		out->snap = vmsnap_ref(file->core);
		return VMSNAP_OK;
	}
	bool contents = part == FILE_LOAD_ALL || part == FILE_LOAD_CHECK;
	struct file_part wanted = { .source = &file->source,
		                    .entries = file->index.entries,
		                    .entry_count = file->index.count,
		                    .index = index,
		                    .part = part,
		                    .threads = threads,
		                    .around = around,
		                    .usual_limit = !file->limits.memory,
		                    .contents = contents ? file->contents : NULL,
		                    .load_contents = file_contents_load,
		                    .states = file->states,
		                    .known = known,
		                    .known_count = known_count,
		                    .stored = out };
	return file_load_part(&wanted, work_of(&file->limits, memory), &out->snap, err);
}

static int load_part(const struct vmsnap_file *file, size_t index, enum file_load_part part, unsigned threads,
                     struct vmsnap **out, struct vmsnap_error *err)
{
	struct file_known loaded;
	int rc = load_knowing(file, index, part, threads, NULL, NULL, 0, &loaded, err);
	*out = rc ? *out : loaded.snap;
	return rc;
}

int file_load_knowing(const struct vmsnap_file *file, size_t index, bool check, const struct file_known *known,
                      size_t known_count, struct file_known *out, struct vmsnap_error *err)
{
	return load_knowing(file, index, check ? FILE_LOAD_CHECK : FILE_LOAD_ALL, pipeline_threads(), NULL, known,
	                    known_count, out, err);
}

int file_load_around(const struct vmsnap_file *file, size_t index, uint64_t address, const struct file_known *known,
                     size_t known_count, struct file_known *out, struct vmsnap_error *err)
{
	return load_knowing(file, index, FILE_LOAD_ALL, 0, &address, known, known_count, out, err);
}

/* Before it is made: its payloads are those of what is whole. */
static uint64_t work_of_chain(const struct delta_chain *chain)
{
	uint64_t sum = delta_work_whole(payloads_size(&chain->payloads), chain->whole_pages);
	for (size_t i = 0; i < chain->count; i++)
		sum += delta_work_link(chain->links[i].delta, chain->links[i].raw.len);
	return sum;
}

int file_load_stored(const struct vmsnap_file *file, size_t index, struct payloads *payloads, struct file_stored *out,
                     struct vmsnap_error *err)
{
	struct vmsnap_file_entry entry;
	int rc = entry_at(file, index, &entry, err);
	if (rc)
		return rc;
	uint8_t bytes[END_BYTES];
	struct section_end end = { 0 };
	if (file->core)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%.160s is a core file: nothing is stored as a difference to it",
		            file->source.name);
	struct work work = work_of(&file->limits, WORK_UNLIMITED);
	struct delta_chain chain = { .source = &file->source,
		                     .entries = file->index.entries,
		                     .entry_count = file->index.count,
		                     .once = file_section_once,
		                     .work = &work,
		                     .err = err };
	rc = file_source_read(&file->source, entry.offset + entry.bytes - END_BYTES, bytes, sizeof(bytes), err);
	rc = rc ? rc : delta_chain_find(&chain, index, NULL, NULL);
	uint64_t chain_work = rc ? 0 : work_of_chain(&chain);
	rc = rc ? rc : delta_chain_make(&chain);
	if (!rc && (!end_read(bytes, &end) || !payloads_copy(payloads, &chain.payloads)))
		rc = fail_no_memory(err);
	if (!rc)
		*out = (struct file_stored){ .depth = chain.count ? chain.links[0].delta.depth : 0,
			                     .crc = end.crc,
			                     .offset = entry.offset,
			                     .delta_bytes = chain.bytes,
			                     .whole_bytes = chain.whole_bytes,
			                     .whole = chain.base,
			                     .whole_offset = file->index.entries[chain.base].offset,
			                     .whole_runs =
			                             file_pages_runs(&file->source, &file->index.entries[chain.base]),
			                     .whole_pages = chain.whole_pages,
			                     .work = chain_work };
	delta_chain_free(&chain);
	return rc;
}

VMSNAP_API int vmsnap_file_peek(const struct vmsnap_file *file, size_t index, struct vmsnap **out,
                                struct vmsnap_error *err)
{
	return load_part(file, index, FILE_LOAD_PEEK, 0, out, err);
}

VMSNAP_API int vmsnap_file_load(const struct vmsnap_file *file, size_t index, struct vmsnap **out,
                                struct vmsnap_error *err)
{
	return load_part(file, index, FILE_LOAD_ALL, pipeline_threads(), out, err);
}

/* ---- two at once ---- */

struct loading {
	const struct vmsnap_file *file;
	size_t index;
	unsigned threads;
	struct vmsnap *snap;
	struct vmsnap_error *err;
	int rc;
};

static void *load_one(void *context)
{
	struct loading *one = context;
	one->rc = load_part(one->file, one->index, FILE_LOAD_ALL, one->threads, &one->snap, one->err);
	return NULL;
}

/* What is small is read before a thread has begun, and nobody is asked in a thread that is not his. */
static bool pays_beside(const struct loading *one)
{
	enum { LEAST = 128 << 10 };
	return one->index < one->file->index.count && one->file->index.entries[one->index].bytes >= LEAST &&
	       !one->file->limits.cancelled;
}

static void load_both(struct loading both[2])
{
	unsigned others = pipeline_threads();
	pthread_t thread;
	bool pays = others && pays_beside(&both[0]) && pays_beside(&both[1]);
	both[0].threads = both[1].threads = pays ? (others + 1) / 2 : others;
	bool beside = pays && !thread_start_unsignalled(&thread, load_one, &both[1]);
	load_one(&both[0]);
	if (beside)
		pthread_join(thread, NULL);
	else
		load_one(&both[1]);
}

VMSNAP_API int vmsnap_file_load_two(const struct vmsnap_file *const *files, const size_t *indices, struct vmsnap **out,
                                    struct vmsnap_error *errs)
{
	struct vmsnap_error unread[2];
	errs = errs ? errs : unread;
	if (!files || !files[0] || !files[1] || !indices || !out)
		return fail(errs, VMSNAP_ERR_ARGUMENT, "two files are needed, and a place for what is loaded");
	struct loading both[2];
	for (size_t i = 0; i < 2; i++)
		both[i] = (struct loading){ .file = files[i], .index = indices[i], .err = &errs[i] };
	load_both(both);
	for (size_t i = 0; i < 2; i++)
		out[i] = both[i].rc ? NULL : both[i].snap;
	return both[0].rc ? both[0].rc : both[1].rc;
}

int file_load_identity(const struct vmsnap_file *file, size_t index, struct vmsnap **out, struct vmsnap_error *err)
{
	return load_part(file, index, FILE_LOAD_SNAP, 0, out, err);
}

struct file_contents *file_contents_of(const struct vmsnap_file *file)
{
	return file->contents;
}

const char *file_name(const struct vmsnap_file *file)
{
	return file->source.name;
}
