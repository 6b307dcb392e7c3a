/* self_write.c - a file (docs/format.md) of what was captured, written without memory: each section is made twice,
 * first to count and to sum it up.  All its runs are far ones, nothing is compressed, and each mapping is an object of
 * its own: what formats/file finds out to make files small takes memory. */
#define _GNU_SOURCE
#include "error.h"
#include "raw_syscall.h"
#include "scan.h"
#include "self_memory.h"

/* ---- the sink ------------------------------------------------------------------------- */

/* CRC-32 as zlib has it, four bits at a time: a table of 16 words is in reach of this code. */
static uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		                            0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		                            0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	crc ^= byte;
	crc = table[crc & 15] ^ crc >> 4;
	return table[crc & 15] ^ crc >> 4;
}

static void flush(struct vmsnap_self *self)
{
	struct self_sink *sink = &self->sink;
	for (size_t at = 0; at < sink->fill && !sink->error;) {
		long put = raw_syscall4(SYS_write, sink->fd, (long)(self->buffer + at), (long)(sink->fill - at), 0);
		if (put < 0 && put != -EINTR)
			sink->error = (int)-put;
		at += put > 0 ? (size_t)put : 0;
	}
	sink->fill = 0;
}

static void put_byte(struct vmsnap_self *self, uint8_t byte)
{
	struct self_sink *sink = &self->sink;
	sink->count++;
	if (!sink->writing) {
		sink->crc = crc_byte(sink->crc, byte);
		return;
	}
	self->buffer[sink->fill++] = (char)byte;
	if (sink->fill == sizeof(self->buffer))
		flush(self);
}

static void put_bytes(struct vmsnap_self *self, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put_byte(self, ((const uint8_t *)bytes)[i]);
}

static uint32_t crc_bytes(uint32_t crc, const uint8_t *bytes, size_t len)
{
	for (crc = ~crc; len--;)
		crc = crc_byte(crc, *bytes++);
	return ~crc;
}

static void put_little(uint8_t *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

/* ---- numbers and columns --------------------------------------------------------------- */

static unsigned varint_len(uint64_t value)
{
	unsigned len = 1;
	for (; value >> 7; value >>= 7)
		len++;
	return len;
}

static void put_varint(struct vmsnap_self *self, uint64_t value)
{
	for (; value >> 7; value >>= 7)
		put_byte(self, (uint8_t)(value | 0x80));
	put_byte(self, (uint8_t)value);
}

static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}

/* What a column holds of its i-th record. */
typedef uint64_t column_value(const struct vmsnap_self *self, size_t first, size_t i);

/* First bytes first, then second ones, and so on. */
static void put_column(struct vmsnap_self *self, size_t first, size_t count, column_value *value)
{
	uint64_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += varint_len(value(self, first, i));
	put_varint(self, len);
	for (unsigned layer = 0; len; layer++)
		for (size_t i = 0; i < count; i++) {
			uint64_t number = value(self, first, i);
			unsigned bytes = varint_len(number);
			if (layer >= bytes)
				continue;
			put_byte(self, (uint8_t)((number >> 7 * layer & 0x7f) | (layer + 1 < bytes ? 0x80 : 0)));
			len--;
		}
}

enum { NO_BYTE = 256 };

/* A column of a byte for each record that has one. */
static void put_byte_column(struct vmsnap_self *self, size_t first, size_t count, column_value *value)
{
	uint64_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += value(self, first, i) != NO_BYTE;
	put_varint(self, len);
	for (size_t i = 0; i < count; i++)
		if (value(self, first, i) != NO_BYTE)
			put_byte(self, (uint8_t)value(self, first, i));
}

/* ---- sections -------------------------------------------------------------------------- */

typedef void section_payload(struct vmsnap_self *self, size_t first, size_t count);

static void put_section(struct vmsnap_self *self, const char *type, section_payload *payload, size_t first,
                        size_t count)
{
	struct self_sink *sink = &self->sink;
	uint8_t header[32];
	sink->writing = false;
	sink->count = 0;
	sink->crc = UINT32_MAX;
	payload(self, first, count);
	uint64_t bytes = sink->count;
	for (size_t i = 0; i < 4; i++)
		header[i] = (uint8_t)type[i];
	put_little(header + 4, 1, 4); /* required */
	put_little(header + 8, bytes, 8);
	put_little(header + 16, bytes, 8);
	put_little(header + 24, ~sink->crc, 4);
	put_little(header + 28, crc_bytes(0, header, 28), 4);
	sink->writing = true;
	put_bytes(self, header, sizeof(header));
	payload(self, first, count);
	sink->headers_crc = crc_bytes(sink->headers_crc, header, sizeof(header));
	sink->bytes += sizeof(header) + bytes;
	sink->sections++;
}

