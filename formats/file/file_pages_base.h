/* file_pages_base.h - where the pages of a section PAGE begin, without the section: from its first bytes. */
#ifndef VMSNAP_FILE_PAGES_BASE_H
#define VMSNAP_FILE_PAGES_BASE_H

#include "file_unpack.h"

/* *base: the number of a page; its runs begin there or above.  False: the first bytes do not tell.  Nothing is
 * checked but that: who decodes the section checks it. */
bool file_pages_base(const struct file_source *source, const struct placed *placed, uint64_t *base);

/* How many runs the sections PAGE of a snapshot say that they have; of one that is damaged any number. */
uint64_t file_pages_runs(const struct file_source *source, const struct vmsnap_file_entry *entry);

#endif
