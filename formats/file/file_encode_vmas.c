/* file_encode_vmas.c - VMAS and SMAP. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "file_encode.h"

/* The distinct things that are mapped, found again through a hash table of their
 * numbers plus 1. */
struct objects {
	const struct vmsnap_vma **first; /* a VMA of each */
	uint64_t *ends;                  /* offset at which its last VMA ended, in pages */
	size_t count;
	uint32_t *table;
	size_t mask;
};

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_object(const struct vmsnap_vma *vma)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	hash = hash_bytes(hash, &vma->inode, sizeof(vma->inode));
	hash = hash_bytes(hash, &vma->dev_major, sizeof(vma->dev_major));
	hash = hash_bytes(hash, &vma->dev_minor, sizeof(vma->dev_minor));
	hash = hash_bytes(hash, vma->name, strlen(vma->name));
	return hash ^ hash >> 32;
}

static bool same_object(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       strcmp(a->name, b->name) == 0 && a->build_id_len == b->build_id_len &&
	       (!a->build_id_len || memcmp(a->build_id, b->build_id, a->build_id_len) == 0);
}

static size_t find_object(struct objects *objects, const struct vmsnap_vma *vma)
{
	size_t slot = (size_t)hash_object(vma) & objects->mask;
	for (; objects->table[slot]; slot = (slot + 1) & objects->mask)
		if (same_object(objects->first[objects->table[slot] - 1], vma))
			return objects->table[slot] - 1;
	objects->first[objects->count] = vma;
	objects->table[slot] = (uint32_t)++objects->count;
	return objects->count - 1;
}

static void free_objects(struct objects *objects)
{
	free(objects->first);
	free(objects->ends);
	free(objects->table);
}

/* free_objects() frees what a failure leaves, too. */
static bool init_objects(struct objects *objects, size_t vmas)
{
	size_t slots = 64;
	while (slots < vmas * 2)
		slots *= 2;
	*objects = (struct objects){ .first = calloc(vmas + 1, sizeof(*objects->first)),
		                     .ends = calloc(vmas + 1, sizeof(*objects->ends)),
		                     .table = calloc(slots, sizeof(*objects->table)),
		                     .mask = slots - 1 };
	return objects->first && objects->ends && objects->table;
}

/* ---- VMAS ---- */

struct vma_columns {
	struct objects objects;
	uint64_t *gaps, *sizes, *which, *offsets, *numbers;
	uint8_t *perms;
	struct bytes names, build_ids, build_id_lens;
};

static void free_columns(struct vma_columns *columns)
{
	free_objects(&columns->objects);
	free(columns->gaps); /* and all the other numbers */
	free(columns->perms);
	bytes_free(&columns->names);
	bytes_free(&columns->build_ids);
	bytes_free(&columns->build_id_lens);
}

static bool init_columns(struct vma_columns *columns, size_t vmas)
{
	*columns = (struct vma_columns){ 0 };
	if (vmas > UINT32_MAX / 2 || !init_objects(&columns->objects, vmas))
		return false;
	columns->gaps = calloc(6 * vmas + 1, sizeof(uint64_t));
	columns->perms = calloc(vmas + 1, 1);
	if (!columns->gaps || !columns->perms)
		return false;
	columns->sizes = columns->gaps + vmas;
	columns->which = columns->sizes + vmas;
	columns->offsets = columns->which + vmas;
	columns->numbers = columns->offsets + vmas; /* 2 for each object */
	return true;
}

static int set_row(const struct vmsnap *snap, struct vma_columns *columns, size_t row, uint64_t *page,
                   struct vmsnap_error *err)
{
	const struct vmsnap_vma *vma = vmsnap_vma(snap, row);
	uint64_t page_size = vmsnap_info(snap)->page_size;
	if ((vma->start | vma->end | vma->offset) & (page_size - 1) || vma->end <= vma->start ||
	    vma->start / page_size < *page || vma->build_id_len > UINT8_MAX)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "the mapping 0x%" PRIx64 "-0x%" PRIx64 " is not one that a file can hold", vma->start,
		            vma->end);
	size_t object = find_object(&columns->objects, vma);
	uint64_t size = (vma->end - vma->start) / page_size, offset = vma->offset / page_size;
	columns->gaps[row] = vma->start / page_size - *page;
	columns->sizes[row] = size;
	columns->perms[row] = (uint8_t)(vma->perms & 15);
	columns->which[row] = object;
	columns->offsets[row] = zigzag(offset - columns->objects.ends[object]);
	columns->objects.ends[object] = offset + size;
	*page = vma->end / page_size;
	return VMSNAP_OK;
}

