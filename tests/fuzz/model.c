#include "model.h"

#include <string.h>

#include "fuzz.h"

/* Touches every byte up to the NUL: a sanitizer sees what lies outside. */
static size_t read_string(const char *string)
{
	FUZZ_CHECK(string);
	return strlen(string);
}

static void check_info(const struct vmsnap_info *info)
{
	const char *const strings[] = { info->boot_id, info->host,      info->kernel,      info->arch,   info->comm,
		                        info->exe,     info->label,     info->tool,        info->reason, info->cgroup,
		                        info->unit,    info->container, info->machine_hash };
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		read_string(strings[i]);
	FUZZ_CHECK(info->page_size >= 4096 && info->page_size <= UINT64_C(1) << 30);
	FUZZ_CHECK(!(info->page_size & (info->page_size - 1)));
	FUZZ_CHECK(info->freeze <= VMSNAP_FREEZE_PARTIAL);
	FUZZ_CHECK(info->cmdline || !info->cmdline_len);
	FUZZ_CHECK(info->exe_build_id || !info->exe_build_id_len);
}

static void check_vmas(const struct vmsnap *snap)
{
	uint64_t low_bits = vmsnap_info(snap)->page_size - 1, end = 0;
	for (size_t i = 0; i < vmsnap_vma_count(snap); i++) {
		const struct vmsnap_vma *vma = vmsnap_vma(snap, i);
		FUZZ_CHECK(vma && vma->start >= end && vma->start < vma->end);
		FUZZ_CHECK(!((vma->start | vma->end | vma->offset) & low_bits));
		FUZZ_CHECK(vma->perms < 16);
		FUZZ_CHECK(vma->build_id || !vma->build_id_len);
		read_string(vma->name);
		FUZZ_CHECK(vmsnap_vma_at(snap, vma->start) == vma && vmsnap_vma_at(snap, vma->end - 1) == vma);
		end = vma->end;
	}
	FUZZ_CHECK(!vmsnap_vma(snap, vmsnap_vma_count(snap)));
}

static void check_run(const struct vmsnap *snap, const struct vmsnap_run *run, struct vmsnap_sums *sums)
{
	struct vmsnap_run page;
	uint64_t entry, len = run->end - run->start;
	FUZZ_CHECK(run->flags && run->flags < 2 * VMSNAP_PAGE_PRESENT);
	FUZZ_CHECK(vmsnap_page_at(snap, run->start, &page) == VMSNAP_OK);
	FUZZ_CHECK(page.flags == run->flags && page.pfn == run->pfn && page.swap_offset == run->swap_offset);
	vmsnap_pages_read(snap, run->start, 1, &entry);
	FUZZ_CHECK(entry >> 55 == run->flags);
	if (run->flags & VMSNAP_PAGE_PRESENT)
		sums->resident += len;
	if (run->flags & VMSNAP_PAGE_SWAPPED)
		sums->swapped += len;
	if (run->flags & VMSNAP_PAGE_GUARD)
		sums->guard += len;
}

static void check_runs(const struct vmsnap *snap)
{
	uint64_t low_bits = vmsnap_info(snap)->page_size - 1, end = 0;
	struct vmsnap_sums sums, counted = { 0 };
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK) {
		FUZZ_CHECK(run.start >= end && run.start < run.end && !((run.start | run.end) & low_bits));
		check_run(snap, &run, &counted);
		end = run.end;
	}
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	FUZZ_CHECK(sums.resident == counted.resident);
	/* Shared memory may have more in swap than its pages tell, and some only look so. */
	FUZZ_CHECK(sums.swapped + sums.swapped_unknown >= counted.swapped);
	FUZZ_CHECK(sums.resident + sums.swapped + sums.swapped_unknown >= sums.resident);
	FUZZ_CHECK(sums.guard == counted.guard);
}

static void check_captured_names(const struct vmsnap *snap)
{
	uint64_t address = 0;
	for (size_t i = 0; i < vmsnap_annotation_count(snap); i++) {
		const struct vmsnap_annotation *name = vmsnap_annotation(snap, i);
		FUZZ_CHECK(name && name->address >= address && name->kind < VMSNAP_ANNOTATION_KIND_COUNT);
		FUZZ_CHECK(name->size <= UINT64_MAX - name->address);
		read_string(name->function);
		read_string(name->symbol);
		read_string(name->type);
		address = name->address;
	}
}

