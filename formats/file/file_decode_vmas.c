/* file_decode_vmas.c - VMAS and SMAP. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_decode.h"
#include "file_error.h"
#include "repeated.h"

/* What is mapped: several VMAs share one. */
struct object {
	const char *name;
	size_t name_len;
	const uint8_t *build_id;
	uint64_t inode;
	uint64_t end; /* offset at which the last VMA of it ended, in pages */
	uint32_t dev_major, dev_minor;
	uint8_t build_id_len;
	bool deleted;
};

struct vmas {
	struct decode *decode;
	struct object *objects;
	size_t object_count;
	uint64_t name_bytes; /* of all mappings, as if each had its own */
	struct cursor names, build_id_lens, build_ids, perms;
	struct numbers devices, inodes, gaps, sizes, which, offsets;
};

static bool take_numbers_of(struct cursor *payload, struct numbers *numbers, size_t count)
{
	struct cursor column;
	return take_column(payload, &column) && numbers_open(numbers, column, count);
}

static bool take_columns(struct vmas *in, struct cursor *payload, size_t vmas)
{
	size_t m = in->object_count;
	return take_column(payload, &in->names) && take_numbers_of(payload, &in->devices, 2 * m) &&
	       take_numbers_of(payload, &in->inodes, m) && take_column(payload, &in->build_id_lens) &&
	       cursor_left(&in->build_id_lens) == m && take_column(payload, &in->build_ids) &&
	       take_numbers_of(payload, &in->gaps, vmas) && take_numbers_of(payload, &in->sizes, vmas) &&
	       take_column(payload, &in->perms) && cursor_left(&in->perms) == vmas &&
	       take_numbers_of(payload, &in->which, vmas) && take_numbers_of(payload, &in->offsets, vmas);
}

static int set_object(struct vmas *in, struct object *object, uint64_t *inode)
{
	struct decode *decode = in->decode;
	uint64_t device[2], difference;
	const char *name;
	size_t len;
	const uint8_t *build_id;
	int rc = VMSNAP_OK;
	numbers_next(&in->devices, device, 2);
	numbers_next(&in->inodes, &difference, 1);
	*inode += unzigzag(difference);
	object->inode = *inode;
	if (device[0] > UINT32_MAX || device[1] > UINT32_MAX)
		return decode_damaged(decode, "VMAS: device numbers have 32 bits");
	object->dev_major = (uint32_t)device[0];
	object->dev_minor = (uint32_t)device[1];
	if (!take_string(&in->names, &name, &len))
		return decode_damaged(decode, "VMAS: a name for each of %zu objects expected", in->object_count);
	bool file = vma_has_file(*inode, object->dev_major, object->dev_minor);
	object->deleted = vma_named_deleted(file, name, len);
	object->name = decode_string(decode, name, len, &rc);
	object->name_len = len;
	object->build_id_len = *in->build_id_lens.at++;
	if (rc || !object->build_id_len)
		return rc;
	if (!take_bytes(&in->build_ids, object->build_id_len, &build_id))
		return decode_damaged(decode, "VMAS: build IDs are missing");
	object->build_id = (const uint8_t *)decode_string(decode, build_id, object->build_id_len, &rc);
	return rc;
}

static int set_objects(struct vmas *in)
{
	uint64_t inode = 0;
	for (size_t i = 0; i < in->object_count; i++) {
		int rc = set_object(in, &in->objects[i], &inode);
		rc = rc ? rc : decode_step(in->decode);
		if (rc)
			return rc;
	}
	if (cursor_left(&in->names) || cursor_left(&in->build_ids))
		return decode_damaged(in->decode, "VMAS: more names or build IDs than objects");
	return VMSNAP_OK;
}

/* One name may be that of many mappings, and who looks at them one by one looks at it as
 * often.  A capture reads no more text of maps than PROCDIR_TEXT_MAX, half of that. */
static int count_name(struct vmas *in, size_t len)
{
	enum { NAME_BYTES_MAX = 512 << 20 };
	in->name_bytes += len;
	if (in->name_bytes <= NAME_BYTES_MAX)
		return VMSNAP_OK;
	return file_bad(in->decode->name, in->decode->err, VMSNAP_ERR_TOO_LARGE, in->decode->offset,
	                "the names of all mappings have more than %d bytes", NAME_BYTES_MAX);
}

