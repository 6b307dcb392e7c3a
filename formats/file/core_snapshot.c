#define _GNU_SOURCE
#include "core_snapshot.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "build_id.h"
#include "builder.h"
#include "core_contents.h"
#include "core_memory.h"
#include "core_notes.h"
#include "error.h"
#include "file_error.h"

struct making {
	const struct file_source *source;
	struct core_elf elf;
	struct core_notes notes;
	struct core_memory memory;
	struct vmsnap_builder builder;
	struct vmsnap *snap;
	struct work work;
	struct vmsnap_error *err;
};

static int out_of(struct making *making, int rc)
{
	return work_fail(&making->work, rc, making->err);
}

/* A string of the snapshot's; NULL: there is no memory for it. */
static const char *keep(struct making *making, const char *string, size_t len, int *rc)
{
	enum { ARENA_OVERHEAD = 16 };
	if (*rc || !len)
		return "";
	*rc = work_charge(&making->work, len + ARENA_OVERHEAD);
	const char *copy = *rc ? NULL : arena_copy(&making->snap->strings, string, len);
	if (!copy && !*rc)
		*rc = VMSNAP_ERR_NO_MEMORY;
	return copy ? copy : "";
}

/* ---- mappings ----------------------------------------------------------------------------- */

static bool holds(const struct core_load *load, uint64_t address)
{
	return address && load->start <= address && address < load->end;
}

/* What memory without a file is known to be: the kernel puts the bytes that AT_RANDOM points to on the stack that it
 * made. */
static const char *special_name(const struct making *making, const struct core_load *load)
{
	const struct core_notes *notes = &making->notes;
	if (notes->vdso && load->start == notes->vdso)
		return "[vdso]";
	if (holds(load, notes->random))
		return "[stack]";
	if (making->elf.machine == EM_X86_64 && load->start == UINT64_C(0xffffffffff600000))
		return "[vsyscall]";
	return "";
}

static void set_build_id(struct making *making, struct vmsnap_vma *vma, const struct vmsnap_vma *before, int *rc)
{
	uint8_t id[BUILD_ID_MAX];
	bool special = !strcmp(vma->name, "[vdso]");
	size_t len = 0;
	if ((vma->name[0] == '/' && !vma->offset) || special)
		len = core_memory_build_id(&making->memory, vma->start, id, sizeof(id));
	if (len) {
		vma->build_id = (const uint8_t *)keep(making, (const char *)id, len, rc);
		vma->build_id_len = len;
	} else if (before && vma->offset && !strcmp(before->name, vma->name)) {
		vma->build_id = before->build_id;
		vma->build_id_len = before->build_id_len;
	}
}

static int set_vma(struct making *making, const struct core_load *load, struct vmsnap_vma *vma,
                   struct vmsnap_vma *before)
{
	const struct core_mapped *file = core_mapped_at(&making->notes, load->start);
	const char *name = file ? file->name : special_name(making, load);
	uint64_t page_mask = making->snap->info.page_size - 1;
	bool shared = !strcmp(name, "/dev/zero (deleted)") || !strncmp(name, "/SYSV", 5);
	int rc = VMSNAP_OK;
	*vma = (struct vmsnap_vma){
		.start = load->start,
		.end = load->end,
		.offset = file ? (file->offset + (load->start - file->start)) & ~page_mask : 0,
		.perms = (load->flags & PF_R ? VMSNAP_PERM_READ : 0) | (load->flags & PF_W ? VMSNAP_PERM_WRITE : 0) |
		         (load->flags & PF_X ? VMSNAP_PERM_EXEC : 0) | (shared ? VMSNAP_PERM_SHARED : 0),
	};
	/* Neighbours mostly show one file. */
	vma->name = before && !strcmp(before->name, name) ? before->name : keep(making, name, strlen(name), &rc);
	if (!rc)
		set_build_id(making, vma, before, &rc);
	return rc ? out_of(making, rc) : VMSNAP_OK;
}

