/* demangle_rust.h - symbols of Rust, of both kinds: "_R…" (v0, RFC 2603) and the older ones, which
 * look like those of C++ ("_ZN…17h0123456789abcdefE").  No library that a system is sure to have
 * knows them. */
#ifndef VMSNAP_DEMANGLE_RUST_H
#define VMSNAP_DEMANGLE_RUST_H

#include <stdbool.h>
#include <stddef.h>

/* As Rust's own tools tell it where they leave out hashes and the types of constants.  False if
 * it is none, is damaged, or becomes longer than there is room. */
bool demangle_rust(const char *symbol, char *out, size_t room);

#endif
