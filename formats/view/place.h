/* place.h - what is known of one address. */
#ifndef VMSNAP_PLACE_H
#define VMSNAP_PLACE_H

#include "top_names.h"
#include "touched_by.h"

struct place {
	const struct vmsnap *snap;
	uint64_t address;
	const struct vmsnap_vma *vma; /* NULL: in a gap */
	uint64_t gap_start, gap_end;  /* gap_end 0: 2^64 */
	bool populated;
	struct vmsnap_run page;
	bool has_name, has_segment;
	struct vmsnap_name name;
	struct vmsnap_segment segment;
	struct naming naming;
	uint64_t page_start, page_end;
	struct top_names on_page;
	struct page_touched touched;
	/* What the variable there held; NULL: that is not known. */
	struct vmsnap_value_diff *value;
};

int place_init(struct place *place, const struct vmsnap *snap, uint64_t address, struct vmsnap_names *names,
               struct work *work, struct vmsnap_error *err);
void place_free(struct place *place, struct work *work);

const char *place_state(const struct place *place); /* "present", …, "unmapped" */
bool place_physical_known(const struct place *place);
uint64_t place_physical(const struct place *place);
/* Whether it was written since the snapshot before: "yes", "no", "maybe"; NULL: nobody knows. */
const char *place_written(const struct place *place);
/* Of a core file, what it has of the page: "bytes"; NULL: of no core, or not known. */
const char *place_dumped(const struct place *place);
/* What is kept of what the page held: enum vmsnap_contents. */
int place_contents(const struct place *place);
/* Whether it lies in a file. */
bool place_of_file(const struct place *place);

#endif
