/* tree - a server with workers, which share a pool and a table.
 *
 *   fork          a worker more; says "worker PID"
 *   write COUNT   the newest worker writes to so many pages of the table, each time others
 *   pool COUNT    the server writes to so many pages of the pool, each time others
 *   end           the oldest worker ends
 */
#define _GNU_SOURCE
#include "target.h"

enum { POOL = 64, TABLE = 64, WORKERS = 16 };

struct worker {
	pid_t pid;
	int orders, done; /* our ends of its pipes */
};

static char *pool, *table;

/* A byte is a number of pages to write. */
static _Noreturn void work(int orders, int done)
{
	size_t next = 0;
	unsigned char count;
	die_with_parent();
	while (read(orders, &count, 1) == 1) {
		write_pages(table, next, next + count, 1);
		next += count;
		if (write(done, "x", 1) != 1)
			break;
	}
	_exit(0);
}

static void make_worker(struct worker *worker)
{
	int orders[2], done[2];
	if (pipe(orders) || pipe(done))
		cannot("pipe");
	worker->pid = fork();
	if (worker->pid < 0)
		cannot("fork");
	if (!worker->pid) {
		close(orders[1]);
		work(orders[0], done[1]);
	}
	close(orders[0]);
	close(done[1]);
	worker->orders = orders[1];
	worker->done = done[0];
	say("worker %d\n", (int)worker->pid);
}

static void let_write(const struct worker *worker, int count)
{
	unsigned char byte = (unsigned char)count;
	if (write(worker->orders, &byte, 1) != 1 || read(worker->done, &byte, 1) != 1)
		cannot("reach a worker");
}

static void end_worker(const struct worker *worker)
{
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
}

int main(void)
{
	struct worker workers[WORKERS];
	size_t begun = 0, ended = 0, pooled = 8;
	die_with_parent();
	pool = map_memory(POOL * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	table = map_private(TABLE * PAGE);
	madvise(table, TABLE * PAGE, MADV_NOHUGEPAGE);
	write_pages(pool, 0, pooled, 1);
	write_pages(table, 0, TABLE, 1);
	say_range("pool", pool, POOL * PAGE);
	say_range("table", table, TABLE * PAGE);
	for (;;) {
		char *command = next_command(), *blank = strchr(command, ' ');
		size_t count = blank ? (size_t)atoi(blank + 1) : 0;
		if (!strcmp(command, "fork") && begun < WORKERS)
			make_worker(&workers[begun++]);
		else if (!strncmp(command, "write ", 6) && begun)
			let_write(&workers[begun - 1], (int)count);
		else if (!strncmp(command, "pool ", 5)) {
			write_pages(pool, pooled, pooled + count, 1);
			pooled += count;
		} else if (!strcmp(command, "end") && ended < begun)
			end_worker(&workers[ended++]);
		else
			_exit(2);
	}
}
