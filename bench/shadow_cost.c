// SPDX-License-Identifier: MIT
/*
 * shadow_cost.c - what the VMM's secondary MMU costs: walks, freeing, invalidations and
 * retries under each scheme, and what of the claims in the two threads holds here.
 *
 * Usage:   shadow_cost [--quick]
 * Threads: main measures, or starts those that do.
 * Follows: Kivity, "KVM: MMU: Don't use RCU for lockless shadow walking", v3, 2012;
 *          Arcangeli, "mmu notifier #v12", 22 April 2008.
 * Exit status: 0, also where a claim does not hold; 2 usage; 3 the host cannot.
 */
#include "shadow_bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "page_tables.h"

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
		.frames = &bench->frames, .reclaim = scheme, .readers = BENCH_VCPUS + 1,
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

static void pin(pthread_t thread, uint32_t index)
{
	cpu_set_t all, one;
	size_t cpu = 0;

	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return;
	for (uint32_t left = index % (uint32_t)CPU_COUNT(&all); left > 0 || !CPU_ISSET(cpu, &all);
	     cpu++)
		left -= CPU_ISSET(cpu, &all) ? 1 : 0;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	(void)pthread_setaffinity_np(thread, sizeof(one), &one);
}

void bench_start(struct bench_thread *threads, uint32_t count, _Atomic bool *stop,
		 void *(*function)(void *), void *context)
{
	atomic_store(stop, false);
	for (uint32_t i = 0; i < count; i++) {
		threads[i].index = i;
		threads[i].context = context;
		threads[i].stop = stop;
		threads[i].count = 0;
		histogram_init(&threads[i].ns);
		if (pthread_create(&threads[i].pthread, NULL, function, &threads[i]) != 0)
			bench_die("no thread");
		pin(threads[i].pthread, i);
	}
}

void bench_stop(struct bench_thread *threads, uint32_t count, _Atomic bool *stop)
{
	atomic_store(stop, true);
	for (uint32_t i = 0; i < count; i++)
		pthread_join(threads[i].pthread, NULL);
}

void bench_sleep_ms(uint32_t ms)
{
	struct timespec pause = ns_timespec(ms * NS_PER_MS);

	nanosleep(&pause, NULL);
}

/* --- head and claims ------------------------------------------------------------------ */

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

static void print_head(void)
{
	struct utsname host;
	double load[3] = { 0 };

	if (uname(&host) == 0)
		printf("kernel    %s %s\n", host.sysname, host.release);
	print_cpu();
	(void)getloadavg(load, 3);
	printf("cpus      %ld, load average %.2f\n", sysconf(_SC_NPROCESSORS_ONLN), load[0]);
	printf("clocks    CLOCK_MONOTONIC %.0f ns a reading, CLOCK_THREAD_CPUTIME_ID %.0f ns\n",
	       clock_cost_ns(clock_ns), clock_cost_ns(bench_cpu_ns));
}

static void claim(const char *what, bool holds, const char *format, double a, double b)
{
	printf("%-58s %-9s ", what, holds ? "confirmed" : "refuted");
	printf(format, a, b);
	putchar('\n');
}

enum { RCU, COUNTER, MODE };            /* as in reclaim_schemes */
enum { ONE, TWO, EIGHT };               /* as in bench_widths */

/* A shared line that two CPUs write costs both; one's own does not. */
#define SCALES 1.25

static void print_claims(const struct bench_figures *f)
{
	double counter = f->walk_ns[COUNTER][TWO] / f->walk_ns[COUNTER][ONE];
	double mode = f->walk_ns[MODE][TWO] / f->walk_ns[MODE][ONE];

	puts("\nclaims");
	claim("RCU holds more memory than mode (most, 8 walkers)",
	      f->held_most[RCU][EIGHT] > f->held_most[MODE][EIGHT], "%.0f tables against %.0f",
	      (double)f->held_most[RCU][EIGHT], (double)f->held_most[MODE][EIGHT]);
	claim("RCU holds more memory than the counter (most, 8 walkers)",
	      f->held_most[RCU][EIGHT] > f->held_most[COUNTER][EIGHT], "%.0f tables against %.0f",
	      (double)f->held_most[RCU][EIGHT], (double)f->held_most[COUNTER][EIGHT]);
	claim("the shared counter does not scale (2 walkers against 1)", counter > SCALES,
	      "x %.2f a walk, %.1f ns", counter, f->walk_ns[COUNTER][TWO]);
	claim("mode does (2 walkers against 1)", mode < SCALES, "x %.2f a walk, %.1f ns", mode,
	      f->walk_ns[MODE][TWO]);
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		claim("invalidate_page has the smaller fixed cost", f->page_ns[s] < f->pair_ns[s],
		      "%.0f ns against %.0f ns", f->page_ns[s], f->pair_ns[s]);
	claim("a walk that hits costs at most 40 ns in mode", f->walk_ns[MODE][ONE] <= 40,
	      "%.1f ns, %.1f ns with 8 walkers", f->walk_ns[MODE][ONE], f->walk_ns[MODE][EIGHT]);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	static struct bench_figures figures;
	struct why why = { 0 };

	bench.quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
	if (argc > 1 && !bench.quick) {
		fputs("usage: shadow_cost [--quick]\n", stderr);
		return EXIT_USAGE;
	}
	if (guest_memory_create(&bench.memory, BENCH_VCPUS, 1, SD_MAX_PAGES, &why) != 0 ||
	    frames_create(&bench.frames, &bench.memory, BENCH_SPARES, &why) != 0)
		bench_die(why.text);
	page_tables_build(&bench.memory);
	print_head();
	bench_walks(&bench, &figures);
	bench_frees(&bench, &figures);
	bench_invalidations(&bench, &figures);
	bench_retries(&bench);
	print_claims(&figures);
	frames_destroy(&bench.frames);
	guest_memory_destroy(&bench.memory);
	return 0;
}
