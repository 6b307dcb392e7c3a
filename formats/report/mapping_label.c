#include "mapping_label.h"

#include <stdlib.h>
#include <string.h>

#include "text_color.h"

/* Neighbours of one kind may share a mapping with what is named. */
static const char *rest_of(const struct vmsnap_name *name, const struct vmsnap_vma *vma)
{
	bool all = name->address == vma->start && name->size >= vma->end - vma->start;
	if (name->kind == VMSNAP_NAME_MAPPING)
		return all ? " (.bss)" : " (.bss, and more)";
	return name->kind == VMSNAP_NAME_MALLOC_HEAP && !all ? ", and more" : "";
}

struct mapping_label mapping_label(struct text *text, struct vmsnap_names *names, const struct vmsnap_vma *vma,
                                   size_t index)
{
	struct mapping_label label = { .words = NULL };
	struct vmsnap_name name;
	int rc = names ? vmsnap_name_of_mapping(names, index, &name) : VMSNAP_ERR_NOT_FOUND;
	text_stop(text, rc == VMSNAP_ERR_NO_MEMORY ? rc : VMSNAP_OK);
	if (rc)
		return label;
	const char *what = name.symbol ? name.symbol : name.object, *rest = rest_of(&name, vma);
	size_t bytes = strlen(what) + strlen(rest) + 1;
	rc = work_charge(&text->work, bytes);
	label.words = rc ? NULL : malloc(bytes);
	if (!rc && !label.words) {
		work_release(&text->work, bytes);
		rc = VMSNAP_ERR_NO_MEMORY;
	}
	text_stop(text, rc);
	if (rc)
		return label;
	label.kind = name.kind == VMSNAP_NAME_MAPPING ? "bss" : vmsnap_name_kind_name(name.kind);
	memcpy(label.words, what, strlen(what));
	memcpy(label.words + strlen(what), rest, strlen(rest) + 1);
	return label;
}

void mapping_label_free(struct mapping_label *label, struct text *text)
{
	if (label->words)
		work_release(&text->work, strlen(label->words) + 1);
	free(label->words);
	label->words = NULL;
}

struct mapping_label mapping_label_in(struct text *text, struct vmsnap_names *names, const struct vmsnap *snap,
                                      const struct vmsnap_vma *vma)
{
	const struct vmsnap_vma *first = vmsnap_vma(snap, 0);
	size_t count = vmsnap_vma_count(snap);
	/* As numbers: it may be in another array. */
	uintptr_t at = (uintptr_t)vma, begin = (uintptr_t)first;
	if (!names || !count || *vma->name || at < begin || at >= begin + count * sizeof(*first))
		return (struct mapping_label){ .words = NULL };
	return mapping_label(text, names, vma, (size_t)(vma - first));
}

void row_put_mapping(struct row *row, unsigned column, struct vmsnap_names *names, const struct vmsnap *snap,
                     const struct vmsnap_vma *vma)
{
	const struct vmsnap_style *style = row->text->style;
	if (!row_wants(row, column))
		return;
	bool own = *vma->name || style->raw || style->json;
	struct mapping_label label = { .words = NULL };
	if (!own)
		label = mapping_label_in(row->text, names, snap, vma);
	if (own || label.words) {
		row_put_name(row, column, label.words ? label.words : vma->name);
	} else {
		row_put_name(row, column, "anonymous");
		row_mark(row, column, COLOR_DIM);
	}
	mapping_label_free(&label, row->text);
}
