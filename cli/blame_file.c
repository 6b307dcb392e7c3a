#define _GNU_SOURCE
#include "blame_file.h"

#include <stdlib.h>

#include "interrupt.h"
#include "names.h"
#include "output.h"
#include "say.h"
#include "sources.h"

/* Of one instant, and of their processes before. */
struct kept {
	struct vmsnap **after, **before;
	size_t after_count, before_count;
};

static void kept_free(struct kept *kept)
{
	vmsnap_unref_all(kept->after, kept->after_count);
	vmsnap_unref_all(kept->before, kept->before_count);
}

/* The last of some snapshots that has faults; VMSNAP_ERR_NOT_FOUND: none has. */
static int find_faults(const struct vmsnap_file *file, size_t first, size_t count, size_t *index,
                       struct vmsnap_error *err)
{
	for (*index = first + count; (*index)-- > first;) {
		struct vmsnap *snap;
		int rc = vmsnap_file_load(file, *index, &snap, err);
		bool found = !rc && vmsnap_faults_of(snap);
		if (!rc)
			vmsnap_unref(snap);
		if (rc || found)
			return rc;
	}
	return VMSNAP_ERR_NOT_FOUND;
}

static int load_after(const struct vmsnap_file *file, size_t first, size_t count, struct kept *kept,
                      struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	kept->after = calloc(count, sizeof(*kept->after));
	kept->before = calloc(count, sizeof(*kept->before));
	if (!kept->after || !kept->before)
		return VMSNAP_ERR_NO_MEMORY;
	for (; !rc && kept->after_count < count; kept->after_count += !rc)
		rc = vmsnap_file_load(file, first + kept->after_count, &kept->after[kept->after_count], err);
	return rc;
}

static bool is_wanted(const struct kept *kept, const struct vmsnap *snap)
{
	bool wanted = false;
	for (size_t i = 0; i < kept->after_count; i++)
		wanted |= vmsnap_same_process(kept->after[i], snap);
	for (size_t i = 0; i < kept->before_count; i++)
		wanted &= !vmsnap_same_process(kept->before[i], snap);
	return wanted;
}

/* Of each process the latest of those before. */
static int load_before(const struct vmsnap_file *file, size_t index, struct kept *kept, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	while (!rc && index-- > 0 && kept->before_count < kept->after_count) {
		struct vmsnap *peeked;
		rc = vmsnap_file_peek(file, index, &peeked, err);
		bool wanted = !rc && is_wanted(kept, peeked);
		if (!rc)
			vmsnap_unref(peeked);
		if (!wanted)
			continue;
		rc = vmsnap_file_load(file, index, &kept->before[kept->before_count], err);
		kept->before_count += !rc;
	}
	return rc;
}

static int load(const char *word, const struct vmsnap_file *file, const char *which, struct kept *kept)
{
	struct vmsnap_error err = { .message = "out of memory" };
	size_t first = 0, count = vmsnap_file_count(file), index = 0;
	int rc = which ? vmsnap_file_select(file, which, &first, &count, &err) : VMSNAP_OK;
	if (rc)
		return trouble_with(word, &err);
	rc = find_faults(file, first, count, &index, &err);
	if (rc == VMSNAP_ERR_NOT_FOUND)
		return trouble("%s: no page faults are kept there; 'vmsnap blame PID --save FILE' keeps some", word);
	rc = rc ? rc : vmsnap_file_instant(file, index, &first, &count, &err);
	rc = rc ? rc : load_after(file, first, count, kept, &err);
	rc = rc ? rc : load_before(file, first, kept, &err);
	return rc ? trouble_with(word, &err) : STATUS_OK;
}

static int print(const struct options *options, const struct vmsnap_blame *blame, int by, struct vmsnap_names *names)
{
	struct vmsnap_error err;
	struct output *output = malloc(sizeof(*output));
	if (!output)
		return trouble("blame: out of memory");
	output_init(output, options);
	int rc = vmsnap_print_blame(blame, by, names, options->long_rows ? VMSNAP_PRINT_LONG : 0, &output->to, &err);
	int status = output_finish(output, rc, &err);
	free(output);
	return status;
}

