#define _GNU_SOURCE
/* vmsnap report: a page for a browser that shows all that is in files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "address.h"
#include "commands.h"
#include "interrupt.h"
#include "privilege.h"
#include "say.h"
#include "sources.h"
#include "strip_arg.h"

/* Each file goes on by itself; of all the oldest comes next. */
struct reading {
	const char *word;
	struct vmsnap_file *file;
	struct vmsnap_walk *walk;
	struct vmsnap *next; /* NULL: no more */
	size_t index;
};
struct reading_all {
	struct reading *items;
	size_t count;
	struct vmsnap_html *html;
	uint64_t added, damaged;
};

static int reading_step(struct reading_all *all, struct reading *reading)
{
	struct vmsnap_error err;
	int rc;
	reading->next = NULL;
	while ((rc = vmsnap_walk_next(reading->walk, &reading->next, &reading->index, &err)) && rc != VMSNAP_END) {
		if (rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_CANCELLED)
			return trouble_with(reading->word, &err);
		say("%s: snapshot %zu is left out: %s", reading->word, reading->index + 1, err.message);
		all->damaged++;
	}
	return STATUS_OK;
}

static int select_in_file(const struct place *place, const struct vmsnap_file *file, size_t *first, size_t *count)
{
	struct vmsnap_error err;
	*first = 0;
	*count = vmsnap_file_count(file);
	if (!place->which)
		return STATUS_OK;
	int rc = vmsnap_file_select(file, place->which, first, count, &err);
	return rc ? trouble_with(place->path, &err) : STATUS_OK;
}

static int reading_open(struct reading_all *all, struct reading *reading, const char *word)
{
	struct place place;
	struct vmsnap_error err;
	size_t first, count;
	reading->word = word;
	if (word_is_process(word))
		return trouble("report: %s is a process: a page is made of files (vmsnap capture, vmsnap record)",
		               word);
	int status = place_of_word(word, &place);
	if (status)
		return status;
	status = file_open(place.path, &reading->file);
	status = status ? status : select_in_file(&place, reading->file, &first, &count);
	if (!status && !count)
		status = trouble("report: there is no snapshot in %s", place.path);
	if (!status && vmsnap_walk_new(reading->file, first, count, &reading->walk, &err))
		status = trouble_with(place.path, &err);
	free(place.path);
	return status ? status : reading_step(all, reading);
}

static bool is_older(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *of_a = vmsnap_info(a), *of_b = vmsnap_info(b);
	return of_a->monotonic != of_b->monotonic ? of_a->monotonic < of_b->monotonic : of_a->taken < of_b->taken;
}

static struct reading *oldest(struct reading_all *all)
{
	struct reading *best = NULL;
	for (size_t i = 0; i < all->count; i++) {
		struct reading *reading = &all->items[i];
		if (reading->next && (!best || is_older(reading->next, best->next)))
			best = reading;
	}
	return best;
}

static int add_all(struct reading_all *all)
{
	struct vmsnap_error err;
	struct reading *reading;
	while ((reading = oldest(all))) {
		int rc = vmsnap_html_add(all->html, reading->next, reading->index + 1, &err);
		vmsnap_unref(reading->next);
		reading->next = NULL;
		if (rc)
			return trouble_with(reading->word, &err);
		all->added++;
		int status = reading_step(all, reading);
		if (status)
			return status;
	}
	return STATUS_OK;
}

static int html_open(const struct options *options, struct vmsnap_html **html)
{
	struct vmsnap_error err;
	struct vmsnap_html_options made = { .size = sizeof(made),
		                            .sysroot = options->sysroot,
		                            .cancelled = was_interrupted };
	const char *name = strrchr(options->operands[0], '/');
	made.title = name ? name + 1 : options->operands[0];
	int status = strip_parse(options, &made.strip);
	made.strip |= options->no_names ? VMSNAP_STRIP_NAMES : 0;
	made.contents = options->report_contents;
	made.raw_symbols = options->no_demangle;
	if (!status && options->range)
		status = address_range_parse(options->range, 4096, &made.start, &made.end);
	if (status)
		return status;
	return vmsnap_html_new(&made, html, &err) ? trouble_with("report", &err) : STATUS_OK;
}

/* report.vms -> report.html, in the current folder. */
static char *usual_output(const struct options *options)
{
	struct place place;
	char *path;
	if (place_of_word(options->operands[0], &place))
		return NULL;
	const char *slash = strrchr(place.path, '/'), *base = slash ? slash + 1 : place.path;
	size_t len = strlen(base);
	if (place_is_input(place.path))
		base = "vmsnap", len = strlen(base);
	else if (len > 4 && !strcmp(base + len - 4, ".vms"))
		len -= 4;
	if (asprintf(&path, "%.*s.html", (int)len, base) < 0)
		path = NULL;
	free(place.path);
	return path;
}

/* To a pipe or a device: who reads there knows what to do with it. */
static bool is_file(const char *path)
{
	struct stat st;
	return !place_is_input(path) && !stat(path, &st) && S_ISREG(st.st_mode);
}

static int write_out(const struct options *options, struct reading_all *all)
{
	struct vmsnap_error err;
	char *usual = options->file ? NULL : usual_output(options);
	const char *path = options->file ? options->file : usual;
	if (!path)
		return trouble("report: out of memory");
	const char *to = place_is_input(path) ? "/dev/stdout" : path;
	int status = vmsnap_html_save(all->html, to, &err) ? trouble_with(NULL, &err) : STATUS_OK;
	if (!status && is_file(path))
		say("%s shows %llu snapshot%s: open it in a browser", path, (unsigned long long)all->added,
		    all->added == 1 ? "" : "s");
	free(usual);
	return status;
}

static int report_files(const struct options *options, struct reading_all *all)
{
	int status = html_open(options, &all->html);
	for (int i = 0; !status && i < options->operand_count; i++)
		status = reading_open(all, &all->items[all->count++], options->operands[i]);
	status = status ? status : add_all(all);
	return status ? status : write_out(options, all);
}

int cmd_report(const struct options *options)
{
	struct reading_all all = { .items = calloc((size_t)options->operand_count, sizeof(*all.items)) };
	if (!all.items)
		return trouble("report: out of memory");
	interrupts_notice();
	privilege_drop();
	int status = report_files(options, &all);
	for (size_t i = 0; i < all.count; i++) {
		vmsnap_unref(all.items[i].next);
		vmsnap_walk_free(all.items[i].walk);
		if (all.items[i].file)
			vmsnap_file_close(all.items[i].file);
	}
	vmsnap_html_free(all.html);
	free(all.items);
	return status;
}
