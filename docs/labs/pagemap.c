/* pagemap - a variable that reads its own entry of /proc/self/pagemap, and a page that has two addresses.
 *
 *   look    reads the entry of the variable once more */
#define _GNU_SOURCE
#include "lab.h"
#include <fcntl.h>

static volatile int answer = 42;

/* The entry: eight bytes for each page, in the order of addresses. */
static uint64_t entry_of(const volatile void *address)
{
	uint64_t entry = 0;
	uintptr_t number = (uintptr_t)address / (uintptr_t)sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)(number * sizeof(entry))) != sizeof(entry))
		cannot("read /proc/self/pagemap");
	close(fd);
	return entry;
}

static void look(void)
{
	uint64_t entry = entry_of(&answer), frame = entry & (((uint64_t)1 << 55) - 1);
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	say_value("entry", entry);
	printf("present %d\n", (int)(entry >> 63));
	say_value("physical", frame ? (unsigned long)(frame * page + (uintptr_t)&answer % page) : 0);
}

int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memfd_create("two", 0);
	if (fd < 0 || ftruncate(fd, (off_t)page))
		cannot("memfd_create");
	char *one = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *two = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (one == MAP_FAILED || two == MAP_FAILED)
		cannot("mmap");
	strcpy(one, "written here");
	answer = 43; /* a page of its own for us, not the file's any more */
	begin();
	say_range("answer", &answer, sizeof(answer));
	say_range("one", one, page);
	say_range("two", two, page);
	printf("read there: \"%s\"\n", two);
	look();
	for (;;)
		if (!strcmp(next_word(), "look"))
			look();
}