static void check_same_layer(const struct vmsnap *a, const struct vmsnap *b, int layer)
{
	size_t ranges = vmsnap_layer_range_count(a, layer);
	FUZZ_CHECK(vmsnap_layer_known(a, layer) == vmsnap_layer_known(b, layer));
	FUZZ_CHECK(ranges == vmsnap_layer_range_count(b, layer));
	for (size_t i = 0; i < ranges; i++) {
		struct vmsnap_layer_range x, y;
		vmsnap_layer_range(a, layer, i, &x);
		vmsnap_layer_range(b, layer, i, &y);
		FUZZ_CHECK(x.start == y.start && x.end == y.end && x.value == y.value);
	}
}

static void check_written(const struct vmsnap *snap)
{
	uint64_t low_bits = vmsnap_info(snap)->page_size - 1, end = 0, until;
	struct vmsnap_layer_range range;
	FUZZ_CHECK(vmsnap_layer_known(snap, VMSNAP_LAYER_WRITTEN) == !!vmsnap_info(snap)->known.written);
	for (size_t i = 0; vmsnap_layer_range(snap, VMSNAP_LAYER_WRITTEN, i, &range) == VMSNAP_OK; i++) {
		FUZZ_CHECK(range.start >= end && range.start < range.end && !((range.start | range.end) & low_bits));
		FUZZ_CHECK(range.value == VMSNAP_PAGE_WAS_WRITTEN || range.value == VMSNAP_PAGE_MAYBE_WRITTEN);
		FUZZ_CHECK(vmsnap_written_at(snap, range.start, &until) == (int)range.value && until == range.end);
		end = range.end;
	}
	FUZZ_CHECK(vmsnap_info(snap)->known.written || !end);
}

static void check_kernel_tables(const struct vmsnap *snap)
{
	uint64_t low_bits = vmsnap_info(snap)->page_size - 1, value, until;
	for (int layer = VMSNAP_LAYER_KPAGE_FLAGS; layer <= VMSNAP_LAYER_NODE; layer++) {
		uint64_t end = 0;
		struct vmsnap_layer_range range;
		for (size_t i = 0; vmsnap_layer_range(snap, layer, i, &range) == VMSNAP_OK; i++) {
			FUZZ_CHECK(range.start >= end && range.start < range.end &&
			           !((range.start | range.end) & low_bits));
			FUZZ_CHECK(vmsnap_layer_at(snap, layer, range.start, &value, &until) == VMSNAP_OK &&
			           value == range.value && until == range.end);
			end = range.end;
		}
		FUZZ_CHECK(vmsnap_layer_known(snap, layer) || !end);
	}
}

static void check_memory_events(const struct vmsnap_faults *faults)
{
	const struct vmsnap_memory_event *event;
	uint64_t time = 0;
	for (size_t i = 0; faults && (event = vmsnap_faults_memory_event(faults, i)); i++) {
		FUZZ_CHECK(event->time >= time && event->pid >= 0 && event->start <= event->end);
		FUZZ_CHECK(event->kind >= 0 && event->kind <= VMSNAP_MEMORY_EVENT_SHARED);
		time = event->time;
	}
}

/* Stacks and names are there for whatever a fault says. */
static void check_faults(const struct vmsnap *snap)
{
	const struct vmsnap_faults *faults = vmsnap_faults_of(snap);
	uint64_t time = 0, sum = 0;
	size_t count, total = faults ? vmsnap_faults_count(faults) : 0;
	int32_t number;
	for (size_t i = 0; i < total; i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(faults, i);
		const uint64_t *frames = vmsnap_faults_stack(faults, fault->stack, &count);
		FUZZ_CHECK(fault->time >= time && fault->kind < VMSNAP_FAULT_KIND_COUNT &&
		           count <= VMSNAP_FAULT_FRAMES_MAX);
		FUZZ_CHECK(fault->pid >= 0 && fault->tid >= 0 && fault->syscall >= -2 && fault->flags < 4);
		for (size_t k = 0; k < count; k++)
			sum += frames[k]; /* a sanitizer sees what was not written */
		read_string(vmsnap_faults_comm(faults, fault->pid, fault->tid));
		const struct vmsnap_fault_code *code = vmsnap_faults_code_at(faults, (uint32_t)fault->pid, fault->ip);
		FUZZ_CHECK(!code || code->address == fault->ip);
		time = fault->time;
	}
	const struct vmsnap_fault_code *code;
	for (size_t i = 0; faults && (code = vmsnap_faults_code(faults, i)); i++) {
		read_string(code->function);
		read_string(code->file);
		FUZZ_CHECK(code->begin <= code->address);
		FUZZ_CHECK(code->object == UINT32_MAX || vmsnap_faults_object(faults, code->object));
		FUZZ_CHECK(vmsnap_faults_code_at(faults, code->pid, code->address) == code);
	}
	const struct vmsnap_fault_object *object;
	for (size_t i = 0; faults && (object = vmsnap_faults_object(faults, i)); i++) {
		read_string(object->path);
		FUZZ_CHECK(object->start <= object->end && !object->build_id == !object->build_id_len);
	}
	for (size_t i = 0; faults && vmsnap_faults_syscall(faults, i, &number); i++)
		FUZZ_CHECK(vmsnap_faults_syscall(faults, i, &number) == vmsnap_faults_syscall_name(faults, number));
	FUZZ_CHECK(faults || !sum);
	check_memory_events(faults);
}

