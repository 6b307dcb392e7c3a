/* Blocks of malloc's behind typed pointers: what change() writes, the test knows. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct node {
	int n;
	struct node *next;
	char name[12];
	unsigned low : 3, high : 5;
};
struct table {
	int count;
	struct node **slots;
	struct node *first;
};

struct table *table;
struct node *list, *items;
int *numbers;
char *text;
static void *untyped, *kept;
enum { PAGE = 4096 };
static char *row; /* where malloc's own block is in the first page of the heap, but in another, and of that one's size */
static char *islands[2]; /* two mappings, and one page between them where there is none */
static struct node *headed; /* some bytes behind where its block begins, as allocators on top of malloc's have it */

/* Where this function's frame was the stack has a pointer again and again, to what only `mine` in main() points to. */
__attribute__((noinline)) static void leave_behind(struct node *pointer)
{
	struct node *volatile copies[64];
	for (int i = 0; i < 64; i++)
		copies[i] = pointer;
	(void)copies[0];
}

__attribute__((noinline)) void change(int *local, struct node *mine)
{
	list->n = 7;
	list->next->n++;
	table->first->next->next->n = 99;
	strcpy(list->name, "x");
	list->high = 9;
	table->count = 2;
	table->slots[3] = list;
	numbers[5] = 3;
	strcpy(text, "changed");
	items[2].n = -1;
	*local = 5;
	mine->n = 12;
	((char *)untyped)[3] = 1;
	headed->n = 4;
	row[1] = 'x';
	for (int i = 0; i < 10; i++)
		islands[0][PAGE - 1 - 400 * i] = islands[1][400 * i] = 1;
	/* What is left of the heap is split: the sizes of both parts are malloc's own. */
	kept = malloc(3000);
}

int main(void)
{
	int *local = malloc(sizeof(*local));
	struct node *mine = calloc(1, sizeof(*mine));
	list = calloc(1, sizeof(*list));
	list->next = calloc(1, sizeof(*list));
	list->next->next = calloc(1, sizeof(*list));
	list->next->next->next = list;
	table = calloc(1, sizeof(*table));
	table->slots = calloc(20, sizeof(*table->slots));
	table->first = list;
	numbers = calloc(50, sizeof(*numbers));
	items = calloc(4, sizeof(*items));
	text = calloc(1, 40);
	untyped = calloc(1, 60);
	headed = (struct node *)((char *)calloc(1, sizeof(*headed) + 8) + 8);
	do
		row = calloc(1, 640);
	while ((uintptr_t)row % PAGE != 16);
	islands[0] = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	islands[1] = islands[0] + 2 * PAGE;
	munmap(islands[0] + PAGE, PAGE);
	islands[0][0] = islands[1][0] = 0;
	*local = 1;
	leave_behind(mine);
	change(local, mine);
	return *local == 5 ? 0 : 1;
}
