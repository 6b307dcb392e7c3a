/* contents_limit - the least work that what pages hold can be asked for with.
 *
 *   read     reads the present private pages of a process through /proc/PID/mem, once each
 *   hash     the same, and XXH3-128 of each page
 *   deflate  compresses these pages with libdeflate, level 1, in blocks of 64 KiB by two threads;
 *            reading them is not counted
 *   raw      writes them to a file, for other programs to compress
 *
 * contents_limit WAY PID [FILE]: prints SECONDS BYTES MORE, where MORE is how many distinct pages
 * there are (hash), how many bytes compressed (deflate), or 0. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PAGE = 4096, BATCH_PAGES = 64, BLOCK = 65536, LEVEL = 1, THREADS = 2 };

typedef void take_fn(void *ctx, const char *bytes, size_t len);

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- reading ----------------------------------------------------------------- */

struct process {
	int memory, pagemap;
	char *maps;
	uint64_t bytes;
};

static char *read_text(const char *path)
{
	size_t room = 1 << 16, len = 0;
	char *text = malloc(room + 1);
	int fd = open(path, O_RDONLY);
	if (fd < 0 || !text)
		die(path);
	for (ssize_t got; (got = read(fd, text + len, room - len)) > 0;) {
		len += (size_t)got;
		if (room - len < 1 << 15 && !(text = realloc(text, (room *= 2) + 1)))
			die("maps");
	}
	close(fd);
	text[len] = 0;
	return text;
}

static struct process open_process(const char *pid)
{
	char path[64];
	struct process process = { 0 };
	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	process.memory = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	process.pagemap = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	process.maps = read_text(path);
	if (process.memory < 0 || process.pagemap < 0)
		die(pid);
	return process;
}

/* Present, and not a page of a file or of shared memory. */
static int is_wanted(uint64_t entry)
{
	return entry >> 63 && !(entry >> 61 & 1);
}

static void read_batch(struct process *process, uint64_t address, size_t pages, take_fn *take, void *ctx)
{
	static char buffer[BATCH_PAGES * PAGE];
	uint64_t entries[BATCH_PAGES];
	if (pread(process->pagemap, entries, pages * 8, (off_t)(address / PAGE * 8)) != (ssize_t)(pages * 8))
		return;
	for (size_t i = 0, end; i < pages; i = end) {
		for (end = i + 1; end < pages && is_wanted(entries[end]) == is_wanted(entries[i]); end++)
			;
		ssize_t got = 0;
		if (is_wanted(entries[i]))
			got = pread(process->memory, buffer, (end - i) * PAGE, (off_t)(address + i * PAGE));
		if (got <= 0)
			continue;
		process->bytes += (uint64_t)got;
		if (take)
			take(ctx, buffer, (size_t)got);
	}
}

static void read_all(struct process *process, take_fn *take, void *ctx)
{
	char *save = NULL;
	for (char *line = strtok_r(process->maps, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t start, end;
		char perms[5];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, perms) != 3 || perms[3] != 'p' ||
		    perms[0] != 'r' || strstr(line, "[v"))
			continue;
		for (uint64_t at = start; at < end; at += BATCH_PAGES * PAGE)
			read_batch(process, at, end - at < BATCH_PAGES * PAGE ? (end - at) / PAGE : BATCH_PAGES, take,
			           ctx);
	}
}

/* ---- hashing ------------------------------------------------------------------- */

struct hashes {
	XXH128_hash_t *items;
	size_t count, room;
};

static void hash_pages(void *ctx, const char *bytes, size_t len)
{
	struct hashes *hashes = ctx;
	for (size_t at = 0; at < len && hashes->count < hashes->room; at += PAGE)
		hashes->items[hashes->count++] = XXH3_128bits(bytes + at, PAGE);
}

static size_t distinct(struct hashes *hashes)
{
	size_t count = 0;
	qsort(hashes->items, hashes->count, sizeof(*hashes->items), XXH128_cmp);
	for (size_t i = 0; i < hashes->count; i++)
		count += !i || XXH128_cmp(&hashes->items[i - 1], &hashes->items[i]);
	return count;
}

/* ---- compressing ----------------------------------------------------------------- */

struct deflating {
	char *bytes;
	size_t len;
	atomic_size_t next, out;
	void *(*make)(int level);
	size_t (*compress)(void *compressor, const void *in, size_t len, void *out, size_t room);
};

static void gather(void *ctx, const char *bytes, size_t len)
{
	struct deflating *deflating = ctx;
	memcpy(deflating->bytes + deflating->len, bytes, len);
	deflating->len += len;
}

static void *deflate_blocks(void *ctx)
{
	struct deflating *deflating = ctx;
	static _Thread_local char out[BLOCK];
	void *compressor = deflating->make(LEVEL);
	for (size_t at; compressor && (at = atomic_fetch_add(&deflating->next, BLOCK)) < deflating->len;) {
		size_t len = deflating->len - at < BLOCK ? deflating->len - at : BLOCK;
		size_t made = deflating->compress(compressor, deflating->bytes + at, len, out, len - 1);
		atomic_fetch_add(&deflating->out, made ? made : len);
	}
	return NULL;
}

static void load_libdeflate(struct deflating *deflating)
{
	void *library = dlopen("libdeflate.so.0", RTLD_NOW);
	void *make = library ? dlsym(library, "libdeflate_alloc_compressor") : NULL;
	void *compress = library ? dlsym(library, "libdeflate_zlib_compress") : NULL;
	if (!make || !compress) {
		fputs("contents_limit: no libdeflate\n", stderr);
		exit(1);
	}
	memcpy(&deflating->make, &make, sizeof(make));
	memcpy(&deflating->compress, &compress, sizeof(compress));
}

static double deflate_all(struct process *process, size_t *out)
{
	struct deflating deflating = { 0 };
	pthread_t threads[THREADS];
	load_libdeflate(&deflating);
	deflating.bytes =
	        mmap(NULL, (size_t)1 << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (deflating.bytes == MAP_FAILED)
		die("mmap");
	read_all(process, gather, &deflating);
	double begun = now();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, deflate_blocks, &deflating))
			die("thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	*out = deflating.out;
	return now() - begun;
}

/* ---- writing ------------------------------------------------------------------------ */

static void write_out(void *ctx, const char *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, ctx) != len)
		die("write");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	struct process process = open_process(argv[2]);
	size_t more = 0;
	double begun = now(), took = 0;
	if (!strcmp(argv[1], "read")) {
		read_all(&process, NULL, NULL);
		took = now() - begun;
	} else if (!strcmp(argv[1], "hash")) {
		struct hashes hashes = { .room = (size_t)1 << 26 };
		hashes.items = mmap(NULL, hashes.room * sizeof(*hashes.items), PROT_READ | PROT_WRITE,
		                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (hashes.items == MAP_FAILED)
			die("mmap");
		read_all(&process, hash_pages, &hashes);
		took = now() - begun;
		more = distinct(&hashes);
	} else if (!strcmp(argv[1], "deflate")) {
		took = deflate_all(&process, &more);
	} else if (!strcmp(argv[1], "raw") && argc > 3) {
		FILE *file = fopen(argv[3], "w");
		if (!file)
			die(argv[3]);
		read_all(&process, write_out, file);
		fclose(file);
		took = now() - begun;
	} else {
		return 2;
	}
	printf("%.7f %" PRIu64 " %zu\n", took, process.bytes, more);
	return 0;
}
