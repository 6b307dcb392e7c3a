/* export_bytes.c - the bytes of an export, buffered on their way to a file, a pipe or a function. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <string.h>

#include "error.h"
#include "exporter.h"

static void send_on(struct vmsnap_export *e, const char *bytes, size_t len)
{
	if (e->failed || !len)
		return;
	bool to_file = e->file.fd >= 0;
	e->failed = to_file ? product_file_write(e->file.fd, bytes, len) : e->options.write(e->options.ctx, bytes, len);
}

void export_bytes(struct vmsnap_export *e, const void *bytes, size_t len)
{
	if (e->buffered + len > EXPORT_BUFFER) {
		send_on(e, e->buffer, e->buffered);
		e->buffered = 0;
	}
	if (len > EXPORT_BUFFER) {
		send_on(e, bytes, len);
		return;
	}
	memcpy(e->buffer + e->buffered, bytes, len);
	e->buffered += len;
}

void export_text(struct vmsnap_export *e, const char *text)
{
	export_bytes(e, text, strlen(text));
}

void export_printf(struct vmsnap_export *e, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	export_bytes(e, text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

int export_flush(struct vmsnap_export *e, struct vmsnap_error *err)
{
	send_on(e, e->buffer, e->buffered);
	e->buffered = 0;
	if (!e->failed)
		return VMSNAP_OK;
	return fail_sys(err, e->failed, "cannot write %.200s", e->options.path ? e->options.path : "what is exported");
}
