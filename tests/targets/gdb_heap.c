/* Blocks of malloc's behind typed pointers: what change() writes, the test knows. */
#include <stdlib.h>
#include <string.h>

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
	*local = 1;
	leave_behind(mine);
	change(local, mine);
	return *local == 5 ? 0 : 1;
}