static void end_payload(struct vmsnap_self *self, size_t first, size_t count)
{
	uint8_t end[16];
	(void)first, (void)count;
	put_little(end, self->sink.bytes, 8);
	put_little(end + 8, self->sink.sections, 4);
	put_little(end + 12, self->sink.headers_crc, 4);
	put_bytes(self, end, sizeof(end));
}

/* ---- SNAP and STAT ----------------------------------------------------------------------- */

static void put_number(struct vmsnap_self *self, unsigned key, uint64_t value)
{
	unsigned len = 0;
	while (len < 8 && value >> 8 * len)
		len++;
	put_varint(self, key);
	put_byte(self, (uint8_t)len);
	for (unsigned i = 0; i < len; i++)
		put_byte(self, (uint8_t)(value >> 8 * i));
}

static void put_string(struct vmsnap_self *self, unsigned key, const char *text, size_t len)
{
	if (!len)
		return;
	put_varint(self, key);
	put_varint(self, len);
	put_bytes(self, text, len);
}

static void put_word(struct vmsnap_self *self, unsigned key, const char *word)
{
	size_t len = 0;
	while (word[len])
		len++;
	put_string(self, key, word, len);
}

static uint64_t status_number(const struct vmsnap_self *self, const char *key, unsigned index)
{
	uint64_t value = self_number(self->status, self->status_len, key, index);
	return value <= UINT32_MAX ? value : 0;
}

/* The last of those on a line. */
static uint64_t innermost(const struct vmsnap_self *self, const char *key)
{
	uint64_t value = 0, next;
	for (unsigned i = 0; (next = self_number(self->status, self->status_len, key, i)) <= UINT32_MAX; i++)
		value = next;
	return value;
}

static void put_who(struct vmsnap_self *self)
{
	const struct self_identity *who = &self->identity;
	size_t len;
	const char *name = self_line(self->status, self->status_len, "Name:", &len);
	put_number(self, 2, status_number(self, "Tgid:", 0));
	put_number(self, 3, status_number(self, "Tgid:", 0));
	put_number(self, 4, status_number(self, "PPid:", 0));
	put_number(self, 5, status_number(self, "Uid:", 1));
	put_number(self, 6, innermost(self, "NStgid:"));
	put_number(self, 7, who->pid_namespace);
	put_number(self, 8, self_stat_field(self, 22));
	put_word(self, 15, who->boot_id);
	put_word(self, 16, who->host);
	put_word(self, 17, who->kernel);
	put_word(self, 18, who->arch);
	put_string(self, 19, name, name ? len : 0);
	put_word(self, 20, who->exe);
	put_word(self, 21, who->label);
	put_word(self, 22, "vmsnap " VMSNAP_VERSION_STRING);
	put_string(self, 23, who->cmdline, who->cmdline_len);
	put_word(self, 25, who->reason);
	put_word(self, 29, who->cgroup);
	put_word(self, 30, who->machine_hash);
}

static void snap_payload(struct vmsnap_self *self, size_t first, size_t count)
{
	const struct vmsnap_known *known = &self->probe.known;
	(void)first, (void)count;
	put_number(self, 1, self->page_size);
	put_who(self);
	put_number(self, 9, (uint64_t)self->taken);
	put_number(self, 10, (uint64_t)self->monotonic);
	put_number(self, 13, self->consistent);
	put_number(self, 14,
	           (known->pfn ? 1u : 0) | (known->soft_dirty ? 2u : 0) | (known->exclusive ? 4u : 0) |
	                   (known->zero ? 8u : 0) | (known->huge ? 16u : 0));
	put_number(self, 34, self_stat_field(self, 26));
	put_number(self, 35, self_stat_field(self, 28));
	put_number(self, 36, self_stat_field(self, 48));
	put_number(self, 40, self->boottime);
	put_number(self, 42, self->probe.zero_pfn);
	put_number(self, 50, VMSNAP_SOURCE_SELF);
	put_number(self, 55, self->told.known_until);
	put_number(self, 56, self_stat_field(self, 9) & 0x40 ? VMSNAP_EXECUTED_NOTHING : VMSNAP_EXECUTED_PROGRAM);
}

