// SPDX-License-Identifier: MIT
/*
 * shadow_cost.c - what the VMM's secondary MMU costs: walks, freeing, invalidations and
 * retries under each scheme. Under each table stands what was claimed about it on the
 * kernel's lists, and whether the figures confirm it.
 *
 * Usage:   shadow_cost [--rounds N] [--quick]
 *          Rounds go over all measurements in turn; tables show the mean of all rounds.
 * Threads: main measures, or starts those that do.
 * Follows: Kivity, "KVM: MMU: Don't use RCU for lockless shadow walking", v3, 2012;
 *          Arcangeli, "mmu notifier #v12", 22 April 2008.
 * Exit status: 0, also where a claim does not hold; 2 usage; 3 the host cannot.
 */
#include "shadow_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cpus.h"
#include "page_tables.h"

#define ROUNDS 5

const uint32_t bench_widths[BENCH_WIDTHS] = { 1, 2, 8 };

/* --- what the parts share ---------------------------------------------------------- */

void bench_die(const char *what)
{
	fprintf(stderr, "shadow_cost: %s\n", what);
	exit(EXIT_HOST);
}

uint32_t bench_repeat(const struct bench *bench, uint32_t count)
{
	return bench->quick ? 1 + count / 50 : count;
}

struct shadow *bench_shadow(struct bench *bench, const struct reclaim_ops *scheme,
			    enum shadow_retry retry)
{
	struct shadow_config config = {
		.frames = &bench->frames, .reclaim = scheme, .readers = BENCH_VCPUS,
		.retry = retry,
	};
	struct shadow *shadow;

	if (shadow_create(&shadow, &config) != 0)
		bench_die("no memory for the tables");
	return shadow;
}

uint64_t bench_root(uint32_t vcpu)
{
	return sd_table_gpa(vcpu, SD_TABLE_PML4);
}

uint64_t bench_gpa(uint32_t vcpu, uint32_t page)
{
	return SD_FRAMES_GPA + (uint64_t)(vcpu * BENCH_PAGES + page) * SD_PAGE_BYTES;
}

void bench_read(struct shadow *shadow, uint32_t vcpu, uint64_t gva, size_t bytes)
{
	uint8_t to[SD_PAGE_BYTES];

	if (shadow_copy_from_guest(shadow_reader(shadow, vcpu), bench_root(vcpu), gva, to,
				   bytes) != 0)
		bench_die("a pointer of the bench's own cannot be followed");
}

uint64_t bench_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return timespec_ns(now);
}

/* Those of the start: each walker has but one later. */
static struct cpus cpus;

uint32_t bench_cpus(void)
{
	return cpus_count(&cpus);
}

void bench_pin(pthread_t thread, uint32_t number)
{
	struct cpus one = { 0 };

	cpus_add(&one, cpus_nth(&cpus, number));
	(void)pthread_setaffinity_np(thread, sizeof(one), cpus_set(&one));
}

void bench_unpin(void)
{
	(void)pthread_setaffinity_np(pthread_self(), sizeof(cpus), cpus_set(&cpus));
}

void bench_start(struct bench_thread *threads, uint32_t count, _Atomic bool *stop,
		 void *(*function)(void *), void *context)
{
	atomic_store(stop, false);
	for (uint32_t i = 0; i < count; i++) {
		threads[i].index = i;
		threads[i].context = context;
		threads[i].stop = stop;
		atomic_store(&threads[i].count, 0);
		histogram_init(&threads[i].ns);
		if (pthread_create(&threads[i].pthread, NULL, function, &threads[i]) != 0)
			bench_die("no thread");
		bench_pin(threads[i].pthread, i);
	}
}

void bench_stop(struct bench_thread *threads, uint32_t count, _Atomic bool *stop)
{
	atomic_store(stop, true);
	for (uint32_t i = 0; i < count; i++)
		pthread_join(threads[i].pthread, NULL);
}

void bench_sleep_ns(uint64_t ns)
{
	struct timespec pause = ns_timespec(ns);

	nanosleep(&pause, NULL);
}

/* --- head ------------------------------------------------------------------------------ */

static void print_cpu(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "model name", 10) == 0) {
			printf("cpu       %s", strchr(line, ':') + 2);
			break;
		}
	if (file != NULL)
		fclose(file);
}

/* Of the measurement itself. */
static double clock_cost_ns(uint64_t (*clock)(void))
{
	uint64_t start_ns = clock_ns();

	for (int i = 0; i < 10000; i++)
		(void)clock();
	return (double)(clock_ns() - start_ns) / 10000;
}

static void print_head(uint32_t rounds)
{
	struct utsname host;
	double load[3] = { 0 };

	if (uname(&host) == 0)
		printf("kernel    %s %s\n", host.sysname, host.release);
	print_cpu();
	(void)getloadavg(load, 3);
	printf("cpus      %u, load average %.2f\n", bench_cpus(), load[0]);
	printf("clocks    CLOCK_MONOTONIC %.0f ns a reading, CLOCK_THREAD_CPUTIME_ID %.0f ns\n",
	       clock_cost_ns(clock_ns), clock_cost_ns(bench_cpu_ns));
	printf("rounds    %u; figures are their mean, from the least to the most in brackets\n",
	       rounds);
	fflush(stdout);
}

/* --- main ------------------------------------------------------------------------------ */

static void measure(struct bench *bench, uint32_t rounds)
{
	for (uint32_t round = 0; round < rounds; round++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\rround %u of %u ", round + 1, rounds);
		bench_walks(bench);
		bench_frees(bench);
		bench_invalidations(bench);
		bench_retries(bench);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void print_tables(void)
{
	bench_walks_print();
	bench_frees_print();
	bench_invalidations_print();
	bench_retries_print();
}

/* 0: wrong usage. */
static uint32_t parse(int argc, char **argv, bool *quick)
{
	uint32_t rounds = 0;
	char *end = "";

	for (int a = 1; a < argc; a++) {
		if (strcmp(argv[a], "--quick") == 0) {
			*quick = true;
		} else if (strcmp(argv[a], "--rounds") == 0 && a + 1 < argc) {
			rounds = (uint32_t)strtoul(argv[++a], &end, 10);
			if (*end != '\0' || rounds == 0 || rounds > BENCH_ROUNDS_MAX)
				return 0;
		} else {
			return 0;
		}
	}
	return rounds != 0 ? rounds : *quick ? 1 : ROUNDS;
}

int main(int argc, char **argv)
{
	static struct bench bench;
	uint32_t rounds = parse(argc, argv, &bench.quick);
	struct why why = { 0 };

	if (rounds == 0) {
		fprintf(stderr, "usage: shadow_cost [--rounds N] [--quick]; N: 1 to %d, else %d\n",
			BENCH_ROUNDS_MAX, ROUNDS);
		return EXIT_USAGE;
	}
	if (guest_memory_create(&bench.memory, BENCH_VCPUS, 1, SD_MAX_PAGES, &why) != 0 ||
	    frames_create(&bench.frames, &bench.memory, BENCH_SPARES, &why) != 0)
		bench_die(why.text);
	page_tables_build(&bench.memory);
	if (cpus_choose(NULL, &cpus, &why) != 0)
		bench_die(why.text);
	/* Short sleeps are to be short: the default adds 50 us. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
	print_head(rounds);
	measure(&bench, rounds);
	print_tables();
	frames_destroy(&bench.frames);
	guest_memory_destroy(&bench.memory);
	return 0;
}
