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
static void *untyped;

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
	*local = 1;
	change(local, mine);
	return *local == 5 ? 0 : 1;
}
