#define _GNU_SOURCE
#include "file_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "error.h"
#include "file_error.h"
#include "file_sink.h"
#include "file_watch.h"
#include "work.h"

/* So much stays in memory; and so much may follow what is damaged before any snapshot is
 * whole, for those that lie behind the damage are read too. */
enum { IN_MEMORY = 1 << 20, BEHIND_DAMAGE = 1 << 20 };

struct spooling {
	const char *name;
	int from, to; /* to: the temporary file, or -1 */
	char to_name[SPOOL_TOLD];
	struct work work;
	struct file_watch watch;
	struct vmsnap_error *err;
	uint8_t *bytes;
	size_t held; /* of IN_MEMORY, not in the temporary file yet */
	uint64_t total, limit;
};

/* Without a name from the beginning: nothing is left, whatever happens. */
static int open_in(const char *name, const char *folder, char *told)
{
	snprintf(told, SPOOL_TOLD, "a copy of %.60s in %.150s", name, folder);
	return open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
}

/* /var/tmp before /tmp, which is often memory. */
int file_spool_temporary(const char *name, char told[static SPOOL_TOLD], struct vmsnap_error *err)
{
	const char *folders[] = { secure_getenv("TMPDIR"), "/var/tmp", "/tmp" };
	int fd = -1;
	for (size_t i = 0; fd < 0 && i < sizeof(folders) / sizeof(*folders); i++)
		if (folders[i] && *folders[i])
			fd = open_in(name, folders[i], told);
	if (fd < 0) {
		snprintf(told, SPOOL_TOLD, "a copy of %.60s", name);
		fd = memfd_create("vmsnap-input", MFD_CLOEXEC);
	}
	return fd < 0 ? fail_sys(err, errno, "cannot make %s", told) : fd;
}

static int open_temporary(struct spooling *s)
{
	int fd = file_spool_temporary(s->name, s->to_name, s->err);
	s->to = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : VMSNAP_OK;
}

static int empty(struct spooling *s)
{
	int rc = s->to < 0 ? open_temporary(s) : VMSNAP_OK;
	if (rc)
		return rc;
	rc = sink_write_all(s->to, s->to_name, s->bytes, s->held, s->err);
	s->held = 0;
	return rc;
}

static int judge(struct spooling *s)
{
	const struct file_watch *watch = &s->watch;
	if (!watch->code)
		return VMSNAP_OK;
	if (file_watch_hopeless(watch))
		return file_bad(s->name, s->err, watch->code, watch->wrong, "%s", watch->what);
	if (!file_watch_useful(watch) && s->total - watch->wrong > BEHIND_DAMAGE)
		return file_bad(s->name, s->err, watch->code, watch->wrong,
		                "%s, and more than a megabyte follows; only a file is searched further", watch->what);
	return VMSNAP_OK;
}

/* One piece; VMSNAP_END after the last. */
static int read_piece(struct spooling *s)
{
	size_t room = IN_MEMORY - s->held;
	/* One byte more than may be tells that there are more. */
	uint64_t left = s->limit - s->total;
	size_t want = left < room ? (size_t)left + 1 : room;
	if (work_ask(&s->work))
		return work_fail(&s->work, VMSNAP_ERR_CANCELLED, s->err);
	ssize_t n = read(s->from, s->bytes + s->held, want);
	if (n < 0)
		return errno == EINTR ? VMSNAP_OK : fail_sys(s->err, errno, "cannot read %.200s", s->name);
	if ((uint64_t)n > left)
		return file_bad(s->name, s->err, VMSNAP_ERR_TOO_LARGE, s->limit, "more than %" PRIu64 " bytes of input",
		                s->limit);
	file_watch_pass(&s->watch, s->bytes + s->held, (size_t)n);
	s->held += (size_t)n;
	s->total += (uint64_t)n;
	return n ? judge(s) : VMSNAP_END;
}

static int read_all(struct spooling *s)
{
	int rc = VMSNAP_OK;
	while (!rc) {
		rc = read_piece(s);
		if (!rc && s->held == IN_MEMORY)
			rc = empty(s);
	}
	if (rc == VMSNAP_END)
		rc = s->to >= 0 && s->held ? empty(s) : VMSNAP_OK;
	return rc;
}

int file_spool_read(struct file_spool *spool, int fd, const char *name, const struct vmsnap_limits *limits,
                    struct vmsnap_error *err)
{
	struct spooling s = { .name = name, .from = fd, .to = -1, .err = err, .limit = limits->input_bytes };
	s.watch = file_watch_begin(s.limit);
	s.work = (struct work){ .cancelled = limits->cancelled, .cancel_ctx = limits->cancel_ctx };
	s.bytes = malloc(IN_MEMORY);
	int rc = s.bytes ? read_all(&s) : fail_no_memory(err);
	if (rc || s.to >= 0) {
		free(s.bytes);
		s.bytes = NULL;
	}
	if (rc && s.to >= 0)
		close(s.to);
	*spool = (struct file_spool){ .bytes = s.bytes, .fd = rc ? -1 : s.to, .size = s.total };
	return rc;
}
