/* busy BOARD - a process that is never still: threads and children come and go, memory
 * is mapped, written, given back and unmapped, and all of it follows rules that hold at
 * every single instant:
 *
 *   - page i of `second` is there only if page i of `first` is, and `first` is at most one
 *     page ahead; two threads in turn see to that, so only an instant has it so;
 *   - the mappings of `slots` are made from the first on and taken away from the last on;
 *   - each signal that is sent to one thread, or to the process, comes once, with its contents,
 *     and those of one queue in the order in which they were sent.
 *
 * BOARD is a file, mapped by whoever wants to know how far it is. */
#define _GNU_SOURCE
#include "../targets/target.h"

#include <pthread.h>
#include <sched.h>

#include "board.h"

static struct board *board;

static void count(int work)
{
	atomic_fetch_add(&board->done[work], 1);
}

static void begin(void)
{
	board->tids[atomic_fetch_add(&board->begun, 1)] = (uint32_t)gettid();
}

static void start(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 64 << 10);
	if (pthread_create(&thread, &attr, run, arg))
		cannot("make a thread");
	pthread_attr_destroy(&attr);
}

/* ---- pairs ---- */

struct side {
	int pair, is_second;
	char *memory;
};

/* Whose turn it is: of a lap, 2 * PAIR_PAGES turns up (page by page, `first` and then
 * `second`) and as many down (`second` and then `first`). */
static _Atomic uint64_t turns[PAIRS];
enum { LAP = 4 * PAIR_PAGES };

static void write_page(char *page, uint64_t value)
{
	memcpy(page + 64, &value, sizeof(value));
}

static void drop_page(char *page, uint64_t value)
{
	uint64_t found;
	memcpy(&found, page + 64, sizeof(found));
	if (found != value || madvise(page, PAGE, MADV_DONTNEED))
		atomic_fetch_add(&board->broken, 1);
}

static void await_turn(const struct side *side, uint64_t turn)
{
	while (atomic_load(&turns[side->pair]) != turn)
		sched_yield();
}

static void *run_side(void *arg)
{
	const struct side *side = arg;
	begin();
	for (uint64_t lap = 0;; lap += LAP) {
		for (uint64_t i = 0; i < PAIR_PAGES; i++) {
			uint64_t turn = lap + 2 * i + (uint64_t)side->is_second;
			await_turn(side, turn);
			write_page(side->memory + i * PAGE, lap + i);
			atomic_store(&turns[side->pair], turn + 1);
		}
		for (uint64_t i = PAIR_PAGES; i-- > 0;) {
			uint64_t turn = lap + LAP - 1 - 2 * i - (uint64_t)side->is_second;
			await_turn(side, turn);
			drop_page(side->memory + i * PAGE, lap + i);
			atomic_store(&turns[side->pair], turn + 1);
		}
		if (!side->is_second)
			count(WORK_PAIR + side->pair);
	}
	return NULL;
}

static void start_pairs(void)
{
	static struct side sides[PAIRS][2];
	for (int pair = 0; pair < PAIRS; pair++) {
		for (int which = 0; which < 2; which++) {
			char *memory = map_apart(PAIR_PAGES);
			madvise(memory, PAIR_PAGES * PAGE, MADV_NOHUGEPAGE);
			sides[pair][which] = (struct side){ pair, which, memory };
		}
		board->first[pair] = (uintptr_t)sides[pair][0].memory;
		board->second[pair] = (uintptr_t)sides[pair][1].memory;
		start(run_side, &sides[pair][0]);
		start(run_side, &sides[pair][1]);
	}
}

/* ---- slots ---- */

