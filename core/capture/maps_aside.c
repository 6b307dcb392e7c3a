#include "maps_aside.h"

#include "raw_syscall.h"

static bool same_bytes(const char *a, const char *b, size_t len)
{
	uint64_t difference = 0;
	size_t at = 0;
	for (; at + sizeof(uint64_t) <= len; at += sizeof(uint64_t)) {
		uint64_t left, right;
		__builtin_memcpy(&left, a + at, sizeof(left));
		__builtin_memcpy(&right, b + at, sizeof(right));
		difference |= left ^ right;
	}
	for (; at < len; at++)
		difference |= (uint64_t)(a[at] ^ b[at]);
	return !difference;
}

/* The next bytes of it; 0 at its end, or with job->error. */
static size_t read_more(struct maps_aside *job, char *to, size_t room, size_t at)
{
	long got;
	do {
		realtime_check(job->realtime);
		got = raw_syscall4(SYS_pread64, job->maps, (long)to, (long)room, (long)at);
	} while (got == -EINTR);
	job->error = got < 0 ? (int)-got : 0;
	return got < 0 ? 0 : (size_t)got;
}

/* In little memory, and always the same: all of a long one would be twice as much as there is to remember. */
static bool is_as_before(struct maps_aside *job)
{
	const struct proc_text *before = job->before;
	size_t room = job->text->room < MAPS_ASIDE_BYTES ? job->text->room : MAPS_ASIDE_BYTES, at = 0, got;
	while ((got = read_more(job, job->text->text, room, at)) != 0) {
		if (got > before->len - at || !same_bytes(job->text->text, before->text + at, got))
			return false;
		at += got;
	}
	return !job->error && at == before->len;
}

void maps_aside_read(void *aside)
{
	struct maps_aside *job = aside;
	struct proc_text *text = job->text;
	size_t got = 1;
	text->len = 0;
	job->same = is_as_before(job);
	while (!job->same && !job->error && got) {
		size_t room = text->room - text->len - 1;
		if (!room)
			job->error = ENOSPC;
		got = room ? read_more(job, text->text + text->len, room, text->len) : 0;
		text->len += got;
	}
	text->text[text->len] = '\0';
}
