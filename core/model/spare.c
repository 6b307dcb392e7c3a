#include "spare.h"

#include "error.h"
#include "options.h"

uint64_t snapshot_bytes(const struct vmsnap *snap)
{
	uint64_t cell = sizeof(*snap->smaps.values) + (snap->smaps.texts ? sizeof(*snap->smaps.texts) : 0);
	uint64_t smaps = (uint64_t)snap->smaps.key_count * (sizeof(*snap->smaps.keys) + snap->vma_count * cell);
	uint64_t layers = 0;
	for (size_t i = 0; i < VMSNAP_LAYER_COUNT; i++)
		layers += snap->layers[i].room * sizeof(*snap->layers[i].items);
	uint64_t faults = snap->faults ? snap->faults->info.memory : 0;
	return faults + layers + contents_memory(&snap->contents) + sizeof(*snap) + snapshot_string_bytes(snap) + (uint64_t)snap->runs.count * sizeof(struct run) +
	       (uint64_t)snap->vma_count * (sizeof(*snap->vmas) + sizeof(*snap->smaps.flags)) +
	       (uint64_t)snap->thread_count * sizeof(*snap->threads) +
	       (uint64_t)snap->annotation_count * sizeof(*snap->annotations) + smaps;
}

VMSNAP_API uint64_t vmsnap_memory(const struct vmsnap *snap)
{
	return snapshot_bytes(snap);
}

/* For each mapping what names_object.c has for it (an object, a member, two indexes) and,
 * while they are sorted, the member again; for each thread what names_stacks.c has, its
 * name included; for each annotation what names_annotations.c has, with its tree. */
enum { NAMES_PER_VMA = 192, NAMES_PER_THREAD = 256, NAMES_PER_ANNOTATION = 128, NAMES_ALWAYS = 64 * 1024 };

static uint64_t names_bytes(const struct vmsnap *snap)
{
	/* Warnings, and other names of files, hold what the mappings are called. */
	return NAMES_ALWAYS + 2 * snapshot_string_bytes(snap) + (uint64_t)snap->vma_count * NAMES_PER_VMA +
	       (uint64_t)snap->thread_count * NAMES_PER_THREAD + snap->annotation_count * NAMES_PER_ANNOTATION;
}

static bool is_limited(const struct vmsnap *snap)
{
	return snap->memory_limit;
}

static uint64_t left_of(const struct vmsnap *snap, uint64_t taken)
{
	return snap->memory_limit > taken ? snap->memory_limit - taken : 0;
}

/* Names and a comparison live side by side. */
static uint64_t share_of_names(uint64_t left)
{
	return left / 4;
}

int spare_for_names(const struct vmsnap *snap, struct vmsnap_error *err)
{
	if (!is_limited(snap) || names_bytes(snap) <= share_of_names(left_of(snap, snapshot_bytes(snap))))
		return VMSNAP_OK;
	const struct work work = { .limit = snap->memory_limit };
	return work_fail(&work, VMSNAP_ERR_TOO_LARGE, err);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > WORK_UNLIMITED - b ? WORK_UNLIMITED : a + b;
}

static bool comes_before(const struct vmsnap *const *snaps, size_t index)
{
	/* Of two that are compared: a history of thousands need not look for each. */
	return index && snaps[index - 1] == snaps[index];
}

/* What honest work takes for each byte of a snapshot is less than that. */
enum { TIMES = 16, BESIDE = 64 << 20 };

struct work work_on(const struct vmsnap *const *snaps, size_t count)
{
	struct work work = { 0 };
	bool limited = false;
	for (size_t i = 0; i < count; i++) {
		if (!snaps[i] || comes_before(snaps, i))
			continue;
		uint64_t taken = snapshot_bytes(snaps[i]);
		bool file = is_limited(snaps[i]);
		uint64_t left = left_of(snaps[i], taken);
		work.limit = sum(work.limit, file ? left - share_of_names(left) : TIMES * taken + BESIDE);
		limited |= file;
	}
	if (!limited)
		work.limit = WORK_UNLIMITED;
	return work;
}

VMSNAP_API uint64_t vmsnap_memory_left(const struct vmsnap *const *snaps, size_t count)
{
	return work_on(snaps, count).limit;
}

int work_with(struct work *work, const struct vmsnap *const *snaps, size_t count,
              const struct vmsnap_compare_options *options, struct vmsnap_error *err)
{
	struct vmsnap_compare_options taken;
	int rc = options_take(&taken, sizeof(taken), options, "struct vmsnap_compare_options", err);
	if (rc)
		return rc;
	*work = work_on(snaps, count);
	work->cancelled = taken.cancelled;
	work->cancel_ctx = taken.cancel_ctx;
	return VMSNAP_OK;
}
