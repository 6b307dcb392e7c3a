/* test_skip.h - skips a test, and leaves the line that script/test collects. */
#ifndef TEST_SKIP_H
#define TEST_SKIP_H

#define skip_because(...)           \
	do {                            \
		print_message("SKIP: ");    \
		print_message(__VA_ARGS__); \
		print_message("\n");        \
		skip();                     \
	} while (0)

#endif
