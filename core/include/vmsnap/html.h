/* html.h - a page for a browser that shows a series of snapshots: what is resident, what changed between any two
 * instants, who copied what after a fork.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_HTML_API_H
#define VMSNAP_HTML_API_H

#include <vmsnap/print.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vmsnap_html_options {
	size_t size;                  /* sizeof(struct vmsnap_html_options) */
	unsigned strip;               /* enum vmsnap_strip: left out; that frames changed is told all the same, and with
	                               * names go symbols */
	const char *title;            /* NULL: none; a file's name, say */
	uint64_t start, end;          /* only pages in [start, end); end 0: all */
	const char *sysroot;          /* as for vmsnap_names_new() */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	/* What pages held, too, where snapshots keep it: of bytes that changed from one instant to the next what they
	 * were and are, 4 MiB at the most, and which variables they are. */
	bool contents;
	bool raw_symbols; /* as vmsnap_names_set_demangled(names, false) has them */
};

/* A page that is being made.  It keeps the last snapshot of each process, those with which forks begin, and a few
 * bytes for each run of pages. */
struct vmsnap_html;
int vmsnap_html_new(const struct vmsnap_html_options *options, struct vmsnap_html **out, struct vmsnap_error *err);
/* Snapshots in the order in which they were taken, those of one instant one after another.  number: what the page
 * calls it by, as FILE@NUMBER.  VMSNAP_ERR_ARGUMENT if it is older than the one before, or of another machine or
 * boot. */
int vmsnap_html_add(struct vmsnap_html *html, const struct vmsnap *snap, uint64_t number, struct vmsnap_error *err);
/* The whole page; once.  write: as for struct vmsnap_output. */
int vmsnap_html_write(struct vmsnap_html *html, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err);
/* The same into a file of mode 0600, which is there whole or not at all; it takes the place of such a page only
 * (VMSNAP_ERR_NOT_SNAPSHOT). */
int vmsnap_html_save(struct vmsnap_html *html, const char *path, struct vmsnap_error *err);
void vmsnap_html_free(struct vmsnap_html *html);

#ifdef __cplusplus
}
#endif
#endif
