/* sequences.c - the run: one seed after the other, each a sequence of operations. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sequences.h"

/* A sequence that the kernel disturbed (it moved pages, say) shows nothing.  So many of a
 * hundred may be; of a few, chance has its way. */
enum { DISTURBED_PERCENT = 5, DISTURBED_FEW = 10, TRIES = 10, SKIPPED = 77 };
/* Pages of one sequence that are told for one requirement: neighbours say the same. */
enum { LINES_EACH = 6 };

static struct options {
	uint64_t seed, count;
	bool no_frames, quiet;
	uint32_t only;  /* 1 << enum requirement, or-ed */
	unsigned allow; /* so many sequences may fail each requirement */
	unsigned show;  /* failures of each requirement that are printed whole */
} options = { .seed = 1, .count = 1000, .only = UINT32_MAX, .show = 1 };

bool strict;

/* ---- what was not as required ---- */

static struct tally {
	uint64_t sequences, pages, last_seed, first_seed;
	unsigned said; /* lines of this sequence */
} tallies[REQUIREMENT_COUNT];
static uint64_t coincidences, current_seed;
static bool failed_now; /* of this sequence something is to be printed */

static const char *const requirement_names[] = {
#define X(id, name, text) name,
	REQUIREMENTS(X)
#undef X
};
static const char *const requirement_texts[] = {
#define X(id, name, text) text,
	REQUIREMENTS(X)
#undef X
};

void note_coincidence(void)
{
	coincidences++;
}

