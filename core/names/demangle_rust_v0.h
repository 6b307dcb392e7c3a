/* demangle_rust_v0.h - the grammar of "_R…": paths, types, constants (RFC 2603). */
#ifndef VMSNAP_DEMANGLE_RUST_V0_H
#define VMSNAP_DEMANGLE_RUST_V0_H

#include "rust_symbol.h"

/* What stands behind "_R". */
bool demangle_v0(struct rust *r);

#endif
