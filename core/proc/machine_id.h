/* machine_id.h - what tells this machine from others, and does not reveal its id. */
#ifndef VMSNAP_MACHINE_ID_H
#define VMSNAP_MACHINE_ID_H

#include <stdbool.h>

enum { MACHINE_HASH_BYTES = 33 };

/* Of /etc/machine-id, in hexadecimal.  False if there is none.  Takes no memory. */
bool machine_id_hash(char out[MACHINE_HASH_BYTES]);

#endif