static int make_vmas(struct making *making)
{
	const struct core_memory *memory = &making->memory;
	struct vmsnap *snap = making->snap;
	int rc = VMSNAP_OK;
	snap->vmas = work_array(&making->work, memory->count, sizeof(*snap->vmas), &rc);
	if (rc)
		return out_of(making, rc);
	for (size_t i = 0; !rc && i < memory->count; i++) {
		rc = work_step(&making->work) ? out_of(making, VMSNAP_ERR_CANCELLED) : VMSNAP_OK;
		rc = rc ? rc : set_vma(making, &memory->loads[i], &snap->vmas[i], i ? &snap->vmas[i - 1] : NULL);
		snap->vma_count += !rc;
	}
	return rc;
}

/* ---- whose it was --------------------------------------------------------------------------- */

static bool is_page_size(uint64_t size)
{
	return size >= 4096 && size <= UINT64_C(1) << 30 && !(size & (size - 1));
}

static void set_page_size(struct making *making)
{
	struct vmsnap_info *info = &making->snap->info;
	info->page_size_assumed = !is_page_size(making->notes.page_size);
	info->page_size = info->page_size_assumed ? 4096 : making->notes.page_size;
}

/* The numbers of x86, ARM and most others, not of MIPS, Alpha and SPARC. */
static const char *signal_name(const struct making *making, uint32_t signal)
{
	static const char *const names[] = {
		[SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL", [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
		[SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE", [SIGSEGV] = "SIGSEGV", [SIGXCPU] = "SIGXCPU",
		[SIGXFSZ] = "SIGXFSZ", [SIGSYS] = "SIGSYS",
	};
	bool known = *core_machine_name(&making->elf) && making->elf.machine != EM_MIPS;
	return known && signal < sizeof(names) / sizeof(*names) ? names[signal] : NULL;
}

/* The kernel dumps only for those signals that have a name above; what a debugger writes has the last signal that it
 * saw, or none. */
static int set_reason(struct making *making)
{
	const struct core_notes *notes = &making->notes;
	struct vmsnap_info *info = &making->snap->info;
	const char *name = signal_name(making, notes->signal);
	char words[128], at[32] = "";
	int rc = VMSNAP_OK;
	info->signal = notes->signal;
	if (notes->has_fault)
		snprintf(at, sizeof(at), " at 0x%" PRIx64, notes->fault);
	if (name && notes->signal == SIGTRAP)
		snprintf(words, sizeof(words), "core file, ended or stopped by SIGTRAP%s", at);
	else if (name)
		snprintf(words, sizeof(words), "core file, ended by %s%s", name, at);
	else if (notes->signal)
		snprintf(words, sizeof(words), "core file, last signal %" PRIu32 "%s", notes->signal, at);
	else
		snprintf(words, sizeof(words), "core file, %s",
		         notes->thread_count ? "of no signal" : "of which no thread is told");
	info->reason = keep(making, words, strlen(words), &rc);
	return rc ? out_of(making, rc) : VMSNAP_OK;
}

static int set_info(struct making *making)
{
	const struct core_notes *notes = &making->notes;
	struct vmsnap_info *info = &making->snap->info;
	const char *arch = core_machine_name(&making->elf);
	int rc = VMSNAP_OK;
	info->source = VMSNAP_SOURCE_CORE;
	info->known.states_unknown = true;
	info->consistent = true;
	info->build_ids_proved = true; /* they are what was mapped */
	info->pid = info->tgid = notes->has_process && notes->pid ? notes->pid
	                         : notes->thread_count            ? notes->threads[0].tid
	                                                          : 0;
	info->ppid = notes->ppid;
	info->uid = notes->uid;
	info->comm = keep(making, notes->comm, strlen(notes->comm), &rc);
	/* The kernel writes no sections, but for one that counts segments. */
	info->tool = making->elf.section_count > 1 ? keep(making, "gdb", strlen("gdb"), &rc) : "";
	info->arch = keep(making, arch, strlen(arch), &rc);
	return rc ? out_of(making, rc) : set_reason(making);
}

/* The program is what its headers, or else its entry, are in. */
static void set_program(struct making *making)
{
	struct vmsnap_info *info = &making->snap->info;
	uint64_t at = making->notes.headers ? making->notes.headers : making->notes.entry;
	const struct vmsnap_vma *vma = at ? vmsnap_vma_at(making->snap, at) : NULL;
	if (!vma || vma->name[0] != '/')
		return;
	info->exe = vma->name;
	info->exe_build_id = vma->build_id;
	info->exe_build_id_len = vma->build_id_len;
}

/* What the notes tell, in the words of /proc/PID/status. */
static int set_status(struct making *making)
{
	const struct core_notes *notes = &making->notes;
	char text[512];
	int rc = VMSNAP_OK, len = 0;
	if (notes->has_process)
		len = snprintf(text, sizeof(text),
		               "Name:\t%s\nTgid:\t%" PRIu32 "\nPid:\t%" PRIu32 "\nPPid:\t%" PRIu32 "\n", notes->comm,
		               notes->pid, notes->pid, notes->ppid);
	if (notes->thread_count)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
		                "Threads:\t%zu\nSigPnd:\t%016" PRIx64 "\nSigBlk:\t%016" PRIx64 "\n",
		                notes->thread_count, notes->pending, notes->held);
	making->snap->status = keep(making, text, (size_t)len, &rc);
	making->snap->status_len = (size_t)len;
	return rc ? out_of(making, rc) : VMSNAP_OK;
}

static int make_threads(struct making *making)
{
	const struct core_notes *notes = &making->notes;
	struct vmsnap *snap = making->snap;
	int rc = VMSNAP_OK;
	snap->threads = work_array(&making->work, notes->thread_count, sizeof(*snap->threads), &rc);
	if (rc)
		return out_of(making, rc);
	snap->thread_count = notes->thread_count;
	for (size_t i = 0; i < notes->thread_count; i++)
		snap->threads[i] =
		        (struct vmsnap_thread){ .tid = notes->threads[i].tid,
			                        .stack_pointer = notes->threads[i].stack_pointer,
			                        .comm = notes->threads[i].tid == snap->info.pid ? snap->info.comm
			                                                                        : "" };
	return VMSNAP_OK;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int fill(struct making *making, uint64_t *cut)
{
	struct vmsnap *snap = making->snap;
	int rc = core_elf_open(&making->elf, making->source, making->err);
	rc = rc ? rc : core_notes_read(&making->elf, &making->work, &making->notes, making->err);
	if (rc)
		return rc;
	set_page_size(making);
	rc = core_memory_read(&making->memory, &making->elf, &making->notes, snap->info.page_size, &making->work,
	                      making->err);
	rc = rc ? rc : set_info(making);
	rc = rc ? rc : make_vmas(making);
	rc = rc ? rc : make_threads(making);
	rc = rc ? rc : set_status(making);
	if (rc)
		return rc;
	set_program(making);
	return core_contents_make(&making->memory, snap, &making->work, cut, making->err);
}

int core_snapshot_read(const struct file_source *source, struct work work, struct vmsnap **out, uint64_t *cut,
                       struct vmsnap_error *err)
{
	struct making making = { .source = source, .work = work, .err = err };
	*cut = 0;
	int rc = builder_begin(&making.builder);
	if (rc)
		return fail_no_memory(err);
	making.snap = making.builder.snap;
	making.snap->memory_limit = work.limit;
	rc = fill(&making, cut);
	core_notes_free(&making.notes, &making.work);
	core_memory_free(&making.memory, &making.work);
	if (!rc) {
		rc = builder_finish(&making.builder, &making.work, out);
		rc = rc ? out_of(&making, rc) : VMSNAP_OK;
	}
	builder_drop(&making.builder);
	return rc;
}
