/* leaky FILE - forgets memory if the file cannot be opened.
 *
 * What test_leaks must be able to see.  main() begins as the command's does. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *read_some(const char *path)
{
	char *text = calloc(1, 100);
	int fd = text ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return NULL; /* and where is the text? */
	ssize_t len = read(fd, text, 99);
	close(fd);
	if (len < 0)
		memset(text, 0, 100);
	return text;
}

int main(int argc, char **argv)
{
	if (argc < 2 || fcntl(STDIN_FILENO, F_GETFD) < 0)
		return 3;
	char *text = read_some(argv[1]);
	int status = text ? 0 : 2;
	free(text);
	/* No trace of it may be left on the stack or in a register, by chance. */
	printf("%d\n", status);
	return status;
}
