#ifndef SIGNALS_DRIVER_H
#define SIGNALS_DRIVER_H

#include <stdbool.h>
#include <sys/types.h>

struct plan {
	pid_t pid;
	unsigned long captures, kill;
	bool tree, thief;
};

__attribute__((format(printf, 1, 2))) void wrong(const char *format, ...);
/* No thread of the process, nor with .tree of its children, is traced or stands. */
void left_as_it_was(const struct plan *plan);

#endif