static void stat_payload(struct vmsnap_self *self, size_t first, size_t count)
{
	(void)first, (void)count;
	put_bytes(self, self->status, self->status_len);
}

/* ---- VMAS -------------------------------------------------------------------------------- */

static uint64_t vma_gap(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return (self->vmas[i].start - (i ? self->vmas[i - 1].end : 0)) / self->page_size;
}
static uint64_t vma_pages(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return (self->vmas[i].end - self->vmas[i].start) / self->page_size;
}
static uint64_t vma_perms(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return self->vmas[i].perms;
}
static uint64_t vma_object(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)self, (void)first;
	return i;
}
static uint64_t vma_offset(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return zigzag(self->vmas[i].offset / self->page_size);
}
static uint64_t vma_device(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return i % 2 ? self->vmas[i / 2].dev_minor : self->vmas[i / 2].dev_major;
}
static uint64_t vma_inode(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return zigzag(self->vmas[i].inode - (i ? self->vmas[i - 1].inode : 0));
}
static uint64_t vma_no_build_id(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)self, (void)first, (void)i;
	return 0;
}

/* Whether "\012" is here, as which the kernel writes a newline. */
static bool is_newline(const char *at, const char *end)
{
	return end - at >= 4 && at[0] == '\\' && at[1] == '0' && at[2] == '1' && at[3] == '2';
}

/* Returns how many bytes it is with its NUL. */
static size_t name_bytes(struct vmsnap_self *self, const struct self_vma *vma, bool put)
{
	const char *at = self->text + vma->name, *end = at + vma->name_len;
	size_t len = 1;
	for (; at < end; at++, len++) {
		bool newline = is_newline(at, end);
		if (put)
			put_byte(self, newline ? '\n' : (uint8_t)*at);
		at += newline ? 3 : 0;
	}
	if (put)
		put_byte(self, 0);
	return len;
}

static void vmas_payload(struct vmsnap_self *self, size_t first, size_t count)
{
	uint64_t len = 0;
	put_varint(self, count);
	put_varint(self, count);
	for (size_t i = 0; i < count; i++)
		len += name_bytes(self, &self->vmas[i], false);
	put_varint(self, len);
	for (size_t i = 0; i < count; i++)
		name_bytes(self, &self->vmas[i], true);
	put_column(self, first, 2 * count, vma_device);
	put_column(self, first, count, vma_inode);
	put_byte_column(self, first, count, vma_no_build_id);
	put_varint(self, 0); /* their bytes */
	put_column(self, first, count, vma_gap);
	put_column(self, first, count, vma_pages);
	put_byte_column(self, first, count, vma_perms);
	put_column(self, first, count, vma_object);
	put_column(self, first, count, vma_offset);
}

/* ---- PAGE -------------------------------------------------------------------------------- */

static bool has_frame(const struct vmsnap_self *self, const struct run *run)
{
	return self->probe.known.pfn && (run->entry & ENTRY_POPULATED);
}

static uint64_t run_frame(const struct run *run)
{
	uint64_t frame = run->entry & ENTRY_FRAME_MASK;
	return run->entry & ENTRY_PRESENT ? frame : frame >> SWAP_TYPE_BITS;
}

static size_t state_index(const struct vmsnap_self *self, size_t count, const struct run *run)
{
	size_t at = 0;
	while (at < count && self->states[at] != entry_flags(run->entry))
		at++;
	return at;
}

/* Those of some runs, each once; how many runs have no more than there is room for. */
static size_t collect_states(struct vmsnap_self *self, size_t first, size_t most, size_t *states)
{
	size_t run = 0;
	for (*states = 0; run < most; run++) {
		size_t at = state_index(self, *states, &self->runs[first + run]);
		if (at == SELF_SECTION_STATES)
			break;
		if (at == *states)
			self->states[(*states)++] = entry_flags(self->runs[first + run].entry);
	}
	return run;
}

