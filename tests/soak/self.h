/* self.h - what the driver says of itself and of a run: descriptors, memory, times. */
#ifndef SOAK_SELF_H
#define SOAK_SELF_H

#include <stddef.h>
#include <stdint.h>
#include <vmsnap.h>

/* Says what is wrong and ends the run. */
_Noreturn void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void wrong_with(const char *what, const struct vmsnap_error *err);

unsigned self_descriptors(void);
uint64_t self_resident(void);  /* bytes */
uint64_t self_allocated(void); /* bytes that malloc gave out and has not got back */
uint64_t self_read(void);      /* bytes that were read so far, from whatever */
uint64_t now_ns(void);

/* What must be as it was, and what may not grow by more than a little. */
struct self_before {
	unsigned descriptors;
	uint64_t resident, allocated;
};
struct self_before self_note(void);
void self_unchanged(const struct self_before *before, const char *since);

/* Numbers of which the middle, the 99th of a hundred and the largest are told. */
struct numbers {
	uint64_t *values;
	size_t count, room;
};
void numbers_init(struct numbers *numbers, size_t room); /* more than that are not kept */
void numbers_add(struct numbers *numbers, uint64_t value);
/* In thousandths (0.5 is 500); sorts. */
uint64_t numbers_part(struct numbers *numbers, unsigned thousandths);
void numbers_free(struct numbers *numbers);

int watch(int argc, char **argv);
int append(int argc, char **argv);

#endif