static void set_slot(char *slots, int slot, int prot)
{
	char *place = slots + slot * SLOT_PAGES * PAGE;
	if (mmap(place, SLOT_PAGES * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != place)
		atomic_fetch_add(&board->broken, 1);
}

static void *run_slots(void *slots)
{
	begin();
	for (;;) {
		for (int slot = 0; slot < SLOTS; slot++) {
			set_slot(slots, slot, PROT_READ | PROT_WRITE);
			write_pages((char *)slots + slot * SLOT_PAGES * PAGE, 0, SLOT_PAGES, 1);
		}
		for (int slot = SLOTS; slot-- > 0;)
			set_slot(slots, slot, PROT_NONE);
		count(WORK_SLOTS);
		sched_yield();
	}
	return NULL;
}

/* ---- others ---- */

static void *live_shortly(void *nothing)
{
	char stack[8192];
	memset(stack, 1, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
	count(WORK_THREADS);
	return nothing;
}

static void *run_threads(void *nothing)
{
	begin();
	for (;;) {
		pthread_t threads[4];
		int made = 0;
		for (; made < 4; made++)
			if (pthread_create(&threads[made], NULL, live_shortly, NULL))
				break;
		while (made > 0)
			pthread_join(threads[--made], NULL);
		usleep(200);
	}
	return nothing;
}

/* A child writes to what it got from us, sees that it is its own, and ends. */
static void *run_forks(void *own)
{
	begin();
	for (unsigned round = 1;; round++) {
		pid_t child = fork();
		int status = 1;
		if (!child) {
			write_pages(own, 0, 16, 1);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status || *(char *)own)
			atomic_fetch_add(&board->broken, 1);
		count(WORK_FORKS);
		usleep(2000);
	}
	return NULL;
}

/* Mappings of any size, anywhere, which the kernel joins and splits. */
static void *run_noise(void *seed)
{
	uint64_t state = (uintptr_t)seed;
	begin();
	for (;;) {
		size_t pages = 1 + random_next(&state) % 64;
		char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED) {
			atomic_fetch_add(&board->broken, 1);
			continue;
		}
		write_pages(memory, 0, pages, 3);
		mprotect(memory + pages / 2 * PAGE, PAGE, PROT_READ);
		munmap(memory, pages * PAGE);
		count(WORK_NOISE);
		if (random_next(&state) % 8 == 0)
			usleep(50);
	}
	return NULL;
}

/* ---- signals ---- */

/* One queue is a thread's, the other the process's.  Before a queued signal there may be a
 * standard one, of which the kernel keeps only one: it comes first, so it has come when the
 * queued one does. */
enum { QUEUES = 2, ON_THEIR_WAY = 16 };
struct queue {
	int queued, standard;          /* signal numbers */
	unsigned sent;                 /* the last number that was sent; the value of its signal */
	unsigned before[ON_THEIR_WAY]; /* how many standard ones had been sent before it */
	unsigned standard_sent;
	_Atomic unsigned came, standard_came;
};
static struct queue queues[QUEUES];
static _Atomic pid_t receiver;

static void take_queued(struct queue *queue, const siginfo_t *info)
{
	unsigned number = (unsigned)info->si_value.sival_int;
	if (number != queue->came + 1 || info->si_code != SI_QUEUE || info->si_pid != getpid() ||
	    queue->before[number % ON_THEIR_WAY] != queue->standard_came)
		atomic_fetch_add(&board->lost, 1);
	queue->standard_came = queue->before[number % ON_THEIR_WAY];
	queue->came = number;
	count(WORK_SIGNALS);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	for (struct queue *queue = queues; queue < queues + QUEUES; queue++) {
		if (number == queue->standard)
			queue->standard_came++;
		else if (number == queue->queued)
			take_queued(queue, info);
	}
}

static int send_queued(const struct queue *queue, int to_process)
{
	union sigval value = { .sival_int = (int)queue->sent };
	siginfo_t info = { .si_code = SI_QUEUE };
	info.si_pid = getpid();
	info.si_value = value;
	if (to_process)
		return sigqueue(getpid(), queue->queued, value);
	return (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), receiver, queue->queued, &info);
}

static void send_signals(struct queue *queue, int to_process)
{
	if (queue->sent - queue->came >= ON_THEIR_WAY)
		return;
	if (queue->sent == queue->came) {
		queue->standard_sent++;
		if (to_process ? kill(getpid(), queue->standard) : tgkill(getpid(), receiver, queue->standard))
			atomic_fetch_add(&board->broken, 1);
	}
	queue->sent++;
	queue->before[queue->sent % ON_THEIR_WAY] = queue->standard_sent;
	while (send_queued(queue, to_process))
		usleep(1000); /* the queue of all of the user's processes may be full */
}

static void *run_sender(void *nothing)
{
	begin();
	for (;;) {
		for (int i = 0; i < QUEUES; i++)
			send_signals(&queues[i], i);
		usleep(100);
	}
	return nothing;
}

static void *run_receiver(void *nothing)
{
	sigset_t none;
	begin();
	receiver = gettid();
	sigemptyset(&none);
	for (;;)
		sigsuspend(&none);
	return nothing;
}

/* Every other thread blocks them, those included that are made later. */
static void start_signals(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	queues[0] = (struct queue){ .queued = SIGRTMIN, .standard = SIGUSR1 };
	queues[1] = (struct queue){ .queued = SIGRTMIN + 1, .standard = SIGUSR2 };
	sigemptyset(&action.sa_mask);
	for (int i = 0; i < QUEUES; i++) {
		sigaddset(&action.sa_mask, queues[i].queued);
		sigaddset(&action.sa_mask, queues[i].standard);
	}
	sigprocmask(SIG_BLOCK, &action.sa_mask, NULL);
	for (int i = 0; i < QUEUES; i++) {
		sigaction(queues[i].queued, &action, NULL);
		sigaction(queues[i].standard, &action, NULL);
	}
	start(run_receiver, NULL);
	while (!receiver)
		usleep(100);
	start(run_sender, NULL);
}

int main(int argc, char **argv)
{
	die_with_parent();
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	if (fd < 0 || ftruncate(fd, sizeof(struct board)))
		cannot("open the board");
	board = (struct board *)map_memory(sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	close(fd);
	begin();
	start_signals();
	start_pairs();
	char *slots = map_memory(SLOTS * SLOT_PAGES * PAGE, PROT_NONE, MAP_PRIVATE, -1);
	board->slots = (uintptr_t)slots;
	start(run_slots, slots);
	start(run_threads, NULL);
	start(run_forks, map_apart(16));
	start(run_noise, (void *)(uintptr_t)1);
	stand_still();
}