static void sift(uint64_t *heap, size_t at, size_t count)
{
	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		child += child + 1 < count && heap[child + 1] > heap[child];
		if (heap[at] >= heap[child])
			return;
		uint64_t kept = heap[at];
		heap[at] = heap[child];
		heap[child] = kept;
	}
}

/* A heap sort: it takes no memory. */
static void sort(uint64_t *items, size_t count)
{
	for (size_t i = count / 2; i--;)
		sift(items, i, count);
	while (count-- > 1) {
		uint64_t kept = items[0];
		items[0] = items[count];
		items[count] = kept;
		sift(items, 0, count);
	}
}

/* Bits 8 and up of the frames, each once, in order. */
static size_t collect_blocks(struct vmsnap_self *self, size_t first, size_t count)
{
	size_t all = 0, blocks = 0;
	for (size_t i = first; i < first + count; i++)
		if (has_frame(self, &self->runs[i]))
			self->blocks[all++] = run_frame(&self->runs[i]) >> 8;
	sort(self->blocks, all);
	for (size_t i = 0; i < all; i++)
		if (!i || self->blocks[i] != self->blocks[blocks - 1])
			self->blocks[blocks++] = self->blocks[i];
	return blocks;
}

/* `first` is how many there are: only those of this section count here. */
static uint64_t block_gap(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return self->blocks[i] - (i ? self->blocks[i - 1] : 0);
}

static size_t block_index(const struct vmsnap_self *self, uint64_t block)
{
	size_t low = 0, high = SELF_SECTION_RUNS;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (self->blocks[middle] < block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t run_state(const struct vmsnap_self *self, size_t first, size_t i)
{
	return state_index(self, SELF_SECTION_STATES, &self->runs[first + i]);
}
static uint64_t state_flags(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)first;
	return self->states[i];
}
static uint64_t run_gap(const struct vmsnap_self *self, size_t first, size_t i)
{
	const struct run *run = &self->runs[first + i];
	uint64_t before =
	        i ? run_start(run - 1) / self->page_size + run_pages(run - 1) : run_start(run) / self->page_size;
	return run_start(run) / self->page_size - before;
}
static uint64_t run_length(const struct vmsnap_self *self, size_t first, size_t i)
{
	return run_pages(&self->runs[first + i]) - 1;
}
static uint64_t run_far(const struct vmsnap_self *self, size_t first, size_t i)
{
	return has_frame(self, &self->runs[first + i]) ? 0 : NO_BYTE;
}
static uint64_t run_block(const struct vmsnap_self *self, size_t first, size_t i, unsigned shift)
{
	const struct run *run = &self->runs[first + i];
	return has_frame(self, run) ? block_index(self, run_frame(run) >> 8) >> shift & 0xff : NO_BYTE;
}
static uint64_t run_block_low(const struct vmsnap_self *self, size_t first, size_t i)
{
	return run_block(self, first, i, 0);
}
static uint64_t run_block_high(const struct vmsnap_self *self, size_t first, size_t i)
{
	return run_block(self, first, i, 8);
}
static uint64_t run_frame_low(const struct vmsnap_self *self, size_t first, size_t i)
{
	const struct run *run = &self->runs[first + i];
	return has_frame(self, run) ? run_frame(run) & 0xff : NO_BYTE;
}
static uint64_t run_swap_type(const struct vmsnap_self *self, size_t first, size_t i)
{
	const struct run *run = &self->runs[first + i];
	bool swapped = has_frame(self, run) && (run->entry & ENTRY_SWAPPED) && !(run->entry & ENTRY_PRESENT);
	return swapped ? run->entry & ((1u << SWAP_TYPE_BITS) - 1) : NO_BYTE;
}

static void page_payload(struct vmsnap_self *self, size_t first, size_t count)
{
	size_t states, blocks = collect_blocks(self, first, count);
	collect_states(self, first, count, &states);
	for (size_t i = blocks; i < SELF_SECTION_RUNS; i++)
		self->blocks[i] = UINT64_MAX;
	put_varint(self, count);
	put_varint(self, run_start(&self->runs[first]) / self->page_size);
	put_varint(self, states);
	put_varint(self, blocks);
	put_column(self, first, states, state_flags);
	put_byte_column(self, first, count, run_state);
	put_column(self, first, count, run_gap);
	put_column(self, first, count, run_length);
	put_byte_column(self, first, count, run_far);
	put_varint(self, 0); /* near frames */
	put_column(self, first, blocks, block_gap);
	put_byte_column(self, first, count, run_block_low);
	put_byte_column(self, first, count, run_block_high);
	put_byte_column(self, first, count, run_frame_low);
	put_byte_column(self, first, count, run_swap_type);
}

/* ---- mapped pages for which there was no room: a run for each mapping ------------------------ */

static uint64_t unread_start(const struct vmsnap_self *self, size_t vma)
{
	uint64_t start = self->vmas[vma].start;
	return start > self->told.known_until ? start : self->told.known_until;
}
static uint64_t unread_flags(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)self, (void)first, (void)i;
	return entry_flags(SELF_UNREAD);
}
static uint64_t unread_gap(const struct vmsnap_self *self, size_t first, size_t i)
{
	return i ? (unread_start(self, first + i) - self->vmas[first + i - 1].end) / self->page_size : 0;
}
static uint64_t unread_length(const struct vmsnap_self *self, size_t first, size_t i)
{
	return (self->vmas[first + i].end - unread_start(self, first + i)) / self->page_size - 1;
}
static uint64_t zero(const struct vmsnap_self *self, size_t first, size_t i)
{
	(void)self, (void)first, (void)i;
	return 0;
}

