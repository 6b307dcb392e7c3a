/* html_save.c - a page into a file. */
#define _GNU_SOURCE
#include "error.h"
#include "product_file.h"
#include "report.h"

static const struct product_kind page = { .begins = "<!doctype html>\n<!-- vmsnap report",
	                                  .what = "a page of vmsnap's" };

static int write_some(void *ctx, const char *text, size_t len)
{
	const struct product_file *file = ctx;
	return product_file_write(file->fd, text, len);
}

VMSNAP_API int vmsnap_html_save(struct vmsnap_html *html, const char *path, struct vmsnap_error *err)
{
	struct product_file file;
	product_file_init(&file);
	int rc = product_file_open(&file, path, &page, &html->work, err);
	rc = rc ? rc : vmsnap_html_write(html, write_some, &file, err);
	rc = rc ? rc : product_file_place(&file, false, err);
	product_file_close(&file);
	return rc;
}
