/* vmsnap who: which processes map a frame, a page or a file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "commands.h"
#include "interrupt.h"
#include "names.h"
#include "output.h"
#include "privilege.h"
#include "say.h"
#include "snapshot_arg.h"

/* ---- what is printed ----------------------------------------------------------------- */

/* Those of the first that has any; they go from one process to the next. */
static struct vmsnap_names *names_of_who(const struct options *options, const struct vmsnap_who *who)
{
	struct vmsnap_who_process process;
	for (size_t i = 0; !vmsnap_who_process(who, i, &process); i++)
		if (process.snap)
			return names_open(options, process.snap);
	return NULL;
}

/* Frees what was found. */
static int print_found(const struct options *options, struct vmsnap_who *who)
{
	struct output output;
	struct vmsnap_error err;
	struct vmsnap_names *names = names_of_who(options, who);
	output_init(&output, options);
	int status = output_finish(&output, vmsnap_print_who(who, names, &output.to, &err), &err);
	vmsnap_names_free(names);
	vmsnap_who_free(who);
	return status;
}

/* missing: a path that leads nowhere now; it may be the name of a deleted file, or a mistake.  NULL: none. */
static int look_now(const struct options *options, struct vmsnap_who_query *query, const char *missing)
{
	struct vmsnap_who *who;
	struct vmsnap_error err;
	query->size = sizeof(*query);
	interrupts_notice();
	query->cancelled = was_interrupted;
	if (vmsnap_who_now(query, &who, &err))
		return trouble_with_process(NULL, &err);
	struct vmsnap_who_process first;
	if (missing && vmsnap_who_process(who, 0, &first)) {
		vmsnap_who_free(who);
		return trouble("%s: no such file, and no process maps one of that name%s", missing,
		               strchr(missing, '/') ? "" : ", as /proc/PID/maps has it (/memfd:ring, /SYSV00001234)");
	}
	return print_found(options, who);
}

/* ---- in files ------------------------------------------------------------------------ */

/* All snapshots of a file, one after the other. */
static int add_file(struct vmsnap_who *who, const char *word, const struct vmsnap_file *file)
{
	struct vmsnap_error failure;
	int status = vmsnap_who_begin_file(who, word, &failure) ? trouble_with(word, &failure) : STATUS_OK;
	for (size_t i = 0; !status && i < vmsnap_file_count(file); i++) {
		struct vmsnap *snap;
		struct vmsnap_error err;
		status = file_load(word, file, i, &snap);
		if (status)
			break;
		if (vmsnap_who_add(who, snap, &err))
			status = trouble_with(word, &err);
		vmsnap_unref(snap);
	}
	return status;
}

static int look_in_files(const struct options *options, struct vmsnap_who_query *query, char *const *words, int count)
{
	struct vmsnap_who *who;
	struct vmsnap_error err;
	query->size = sizeof(*query);
	if (vmsnap_who_new(query, &who, &err))
		return trouble_with_process(NULL, &err);
	int status = STATUS_OK;
	for (int i = 0; !status && i < count; i++) {
		struct vmsnap_file *file;
		status = file_from_word(words[i], true, &file);
		if (status)
			break;
		status = add_file(who, words[i], file);
		vmsnap_file_close(file);
	}
	if (!status)
		return print_found(options, who);
	vmsnap_who_free(who);
	return status;
}

/* ---- what the words mean ------------------------------------------------------------- */

/* "pfn:1a2b", "phys:1a2b3c000".  *is: whether it is one of these. */
static int parse_frame(const char *word, struct vmsnap_who_query *query, bool *is)
{
	const char *number = strchr(word, ':');
	bool pfn = !strncmp(word, "pfn:", 4), physical = !strncmp(word, "phys:", 5);
	*is = pfn || physical;
	if (!*is)
		return STATUS_OK;
	if (address_parse(number + 1, &query->pfn))
		return STATUS_TROUBLE;
	query->kind = VMSNAP_WHO_FRAME;
	if (physical)
		query->pfn /= (uint64_t)sysconf(_SC_PAGESIZE);
	return STATUS_OK;
}

static int who_file(const struct options *options, const char *path)
{
	struct vmsnap_who_query query = { .kind = VMSNAP_WHO_FILE, .path = path };
	char link[64];
	struct stat stat_of;
	if (word_is_process(path) && access(path, F_OK))
		return trouble("who %s: an address is missing: vmsnap who %s ADDRESS", path, path);
	/* What was lent to us does not open files for others. */
	privilege_pause();
	bool missing = stat(path, &stat_of) && (errno == ENOENT || errno == ENOTDIR);
	bool regular = !missing && !stat(path, &stat_of) && S_ISREG(stat_of.st_mode);
	int fd = regular ? open(path, O_RDONLY | O_CLOEXEC | O_NOATIME) : -1;
	if (regular && fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	privilege_resume();
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fd >= 0)
		query.path = link;
	query.by_name = regular && fd < 0;
	int status = look_now(options, &query, missing ? path : NULL);
	if (fd >= 0)
		close(fd);
	return status;
}

