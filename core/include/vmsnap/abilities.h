/* abilities.h - what this kernel, this machine and this user let vmsnap know, each tried out.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_ABILITIES_API_H
#define VMSNAP_ABILITIES_API_H

#include <vmsnap/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vmsnap_able {
	VMSNAP_ABLE_NO,
	VMSNAP_ABLE_PARTLY, /* reason says what is left out */
	VMSNAP_ABLE_YES,
};
const char *vmsnap_able_name(int able); /* "no", "partly", "yes" */

/* This struct grows at its end. */
struct vmsnap_ability {
	const char *name;   /* "pfn": one word, which stays */
	const char *gives;  /* what it is good for */
	const char *reason; /* why not, or why not all of it; "" */
	const char *help;   /* what would change that; "" if it is YES, or if nothing does */
	uint32_t able;      /* enum vmsnap_able */
	uint32_t unused;
};

/* Tries all of them with pages, files and events of this process's own; no other process is looked at.  What it
 * gives is freed with vmsnap_abilities_free().  Fails without memory only. */
struct vmsnap_abilities;
int vmsnap_abilities_new(struct vmsnap_abilities **out, struct vmsnap_error *err);
void vmsnap_abilities_free(struct vmsnap_abilities *abilities); /* NULL is fine */
size_t vmsnap_abilities_count(const struct vmsnap_abilities *abilities);
/* The strings live as long as `abilities`.  VMSNAP_END behind the last. */
int vmsnap_ability_sized(const struct vmsnap_abilities *abilities, size_t index, struct vmsnap_ability *out,
                         size_t size);
static inline int vmsnap_ability(const struct vmsnap_abilities *abilities, size_t index, struct vmsnap_ability *out)
{
	return vmsnap_ability_sized(abilities, index, out, sizeof(*out));
}

#ifdef __cplusplus
}
#endif
#endif
