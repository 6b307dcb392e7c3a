#include "code_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void code_name(const struct vmsnap_faults *faults, int32_t pid, uint64_t address, bool functions,
               struct vmsnap_names *names, char out[CODE_NAME_MAX])
{
	const struct vmsnap_fault_code *code = vmsnap_faults_code_at(faults, (uint32_t)pid, address);
	const struct vmsnap_fault_object *object =
	        code && code->object != UINT32_MAX ? vmsnap_faults_object(faults, code->object) : NULL;
	const char *path = object ? object->path : "", *slash = strrchr(path, '/');
	const char *nicer = names && code && *code->function ? vmsnap_names_demangle(names, code->function) : NULL;
	if (functions && code && *code->function)
		snprintf(out, CODE_NAME_MAX, "%s", nicer ? nicer : code->function);
	else if (*path)
		snprintf(out, CODE_NAME_MAX, "%s+0x%" PRIx64, slash && slash[1] ? slash + 1 : path,
		         address - object->start + object->offset);
	else
		snprintf(out, CODE_NAME_MAX, "0x%" PRIx64, address);
}