/* PATH FILE...: in snapshots a file is what mappings call it. */
static int who_file_in_files(const struct options *options, const char *path, char *const *words, int count)
{
	struct vmsnap_who_query query = { .kind = VMSNAP_WHO_FILE };
	privilege_pause();
	char *real = realpath(path, NULL);
	privilege_resume();
	query.path = real ? real : path;
	int status = look_in_files(options, &query, words, count);
	free(real);
	return status;
}

/* Whether files follow a path, and no address of a snapshot's. */
static bool is_path_with_files(char *const *words)
{
	const char *digits = words[1] + (strncmp(words[1], "0x", 2) ? 0 : 2);
	return !word_is_process(words[0]) && digits[strspn(digits, "0123456789abcdefABCDEF")];
}

/* The frame, or the slot in swap, of a page of a snapshot. */
static int frame_of(const struct vmsnap *snap, const char *word, uint64_t address, struct vmsnap_who_query *query)
{
	struct vmsnap_run page;
	if (!vmsnap_info(snap)->known.pfn)
		return trouble("%s: this snapshot does not know in which frames pages lie%s", word,
		               vmsnap_info(snap)->source == VMSNAP_SOURCE_PROCESS ? " (root would)" : "");
	if (vmsnap_page_at(snap, address, &page))
		return trouble("%s: the page of 0x%" PRIx64 " is absent, or not mapped", word, address);
	if (vmsnap_swap_known(&page))
		*query = (struct vmsnap_who_query){ .kind = VMSNAP_WHO_SWAP,
			                            .swap_type = page.swap_type,
			                            .swap_offset = page.swap_offset };
	else if ((page.flags & VMSNAP_PAGE_PRESENT) && page.pfn)
		*query = (struct vmsnap_who_query){ .kind = VMSNAP_WHO_FRAME, .pfn = page.pfn };
	else
		return trouble("%s: the page of 0x%" PRIx64 " is in no frame that is known", word, address);
	query->boot_id = vmsnap_info(snap)->boot_id;
	return STATUS_OK;
}

static int who_page_of_file(const struct options *options, const char *word, uint64_t address)
{
	struct sources sources;
	struct vmsnap *snap = NULL;
	struct place place = { .path = NULL };
	struct vmsnap_who_query query;
	sources_init(&sources, options);
	int status = place_of_word(word, &place);
	if (!status && place_is_input(place.path))
		status = trouble("who: all snapshots of a file are looked at; standard input cannot be read twice");
	status = status ? status : snapshot_from_word(&sources, word, &snap);
	status = status ? status : frame_of(snap, word, address, &query);
	status = status ? status : look_in_files(options, &query, &place.path, 1);
	vmsnap_unref(snap);
	free(place.path);
	sources_close(&sources);
	return status;
}

static int who_page(const struct options *options, const char *word, const char *where)
{
	struct vmsnap_who_query query = { .kind = VMSNAP_WHO_FRAME };
	struct processes processes = { 0 };
	size_t index = 0;
	int status = address_parse(where, &query.address);
	if (status)
		return status;
	if (!word_is_process(word))
		return who_page_of_file(options, word, query.address);
	status = processes_add(&processes, word, &index);
	if (!status) {
		query.pid = processes.pids[index];
		status = look_now(options, &query, NULL);
	}
	processes_free(&processes);
	return status;
}

int cmd_who(const struct options *options)
{
	struct vmsnap_who_query query = { 0 };
	bool frame;
	char *const *words = options->operands;
	int count = options->operand_count, status = parse_frame(words[0], &query, &frame);
	if (status)
		return status;
	if (frame)
		return count == 1 ? look_now(options, &query, NULL)
		                  : look_in_files(options, &query, words + 1, count - 1);
	if (count > 1 && is_path_with_files(words))
		return who_file_in_files(options, words[0], words + 1, count - 1);
	if (count > 2)
		return trouble("who: expected pfn:X, phys:X, SNAPSHOT ADDRESS or PATH; '%s' is one word too many",
		               words[2]);
	return count == 1 ? who_file(options, words[0]) : who_page(options, words[0], words[1]);
}