static void unread_payload(struct vmsnap_self *self, size_t first, size_t count)
{
	size_t framed = self->probe.known.pfn ? count : 0; /* a place in swap, 0 */
	put_varint(self, count);
	put_varint(self, unread_start(self, first) / self->page_size);
	put_varint(self, 1);
	put_varint(self, framed != 0);
	put_column(self, first, 1, unread_flags);
	put_byte_column(self, first, count, zero);
	put_column(self, first, count, unread_gap);
	put_column(self, first, count, unread_length);
	put_byte_column(self, first, framed, zero);
	put_varint(self, 0); /* near frames */
	put_column(self, first, framed != 0, zero);
	for (int column = 0; column < 4; column++)
		put_byte_column(self, first, framed, zero);
}

static void put_unread(struct vmsnap_self *self)
{
	size_t first = 0, end = self->vma_count;
	while (first < end && self->vmas[first].end <= self->told.known_until)
		first++;
	while (end > first && self->vmas[end - 1].start >> 63)
		end--;
	for (size_t count; first < end && self->told.known_until && !self->sink.error; first += count) {
		count = end - first < SELF_SECTION_RUNS ? end - first : SELF_SECTION_RUNS;
		put_section(self, "PAGE", unread_payload, first, count);
	}
}

/* ---- all of it --------------------------------------------------------------------------- */

static void put_stream_header(struct vmsnap_self *self)
{
	uint8_t header[16] = { 0x89, 'V', 'M', 'S', '\r', '\n', 0x1a, '\n', 1 };
	put_little(header + 12, crc_bytes(0, header, 12), 4);
	self->sink.writing = true;
	put_bytes(self, header, sizeof(header));
}

static void put_all(struct vmsnap_self *self)
{
	put_stream_header(self);
	put_section(self, "SNAP", snap_payload, 0, 0);
	put_section(self, "STAT", stat_payload, 0, 0);
	put_section(self, "VMAS", vmas_payload, 0, self->vma_count);
	for (size_t first = 0, count, states; first < self->run_count && !self->sink.error; first += count) {
		size_t most = self->run_count - first;
		count = collect_states(self, first, most < SELF_SECTION_RUNS ? most : SELF_SECTION_RUNS, &states);
		put_section(self, "PAGE", page_payload, first, count);
	}
	put_unread(self);
	put_section(self, "END ", end_payload, 0, 0);
	flush(self);
}

VMSNAP_API int vmsnap_self_write(struct vmsnap_self *self, int fd)
{
	int rc = self_acquire(self);
	if (rc)
		return rc;
	if (self->told.taken) {
		struct self_sink *sink = &self->sink;
		sink->fd = fd;
		sink->error = 0;
		sink->fill = 0;
		sink->headers_crc = 0;
		sink->bytes = 0;
		sink->sections = 0;
		put_all(self);
		self->told.system_error = sink->error;
		rc = sink->error ? VMSNAP_ERR_SYSTEM : VMSNAP_OK;
	} else {
		rc = VMSNAP_ERR_NOT_FOUND;
	}
	self_release(self);
	return rc;
}
