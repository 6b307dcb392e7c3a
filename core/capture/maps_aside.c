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

void maps_aside_read(void *aside)
{
	struct maps_aside *job = aside;
	struct proc_text *text = job->text;
	const struct proc_text *before = job->before;
	job->same = true;
	for (text->len = 0; !job->error;) {
		size_t room = text->room - text->len - 1;
		realtime_check(job->realtime);
		long got = room ? raw_syscall4(SYS_pread64, job->maps, (long)(text->text + text->len), (long)room,
		                               (long)text->len)
		                : -ENOSPC;
		if (got <= 0) {
			job->error = got == -EINTR ? 0 : (int)-got;
			if (!got)
				break;
			continue;
		}
		size_t to = text->len + (size_t)got;
		job->same = job->same && to <= before->len &&
		            same_bytes(text->text + text->len, before->text + text->len, (size_t)got);
		text->len = to;
	}
	text->text[text->len] = '\0';
	job->same = job->same && text->len == before->len;
}