void broken(enum requirement which, int page, const char *format, ...)
{
	struct tally *tally = &tallies[which];
	if (!(options.only & 1u << which))
		return;
	if (tally->last_seed != current_seed || !tally->sequences) {
		tally->first_seed = tally->sequences ? tally->first_seed : current_seed;
		tally->last_seed = current_seed;
		tally->sequences++;
		tally->said = 0;
	}
	tally->pages++;
	if (tally->sequences > options.show || tally->said++ >= LINES_EACH)
		return;
	failed_now = true;
	printf("seed %" PRIu64 ": %s", current_seed, requirement_names[which]);
	if (page != NOWHERE)
		printf(": page %d", page);
	printf(": ");
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* ---- one sequence ---- */

enum outcome { DONE, WAS_DISTURBED, WAS_REFUSED, BROKE };

/* A line of the list of operations: one of them, or what was captured. */
struct line {
	struct op op;
	const char *captured;
};
struct sequence {
	uint64_t random;
	struct worker *worker;
	struct world worlds[2];
	struct line lines[OPS_MAX * 2];
	int line_count;
	struct op batch[OPS_MAX]; /* planned, not yet done */
	int batch_count;
	bool hide_a, hide_b;
};

static void add_line(struct sequence *sequence, struct line line)
{
	if (sequence->line_count < OPS_MAX * 2)
		sequence->lines[sequence->line_count++] = line;
}

static void plan(struct sequence *sequence, int side, int (*planned)(uint64_t *, const struct world *, struct op *),
                 int count)
{
	for (int i = 0; i < count && sequence->batch_count + PLAN_MAX <= OPS_MAX; i++) {
		struct op ops[PLAN_MAX];
		int made = planned(&sequence->random, &sequence->worlds[side], ops);
		for (int j = 0; j < made; j++) {
			ops[j].side = (uint8_t)side;
			world_do(&sequence->worlds[side], &ops[j]);
			sequence->batch[sequence->batch_count++] = ops[j];
			add_line(sequence, (struct line){ .op = ops[j] });
		}
	}
}

static void plan_one(struct sequence *sequence, uint8_t kind)
{
	struct op op = { .kind = kind, .count = kind == OP_CLEAR ? ARENA : 0 };
	world_do(&sequence->worlds[0], &op);
	sequence->batch[sequence->batch_count++] = op;
	add_line(sequence, (struct line){ .op = op });
}

static enum outcome carry_out(struct sequence *sequence, int side)
{
	int failed, count = sequence->batch_count;
	sequence->batch_count = 0;
	if (worker_do(sequence->worker, side, sequence->batch, count, &failed))
		return DONE;
	return failed < 0 ? BROKE : WAS_REFUSED;
}

static enum outcome take(struct sequence *sequence, struct view *view, const char *name, int side, bool hide)
{
	static const enum outcome outcomes[] = { DONE, WAS_DISTURBED, BROKE };
	view->name = name;
	view->world = sequence->worlds[side];
	add_line(sequence, (struct line){ .captured = name });
	return outcomes[view_capture(view, side ? sequence->worker->child : sequence->worker->pid, hide)];
}

static int some(struct sequence *sequence, int least, int most)
{
	return least + (int)random_below(&sequence->random, (uint64_t)(most - least + 1));
}

/* ---- two snapshots of one process ---- */

static enum outcome run_pair(struct sequence *sequence, struct view views[3])
{
	/* A child that does nothing: it shares pages, so that writes copy. */
	unsigned when = (unsigned)some(sequence, 0, 3);
	if (when == 1)
		plan_one(sequence, OP_FORK);
	enum outcome outcome = carry_out(sequence, 0);
	outcome = outcome ? outcome : take(sequence, &views[0], "A", 0, sequence->hide_a);
	if (outcome)
		return outcome;
	world_mark(&sequence->worlds[0]);
	views[0].world = sequence->worlds[0];
	if (when == 2)
		plan_one(sequence, OP_FORK);
	plan(sequence, 0, plan_next, some(sequence, 1, 12));
	if (when == 1 && chance(&sequence->random, 30))
		plan_one(sequence, OP_REAP);
	outcome = carry_out(sequence, 0);
	outcome = outcome ? outcome : take(sequence, &views[1], "B", 0, sequence->hide_b);
	if (outcome)
		return outcome;
	struct pairing pairing;
	pairing_make(&pairing, &views[0], &views[1]);
	if (pairing_disturbed(&pairing))
		return WAS_DISTURBED;
	check_pair(&views[0], &views[1], true);
	return DONE;
}

/* ---- a fork: base, parent and child ---- */

static enum outcome both_sides_act(struct sequence *sequence)
{
	enum outcome outcome = carry_out(sequence, 0);
	for (int i = some(sequence, 1, 4); !outcome && i > 0; i--) {
		int side = some(sequence, 0, 2) > 0;
		plan(sequence, side, plan_next, some(sequence, 1, 4));
		outcome = carry_out(sequence, side);
	}
	return outcome;
}

static bool family_disturbed(const struct view views[3])
{
	struct pairing pairing;
	bool disturbed = false;
	for (int i = 1; i <= 2; i++) {
		pairing_make(&pairing, &views[0], &views[i]);
		disturbed |= pairing_disturbed(&pairing);
	}
	return disturbed;
}

static enum outcome run_family(struct sequence *sequence, struct view views[3])
{
	enum outcome outcome = carry_out(sequence, 0);
	outcome = outcome ? outcome : take(sequence, &views[0], "base", 0, sequence->hide_a);
	if (outcome)
		return outcome;
	world_mark(&sequence->worlds[0]);
	views[0].world = sequence->worlds[0];
	/* So that it is known to be before the fork, of which the kernel tells the tick. */
	nanosleep(&(struct timespec){ 0, 12000000 }, NULL);
	plan_one(sequence, OP_FORK);
	sequence->worlds[1] = sequence->worlds[0];
	sequence->worlds[1].maps = 10000; /* its objects are others than the parent's */
	outcome = both_sides_act(sequence);
	outcome = outcome ? outcome : take(sequence, &views[1], "parent", 0, sequence->hide_b);
	outcome = outcome ? outcome : take(sequence, &views[2], "child", 1, sequence->hide_b);
	if (outcome)
		return outcome;
	if (family_disturbed(views))
		return WAS_DISTURBED;
	check_pair(&views[0], &views[1], true);
	check_pair(&views[0], &views[2], false);
	check_cow(&views[1], &views[2], &views[0]);
	return DONE;
}

/* ---- a run ---- */

static void print_lines(const struct sequence *sequence)
{
	for (int i = 0; i < sequence->line_count; i++) {
		printf("    ");
		if (sequence->lines[i].captured)
			printf("%s is captured\n", sequence->lines[i].captured);
		else
			op_print(stdout, &sequence->lines[i].op);
	}
	printf("    frames: %s, then %s\n\n", sequence->hide_a ? "hidden" : "as allowed",
	       sequence->hide_b ? "hidden" : "as allowed");
	fflush(stdout);
}

/* Most with frames, some with none, a few with frames at one time only. */
static void choose_frames(struct sequence *sequence)
{
	uint64_t choice = random_below(&sequence->random, 100);
	sequence->hide_a = options.no_frames || choice < 13;
	sequence->hide_b = options.no_frames || choice < 10 || choice >= 97;
}

static enum outcome run_one(struct worker *worker, uint64_t seed)
{
	static struct sequence sequence;
	struct view views[3] = { 0 };
	sequence = (struct sequence){ .random = seed, .worker = worker };
	current_seed = seed;
	failed_now = false;
	choose_frames(&sequence);
	plan_one(&sequence, OP_REAP);
	plan_one(&sequence, OP_CLEAR);
	plan(&sequence, 0, plan_first, some(&sequence, 2, 6));
	plan(&sequence, 0, plan_next, some(&sequence, 0, 3));
	bool family = chance(&sequence.random, 50);
	enum outcome outcome = family ? run_family(&sequence, views) : run_pair(&sequence, views);
	for (int i = 0; i < 3; i++)
		view_free(&views[i]);
	if (failed_now || outcome == BROKE)
		print_lines(&sequence);
	return outcome;
}

static uint64_t run_all(uint64_t outcomes[BROKE + 1])
{
	struct worker worker;
	if (!worker_start(&worker)) {
		printf("SKIP: no process to look at: %s\n", strerror(errno));
		exit(SKIPPED);
	}
	time_t said = time(NULL);
	for (uint64_t i = 0; i < options.count; i++) {
		/* The kernel does not disturb all the time, unless by what the sequence does. */
		enum outcome outcome = run_one(&worker, options.seed + i);
		for (int again = 0; outcome == WAS_DISTURBED && again < TRIES; again++)
			outcome = run_one(&worker, options.seed + i);
		outcomes[outcome]++;
		if (outcome == BROKE) {
			printf("seed %" PRIu64 ": the process does not answer, or cannot be captured\n", current_seed);
			worker_end(&worker);
			if (outcomes[BROKE] > 3 || !worker_start(&worker))
				break;
		}
		if (!options.quiet && time(NULL) - said >= 60) {
			said = time(NULL);
			printf("%" PRIu64 " of %" PRIu64 " sequences\n", i + 1, options.count);
			fflush(stdout);
		}
	}
	/* Its child is for it alone to wait for. */
	int failed;
	worker_do(&worker, 0, &(struct op){ .kind = OP_REAP }, worker.pid > 0, &failed);
	worker_end(&worker);
	return outcomes[DONE];
}

static bool report(const uint64_t outcomes[BROKE + 1])
{
	bool good = !outcomes[BROKE];
	for (int i = 0; i < REQUIREMENT_COUNT; i++) {
		if (!tallies[i].sequences)
			continue;
		good = good && tallies[i].sequences <= options.allow;
		printf("%-15s not met in %" PRIu64 " sequences, %" PRIu64 " times; first --seed %" PRIu64 "\n",
		       requirement_names[i], tallies[i].sequences, tallies[i].pages, tallies[i].first_seed);
	}
	uint64_t useless = outcomes[WAS_DISTURBED] + outcomes[WAS_REFUSED];
	printf("%" PRIu64 " sequences checked, %" PRIu64 " disturbed by the kernel, %" PRIu64 " with an operation that "
	       "it refused; %" PRIu64 " pages looked moved by chance\n",
	       outcomes[DONE], outcomes[WAS_DISTURBED], outcomes[WAS_REFUSED], coincidences);
	if (useless > DISTURBED_FEW + options.count * DISTURBED_PERCENT / 100) {
		printf("too many of them show nothing\n");
		if (good && outcomes[WAS_DISTURBED] > outcomes[WAS_REFUSED]) {
			printf("SKIP: the kernel moves pages all the time\n");
			exit(SKIPPED);
		}
		good = false;
	}
	return good;
}

/* ---- the command line ---- */

static void help(void)
{
	printf("Usage: sequences [--count N] [--seed N] [--no-frames] [--strict] [--only NAME,...] "
	       "[--show N] [--allow N] [--quiet]\n\n"
	       "Random sequences of mmap, munmap, mremap, mprotect, MAP_FIXED, fork and writes, and what\n"
	       "diff, cow and history say of them, against what the program knows.  A seed is a sequence;\n"
	       "--seed N --count 1 is that one again.  --no-frames: as if nobody might know them.\n"
	       "--strict: moves of files and shared memory are required to be told, which only the same\n"
	       "place of the same file shows; and that memory with other permissions and no frame left\n"
	       "was replaced.  --allow: so many sequences may fail each requirement: which frames the\n"
	       "kernel gives is up to it, and a few in 10,000 are told wrongly where they coincide.\n\n"
	       "What is required:\n");
	for (int i = 0; i < REQUIREMENT_COUNT; i++)
		printf("  %-15s %s\n", requirement_names[i], requirement_texts[i]);
}

static bool choose(char *names)
{
	options.only = 0;
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		int i = 0;
		while (i < REQUIREMENT_COUNT && strcmp(name, requirement_names[i]) != 0)
			i++;
		if (i == REQUIREMENT_COUNT) {
			fprintf(stderr, "sequences: there is no requirement %s; try --help\n", name);
			return false;
		}
		options.only |= 1u << i;
	}
	return true;
}

static bool read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'c' }, { "seed", required_argument, NULL, 's' },
		{ "no-frames", no_argument, NULL, 'n' },   { "only", required_argument, NULL, 'o' },
		{ "show", required_argument, NULL, 'w' },  { "quiet", no_argument, NULL, 'q' },
		{ "strict", no_argument, NULL, 't' },      { "allow", required_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },        { 0 },
	};
	for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
		if (option == 'c')
			options.count = strtoull(optarg, NULL, 10);
		else if (option == 's')
			options.seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			options.no_frames = true;
		else if (option == 't')
			strict = true;
		else if (option == 'a')
			options.allow = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'q')
			options.quiet = true;
		else if (option == 'w')
			options.show = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'o' && choose(optarg))
			;
		else if (option == 'h') {
			help();
			exit(0);
		} else
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	uint64_t outcomes[BROKE + 1] = { 0 };
	if (!read_options(argc, argv))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	if (!can_see_frames() && !options.no_frames)
		printf("The kernel hides frames here: less is required.\n");
	run_all(outcomes);
	return report(outcomes) ? 0 : 1;
}
