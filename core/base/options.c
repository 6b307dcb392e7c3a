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

int struct_take(void *to, size_t to_size, const void *from, size_t from_size, const char *what,
                struct vmsnap_error *err)
{
	size_t known = from_size < to_size ? from_size : to_size;
	if (!from_size || from_size > SIZE_MOST)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s: no size is %zu; expected %zu", what, from_size, to_size);
	if (!all_zero((const unsigned char *)from + known, from_size - known))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s: of %zu bytes only %zu are known, and what follows is not 0",
		            what, from_size, known);
	memset(to, 0, to_size);
	memcpy(to, from, known);
	return VMSNAP_OK;
}

int options_take(void *to, size_t to_size, const void *from, const char *what, struct vmsnap_error *err)
{
	size_t size = to_size;
	if (from)
		memcpy(&size, from, sizeof(size));
	if (size < sizeof(size) || size % alignof(size_t))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s: no size is %zu; expected %zu", what, size, to_size);
	memset(to, 0, to_size);
	int rc = from ? struct_take(to, to_size, from, size, what, err) : VMSNAP_OK;
	memcpy(to, &to_size, sizeof(to_size));
	return rc;
}

void struct_give(void *to, size_t to_size, const void *from, size_t from_size)
{
	size_t known = to_size < from_size ? to_size : from_size;
	memcpy(to, from, known);
	memset((unsigned char *)to + known, 0, to_size - known);
}
