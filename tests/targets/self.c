/* self HOW - captures itself when it is told to, byte by byte, and writes a file when that is over.
 *
 *   now       in main()
 *   signal    in a signal handler
 *   thread    in a thread of its own
 *   early     before main(), and does not take another one
 *
 * Reads bytes: p nothing, c captures, w FILE\n writes it.  Each is answered by a byte. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>

#include "vmsnap/self.h"

static char memory[8 << 20];
static struct vmsnap_self *self;
static char how;
static int to_thread[2], from_thread[2];

static void fail_with(const char *what, int rc)
{
	say("cannot %s: %d\n", what, rc);
	_exit(77);
}

static void capture(void)
{
	int rc = vmsnap_capture_self(self);
	if (rc)
		fail_with("capture", rc);
}

static void on_signal(int number)
{
	(void)number;
	capture();
}

static void *captures(void *unused)
{
	char byte;
	while (read(to_thread[0], &byte, 1) == 1) {
		capture();
		(void)!write(from_thread[1], &byte, 1);
	}
	return unused;
}

static void capture_somehow(void)
{
	char byte = 'c';
	if (how == 's')
		raise(SIGUSR1);
	else if (how == 't' && (write(to_thread[1], &byte, 1) != 1 || read(from_thread[0], &byte, 1) != 1))
		fail_with("capture in a thread", 0);
	else if (how == 'n')
		capture();
}

static void prepare(void)
{
	struct vmsnap_self_options options = { .size = sizeof(options), .memory = memory, .bytes = sizeof(memory) };
	int rc = vmsnap_self_prepare(&options, &self, NULL);
	if (rc)
		fail_with("prepare", rc);
}

__attribute__((constructor)) static void before_main(int argc, char **argv)
{
	if (argc < 2 || *argv[1] != 'e')
		return;
	prepare();
	capture();
}

static void write_file(void)
{
	static char path[4096];
	size_t len = 0;
	while (len < sizeof(path) - 1 && read(0, &path[len], 1) == 1 && path[len] != '\n')
		len++;
	path[len] = '\0';
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct vmsnap_self_told told;
	vmsnap_self_told(self, &told);
	int rc = fd < 0 ? -1 : vmsnap_self_write(self, fd);
	if (rc || told.known_until || (how != 'e' && told.page_faults))
		fail_with("write a whole snapshot", rc ? rc : (int)told.page_faults);
	close(fd);
}

int main(int argc, char **argv)
{
	how = argc > 1 ? *argv[1] : 'n';
	if (how != 'e')
		prepare();
	signal(SIGUSR1, on_signal);
	pthread_t thread;
	if (how == 't' && (pipe(to_thread) || pipe(from_thread) || pthread_create(&thread, NULL, captures, NULL)))
		fail_with("make a thread", errno);
	say_range("memory", memory, sizeof(memory));
	say("ready\n");
	for (char byte; read(0, &byte, 1) == 1;) {
		if (byte == 'c')
			capture_somehow();
		else if (byte == 'w')
			write_file();
		(void)!write(1, &byte, 1);
	}
	return 0;
}