static int set_vma(struct vmas *in, struct vmsnap_vma *vma, uint64_t *page)
{
	struct decode *decode = in->decode;
	uint64_t page_size = decode->snap->info.page_size, top = decode_top(decode);
	uint64_t gap, size, which, offset;
	numbers_next(&in->gaps, &gap, 1);
	numbers_next(&in->sizes, &size, 1);
	numbers_next(&in->which, &which, 1);
	numbers_next(&in->offsets, &offset, 1);
	uint8_t perms = *in->perms.at++;
	if (gap > top - *page || !size || size > top - *page - gap)
		return decode_damaged(decode, "VMAS: a mapping of %" PRIu64 " pages above the address space", size);
	if (which >= in->object_count)
		return decode_damaged(decode, "VMAS: object %" PRIu64 " of %zu", which, in->object_count);
	if (perms > (VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_EXEC | VMSNAP_PERM_SHARED))
		return decode_damaged(decode, "VMAS: permissions 0x%x", perms);
	struct object *object = &in->objects[which];
	offset = object->end + unzigzag(offset);
	if (offset > UINT64_MAX / page_size)
		return decode_damaged(decode, "VMAS: an offset of %" PRIu64 " pages", offset);
	object->end = offset + size;
	*page += gap;
	*vma = (struct vmsnap_vma){ .start = *page * page_size,
		                    .end = (*page + size) * page_size,
		                    .offset = offset * page_size,
		                    .inode = object->inode,
		                    .dev_major = object->dev_major,
		                    .dev_minor = object->dev_minor,
		                    .perms = perms,
		                    .deleted = object->deleted,
		                    .name = object->name,
		                    .build_id = object->build_id,
		                    .build_id_len = object->build_id_len };
	*page += size;
	return count_name(in, object->name_len);
}

static int set_vmas(struct vmas *in)
{
	struct vmsnap *snap = in->decode->snap;
	uint64_t page = 0;
	int rc = set_objects(in);
	for (size_t i = 0; !rc && i < snap->vma_count; i++) {
		rc = set_vma(in, &snap->vmas[i], &page);
		rc = rc ? rc : decode_step(in->decode);
	}
	return rc;
}

int decode_vmas(struct decode *decode, struct cursor payload)
{
	uint64_t vmas, objects;
	struct vmas in = { .decode = decode };
	if (!take_varint(&payload, &vmas) || !take_varint(&payload, &objects) || vmas > cursor_left(&payload) ||
	    objects > cursor_left(&payload))
		return decode_damaged(decode, "VMAS: more mappings than bytes");
	in.object_count = (size_t)objects;
	if (!take_columns(&in, &payload, (size_t)vmas) || cursor_left(&payload))
		return decode_damaged(decode,
		                      "VMAS: the columns do not fit %" PRIu64 " mappings of %" PRIu64 " objects", vmas,
		                      objects);
	void *array;
	int rc = decode_array(decode, vmas, sizeof(struct vmsnap_vma), &array);
	if (rc)
		return rc;
	decode->snap->vmas = array;
	decode->snap->vma_count = (size_t)vmas;
	rc = decode_array(decode, objects, sizeof(struct object), &array);
	if (rc)
		return rc;
	in.objects = array;
	rc = set_vmas(&in);
	free(in.objects);
	work_release(&decode->work, objects * sizeof(struct object));
	return rc;
}

/* ---- SMAP ---- */

static int set_smaps_strings(struct decode *decode, struct cursor *column, const char **out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *string;
		size_t len;
		int rc = VMSNAP_OK;
		if (!take_string(column, &string, &len))
			return decode_damaged(decode, "SMAP: %zu strings expected", count);
		out[i] = decode_string(decode, string, len, &rc);
		rc = rc ? rc : decode_step(decode);
		if (rc)
			return rc;
	}
	return cursor_left(column) ? decode_damaged(decode, "SMAP: more strings than expected") : VMSNAP_OK;
}

