/* gdb_values - writes to variables of every kind, and knows what it wrote; for tests/gdb/test_values.py. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <stdint.h>

enum color { RED, GREEN, BLUE };
struct item {
	int count;
	char name[16];
	double price;
	struct item *next;
	unsigned low : 3, high : 5;
	int small : 4;
	enum color color;
	struct {
		short x, y;
	} at;
};
int counter = 5;
static int hidden = 7;
int untouched = 1;
int zeroed;
struct item items[50];
union {
	int whole;
	struct {
		short low, high;
	} half;
} both;
char text[64] = "hello world";
uint8_t bytes[16];
int grid[3][4];
int many[20000];
long double exact;
_Bool flag;
int *where;
const char *word = "one";
char *block;
__thread int of_thread = 3;
static int called(void) { return counter; }
int (*function)(void);

void nothing(void) {}

/* What it writes, it writes in this order; what it does not, nobody does. */
int work(int n, int *local)
{
	static int calls = 4;
	calls += n;
	counter += 3;
	hidden++;
	zeroed = 9;
	items[3].count = 7;
	strcpy(items[3].name, "apples");
	items[4].next = &items[3];
	items[3].price = 2.5;
	items[5].high = 9;
	items[5].small = -3;
	items[6].color = BLUE;
	items[7].at.y = -2;
	both.whole = 0x20001;
	memcpy(text + 6, "there", 5);
	bytes[4] = 200;
	grid[1][2] = 12;
	for (int i = 0; i < 1000; i++)
		many[i * 3] = i + 1;
	exact = 1.5L;
	flag = 1;
	where = &counter;
	word = "two";
	function = called;
	block[10] = 'x';
	of_thread = 4;
	*local = 42;
	return calls;
}

static void *other(void *local)
{
	of_thread = 8;
	work(2, local);
	return NULL;
}

static int crash(int *at)
{
	counter = 77;
	return *at;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int local = 1, numbers[4] = { 1, 2, 3, 4 };
	alarm(600);
	block = calloc(1, 100);
	if (!strcmp(how, "exit")) {
		counter = 6;
		exit(3);
	}
	if (!strcmp(how, "exec")) {
		counter = 6;
		execl(argv[0], argv[0], "done", NULL);
	}
	if (!strcmp(how, "crash"))
		return crash(NULL);
	if (!strcmp(how, "done"))
		return 0;
	if (!strcmp(how, "thread")) {
		pthread_t thread;
		pthread_create(&thread, NULL, other, &local);
		pthread_join(thread, NULL);
	}
	if (!strcmp(how, "wait")) {
		counter = 6;
		pause();
	}
	for (int i = 0; i < 3; i++) {
		int result = work(i + 1, &local);
		numbers[2] += result;
	}
	nothing();
	return numbers[2] == 0;
}
