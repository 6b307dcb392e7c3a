/* blamed_stacks.h - the stacks that made pages what they are, of snapshots that page faults are kept with. */
#ifndef VMSNAP_BLAMED_STACKS_H
#define VMSNAP_BLAMED_STACKS_H

#include "blame_rows.h"
#include "code_name.h"
#include "exporter.h"

enum blamed_value { BLAMED_COPIED, BLAMED_NEW, BLAMED_WRITTEN, BLAMED_VALUES };
extern const char *const blamed_value_names[BLAMED_VALUES];

/* One stack: frames innermost first, as vmsnap_faults_stack() gives them; none where it is not known. */
struct blamed_stack {
	const struct vmsnap_faults *faults;
	const struct vmsnap *snap; /* of the process, as it was after; of several, the first */
	const struct blame_row *row;
	const uint64_t *frames;
	size_t count;
	uint64_t pages[BLAMED_VALUES];
	struct vmsnap_names *names; /* what tells functions as their language does; or NULL */
};
typedef int (*blamed_fn)(void *ctx, const struct blamed_stack *stack, struct vmsnap_error *err);

/* The latest snapshot of each process. */
struct blamed_stacks {
	const struct vmsnap **latest; /* held */
	size_t count, room;
	uint64_t begin, end; /* of all that was watched: wall clock of the first, and how long in all */
	uint64_t lost;       /* UINT64_MAX: some, nobody knows how many */
	bool any;
	bool raw_symbols; /* asked for */
	struct vmsnap_names *names;
};
/* Snapshots of one instant, in the order of time: those of each process before them are remembered. */
int blamed_stacks_add(struct blamed_stacks *stacks, const struct vmsnap *const *snaps, size_t count, struct work *work,
                      blamed_fn each, void *ctx, struct vmsnap_error *err);
void blamed_stacks_free(struct blamed_stacks *stacks);

/* What a frame is called: its function, else "libc.so.6+0x1234", else its address. */
enum { BLAMED_NAME_MAX = CODE_NAME_MAX };
void blamed_name(const struct blamed_stack *stack, uint64_t address, char out[BLAMED_NAME_MAX]);
/* What is innermost and no frame: "(inside read)"; or why there are no frames.  NULL: nothing. */
const char *blamed_remark(const struct blamed_stack *stack, char room[64]);

#endif
