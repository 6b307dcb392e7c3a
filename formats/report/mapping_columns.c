#include "mapping_columns.h"

#include "format_value.h"

void put_mapping_columns(struct row *row, unsigned first, const struct vmsnap_vma *vma)
{
	if (!vma)
		return;
	/* A table of pages has many rows: nothing is made that nobody asked for. */
	if (row_wants(row, first + MAPPING_PERM))
		row_put_word(row, first + MAPPING_PERM, word_perms(vma).text);
	if (row_wants(row, first + MAPPING_OFFSET))
		row_put_offset(row, first + MAPPING_OFFSET, vma->offset);
	bool file_told = !(vma->unknown & VMSNAP_VMA_UNKNOWN_FILE);
	if (row_wants(row, first + MAPPING_DEV) && file_told)
		row_put_word(row, first + MAPPING_DEV, word_device(vma).text);
	if (row_wants(row, first + MAPPING_INODE) && file_told)
		row_put_count(row, first + MAPPING_INODE, vma->inode);
	if (row_wants(row, first + MAPPING_BUILD_ID))
		row_put_build_id(row, first + MAPPING_BUILD_ID, vma->build_id, vma->build_id_len);
}