/* What pages hold, as far as it can be read: whatever a file says of it. */
static void check_contents(const struct vmsnap *snap)
{
	enum { PAGES_MOST = 64, LARGE = 64 << 10 };
	uint8_t bytes[LARGE], hash[VMSNAP_CONTENTS_HASH_SIZE];
	uint64_t start = 0, end = 0, size = vmsnap_info(snap)->page_size, same_start, same_end;
	bool differ;
	for (unsigned left = PAGES_MOST; left && !vmsnap_contents_range(snap, end, &start, &end); left--) {
		FUZZ_CHECK(start < end && !((start | end) & (size - 1)) && size <= LARGE);
		FUZZ_CHECK(vmsnap_contents_hash(snap, start, hash) == VMSNAP_OK);
		size_t got = 0;
		if (!vmsnap_contents_read(snap, start, bytes, (size_t)size, &got, NULL))
			FUZZ_CHECK(got == size && vmsnap_contents_kind(snap) == VMSNAP_CONTENTS_BYTES);
		for (size_t i = 0; i < got; i++)
			hash[bytes[i] & 15]++; /* a sanitizer sees what was not written */
		FUZZ_CHECK(vmsnap_contents_compare(snap, snap, start, &same_start, &same_end, &differ) == VMSNAP_OK);
		FUZZ_CHECK(!differ && same_start == start && same_end == end);
	}
}

void model_check(const struct vmsnap *snap)
{
	check_contents(snap);
	check_faults(snap);
	check_written(snap);
	check_kernel_tables(snap);
	check_info(vmsnap_info(snap));
	check_vmas(snap);
	check_runs(snap);
	check_captured_names(snap);
	for (size_t i = 0; i < vmsnap_thread_count(snap); i++)
		read_string(vmsnap_thread(snap, i)->comm);
	for (size_t k = 0; k < vmsnap_smaps_key_count(snap); k++)
		read_string(vmsnap_smaps_key(snap, k));
	for (size_t v = 0; v < vmsnap_vma_count(snap); v++)
		read_string(vmsnap_smaps_flags(snap, v));
	for (size_t v = 0; v < vmsnap_vma_count(snap); v++)
		for (size_t k = 0; k < vmsnap_smaps_key_count(snap); k++)
			if (vmsnap_smaps_text(snap, v, k))
				read_string(vmsnap_smaps_text(snap, v, k));
}

/* ---- the same ---------------------------------------------------------------- */

static void check_same_bytes(const void *a, size_t len_a, const void *b, size_t len_b)
{
	FUZZ_CHECK(!a == !b && len_a == len_b && (!len_a || memcmp(a, b, len_a) == 0));
}

static void check_same_string(const char *a, const char *b)
{
	FUZZ_CHECK(strcmp(a, b) == 0);
}

