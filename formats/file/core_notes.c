#include "core_notes.h"

#include <elf.h>
#include <signal.h>
#include <string.h>

#include "error.h"
#include "file_error.h"
#include "sorted.h"

/* The kernel has none longer: PATH_MAX and " (deleted)". */
enum { NAME_LONGEST = 4096 + 16 };

struct reading {
	const struct core_elf *elf;
	struct core_layout layout;
	struct work *work;
	struct core_notes *out;
	struct vmsnap_error *err;
};

static int read_at(const struct reading *reading, const struct core_note *note, uint64_t at, void *to, size_t len)
{
	return file_source_read(reading->elf->source, note->desc + at, to, len, reading->err);
}

static int out_of(struct reading *reading, int rc)
{
	return work_fail(reading->work, rc, reading->err);
}

/* ---- the process, and its threads ------------------------------------------------------ */

/* Where numbers stand depends on how wide a user's number is, which the size tells: 124 bytes with 16 bits, 128 with
 * 32, and 136 of 64-bit machines. */
static int read_process(struct reading *reading, const struct core_note *note)
{
	uint8_t bytes[136];
	const struct core_elf *elf = reading->elf;
	struct core_notes *out = reading->out;
	bool narrow = note->len == 124;
	if (out->has_process || (note->len != 124 && note->len != 128 && note->len != sizeof(bytes)))
		return VMSNAP_OK;
	int rc = read_at(reading, note, 0, bytes, (size_t)note->len);
	if (rc)
		return rc;
	const uint8_t *user = bytes + (note->len == sizeof(bytes) ? 16 : 8), *pid = user + (narrow ? 4 : 8);
	out->has_process = true;
	out->state = (char)bytes[1];
	out->uid = (uint32_t)core_number(elf, user, narrow ? 2 : 4);
	out->gid = (uint32_t)core_number(elf, user + (narrow ? 2 : 4), narrow ? 2 : 4);
	out->pid = (uint32_t)core_number(elf, pid, 4);
	out->ppid = (uint32_t)core_number(elf, pid + 4, 4);
	memcpy(out->comm, pid + 16, sizeof(out->comm) - 1);
	return VMSNAP_OK;
}

static int read_thread(struct reading *reading, const struct core_note *note)
{
	uint8_t bytes[1024];
	const struct core_elf *elf = reading->elf;
	const struct core_layout *layout = &reading->layout;
	struct core_notes *out = reading->out;
	int rc = VMSNAP_OK;
	size_t len = note->len < sizeof(bytes) ? (size_t)note->len : sizeof(bytes);
	if (len < layout->status_size)
		return VMSNAP_OK;
	rc = read_at(reading, note, 0, bytes, len);
	if (rc)
		return rc;
	if (!WORK_ROOM(reading->work, out->threads, out->thread_count, &out->thread_room, &rc))
		return out_of(reading, rc);
	struct core_thread *thread = &out->threads[out->thread_count];
	*thread = (struct core_thread){ .tid = (uint32_t)core_number(elf, bytes + layout->status_pid, 4) };
	if (layout->stack_len && layout->status_stack + layout->stack_len <= len)
		thread->stack_pointer = core_number(elf, bytes + layout->status_stack, layout->stack_len);
	if (out->thread_count++)
		return VMSNAP_OK;
	out->signal = out->signal ? out->signal : (uint32_t)core_number(elf, bytes + 12, 2);
	out->pending = core_number(elf, bytes + layout->status_pending, layout->word);
	out->held = core_number(elf, bytes + layout->status_held, layout->word);
	return VMSNAP_OK;
}

/* Signals whose siginfo has an address. */
static bool has_address(uint32_t signal)
{
	return signal == SIGSEGV || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP ||
	       signal == 7 /* SIGBUS */;
}

static int read_signal(struct reading *reading, const struct core_note *note)
{
	uint8_t bytes[24];
	const struct core_elf *elf = reading->elf;
	struct core_notes *out = reading->out;
	size_t word = core_word_len(elf), address = elf->is_64 ? 16 : 12;
	if (out->has_fault || note->len < sizeof(bytes))
		return VMSNAP_OK;
	int rc = read_at(reading, note, 0, bytes, sizeof(bytes));
	if (rc)
		return rc;
	uint32_t signal = (uint32_t)core_number(elf, bytes, 4);
	int32_t code = (int32_t)(uint32_t)core_number(elf, bytes + (elf->machine == EM_MIPS ? 4 : 8), 4);
	/* Of others the code says who sent it: no address. */
	out->has_fault = has_address(signal) && code > 0 && code < 0x80 && signal == out->signal;
	out->fault = core_number(elf, bytes + address, word);
	return VMSNAP_OK;
}

static void take_auxiliary(struct core_notes *out, uint64_t type, uint64_t value)
{
	uint64_t *place = type == AT_PAGESZ            ? &out->page_size
	                  : type == AT_SYSINFO_EHDR    ? &out->vdso
	                  : type == 25 /* AT_RANDOM */ ? &out->random
	                  : type == AT_PHDR            ? &out->headers
	                  : type == AT_ENTRY           ? &out->entry
	                                               : NULL;
	if (place && !*place)
		*place = value;
}

static int read_auxiliary(struct reading *reading, const struct core_note *note)
{
	uint8_t bytes[2048];
	const struct core_elf *elf = reading->elf;
	size_t word = core_word_len(elf), len = note->len < sizeof(bytes) ? (size_t)note->len : sizeof(bytes);
	int rc = read_at(reading, note, 0, bytes, len);
	for (size_t i = 0; !rc && i + 2 * word <= len; i += 2 * word)
		take_auxiliary(reading->out, core_number(elf, bytes + i, word),
		               core_number(elf, bytes + i + word, word));
	return rc;
}

