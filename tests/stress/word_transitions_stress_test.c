// SPDX-License-Identifier: MIT
/*
 * word_transitions_stress_test.c - host threads drive every transition of
 * include/word.h against each other: no stale translation, no data race, no
 * wait for a parked target where the protocol promises none.
 *
 * Usage:   word_transitions [--long] [--seed N] [PROTOCOL]
 * Threads: one an initiator; one a target, which is guest and VMM by turns, as
 *          a vCPU's thread is: park and unpark come between any two steps of
 *          the guest, also of its flush handler.
 * Race:    an initiator writes plainly to the frame that it has retired, and a
 *          target reads plainly through its TLB. Nothing but the word orders
 *          the two, so ThreadSanitizer sees an acquire or release that lacks.
 *
 * field                   writer            readers       rule
 * initiator.pte, epoch    initiator         targets       release, acquire
 * initiator.frames        initiator         targets       the protocol under test
 * target.region           both              both          word.h
 * target.ipi              initiators set,   target        relaxed: an interrupt orders
 *                         target takes                    nothing for its sender
 * target.parked_seq       target            initiators    release, acquire
 * all other fields        own thread        main          after join
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "word_under_test.h"

#define MAX_INITIATORS 3
#define MAX_TARGETS    2
#define FRAMES         8        /* that rotate through an initiator's window */
#define POISON         0        /* in a retired frame: below every version */

/* 4096 generations before the word wraps. */
#define FIRST_GENERATION (UINT32_MAX - 0x3fff)

struct counts {
	uint64_t flushes;
	uint64_t covered;               /* targets marked, not waited for */
	uint64_t taken_over;            /* marked while waited for */
	uint64_t waits_for_parked;      /* waits that saw their target parked */
	uint64_t transfers;
	uint64_t checks;
};

struct target {
	_Alignas(SD_PAGE_BYTES) struct sd_region region;
	struct sd_u32 ipi;              /* pending vector */
	struct sd_u32 parked_seq;       /* odd while parked */
	uint64_t tlb[MAX_INITIATORS];   /* version of each initiator's PTE */
	bool owes;                      /* a flush before guest code runs */
	struct counts counts;
	pthread_t thread;
	uint64_t seed;
};

struct initiator {
	_Alignas(SD_CACHE_LINE) struct sd_u64 pte;      /* version, which is the frame */
	_Alignas(SD_CACHE_LINE) struct sd_u64 epoch;    /* published: no older is used */
	_Alignas(SD_CACHE_LINE) uint64_t frames[FRAMES];
	struct counts counts;
	pthread_t thread;
	uint64_t seed;
};

struct protocol {
	const char *name;
	enum sd_post (*post)(struct sd_region *region, uint32_t *want);
	bool waiter_defers;             /* a waiting initiator marks the target itself */
	bool transfers;                 /* the VMM's park takes over what is unserved */
	bool defers;                    /* preempted targets are marked */
};

/* Of one round; initialised before its threads start. */
static const struct protocol *protocol;
static struct initiator initiators[MAX_INITIATORS];
static struct target targets[MAX_TARGETS];
static uint32_t initiator_count, target_count;
static uint64_t flushes_each;
static struct sd_u32 initiators_done;
static struct sd_u32 failed;

