/* What memory held. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "commands.h"
#include "output.h"
#include "privilege.h"
#include "say.h"
#include "snapshot_arg.h"

/* ---- to a file ---- */

struct saving {
	const struct vmsnap *snap;
	const char *path;
	uint64_t start, end, unknown;
	int fd;
};

static int write_all(const struct saving *saving, const char *bytes, size_t len, uint64_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t wrote = pwrite(saving->fd, bytes + done, len - done, (off_t)(at - saving->start + done));
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return trouble("cannot write to %s: %s", saving->path, strerror(errno));
		done += (size_t)wrote;
	}
	return STATUS_OK;
}

static int save_kept(const struct saving *saving, uint64_t at, uint64_t end)
{
	static char bytes[1 << 16];
	struct vmsnap_error err;
	int status = STATUS_OK;
	size_t got;
	for (; !status && at < end; at += got) {
		size_t len = end - at < sizeof(bytes) ? (size_t)(end - at) : sizeof(bytes);
		if (vmsnap_contents_read(saving->snap, at, bytes, len, &got, &err))
			return trouble_with(NULL, &err);
		status = write_all(saving, bytes, got, at);
	}
	return status;
}

/* What is not kept becomes a hole. */
static int save_bytes(struct saving *saving)
{
	int status = STATUS_OK;
	if (saving->end - saving->start > INT64_MAX || ftruncate(saving->fd, (off_t)(saving->end - saving->start)))
		return trouble("cannot make %s as large as that: %s", saving->path,
		               saving->end - saving->start > INT64_MAX ? strerror(EFBIG) : strerror(errno));
	for (uint64_t at = saving->start, end; !status && at < saving->end; at = end) {
		int held = vmsnap_contents_held(saving->snap, at, &end);
		end = end < saving->end ? end : saving->end;
		if (held == VMSNAP_HELD_BYTES)
			status = save_kept(saving, at, end);
		else if (held == VMSNAP_HELD_UNKNOWN)
			saving->unknown += end - at;
	}
	return status;
}

/* Beside it, for nobody else to read, and then in its place. */
static int save_to(struct saving *saving)
{
	struct stat there;
	char *beside = NULL;
	if (!lstat(saving->path, &there) && (!S_ISREG(there.st_mode) || there.st_size))
		return trouble("%s exists%s: nothing is written to it", saving->path,
		               S_ISREG(there.st_mode) ? "" : " and is not a regular file");
	if (asprintf(&beside, "%s.XXXXXX", saving->path) < 0)
		return trouble("out of memory");
	saving->fd = mkstemp(beside);
	if (saving->fd < 0) {
		int status = trouble("cannot make %s: %s", saving->path, strerror(errno));
		free(beside);
		return status;
	}
	int status = save_bytes(saving);
	if (close(saving->fd) && !status)
		status = trouble("cannot write to %s: %s", saving->path, strerror(errno));
	if (!status && rename(beside, saving->path))
		status = trouble("cannot make %s: %s", saving->path, strerror(errno));
	if (status)
		unlink(beside);
	free(beside);
	return status;
}

static int save(const struct options *options, const struct vmsnap *snap, uint64_t start, uint64_t end)
{
	struct saving saving = { .snap = snap, .path = options->save, .start = start, .end = end };
	if (vmsnap_contents_kind(snap) != VMSNAP_CONTENTS_BYTES)
		return trouble("%s: what its pages held was not kept (capture with --contents)", options->operands[0]);
	privilege_pause();
	int status = save_to(&saving);
	privilege_resume();
	if (!status && saving.unknown)
		say("%" PRIu64 " of %" PRIu64 " bytes are not known: %s has zeros there", saving.unknown, end - start,
		    saving.path);
	return status;
}

/* ---- the command ---- */

static int load(struct sources *sources, struct vmsnap **a, struct vmsnap **b)
{
	const struct options *options = sources->options;
	int status = sources_expect(sources, options->operands[0]);
	status = status ? status : sources_expect(sources, options->other);
	status = status ? status : snapshot_from_word(sources, options->operands[0], a);
	if (!status && options->other)
		status = snapshot_from_word(sources, options->other, b);
	return status;
}

static int print(const struct options *options, const struct vmsnap *a, const struct vmsnap *b, uint64_t start,
                 uint64_t end)
{
	struct output output;
	struct vmsnap_error err;
	if (!b && !options->json)
		range_tell_empty(a, options->operands[0], start, end);
	output_init(&output, options);
	return output_finish(&output, vmsnap_print_dump(a, b, start, end, &output.to, &err), &err);
}

int cmd_dump(const struct options *options)
{
	struct vmsnap *a = NULL, *b = NULL;
	struct sources sources;
	uint64_t start, end;
	if (options->save && (options->other || options->json))
		return trouble("dump: --save writes bytes as they are, without --diff and --json");
	/* A bad range is told before a process is stopped for it; of that whole pages are read. */
	int status = address_range_parse(options->operands[1], (uint64_t)sysconf(_SC_PAGESIZE), &start, &end);
	if (status)
		return status;
	sources_init(&sources, options);
	sources.contents = true;
	sources.wanted = (struct vmsnap_range){ start, end };
	status = load(&sources, &a, &b);
	sources_close(&sources);
	if (!status)
		status = address_bytes_parse(options->operands[1], vmsnap_info(a)->page_size, &start, &end);
	if (!status)
		status = options->save ? save(options, a, start, end) : print(options, a, b, start, end);
	vmsnap_unref(a);
	vmsnap_unref(b);
	return status;
}