static int set_smaps_key(struct decode *decode, struct cursor *payload, size_t key, uint8_t unit)
{
	struct smaps *smaps = &decode->snap->smaps;
	struct numbers numbers;
	uint64_t value, scale = unit ? 1024 : 1;
	if (unit > 1)
		return decode_damaged(decode, "SMAP: unit %u", unit);
	if (!take_numbers_of(payload, &numbers, decode->snap->vma_count))
		return decode_damaged(decode, "SMAP: a value for each mapping expected");
	for (size_t vma = 0; vma < decode->snap->vma_count; vma++) {
		numbers_next(&numbers, &value, 1);
		if (value && value - 1 > UINT64_MAX / scale)
			return decode_damaged(decode, "SMAP: a size of %" PRIu64 " KiB", value - 1);
		smaps->values[vma * smaps->key_count + key] = value ? (value - 1) * scale : UINT64_MAX;
		int rc = decode_step(decode);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

static int allocate_smaps(struct decode *decode, size_t keys)
{
	struct smaps *smaps = &decode->snap->smaps;
	size_t vmas = decode->snap->vma_count;
	void *array;
	int rc = decode_array(decode, keys, sizeof(*smaps->keys), &array);
	if (rc)
		return rc;
	smaps->keys = array;
	rc = decode_array(decode, vmas, sizeof(*smaps->flags), &array);
	if (rc)
		return rc;
	smaps->flags = array;
	rc = decode_array(decode, (uint64_t)vmas * keys, sizeof(*smaps->values), &array);
	if (rc)
		return rc;
	smaps->values = array;
	smaps->key_count = keys;
	return VMSNAP_OK;
}

/* They become the keys of one object, next to its VmFlags. */
static int check_smaps_keys(struct decode *decode)
{
	const struct smaps *smaps = &decode->snap->smaps;
	int rc = decode_charge(decode, (smaps->key_count + 1) * sizeof(struct repeated_key));
	CLEANUP_FREE struct repeated_key *keys = rc ? NULL : calloc(smaps->key_count + 1, sizeof(*keys));
	if (!keys)
		return rc ? rc : fail_no_memory(decode->err);
	for (size_t i = 0; i < smaps->key_count; i++)
		keys[i] = (struct repeated_key){ .bytes = smaps->keys[i], .len = strlen(smaps->keys[i]) };
	keys[smaps->key_count] = (struct repeated_key){ .bytes = "VmFlags", .len = strlen("VmFlags") };
	return repeated_mark(keys, smaps->key_count + 1) ? decode_damaged(decode, "SMAP: a key comes twice")
	                                                 : VMSNAP_OK;
}

/* The next cell that holds a text; SIZE_MAX: there is none.  False for what is no such list. */
static bool next_text(struct cursor *texts, size_t *cell, const char **text, size_t *len)
{
	uint64_t gap;
	if (!cursor_left(texts)) {
		*cell = SIZE_MAX;
		return true;
	}
	/* Begins with SIZE_MAX, which is one before the first. */
	if (!take_varint(texts, &gap) || gap > SIZE_MAX / 2 || *cell + 1 > SIZE_MAX / 2)
		return false;
	*cell += (size_t)gap + 1;
	return take_string(texts, text, len);
}

/* SNAP's, which came before. */
static int set_smaps_texts(struct decode *decode)
{
	struct smaps *smaps = &decode->snap->smaps;
	size_t cell = SIZE_MAX, cells = decode->snap->vma_count * smaps->key_count, len;
	void *array;
	if (!cursor_left(&decode->smaps_texts))
		return VMSNAP_OK;
	int rc = decode_array(decode, cells, sizeof(*smaps->texts), &array);
	if (rc)
		return rc;
	smaps->texts = array;
	for (const char *text;;) {
		if (!next_text(&decode->smaps_texts, &cell, &text, &len))
			return decode_damaged(decode, "SNAP: positions and texts of smaps expected");
		if (cell == SIZE_MAX)
			return VMSNAP_OK;
		if (cell >= cells || smaps->values[cell] != UINT64_MAX)
			return decode_damaged(decode, "SMAP: SNAP has a text where it has no place for one");
		smaps->texts[cell] = decode_string(decode, text, len, &rc);
		rc = rc ? rc : decode_step(decode);
		if (rc)
			return rc;
	}
}

int decode_smap(struct decode *decode, struct cursor payload)
{
	uint64_t count;
	struct cursor keys, units, flags;
	size_t vmas = decode->snap->vma_count;
	if (!take_varint(&payload, &count) || !take_column(&payload, &keys) || !take_column(&payload, &units) ||
	    cursor_left(&units) != count || (vmas && count > cursor_left(&payload) / vmas))
		return decode_damaged(decode, "SMAP: the columns do not fit %zu mappings", vmas);
	int rc = allocate_smaps(decode, (size_t)count);
	rc = rc ? rc : set_smaps_strings(decode, &keys, decode->snap->smaps.keys, (size_t)count);
	rc = rc ? rc : check_smaps_keys(decode);
	for (size_t i = 0; !rc && i < count; i++)
		rc = set_smaps_key(decode, &payload, i, units.at[i]);
	if (rc)
		return rc;
	if (!take_column(&payload, &flags) || cursor_left(&payload))
		return decode_damaged(decode, "SMAP: expected VmFlags and nothing after");
	rc = set_smaps_strings(decode, &flags, decode->snap->smaps.flags, vmas);
	return rc ? rc : set_smaps_texts(decode);
}