void model_check_same_info(const struct vmsnap *snap_a, const struct vmsnap *snap_b)
{
	const struct vmsnap_info *a = vmsnap_info(snap_a), *b = vmsnap_info(snap_b);
	FUZZ_CHECK(a->pid == b->pid && a->tgid == b->tgid && a->ppid == b->ppid && a->uid == b->uid);
	FUZZ_CHECK(a->ns_pid == b->ns_pid && a->pid_namespace == b->pid_namespace);
	FUZZ_CHECK(a->start_time == b->start_time && a->page_size == b->page_size);
	FUZZ_CHECK(a->taken == b->taken && a->monotonic == b->monotonic && a->pause == b->pause);
	FUZZ_CHECK(a->freeze == b->freeze && a->consistent == b->consistent);
	FUZZ_CHECK(a->written_since == b->written_since);
	FUZZ_CHECK(a->zero_pfn == b->zero_pfn && a->build_ids_proved == b->build_ids_proved);
	FUZZ_CHECK(a->page_size_assumed == b->page_size_assumed && a->swap_in_use == b->swap_in_use);
	FUZZ_CHECK(memcmp(&a->known, &b->known, sizeof(a->known)) == 0);
	check_same_string(a->boot_id, b->boot_id);
	check_same_string(a->host, b->host);
	check_same_string(a->kernel, b->kernel);
	check_same_string(a->arch, b->arch);
	check_same_string(a->comm, b->comm);
	check_same_string(a->exe, b->exe);
	check_same_string(a->label, b->label);
	check_same_string(a->tool, b->tool);
	check_same_string(a->reason, b->reason);
	check_same_string(a->cgroup, b->cgroup);
	check_same_string(a->unit, b->unit);
	check_same_string(a->container, b->container);
	check_same_string(a->machine_hash, b->machine_hash);
	check_same_bytes(a->cmdline, a->cmdline_len, b->cmdline, b->cmdline_len);
	check_same_bytes(a->exe_build_id, a->exe_build_id_len, b->exe_build_id, b->exe_build_id_len);
	size_t len_a, len_b;
	const char *status_a = vmsnap_status_text(snap_a, &len_a), *status_b = vmsnap_status_text(snap_b, &len_b);
	FUZZ_CHECK(len_a == len_b && (!len_a || memcmp(status_a, status_b, len_a) == 0));
}

static void check_same_vma(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	FUZZ_CHECK(a->start == b->start && a->end == b->end && a->offset == b->offset && a->inode == b->inode);
	FUZZ_CHECK(a->dev_major == b->dev_major && a->dev_minor == b->dev_minor && a->perms == b->perms);
	FUZZ_CHECK(a->deleted == b->deleted);
	check_same_string(a->name, b->name);
	check_same_bytes(a->build_id, a->build_id_len, b->build_id, b->build_id_len);
}

static void check_same_runs(const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_run_iter it_a, it_b;
	struct vmsnap_run run_a, run_b;
	vmsnap_run_iter_init(&it_a, a, 0, UINT64_MAX);
	vmsnap_run_iter_init(&it_b, b, 0, UINT64_MAX);
	for (;;) {
		int end = vmsnap_run_next(&it_a, &run_a);
		FUZZ_CHECK(end == vmsnap_run_next(&it_b, &run_b));
		if (end)
			return;
		FUZZ_CHECK(run_a.start == run_b.start && run_a.end == run_b.end && run_a.flags == run_b.flags);
		FUZZ_CHECK(run_a.pfn == run_b.pfn && run_a.swap_offset == run_b.swap_offset);
		FUZZ_CHECK(run_a.swap_type == run_b.swap_type);
	}
}

static void check_same_smaps(const struct vmsnap *a, const struct vmsnap *b)
{
	size_t keys = vmsnap_smaps_key_count(a);
	FUZZ_CHECK(keys == vmsnap_smaps_key_count(b));
	for (size_t k = 0; k < keys; k++)
		check_same_string(vmsnap_smaps_key(a, k), vmsnap_smaps_key(b, k));
	for (size_t v = 0; v < vmsnap_vma_count(a); v++) {
		check_same_string(vmsnap_smaps_flags(a, v), vmsnap_smaps_flags(b, v));
		for (size_t k = 0; k < keys; k++) {
			const char *x = vmsnap_smaps_text(a, v, k), *y = vmsnap_smaps_text(b, v, k);
			FUZZ_CHECK(vmsnap_smaps_value(a, v, k) == vmsnap_smaps_value(b, v, k));
			FUZZ_CHECK(!x == !y && !(x && vmsnap_smaps_value(a, v, k) != UINT64_MAX));
			if (x)
				check_same_string(x, y);
		}
	}
}

static void check_same_names(const struct vmsnap *a, const struct vmsnap *b)
{
	FUZZ_CHECK(vmsnap_annotation_count(a) == vmsnap_annotation_count(b));
	for (size_t i = 0; i < vmsnap_annotation_count(a); i++) {
		const struct vmsnap_annotation *x = vmsnap_annotation(a, i), *y = vmsnap_annotation(b, i);
		FUZZ_CHECK(x->address == y->address && x->size == y->size && x->kind == y->kind);
		FUZZ_CHECK(x->tid == y->tid && x->frame == y->frame);
		check_same_string(x->function, y->function);
		check_same_string(x->symbol, y->symbol);
		check_same_string(x->type, y->type);
	}
}

