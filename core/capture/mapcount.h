/* mapcount.h - which pages that are mapped by a PMD are mapped once.
 *
 * pagemap's bit 56 of such a page is that of the first one of its huge page.  How often each of them is
 * mapped is in /proc/kpagecount, for root; a look at one costs 60 ns, ten times its entry of pagemap.
 * So as much is read as may be while somebody stands and waits: a page that was shared may be exclusive
 * when it runs again, and the other way round, so that no later look can tell.  smaps_rollup tells faster
 * that no anonymous page at all is mapped twice, if that is so. */
#ifndef VMSNAP_MAPCOUNT_H
#define VMSNAP_MAPCOUNT_H

#include "pagemap.h"

struct mapcount {
	int memory, pagemap; /* the process's directory, and its pagemap; borrowed */
	uint64_t page_size;
	bool unhurried; /* all are read, however many they are */
	const atomic_bool *cancel;
	struct watchdog *dog;
	struct realtime *realtime;

	bool told;                   /* of all huge pages, if the kernel counts each page (mapcount_is_exact()): */
	struct page_marks exclusive; /* those that are mapped once; .categories is their first frame */
};

/* Whether some of them are of huge pages. */
bool mapcount_has_work(const struct page_marks *marks);
/* While the target stands.  marks: where in the runs huge pages are.  Returns 0, ECANCELED or errno. */
int mapcount_take(struct mapcount *mapcount, const struct run_list *runs, const struct page_marks *marks);
/* When nobody waits: sets EXCLUSIVE in the huge runs, or takes it away.  *told: whether it could. */
int mapcount_apply(const struct mapcount *mapcount, struct run_list *runs, bool *told);
void mapcount_free(struct mapcount *mapcount);

/* Of frames that follow each other, 0 or errno. */
int mapcount_read(int kpagecount, uint64_t frame, size_t count, uint64_t *counts);
/* Whether kpagecount is about each page: with CONFIG_NO_PAGE_MAPCOUNT (Linux 6.15) it tells the average
 * of a large folio. */
bool mapcount_is_exact(void);

#endif
