#include "blame_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "format_value.h"

/* ---- names ------------------------------------------------------------------------------ */

void blame_put_place(struct row *row, unsigned column, const struct blame_place *place, bool others)
{
	char address[48];
	if (!place || !row_wants(row, column))
		return;
	if (*place->vma->name) {
		const char *slash = strrchr(place->vma->name, '/');
		const char *name = slash && slash[1] && place->vma->name[0] == '/' ? slash + 1 : place->vma->name;
		row_text_name(row, column, name, strlen(name));
	} else {
		snprintf(address, sizeof(address), "anonymous %" PRIx64, place->vma->start);
		row_text(row, column, address);
	}
	if (others)
		row_text(row, column, ", ...");
}

static void put_where_in_kernel(struct row *row, unsigned column, const struct blame_rows *rows,
                                const struct blame_row *what)
{
	const struct vmsnap_fault *fault = what->fault;
	const char *name;
	char words[64];
	if (!fault || fault->syscall == -1)
		return;
	name = fault->syscall >= 0 ? vmsnap_faults_syscall_name(vmsnap_blame_faults(rows->blame), fault->syscall) : "";
	if (*name)
		snprintf(words, sizeof(words), "(inside %s(2)) ", name);
	else
		snprintf(words, sizeof(words), "(inside the kernel) ");
	row_text(row, column, words);
}

static void put_function(struct row *row, unsigned column, const struct blame_rows *rows, const struct blame_row *what)
{
	const char *slash = strrchr(what->file, '/'), *file = slash && slash[1] ? slash + 1 : what->file;
	char line[32];
	put_where_in_kernel(row, column, rows, what);
	row_text_name(row, column, what->function, strlen(what->function));
	if (!*file)
		return;
	row_text(row, column, " (");
	row_text_name(row, column, file, strlen(file));
	snprintf(line, sizeof(line), what->line ? ":%u)" : ")", (unsigned)what->line);
	row_text(row, column, line);
}

/* A thread and a stack have names of their own. */
void blame_put_called(struct row *row, unsigned column, const struct blame_rows *rows, const struct blame_row *what)
{
	bool code = rows->by == VMSNAP_BLAME_BY_FUNCTION || rows->by == VMSNAP_BLAME_BY_LINE ||
	            rows->by == VMSNAP_BLAME_BY_PAGE;
	if (!row_wants(row, column))
		return;
	if (what->who == BLAME_UNSEEN)
		row_text(row, column, "(the kernel, or unseen)");
	else if (what->who == BLAME_SEVERAL)
		row_text(row, column, "(one of several)");
	else if (code)
		put_function(row, column, rows, what);
	else if (rows->by == VMSNAP_BLAME_BY_STACK)
		put_where_in_kernel(row, column, rows, what);
}

/* ---- the heading ------------------------------------------------------------------------ */

/* "7,683" */
static struct word counted(uint64_t number)
{
	struct word plain = word_number(number), out = { "" };
	size_t len = strlen(plain.text), at = 0;
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out.text[at++] = ',';
		out.text[at++] = plain.text[i];
	}
	return out;
}

static uint64_t page_size_of(const struct blame_rows *rows)
{
	const struct vmsnap *before, *after = vmsnap_blame_process(rows->blame, 0, &before);
	return after ? vmsnap_info(after)->page_size : 4096;
}

static void put_whose(struct text *text, const struct blame_rows *rows)
{
	const struct vmsnap *before, *first = vmsnap_blame_process(rows->blame, 0, &before);
	size_t count = 0;
	while (vmsnap_blame_process(rows->blame, count, &before))
		count++;
	if (!first)
		return;
	text_string(text, " of ");
	escape_string(text, vmsnap_info(first)->comm);
	text_format(text, " %u", (unsigned)vmsnap_info(first)->pid);
	if (count > 1)
		text_format(text, " and %zu more process%s", count - 1, count > 2 ? "es" : "");
}

static void put_lost(struct text *text, const struct blame_rows *rows)
{
	uint64_t lost = vmsnap_faults_info(vmsnap_blame_faults(rows->blame))->lost;
	if (lost == UINT64_MAX)
		text_string(text, ", some lost\n");
	else
		text_format(text, ", %s lost\n", counted(lost).text);
}