static void check_same_types(const struct vmsnap *a, const struct vmsnap *b)
{
	size_t len, other;
	const void *x = vmsnap_types(a, &len), *y = vmsnap_types(b, &other);
	FUZZ_CHECK(!x == !y && len == other && (!x || !memcmp(x, y, len)));
}

static void check_same_stack(const struct vmsnap_faults *a, uint32_t x, const struct vmsnap_faults *b, uint32_t y)
{
	size_t count, other;
	const uint64_t *left = vmsnap_faults_stack(a, x, &count), *right = vmsnap_faults_stack(b, y, &other);
	check_same_bytes(left, count * sizeof(*left), right, other * sizeof(*right));
}

static void check_same_memory_events(const struct vmsnap_faults *a, const struct vmsnap_faults *b)
{
	const struct vmsnap_memory_event *x, *y;
	size_t i = 0;
	do {
		x = vmsnap_faults_memory_event(a, i);
		y = vmsnap_faults_memory_event(b, i++);
		FUZZ_CHECK(!x == !y);
		FUZZ_CHECK(!x || (x->time == y->time && x->pid == y->pid && x->kind == y->kind));
		FUZZ_CHECK(!x || (x->start == y->start && x->end == y->end && x->to == y->to));
	} while (x);
}

static void check_same_faults(const struct vmsnap *snap_a, const struct vmsnap *snap_b)
{
	const struct vmsnap_faults *a = vmsnap_faults_of(snap_a), *b = vmsnap_faults_of(snap_b);
	FUZZ_CHECK(!a == !b);
	if (!a)
		return;
	const struct vmsnap_faults_info *left = vmsnap_faults_info(a), *right = vmsnap_faults_info(b);
	FUZZ_CHECK(left->begin == right->begin && left->end == right->end && left->lost == right->lost);
	FUZZ_CHECK(left->flags == right->flags && left->pid == right->pid && left->count == right->count);
	for (size_t i = 0; i < left->count; i++) {
		const struct vmsnap_fault *x = vmsnap_faults_at(a, i), *y = vmsnap_faults_at(b, i);
		FUZZ_CHECK(x->time == y->time && x->address == y->address && x->ip == y->ip &&
		           x->syscall == y->syscall);
		FUZZ_CHECK(x->pid == y->pid && x->tid == y->tid && x->kind == y->kind && x->flags == y->flags);
		check_same_stack(a, x->stack, b, y->stack);
	}
	const struct vmsnap_fault_code *x, *y;
	for (size_t i = 0; (x = vmsnap_faults_code(a, i)) && (y = vmsnap_faults_code(b, i)); i++) {
		FUZZ_CHECK(x->address == y->address && x->pid == y->pid && x->begin == y->begin && x->line == y->line);
		FUZZ_CHECK(x->object == y->object);
		check_same_string(x->function, y->function);
		check_same_string(x->file, y->file);
	}
	check_same_memory_events(a, b);
}

void model_check_same(const struct vmsnap *a, const struct vmsnap *b)
{
	check_same_faults(a, b);
	check_same_types(a, b);
	model_check_same_info(a, b);
	FUZZ_CHECK(vmsnap_vma_count(a) == vmsnap_vma_count(b));
	for (size_t i = 0; i < vmsnap_vma_count(a); i++)
		check_same_vma(vmsnap_vma(a, i), vmsnap_vma(b, i));
	check_same_runs(a, b);
	FUZZ_CHECK(vmsnap_thread_count(a) == vmsnap_thread_count(b));
	for (size_t i = 0; i < vmsnap_thread_count(a); i++) {
		const struct vmsnap_thread *x = vmsnap_thread(a, i), *y = vmsnap_thread(b, i);
		FUZZ_CHECK(x->tid == y->tid && x->missed == y->missed && x->stack_pointer == y->stack_pointer);
		check_same_string(x->comm, y->comm);
	}
	check_same_smaps(a, b);
	check_same_names(a, b);
	for (int layer = VMSNAP_LAYER_WRITTEN; layer <= VMSNAP_LAYER_NODE; layer++)
		check_same_layer(a, b, layer);
}