static int tell(const struct options *options, const char *word, const struct kept *kept, int by)
{
	const struct vmsnap_blame_options how = { .size = sizeof(how), .cancelled = was_interrupted };
	struct vmsnap_blame *blame;
	struct vmsnap_error err;
	if (vmsnap_blame_stored((const struct vmsnap *const *)kept->before, kept->before_count,
	                        (const struct vmsnap *const *)kept->after, kept->after_count, &how, &blame, &err))
		return trouble_with(word, &err);
	struct vmsnap_names *names = names_quiet(options, kept->after[0]);
	int status = print(options, blame, by, names);
	vmsnap_names_free(names);
	vmsnap_blame_free(blame);
	return status;
}

int blame_of_file(const struct options *options, const char *word, int by)
{
	struct place place;
	struct vmsnap_file *file;
	struct kept kept = { 0 };
	int status = place_of_word(word, &place);
	if (status)
		return status;
	status = file_open(place.path, &file);
	if (!status) {
		status = load(word, file, place.which, &kept);
		status = status ? status : tell(options, word, &kept, by);
		kept_free(&kept);
		vmsnap_file_close(file);
	}
	free(place.path);
	return status;
}

/* ---- keeping ---- */

/* The first ones have nothing of it: what is lost, and not told, is so between them and the later ones. */
static int give(struct vmsnap *const *before, size_t before_count, struct vmsnap *const *after, size_t after_count,
                const struct vmsnap_faults *faults, struct vmsnap **out, struct vmsnap_error *err)
{
	struct vmsnap_fault_shares *shares = NULL;
	struct vmsnap **first = calloc(before_count + 1, sizeof(*first));
	int rc = first ? vmsnap_fault_shares_new(&shares, err) : VMSNAP_ERR_NO_MEMORY;
	if (!rc && before_count)
		rc = vmsnap_fault_shares_give(shares, (const struct vmsnap *const *)before, before_count, 0, first,
		                              err);
	rc = rc ? rc : vmsnap_fault_shares_add(shares, faults, err);
	rc = rc ? rc
	        : vmsnap_fault_shares_give(shares, (const struct vmsnap *const *)after, after_count,
	                                   VMSNAP_FAULT_SHARES_ALL, out, err);
	vmsnap_unref_all(first, before_count);
	vmsnap_fault_shares_free(shares);
	return rc;
}

static int save(const char *path, struct vmsnap *const *before, size_t before_count, struct vmsnap *const *after,
                size_t after_count, struct vmsnap_error *err)
{
	const struct vmsnap **all = calloc(before_count + after_count, sizeof(*all));
	for (size_t i = 0; all && i < before_count + after_count; i++)
		all[i] = i < before_count ? before[i] : after[i - before_count];
	int rc = all ? vmsnap_save(path, all, before_count + after_count, VMSNAP_SAVE_INTERRUPTIBLE, err)
	             : VMSNAP_ERR_NO_MEMORY;
	free(all);
	return rc;
}

int blame_save(const char *path, struct vmsnap *const *before, size_t before_count, struct vmsnap *const *after,
               size_t after_count, const struct vmsnap_faults *faults)
{
	struct vmsnap_error err = { .message = "out of memory" };
	if (!after_count)
		return trouble("blame: nothing is kept in %s: there is no snapshot from the end to keep it with", path);
	struct vmsnap **later = calloc(after_count, sizeof(struct vmsnap *));
	int rc = later ? give(before, before_count, after, after_count, faults, later, &err) : VMSNAP_ERR_NO_MEMORY;
	rc = rc ? rc : save(path, before, before_count, later, after_count, &err);
	vmsnap_unref_all(later, after_count);
	return rc ? trouble_with(path, &err) : STATUS_OK;
}