__attribute__((format(printf, 1, 2)))
static void fail(const char *format, ...)
{
	va_list args;

	if (sd_u32_exchange(&failed, 1))
		return;
	fprintf(stderr, "FAIL %s: ", protocol->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* --- target: guest ------------------------------------------------------------ */

/* At once, for each initiator: the earliest that a walk may happen, and so the
 * oldest translation that the target may go on with. */
static void guest_flush(struct target *target)
{
	for (uint32_t i = 0; i < initiator_count; i++)
		target->tlb[i] = sd_u64_load_acquire(&initiators[i].pte);
}

/* The oracle: what has been published is read before the translation is used. */
static void guest_use_translations(struct target *target)
{
	for (uint32_t i = 0; i < initiator_count; i++) {
		uint64_t expected = sd_u64_load_acquire(&initiators[i].epoch);
		uint64_t version = target->tlb[i];

		if (version < expected)
			fail("stale: version %" PRIu64 " used after %" PRIu64 " was published",
			     version, expected);
		else if (initiators[i].frames[version % FRAMES] != version)
			fail("frame %" PRIu64 " was retired under its user", version);
		target->counts.checks++;
	}
}

/* --- target: VMM --------------------------------------------------------------- */

static void vmm_park(struct target *target)
{
	if (!protocol->transfers) {
		sd_word_mark(&target->region);
	} else if (test_park(&target->region)) {
		target->owes = true;
		target->counts.transfers++;
	}
	sd_byte_mark(&target->region);
	sd_u32_store_release(&target->parked_seq, sd_u32_load(&target->parked_seq) + 1);
}

static void vmm_unpark(struct target *target)
{
	bool marked;

	sd_u32_store_release(&target->parked_seq, sd_u32_load(&target->parked_seq) + 1);
	marked = test_unpark(&target->region);
	marked |= test_take(&target->region);
	if (MUTANT == MUTANT_UNPARK_DROPS_DEBT)
		target->owes = false;
	target->owes |= marked;
}

/* Some runs are cancelled before the guest is entered: the debt stays. */
static void vmm_enter(struct target *target)
{
	vmm_unpark(target);
	while (chance_below(8) == 0) {
		if (MUTANT == MUTANT_CANCELLED_RUN_DROPS_DEBT)
			target->owes = false;
		vmm_park(target);
		chance_dwell(4);
		vmm_unpark(target);
	}
	if (target->owes)
		guest_flush(target);
	target->owes = false;
}

static void maybe_park(struct target *target)
{
	if (chance_below(8) != 0)
		return;
	vmm_park(target);
	chance_yield(8);
	vmm_enter(target);
}

/* --- target: its thread ---------------------------------------------------------- */

static void guest_handle_flush(struct target *target)
{
	uint32_t seen;

	maybe_park(target);
	seen = sd_word_serve_begin(&target->region);
	maybe_park(target);
	guest_flush(target);
	maybe_park(target);
	test_serve_end(&target->region, seen);
	maybe_park(target);
}

static void *target_thread(void *argument)
{
	struct target *target = argument;

	chance_seed(target->seed, (uint64_t)(target - targets));
	vmm_enter(target);
	while (sd_u32_load_acquire(&initiators_done) < initiator_count) {
		if (sd_u32_exchange(&target->ipi, 0))
			guest_handle_flush(target);
		guest_use_translations(target);
		maybe_park(target);
		chance_dwell(4);
	}
	vmm_park(target);
	return NULL;
}

/* --- initiator --------------------------------------------------------------------- */

static enum sd_post post_request(struct sd_region *region, uint32_t *want)
{
	*want = test_request(region);
	return SD_POST_WAIT;
}

static enum sd_post post_defer(struct sd_region *region, uint32_t *want)
{
	return test_defer(region) ? SD_POST_COVERED : post_request(region, want);
}

static const struct protocol protocols[] = {
	{ .name = "ipi",        .post = post_request },
	{ .name = "deferred",   .post = post_defer, .defers = true },
	{ .name = "takeover",   .post = post_defer, .defers = true, .waiter_defers = true },
	{ .name = "generation", .post = test_post,  .defers = true, .transfers = true },
};

static bool poll_target(struct initiator *initiator, struct target *target, uint32_t want)
{
	if (sd_word_served(&target->region, want))
		return true;
	if (!protocol->waiter_defers || !test_defer(&target->region))
		return false;
	initiator->counts.taken_over++;
	return true;
}

/*
 * Progress, without a clock: a target whose parked_seq is odd and the same
 * before and after a poll was parked during it. With transfer such a poll
 * succeeds; with takeover it fails at most once a park, when another initiator
 * changed the byte between look and compare-and-swap.
 */
static void wait_for_target(struct initiator *initiator, struct target *target, uint32_t want)
{
	bool never_waits = protocol->transfers || protocol->waiter_defers;
	uint32_t park_seen = 0;
	uint32_t polls_in_park = 0;

	while (!sd_u32_load(&failed)) {
		uint32_t park = sd_u32_load_acquire(&target->parked_seq);

		if (poll_target(initiator, target, want))
			return;
		if ((park & 1) && park == sd_u32_load_acquire(&target->parked_seq)) {
			polls_in_park = park == park_seen ? polls_in_park + 1 : 1;
			park_seen = park;
			if (polls_in_park == 2)
				initiator->counts.waits_for_parked++;
			if (polls_in_park == 2 && never_waits)
				fail("an initiator waits for a parked target");
		}
		sched_yield();
	}
}

static void initiator_flush(struct initiator *initiator)
{
	enum sd_post posted[MAX_TARGETS];
	uint32_t want[MAX_TARGETS] = { 0 };

	for (uint32_t t = 0; t < target_count; t++) {
		posted[t] = protocol->post(&targets[t].region, &want[t]);
		chance_dwell(4);
		if (posted[t] == SD_POST_WAIT)
			sd_u32_store(&targets[t].ipi, 1);
		else
			initiator->counts.covered++;
	}
	for (uint32_t t = 0; t < target_count; t++)
		if (posted[t] == SD_POST_WAIT)
			wait_for_target(initiator, &targets[t], want[t]);
	initiator->counts.flushes++;
}

static void *initiator_thread(void *argument)
{
	struct initiator *initiator = argument;

	chance_seed(initiator->seed, MAX_TARGETS + (uint64_t)(initiator - initiators));
	for (uint64_t version = 1; version <= flushes_each; version++) {
		initiator->frames[version % FRAMES] = version;
		store_later(&initiator->pte, version);
		initiator_flush(initiator);
		if (sd_u32_load(&failed))
			break;
		chance_dwell(4);
		drain();
		initiator->frames[(version - 1) % FRAMES] = POISON;
		sd_u64_store_release(&initiator->epoch, version);
		chance_dwell(4);
	}
	(void)sd_u32_fetch_add(&initiators_done, 1);
	return NULL;
}

/* --- rounds ---------------------------------------------------------------------------- */

static void thread_start(pthread_t *thread, void *(*function)(void *), void *argument)
{
	int error = pthread_create(thread, NULL, function, argument);

	if (error) {
		fprintf(stderr, "pthread_create: %s\n", strerror(error));
		exit(99);
	}
}

/* A vCPU is created parked: PREEMPTED in word and byte. */
static void target_init(struct target *target, uint64_t seed)
{
	memset(target, 0, sizeof(*target));
	sd_u32_store(&target->region.request, FIRST_GENERATION);
	sd_u32_store(&target->region.served, FIRST_GENERATION);
	sd_word_mark(&target->region);
	sd_byte_mark(&target->region);
	sd_u32_store(&target->parked_seq, 1);
	target->owes = true;
	target->seed = seed;
}

static void initiator_init(struct initiator *initiator, uint64_t seed)
{
	memset(initiator, 0, sizeof(*initiator));
	initiator->seed = seed;
}

static void counts_add(struct counts *into, const struct counts *from)
{
	into->flushes += from->flushes;
	into->covered += from->covered;
	into->taken_over += from->taken_over;
	into->waits_for_parked += from->waits_for_parked;
	into->transfers += from->transfers;
	into->checks += from->checks;
}

/* Initiators stop first: under ipi they wait for targets. */
static void round_run(struct counts *counts, uint64_t seed)
{
	sd_u32_store(&initiators_done, 0);
	for (uint32_t t = 0; t < target_count; t++)
		target_init(&targets[t], seed);
	for (uint32_t i = 0; i < initiator_count; i++)
		initiator_init(&initiators[i], seed);
	for (uint32_t t = 0; t < target_count; t++)
		thread_start(&targets[t].thread, target_thread, &targets[t]);
	for (uint32_t i = 0; i < initiator_count; i++)
		thread_start(&initiators[i].thread, initiator_thread, &initiators[i]);
	for (uint32_t i = 0; i < initiator_count; i++) {
		pthread_join(initiators[i].thread, NULL);
		counts_add(counts, &initiators[i].counts);
	}
	for (uint32_t t = 0; t < target_count; t++) {
		pthread_join(targets[t].thread, NULL);
		counts_add(counts, &targets[t].counts);
	}
}

/* A path that was not taken was not tested. */
static void check_exercised(const struct counts *counts)
{
	if (counts->checks == 0)
		fail("nothing was checked");
	if (protocol->defers && counts->covered == 0)
		fail("no target was ever marked");
	if (protocol->transfers && counts->transfers == 0)
		fail("no park ever transferred a request");
	if (protocol->waiter_defers && counts->taken_over == 0)
		fail("no request was ever taken over");
	if (!protocol->transfers && !protocol->waiter_defers && counts->waits_for_parked == 0)
		fail("no initiator ever waited for a parked target");
}

static void protocol_run(uint64_t seed, uint64_t flushes)
{
	static const struct { uint32_t initiators, targets; } shapes[] = { { 2, 1 }, { 3, 2 } };
	struct counts counts = { 0 };

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		initiator_count = shapes[s].initiators;
		target_count = shapes[s].targets;
		flushes_each = flushes;
		round_run(&counts, seed + s);
		if (sd_u32_load(&failed))
			return;
	}
	printf("%-10s seed %" PRIu64 ": %" PRIu64 " flushes, %" PRIu64 " covered, %" PRIu64
	       " taken over, %" PRIu64 " transfers, %" PRIu64 " waits for a parked target, %"
	       PRIu64 " checks\n", protocol->name, seed, counts.flushes, counts.covered,
	       counts.taken_over, counts.transfers, counts.waits_for_parked, counts.checks);
	fflush(stdout);
	check_exercised(&counts);
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	uint64_t flushes = 30000;
	uint64_t seed = 1;

	for (int a = 1; a < argc; a++) {
		if (!strcmp(argv[a], "--long"))
			flushes = 1000000;
		else if (!strcmp(argv[a], "--seed") && a + 1 < argc)
			seed = strtoull(argv[++a], NULL, 0);
		else
			only = argv[a];
	}
	for (size_t p = 0; p < sizeof(protocols) / sizeof(protocols[0]); p++) {
		protocol = &protocols[p];
		if (!only || !strcmp(only, protocol->name))
			protocol_run(seed, flushes);
	}
	if (!protocol || sd_u32_load(&failed)) {
		fprintf(stderr, "seed %" PRIu64 "\n", seed);
		return 1;
	}
	return 0;
}