void blame_put_heading(struct text *text, const struct blame_rows *rows)
{
	const uint64_t *bytes = rows->pages, page = page_size_of(rows);
	uint64_t made = bytes[VMSNAP_BECAME_NEW] + bytes[VMSNAP_BECAME_COPIED] + bytes[VMSNAP_BECAME_PRIVATISED] +
	                bytes[VMSNAP_BECAME_FILLED] + bytes[VMSNAP_BECAME_REPLACED] - rows->moved;
	text_string(text, word_duration(rows->end - rows->begin).text);
	put_whose(text, rows);
	text_string(text, ": ");
	if (!blame_rows_unknown(rows))
		text_format(text, "%s page%s copied or new, ", counted(made / page).text, word_plural(made / page));
	if (bytes[VMSNAP_BECAME_WRITTEN])
		text_format(text, "%s more written, ", counted(bytes[VMSNAP_BECAME_WRITTEN] / page).text);
	text_format(text, "%s fault%s seen", counted(rows->faults).text, word_plural(rows->faults));
	put_lost(text, rows);
}

/* ---- what is to be known ---------------------------------------------------------------- */

static void put_pages(struct text *text, const struct blame_rows *rows, uint64_t bytes, const char *what)
{
	uint64_t pages = bytes / page_size_of(rows);
	if (bytes)
		text_format(text, "%s page%s %s\n", counted(pages).text, word_plural(pages), what);
}

static void put_unknown(struct text *text, const struct blame_rows *rows)
{
	if (!rows->processes)
		text_string(text, "There is no snapshot from the end: what became of the pages is not known.\n");
	else if (blame_rows_unknown(rows))
		text_string(text, "There is no snapshot from before: what became of the pages is not known.\n");
	else if (rows->unknown)
		text_format(text,
		            "Of %zu process%s there is no snapshot from before: what became of %s pages is not "
		            "known.\n",
		            rows->unknown, rows->unknown == 1 ? "" : "es", rows->unknown == 1 ? "its" : "their");
}

/* One line, of all that is not told here. */
static void put_untold(struct text *text, const struct vmsnap_faults_info *info)
{
	bool memory = info->flags & VMSNAP_FAULTS_MEMORY;
	if (!(info->flags & VMSNAP_FAULTS_KERNEL))
		text_format(text,
		            "Faults inside system calls%s not told to users (kernel.perf_event_paranoid): root sees "
		            "them.\n",
		            memory ? " are" : ", and what is given back and moved, are");
	else if (!(info->flags & VMSNAP_FAULTS_KINDS))
		text_format(text,
		            "Inside system calls reads are not told from writes%s: that takes tracefs, on x86-64.\n",
		            memory ? "" : ", nor what is given back and moved");
	else if (!memory && !info->lost)
		text_string(text, "What is given back and moved is not told: the kernel took no programs (bpf).\n");
}

static void put_how(struct text *text, const struct blame_rows *rows)
{
	const struct vmsnap_faults_info *info = vmsnap_faults_info(vmsnap_blame_faults(rows->blame));
	put_untold(text, info);
	uint64_t untold = vmsnap_blame_untold(rows->blame);
	if (untold && untold != UINT64_MAX)
		text_format(text,
		            "%s fault%s inside the kernel %s not told: as many pages that were given back may have "
		            "been made "
		            "anew by these, and not by who is blamed. What other processes did is in no count.\n",
		            counted(untold).text, word_plural(untold), untold == 1 ? "was" : "were");
	if (info->lost && info->flags & VMSNAP_FAULTS_MEMORY)
		text_string(text,
		            "What was lost found no room in the kernel's buffers: pages that it explains are among the "
		            "unseen.\n");
	else if (info->lost)
		text_string(
		        text,
		        "What was lost found no room in the kernel's buffers: it may be the last that was done to any "
		        "page.\n");
}

void blame_put_notes(struct text *text, const struct blame_rows *rows, size_t most)
{
	size_t untold = rows->count > most ? rows->count - most : 0;
	if (untold)
		text_format(text, "and %zu more (--long)\n", untold);
	text_blank(text);
	put_unknown(text, rows);
	put_pages(text, rows, rows->unseen - rows->left, "written by the kernel or unseen");
	put_pages(text, rows, rows->left, "that others had, too, without a fault: they let go of them, or unseen");
	put_pages(text, rows, rows->several, "written by one of several, nobody knows which");
	put_pages(text, rows, rows->moved, "in other frames without a fault: moved by the kernel, or unseen");
	put_how(text, rows);
}
