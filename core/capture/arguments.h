/* arguments.h - the arguments of a process, read without a page of it being faulted in.
 *
 * /proc/PID/cmdline is memory of the target.  The kernel looks at the last byte of the
 * arguments; is it no NUL, as setproctitle(3) leaves it, it reads a page's worth from
 * their first byte on, whatever lies behind them: it fetches pages from swap, makes those
 * that were never touched, and where nothing is mapped below memory that grows downwards,
 * it may make it grow. */
#ifndef VMSNAP_ARGUMENTS_H
#define VMSNAP_ARGUMENTS_H

#include "arena.h"
#include "procdir.h"

struct arguments_source {
	int memory;                   /* descriptor of /proc/PID, or of one of its threads */
	const struct proc_text *maps; /* as it is now */
	uint64_t page_size;
	struct arena *strings; /* for names that are looked at on the way */
	int pagemap, cmdline;  /* its files, where they are open already; 0: opened here */
};

/* What cmdline would say, into *out; nothing (len 0) where that cannot be known without
 * touching a page that is not there.  Asks for the pages right before: what runs on may
 * lose one in between, and gets it back.  Returns 0 or errno. */
int arguments_read(const struct arguments_source *source, const struct proc_stat *stat, struct proc_text *out);

#endif
