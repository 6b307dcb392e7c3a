#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 5, 0))) static void describe(struct vmsnap_error *err, int code, int sys_errno,
                                                           uint64_t position, const char *format, va_list args)
{
	if (!err)
		return;
	err->code = code;
	err->sys_errno = sys_errno;
	err->position = position;
	int len = vsnprintf(err->message, sizeof(err->message), format, args);
	if (sys_errno && len >= 0 && (size_t)len < sizeof(err->message))
		snprintf(err->message + len, sizeof(err->message) - (size_t)len, ": %s", strerror(sys_errno));
}

int fail(struct vmsnap_error *err, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	describe(err, code, 0, 0, format, args);
	va_end(args);
	return code;
}

int fail_at(struct vmsnap_error *err, int code, uint64_t position, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	describe(err, code, 0, position, format, args);
	va_end(args);
	return code;
}

int fail_sys(struct vmsnap_error *err, int saved_errno, const char *format, ...)
{
	int code = saved_errno == ENOMEM ? VMSNAP_ERR_NO_MEMORY : VMSNAP_ERR_SYSTEM;
	va_list args;
	va_start(args, format);
	describe(err, code, saved_errno, 0, format, args);
	va_end(args);
	return code;
}

int fail_no_memory(struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_NO_MEMORY, "out of memory");
}
