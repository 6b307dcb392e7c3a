#include "options.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "error.h"

/* A size that nobody has set may be anything: not to read far beyond what there is. */
enum { SIZE_MOST = 4096 };

static bool all_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

int options_take(void *to, size_t to_size, const void *from, const char *what, struct vmsnap_error *err)
{
	size_t size = to_size;
	if (from)
		memcpy(&size, from, sizeof(size));
	if (size < sizeof(size) || size > SIZE_MOST || size % alignof(size_t))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s: no size is %zu; expected %zu", what, size, to_size);
	size_t known = size < to_size ? size : to_size;
	if (from && !all_zero((const unsigned char *)from + known, size - known))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s: of %zu bytes only %zu are known, and what follows is not 0",
		            what, size, known);
	memset(to, 0, to_size);
	if (from)
		memcpy(to, from, known);
	memcpy(to, &to_size, sizeof(to_size));
	return VMSNAP_OK;
}