static void put_objects(struct vma_columns *columns, struct payload *out)
{
	struct objects *objects = &columns->objects;
	uint64_t inode = 0;
	for (size_t i = 0; i < objects->count; i++) {
		const struct vmsnap_vma *vma = objects->first[i];
		uint8_t len = (uint8_t)vma->build_id_len;
		put_bytes(&columns->names, vma->name, strlen(vma->name) + 1);
		put_bytes(&columns->build_id_lens, &len, 1);
		put_bytes(&columns->build_ids, vma->build_id, len);
		columns->numbers[2 * i] = vma->dev_major;
		columns->numbers[2 * i + 1] = vma->dev_minor;
	}
	put_column(&out->bytes, columns->names.data, columns->names.len);
	payload_cut(out);
	put_numbers(&out->bytes, columns->numbers, 2 * objects->count);
	for (size_t i = 0; i < objects->count; i++) {
		columns->numbers[i] = zigzag(objects->first[i]->inode - inode);
		inode = objects->first[i]->inode;
	}
	put_numbers(&out->bytes, columns->numbers, objects->count);
	put_column(&out->bytes, columns->build_id_lens.data, columns->build_id_lens.len);
	payload_cut(out);
	put_column(&out->bytes, columns->build_ids.data, columns->build_ids.len);
	payload_cut(out);
}

static int put_vmas(const struct vmsnap *snap, struct vma_columns *columns, struct payload *out,
                    struct vmsnap_error *err)
{
	uint64_t page = 0;
	size_t count = vmsnap_vma_count(snap);
	for (size_t i = 0; i < count; i++) {
		int rc = set_row(snap, columns, i, &page, err);
		if (rc)
			return rc;
	}
	put_varint(&out->bytes, count);
	put_varint(&out->bytes, columns->objects.count);
	put_objects(columns, out);
	put_numbers(&out->bytes, columns->gaps, count);
	put_numbers(&out->bytes, columns->sizes, count);
	payload_cut(out);
	put_column(&out->bytes, columns->perms, count);
	put_numbers(&out->bytes, columns->which, count);
	put_numbers(&out->bytes, columns->offsets, count);
	bool failed = columns->names.failed || columns->build_ids.failed || columns->build_id_lens.failed;
	return failed || encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
}

int encode_vmas(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	struct vma_columns columns;
	int rc = init_columns(&columns, vmsnap_vma_count(snap)) ? put_vmas(snap, &columns, out, err)
	                                                        : fail_no_memory(err);
	free_columns(&columns);
	return rc;
}

/* ---- SMAP ---- */

/* Whether a key's values are all whole KiB; none, and they are kept as they are. */
static bool whole_kib(const struct vmsnap *snap, size_t key)
{
	for (size_t vma = 0; vma < vmsnap_vma_count(snap); vma++) {
		uint64_t value = vmsnap_smaps_value(snap, vma, key);
		if (value != UINT64_MAX && value % 1024)
			return false;
	}
	return true;
}

static void put_smaps(const struct vmsnap *snap, struct payload *out, struct bytes *strings, uint64_t *values)
{
	size_t keys = vmsnap_smaps_key_count(snap), vmas = vmsnap_vma_count(snap);
	for (size_t k = 0; k < keys; k++)
		put_bytes(strings, vmsnap_smaps_key(snap, k), strlen(vmsnap_smaps_key(snap, k)) + 1);
	put_varint(&out->bytes, keys);
	put_column(&out->bytes, strings->data, strings->len);
	put_varint(&out->bytes, keys);
	for (size_t k = 0; k < keys; k++) {
		uint8_t kib = whole_kib(snap, k);
		put_bytes(&out->bytes, &kib, 1);
	}
	for (size_t k = 0; k < keys; k++) {
		uint64_t scale = whole_kib(snap, k) ? 1024 : 1;
		for (size_t vma = 0; vma < vmas; vma++) {
			uint64_t value = vmsnap_smaps_value(snap, vma, k);
			values[vma] = value == UINT64_MAX ? 0 : value / scale + 1;
		}
		put_numbers(&out->bytes, values, vmas);
	}
	strings->len = 0;
	for (size_t vma = 0; vma < vmas; vma++) {
		const char *flags = vmsnap_smaps_flags(snap, vma);
		put_bytes(strings, flags, strlen(flags) + 1);
	}
	put_column(&out->bytes, strings->data, strings->len);
}

int encode_smap(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	struct bytes strings = { 0 };
	uint64_t *values = calloc(vmsnap_vma_count(snap) + 1, sizeof(*values));
	if (values)
		put_smaps(snap, out, &strings, values);
	bool failed = !values || strings.failed || encode_done(out);
	free(values);
	bytes_free(&strings);
	return failed ? fail_no_memory(err) : VMSNAP_OK;
}
