#include "fork_arg.h"

#include <stdlib.h>
#include <unistd.h>

#include "say.h"

/* Who a snapshot is of. */
struct who {
	uint32_t pid, ppid;
	uint64_t start_time, boottime;
};
struct look {
	const char *word;
	const struct vmsnap_file *file;
	size_t first, count; /* an instant */
	struct who *who;     /* of each that can be read; pid 0: cannot */
};

static int look_at(struct look *look, size_t index)
{
	struct vmsnap_error err;
	if (vmsnap_file_instant(look->file, index, &look->first, &look->count, &err))
		return trouble_with(look->word, &err);
	free(look->who);
	look->who = calloc(look->count, sizeof(*look->who));
	if (!look->who)
		return trouble("out of memory");
	for (size_t i = 0; i < look->count; i++) {
		struct vmsnap *snap;
		if (vmsnap_file_peek(look->file, look->first + i, &snap, NULL))
			continue;
		const struct vmsnap_info *info = vmsnap_info(snap);
		look->who[i] = (struct who){ info->pid, info->ppid, info->start_time, info->boottime };
		vmsnap_unref(snap);
	}
	return STATUS_OK;
}

static bool is_parent(const struct who *parent, const struct who *child)
{
	return parent->pid && parent->pid == child->ppid && parent->pid != child->pid &&
	       parent->start_time <= child->start_time;
}

/* The fork that was last, of those between the processes of an instant. */
static bool find_fork(const struct look *look, struct who *parent, struct who *child)
{
	bool found = false;
	for (size_t c = 0; c < look->count; c++) {
		for (size_t p = 0; p < look->count; p++) {
			if (!is_parent(&look->who[p], &look->who[c]) ||
			    (found && look->who[c].start_time < child->start_time))
				continue;
			found = true;
			*parent = look->who[p];
			*child = look->who[c];
		}
	}
	return found;
}

static bool holds(const struct look *look, const struct who *who)
{
	for (size_t i = 0; i < look->count; i++)
		if (look->who[i].pid == who->pid && look->who[i].start_time == who->start_time)
			return true;
	return false;
}

/* Nothing of an instant before it was made can hold the child. */
static bool is_before_birth(const struct look *look, const struct who *child)
{
	uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK), at = look->who[0].boottime;
	return at && at + tick < child->start_time * tick;
}

/* From an instant on back: the first that holds both, and the last before that with the parent. */
static int find_base(struct look *look, size_t tree, const struct who *parent, const struct who *child, size_t *base)
{
	size_t both = tree, alone = tree;
	for (size_t at = tree; at > 0; at = look->first) {
		int status = look_at(look, at - 1);
		if (status)
			return status;
		bool has_parent = holds(look, parent), has_child = holds(look, child);
		if (has_parent && has_child)
			both = look->first;
		else if (has_parent && (alone == tree || alone > both))
			alone = look->first;
		if (is_before_birth(look, child) && (both != tree || alone != tree))
			break;
	}
	*base = both != tree ? both : alone;
	return STATUS_OK;
}

static int load_instant(const struct look *look, size_t index, struct chosen *out)
{
	struct vmsnap_error err;
	size_t first, count;
	*out = (struct chosen){ .set = NULL };
	if (vmsnap_file_instant(look->file, index, &first, &count, &err))
		return trouble_with(look->word, &err);
	struct vmsnap **snaps = calloc(count, sizeof(*snaps));
	int status = snaps ? STATUS_OK : trouble("out of memory");
	for (size_t i = 0; !status && i < count; i++)
		status = file_load(look->word, look->file, first + i, &snaps[i]);
	if (!status && vmsnap_set_new((const struct vmsnap *const *)snaps, count, &out->set, &err))
		status = trouble_with(look->word, &err);
	for (size_t i = 0; snaps && i < count; i++)
		vmsnap_unref(snaps[i]);
	free(snaps);
	return status;
}

static int load_found(const struct look *look, size_t before, size_t index, struct fork_found *out)
{
	int status = load_instant(look, index, &out->tree);
	if (!status && before != index)
		status = load_instant(look, before, &out->base);
	if (status)
		chosen_drop(&out->tree);
	out->first = out->base.set ? before + vmsnap_set_count(out->base.set) : index;
	out->end = index;
	return status;
}

static int find(struct look *look, struct fork_found *out, bool *found)
{
	struct who parent = { 0 }, child = { 0 };
	size_t last = vmsnap_file_count(look->file), at, before;
	int status = STATUS_OK;
	*found = false;
	for (at = last; at > 0 && !*found; at = look->first) {
		status = look_at(look, at - 1);
		if (status)
			return status;
		*found = find_fork(look, &parent, &child);
	}
	if (!*found)
		return STATUS_OK;
	size_t index = look->first, end = look->first + look->count;
	status = find_base(look, index, &parent, &child, &before);
	status = status ? status : load_found(look, before, index, out);
	if (!status && end < last)
		say("%s@%zu..%zu: the last instant with a parent and its child, %zu of %zu", look->word, index + 1, end,
		    end, last);
	return status;
}

int fork_from_word(struct sources *sources, const char *word, struct fork_found *out)
{
	struct place place;
	struct vmsnap_file *file;
	bool found = false;
	*out = (struct fork_found){ .file = NULL };
	if (word_is_process(word))
		return STATUS_OK;
	int status = place_of_word(word, &place);
	if (status)
		return status;
	status = place.which ? STATUS_OK : sources_open(sources, place.path, &file);
	if (!place.which && !status) {
		struct look look = { .word = word, .file = file };
		/* Of two snapshots there is nothing to choose, whoever they are. */
		status = vmsnap_file_count(file) > 2 ? find(&look, out, &found) : STATUS_OK;
		free(look.who);
		if (!status && found)
			out->file = file;
		else
			sources_release(sources, file);
	}
	free(place.path);
	return status;
}
