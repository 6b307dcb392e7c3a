#include "vma_record.h"

#include "format_value.h"
#include "sums.h"

static const struct column vma_columns[] = {
	[VMA_START] = { "start", .type = COLUMN_ADDRESS },
	[VMA_END] = { "end", .type = COLUMN_ADDRESS },
	[VMA_PERM] = { "perms", .type = COLUMN_WORD },
	[VMA_OFFSET] = { "offset", .type = COLUMN_OFFSET },
	[VMA_DEV] = { "dev", .type = COLUMN_WORD },
	[VMA_INODE] = { "inode", .type = COLUMN_COUNT },
	[VMA_NAME] = { "name", .type = COLUMN_PATH },
	[VMA_DELETED] = { "deleted", .type = COLUMN_BOOL },
	[VMA_BUILD_ID] = { "build_id", .type = COLUMN_BUILD_ID },
};
const struct row_schema vma_schema = ROW_SCHEMA(vma_columns);

void put_vma_columns(struct row *row, const struct vmsnap_vma *vma)
{
	put_vma_columns_as(row, vma, word_perms(vma).text);
}

void put_vma_columns_as(struct row *row, const struct vmsnap_vma *vma, const char *perms)
{
	row_put_address(row, VMA_START, vma->start);
	row_put_address(row, VMA_END, vma->end);
	row_put_word(row, VMA_PERM, perms);
	row_put_offset(row, VMA_OFFSET, vma->offset);
	bool file_told = !(vma->unknown & VMSNAP_VMA_UNKNOWN_FILE);
	if (row_wants(row, VMA_DEV) && file_told)
		row_put_word(row, VMA_DEV, word_device(vma).text);
	row_put_count_known(row, VMA_INODE, vma->inode, file_told);
	row_put_name(row, VMA_NAME, vma->name);
	row_put_bool(row, VMA_DELETED, vma->deleted);
	row_put_build_id(row, VMA_BUILD_ID, vma->build_id, vma->build_id_len);
}

void put_vma(struct row *row, unsigned column, const struct vmsnap_vma *vma)
{
	if (!vma)
		return;
	struct row record = row_open(row, column);
	put_vma_columns(&record, vma);
	row_end(&record);
}

void put_sums_columns(struct row *row, unsigned first, const struct vmsnap *snap, const struct vmsnap_sums *sums)
{
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	row_put_bytes(row, first + SUMS_SIZE, sums->size);
	if (known->states_unknown) {
		row_put_unknown(row, first + SUMS_RESIDENT);
		return;
	}
	row_put_bytes_least(row, first + SUMS_RESIDENT, sums->resident, sums_unread(snap, sums));
	uint64_t swap_unknown = sums->swap_unknown + sums->swapped_unknown;
	row_put_bytes_least(row, first + SUMS_SWAPPED, sums->swapped, swap_unknown);
	row_put_bytes_least(row, first + SUMS_EXCLUSIVE, sums->exclusive,
	                    sums->exclusive_unknown + sums_unread(snap, sums) + !known->exclusive);
	row_put_bytes_known(row, first + SUMS_ZERO, sums->zero, known->zero);
	row_put_bytes_least(row, first + SUMS_FILE, sums->file, sums_unread(snap, sums));
	row_put_bytes_known(row, first + SUMS_HUGE, sums->huge, known->huge);
	row_put_bytes(row, first + SUMS_GUARD, sums->guard);
	row_put_bytes(row, first + SUMS_EXCLUSIVE_UNKNOWN, sums->exclusive_unknown);
	row_put_bytes(row, first + SUMS_SWAPPED_UNKNOWN, swap_unknown);
}
