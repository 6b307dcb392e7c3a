/* static_name.h - how a static variable of a function is called: "work::calls", as gdb does and DWARF's scopes say, and
 * not "work(int)::calls", as a demangled symbol is. */
#ifndef VMSNAP_STATIC_NAME_H
#define VMSNAP_STATIC_NAME_H

/* Takes out of a demangled name, where it stands, the arguments of the function right before its last part. */
void static_name(char *name);

#endif