/* ---- files ----------------------------------------------------------------------------- */

static int by_start(const void *left, const void *right, const void *ctx)
{
	const struct core_mapped *a = left, *b = right;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

/* How many, the unit of offsets, three words each, then so many names. */
static int take_files(struct reading *reading, const uint8_t *bytes, size_t len)
{
	const struct core_elf *elf = reading->elf;
	struct core_notes *out = reading->out;
	size_t word = core_word_len(elf);
	uint64_t count = core_number(elf, bytes, word), unit = core_number(elf, bytes + word, word);
	const uint8_t *at = bytes + 2 * word;
	if (count > (len - 2 * word) / (3 * word))
		return file_bad(elf->source->name, reading->err, VMSNAP_ERR_CORRUPT, 0,
		                "its list of mapped files has no room for %llu", (unsigned long long)count);
	int rc = VMSNAP_OK;
	out->mapped = work_array(reading->work, (size_t)count, sizeof(*out->mapped), &rc);
	if (rc)
		return out_of(reading, rc);
	out->mapped_count = (size_t)count;
	const char *name = out->names + 2 * word + count * 3 * word, *end = out->names + len;
	for (size_t i = 0; i < count; i++, at += 3 * word) {
		const char *stop = name < end ? memchr(name, 0, (size_t)(end - name)) : NULL;
		bool too_long = stop && stop - name > NAME_LONGEST;
		out->mapped[i] = (struct core_mapped){ .start = core_number(elf, at, word),
			                               .end = core_number(elf, at + word, word),
			                               .offset = core_number(elf, at + 2 * word, word) * unit,
			                               .name = stop && !too_long ? name : "" };
		name = stop ? stop + 1 : end;
	}
	rc = work_sort(reading->work, out->mapped, out->mapped_count, sizeof(*out->mapped), by_start, NULL);
	return rc ? out_of(reading, rc) : VMSNAP_OK;
}

static int read_files(struct reading *reading, const struct core_note *note)
{
	struct core_notes *out = reading->out;
	size_t word = core_word_len(reading->elf);
	int rc = VMSNAP_OK;
	if (out->names || note->len < 2 * word)
		return rc;
	out->names = work_array(reading->work, (size_t)note->len + 1, 1, &rc);
	if (rc)
		return out_of(reading, rc);
	out->names_len = (size_t)note->len + 1;
	rc = read_at(reading, note, 0, out->names, (size_t)note->len);
	return rc ? rc : take_files(reading, (const uint8_t *)out->names, (size_t)note->len);
}

/* ---- all ------------------------------------------------------------------------------- */

static int read_note(struct reading *reading, const struct core_note *note)
{
	/* Kernel and gdb write these; FreeBSD's, say, are of another layout. */
	if (strcmp(note->name, "CORE") != 0)
		return VMSNAP_OK;
	switch (note->type) {
	case NT_PRPSINFO:
		return read_process(reading, note);
	case NT_PRSTATUS:
		return read_thread(reading, note);
	case NT_SIGINFO:
		return read_signal(reading, note);
	case NT_AUXV:
		return read_auxiliary(reading, note);
	case NT_FILE:
		return read_files(reading, note);
	default:
		return VMSNAP_OK;
	}
}

static int read_segment(struct reading *reading, const struct core_segment *segment)
{
	uint64_t at = 0;
	struct core_note note;
	int rc = VMSNAP_OK;
	while (!rc) {
		rc = core_elf_note(reading->elf, segment, &at, &note, reading->err);
		if (!rc && work_step(reading->work))
			return out_of(reading, VMSNAP_ERR_CANCELLED);
		rc = rc ? rc : read_note(reading, &note);
	}
	return rc == VMSNAP_END ? VMSNAP_OK : rc;
}

int core_notes_read(const struct core_elf *elf, struct work *work, struct core_notes *out, struct vmsnap_error *err)
{
	struct reading reading = { elf, core_layout_of(elf), work, out, err };
	/* Headers that all point to the same notes would have them read a thousand times. */
	uint64_t left = elf->source->size;
	int rc = VMSNAP_OK;
	*out = (struct core_notes){ 0 };
	for (uint32_t i = 0; !rc && i < elf->segment_count; i++) {
		struct core_segment segment;
		if (work_step(work))
			return out_of(&reading, VMSNAP_ERR_CANCELLED);
		rc = core_elf_segment(elf, i, &segment, err);
		if (rc || segment.type != PT_NOTE || segment.file_size > left)
			continue;
		left -= segment.file_size;
		rc = read_segment(&reading, &segment);
	}
	return rc;
}

void core_notes_free(struct core_notes *notes, struct work *work)
{
	work_free(work, notes->threads, notes->thread_room, sizeof(*notes->threads));
	work_free(work, notes->mapped, notes->mapped_count, sizeof(*notes->mapped));
	work_free(work, notes->names, notes->names_len, 1);
	*notes = (struct core_notes){ 0 };
}

const struct core_mapped *core_mapped_at(const struct core_notes *notes, uint64_t address)
{
	size_t after = SORTED_ABOVE(struct core_mapped, start, notes->mapped, notes->mapped_count, address);
	const struct core_mapped *found = after ? &notes->mapped[after - 1] : NULL;
	return found && address < found->end ? found : NULL;
}
