/* shorten.h - names of C++ and Rust as people can read them. */
#ifndef VMSNAP_SHORTEN_H
#define VMSNAP_SHORTEN_H

/* In place: what stands between the brackets of a list of template arguments is "..." where it is
 * long, "std::vector<...>::push_back(int)".  Signs of operators are no brackets, nor those that
 * a name of Rust begins with ("<u8 as Trait>::f"). */
void shorten_templates(char *name);

#endif
