/* states_told.h - whether there is anything to show of pages' states: of what comes from a core file there is not. */
#ifndef VMSNAP_STATES_TOLD_H
#define VMSNAP_STATES_TOLD_H

#include "vmsnap.h"

/* VMSNAP_OK, or VMSNAP_ERR_ARGUMENT; what: that is of states, and cannot be: "a map". */
int states_told(const struct vmsnap *snap, const char *what, struct vmsnap_error *err);

#endif
