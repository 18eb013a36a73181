// SPDX-License-Identifier: MIT
/*
 * options_are_checked_test.c - every value at the ends of its range is taken,
 * the next one beyond is refused, with one line that says so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "command_line.h"
#include "control.h"
#include "options_parse.h"
#include "value.h"

static const struct {
	const char *line, *says;
} g_refused[] = {
	{ "--vcpus 0",                 "--vcpus 0: must be 1 to 1024" },
	{ "--vcpus 1025",              "--vcpus 1025: must be 1 to 1024" },
	{ "--vcpus 4294967297",        "--vcpus 4294967297: must be 1 to 1024" },
	{ "--vcpus 18446744073709551617", "--vcpus 18446744073709551617: must be 1 to 1024" },
	{ "--vcpus -1",                "--vcpus -1: not a whole number" },
	{ "--vcpus +1",                "--vcpus +1: not a whole number" },
	{ "--vcpus=\t1",               "--vcpus \\t1: not a whole number" },
	{ "--vcpus 1\n",               "--vcpus 1\\n: not a whole number" },
	{ "--vcpus 8x",                "--vcpus 8x: not a whole number" },
	{ "--vcpus 99999999999999999999x", "--vcpus 99999999999999999999x: not a whole number" },
	{ "--vcpus 0x8",               "--vcpus 0x8: not a whole number" },
	{ "--vcpus 8.0",               "--vcpus 8.0: not a whole number" },
	{ "--vcpus eight",             "--vcpus eight: not a whole number" },
	{ "--vcpus",                   "--vcpus: needs a value" },
	{ "--vcpus=",                  "--vcpus: needs a value" },
	{ "--overcommit 0",            "--overcommit 0: must be 1 to 1024" },
	{ "--overcommit 9",            "--overcommit 9: must be 1 to 8 (--vcpus)" },
	{ "--overcommit 3 --vcpus 2",  "--overcommit 3: must be 1 to 2 (--vcpus)" },
	{ "--initiators 0",            "--initiators 0: must be 1 to 64" },
	{ "--initiators 9",            "--initiators 9: must be 1 to 8 (--vcpus)" },
	{ "--initiators 65 --vcpus 99", "--initiators 65: must be 1 to 64" },
	{ "--initiators 2 --vcpus 1 --host", "--initiators 2: must be 1 to 1 (--vcpus)" },
	{ "--sleepers 1024",           "--sleepers 1024: must be 0 to 1023" },
	{ "--sleepers -1",             "--sleepers -1: not a whole number" },
	{ "--sleepers 8",              "--sleepers 8: must be 0 to 7 (--vcpus less --initiators)" },
	{ "--sleepers 6 --initiators 3",
	  "--sleepers 6: must be 0 to 5 (--vcpus less --initiators)" },
	{ "--sleepers 1 --initiators 8",
	  "--sleepers 1: must be 0 to 0 (--vcpus less --initiators)" },
	{ "--sleepers 8 --workload churn",
	  "--sleepers 8: must be 0 to 7 (--vcpus less --initiators)" },
	{ "--sleepers 1023 --workload churn",
	  "--sleepers 1023: must be 0 to 7 (--vcpus less --initiators)" },
	{ "--sleepers 1 --initiators 8 --workload churn",
	  "--sleepers 1: must be 0 to 0 (--vcpus less --initiators)" },
	{ "--pages 0",                 "--pages 0: must be 1 to 64" },
	{ "--pages 65",                "--pages 65: must be 1 to 64" },
	{ "--pages 64 --vcpus 32 --initiators 32",
	  "--pages 64: must be 1 to 63 with 32 initiators" },
	{ "--pages 32 --vcpus 64 --initiators 64",
	  "--pages 32: must be 1 to 31 with 64 initiators" },
	{ "--pages 32 --vcpus 128 --workload churn",
	  "--pages 32: must be 1 to 31 with 64 initiators" },
	{ "--flush-ceiling 64",        "--flush-ceiling 64: must be 0 to 63" },
	{ "--flush-ceiling 4294967295", "--flush-ceiling 4294967295: must be 0 to 63" },
	{ "--flush-ceiling auto",      "--flush-ceiling auto: not a whole number" },
	{ "--ple 1000001",             "--ple 1000001: must be 0 to 1000000" },
	{ "--ple",                     "--ple: needs a value" },
	{ "--flush-ceiling 1 --workload teardown",
	  "--flush-ceiling 1: must be 0 with --workload teardown" },
	{ "--workload teardown --flush-ceiling 63",
	  "--flush-ceiling 63: must be 0 with --workload teardown" },
	{ "--vcpus 256 --workload teardown",
	  "--vcpus 256: must be 1 to 255 with --workload teardown (xAPIC)" },
	{ "--workload teardown --vcpus 1024",
	  "--vcpus 1024: must be 1 to 255 with --workload teardown (xAPIC)" },
	{ "--workload teardown --vcpus 256 --host",
	  "--vcpus 256: must be 1 to 255 with --workload teardown (xAPIC)" },
	{ "--initiators 9 --workload teardown", "--initiators 9: must be 1 to 8 (--vcpus)" },
	{ "--sleepers 8 --workload teardown",
	  "--sleepers 8: must be 0 to 7 (--vcpus less --initiators)" },
	{ "--table-free later",        "--table-free later: must be rcu or now" },
	{ "--table-free rcu,now",      "--table-free rcu,now: must be rcu or now" },
	{ "--table-free",              "--table-free: needs a value" },
	{ "--table-free=",             "--table-free: needs a value" },
	{ "--reclaim 1000001",         "--reclaim 1000001: must be 0 to 1000000" },
	{ "--reclaim fast",            "--reclaim fast: not a whole number" },
	{ "--shadow-reclaim srcu",     "--shadow-reclaim srcu: must be mode, rcu or counter" },
	{ "--workload ebizzy",         "--workload ebizzy: must be toggle, churn or teardown" },
	{ "--workload toggl",          "--workload toggl: must be toggle, churn or teardown" },
	{ "--workload toggles",        "--workload toggles: must be toggle, churn or teardown" },
	{ "--preempt never", "--preempt never: must be slice, random, at-step or host" },
	{ "--preempt at",    "--preempt at: must be slice, random, at-step or host" },
	{ "--preempt =read", "--preempt =read: must be slice, random, at-step or host" },
	{ "--preempt slice=read",
	  "--preempt slice=read: must be slice, random, at-step or host" },
	{ "--preempt host=", "--preempt host=: must be slice, random, at-step or host" },
	{ "--preempt at-step=", "--preempt at-step=: a name in the list is empty" },
	{ "--preempt at-step=,read", "--preempt at-step=,read: a name in the list is empty" },
	{ "--preempt at-step=read,", "--preempt at-step=read,: a name in the list is empty" },
	{ "--preempt at-step=read,sent", "--preempt at-step=sent: unknown; one of "
	  "posted, read, flushed, served, publish, walk" },
	{ "--preempt at-step=sent,read", "--preempt at-step=sent: unknown; one of "
	  "posted, read, flushed, served, publish, walk" },
	{ "--preempt at-step=read=read", "--preempt at-step=read=read: unknown; one of "
	  "posted, read, flushed, served, publish, walk" },
	{ "--preempt",                 "--preempt: needs a value" },
	{ "--realtime 1 --preempt host", "--realtime 1: not with --preempt host" },
	{ "--preempt host --realtime 99", "--realtime 99: not with --preempt host" },
	{ "--clear-pending=1",         "--clear-pending: takes no value" },
	{ "--slice-us 49",             "--slice-us 49: must be 50 to 10000000" },
	{ "--slice-us 10000001",       "--slice-us 10000001: must be 50 to 10000000" },
	{ "--pace-us 1000001",         "--pace-us 1000001: must be 0 to 1000000" },
	{ "--repeat 0",                "--repeat 0: must be 1 to 10000" },
	{ "--repeat 10001",            "--repeat 10001: must be 1 to 10000" },
	{ "--flushes 0",               "--flushes 0: must be 1 to 1000000000000" },
	{ "--flushes 1000000000001",   "--flushes 1000000000001: must be 1 to 1000000000000" },
	{ "--realtime 100",            "--realtime 100: must be 0 to 99" },
	{ "--duration 0.0099",         "--duration 0.0099: must be 0.01 to 86400" },
	{ "--duration 86400.01",       "--duration 86400.01: must be 0.01 to 86400" },
	{ "--duration -1",             "--duration -1: not a number of seconds" },
	{ "--duration inf",            "--duration inf: not a number of seconds" },
	{ "--duration nan",            "--duration nan: not a number of seconds" },
	{ "--duration 0x1",            "--duration 0x1: not a number of seconds" },
	{ "--duration 2s",             "--duration 2s: not a number of seconds" },
	{ "--duration 1.2.3",          "--duration 1.2.3: not a number of seconds" },
	{ "--duration .",              "--duration .: not a number of seconds" },
	{ "--duration",                "--duration: needs a value" },
	{ "--warmup 60.1",             "--warmup 60.1: must be 0 to 60" },
	{ "--trace=",                  "--trace: needs a value" },
	{ "--break-over 0",            "--break-over 0: must be 1 to 1000000000" },
	{ "--break-over 1000000001",   "--break-over 1000000001: must be 1 to 1000000000" },
	{ "--break-over 200us",        "--break-over 200us: not a whole number" },
	{ "--extra all",               "--extra all: unknown; one of exits, flushes, hgrm, hist" },
	{ "--print stall.p99",         "--print stall.p99: must be as generation:stall.p99" },
	{ "--print ipi:stall.p99,",    "--print : must be as generation:stall.p99" },
	{ "--print ipi:stall.p99=1us",
	  "--print ipi:stall.p99=1us: unknown quantile; one of p50, p90, p99, p995, p999, max" },
	{ "--print none:stall.p99",    "--print none:stall.p99: none is not measured (--protocol)" },
	{ "--extra exits,",            "--extra exits,: a name in the list is empty" },
	{ "--fail-over",               "--fail-over: needs a value" },
	{ "--fail-over 200us",
	  "--fail-over 200us: must be as generation:stall.p99=200us" },
	{ "--fail-over generation:stall.p99",
	  "--fail-over generation:stall.p99: must be as generation:stall.p99=200us" },
	{ "--fail-over ,generation:stall.p99=1us",
	  "--fail-over : must be as generation:stall.p99=200us" },
	{ "--fail-over generation:stall.p99=1us,",
	  "--fail-over : must be as generation:stall.p99=200us" },
	{ "--fail-over stall.p99=1us",
	  "--fail-over stall.p99=1us: must be as generation:stall.p99" },
	{ "--fail-over generation:p99=1us",
	  "--fail-over generation:p99=1us: must be as generation:stall.p99" },
	{ "--fail-over gen.x:p99=1us",
	  "--fail-over gen.x:p99=1us: must be as generation:stall.p99" },
	{ "--fail-over ipi:wall.max=1s,generations:stall.p99=1us",
	  "--fail-over generations:stall.p99=1us: unknown protocol (see --list-protocols)" },
	{ "--fail-over :stall.p99=1us",
	  "--fail-over :stall.p99=1us: unknown protocol (see --list-protocols)" },
	{ "--fail-over safe:stall.p99=1us",
	  "--fail-over safe:stall.p99=1us: unknown protocol (see --list-protocols)" },
	{ "--fail-over ipi:stalls.p99=1us",
	  "--fail-over ipi:stalls.p99=1us: unknown time; one of wall, stall, floor, pte, switch" },
	{ "--fail-over ipi:stall.p98=1us",
	  "--fail-over ipi:stall.p98=1us: unknown quantile; one of p50, p90, p99, p995, p999, max" },
	{ "--fail-over ipi:stall.p99=",
	  "--fail-over ipi:stall.p99=: the limit must be a time up to 1000s, in ns, us, ms or s" },
	{ "--fail-over ipi:stall.p99=200",
	  "--fail-over ipi:stall.p99=200: the limit must be a time up to 1000s, in ns, us, ms or s" },
	{ "--fail-over ipi:stall.p99=us",
	  "--fail-over ipi:stall.p99=us: the limit must be a time up to 1000s, in ns, us, ms or s" },
	{ "--fail-over ipi:stall.p99=-1us",
	  "--fail-over ipi:stall.p99=-1us: the limit must be a time up to 1000s, in ns, us, ms or s" },
	{ "--fail-over ipi:stall.p99=1.2.3us",
	  "--fail-over ipi:stall.p99=1.2.3us: the limit must be a time up to 1000s, in ns, us, ms or s" },
	{ "--fail-over ipi:stall.p99=1usx",
	  "--fail-over ipi:stall.p99=1usx: the limit must be a time up to 1000s, in ns, us, ms or s" },
	{ "--fail-over ipi:stall.p99=1000.1s",
	  "--fail-over ipi:stall.p99=1000.1s: the limit must be a time up to 1000s, in ns, us, ms or s" },
	{ "--fail-over none:stall.p99=1us",
	  "--fail-over none:stall.p99: none is not measured (--protocol)" },
	{ "--fail-over ipi:wall.max=1us --protocol generation",
	  "--fail-over ipi:wall.max: ipi is not measured (--protocol)" },
	{ "--seed -1",                 "--seed -1: must be a 64-bit number, decimal or 0x..." },
	{ "--seed 0x",                 "--seed 0x: must be a 64-bit number, decimal or 0x..." },
	{ "--seed 0x10000000000000000",
	  "--seed 0x10000000000000000: must be a 64-bit number, decimal or 0x..." },
	{ "--seed ff",                 "--seed ff: must be a 64-bit number, decimal or 0x..." },
	{ "--cpus 8192",     "--cpus 8192: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--cpus 3-1",      "--cpus 3-1: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--cpus 0,",       "--cpus 0,: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--cpus ,0",       "--cpus ,0: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--cpus 0-",       "--cpus 0-: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--cpus 0-1-2",    "--cpus 0-1-2: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--cpus 0;1",      "--cpus 0;1: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--cpus 0-99999999999999999999",
	  "--cpus 0-99999999999999999999: must be a list such as 0-3,8 of CPUs 0 to 8191" },
	{ "--entry-flush on",          "--entry-flush on: must be auto, steal or sregs" },
	{ "--confine yes",             "--confine yes: must be on, log or off" },
	{ "--out=",                    "--out: needs a value" },
	{ "--json",                    "--json: needs a value" },
	{ "--host=1",                  "--host: takes no value" },
	{ "--litmus=",                 "--litmus: needs a value" },
	{ "--litmus a.elf",
	  "--litmus: plays the built-in payload, not a.elf (a name goes after '=')" },
	{ "--quiet=1",                 "--quiet: takes no value" },
	{ "--foo",                     "unknown option --foo (see --help)" },
	{ "--foo=bar",                 "unknown option --foo (see --help)" },
	{ "--v",                       "unknown option --v (see --help)" },
	{ "-x",                        "unknown option -x (see --help)" },
	{ "-qx",                       "unknown option -x (see --help)" },
	{ "-\x01",                     "unknown option -\\x01 (see --help)" },
	{ "a.elf b.elf",               "b.elf: only one PAYLOAD, and a.elf was given" },
	{ "a.elf -- b.elf",            "b.elf: only one PAYLOAD, and a.elf was given" },
	{ "-- a.elf --quiet",          "--quiet: only one PAYLOAD, and a.elf was given" },
};

#define U32(member) offsetof(struct options, member), sizeof(uint32_t)
#define U64(member) offsetof(struct options, member), sizeof(uint64_t)

static const struct {
	const char *line;
	size_t offset, bytes;
	uint64_t value;
} g_taken[] = {
	{ "--vcpus 1",                   U32(vcpus),      1 },
	{ "--vcpus 1024",                U32(vcpus),      1024 },
	{ "--vcpus=0016",                U32(vcpus),      16 },
	{ "--vcpus 2 --vcpus 3",         U32(vcpus),      3 },
	{ "--overcommit 1",              U32(overcommit), 1 },
	{ "--overcommit 8",              U32(overcommit), 8 },
	{ "--overcommit 1024 --vcpus 1024", U32(overcommit), 1024 },
	{ "--overcommit 1",              U32(slots),      8 },
	{ "--overcommit 3",              U32(slots),      3 },
	{ "--overcommit 7",              U32(slots),      2 },
	{ "--overcommit 8",              U32(slots),      1 },
	{ "--initiators 1 --vcpus 1",    U32(initiators), 1 },
	{ "--initiators 8",              U32(initiators), 8 },
	{ "--initiators 64 --vcpus 64",  U32(initiators), 64 },
	{ "--initiators 5 --workload churn", U32(initiators), 5 },
	{ "--sleepers 0",                U32(sleepers),   0 },
	{ "--sleepers 7",                U32(sleepers),   7 },
	{ "--sleepers 5 --initiators 3", U32(sleepers),   5 },
	{ "--sleepers 1023 --vcpus 1024", U32(sleepers),  1023 },
	{ "--pages 1",                   U32(pages),      1 },
	{ "--reclaim 0",                 U32(reclaim_hz), 0 },
	{ "--reclaim 10000",             U32(reclaim_hz), 10000 },
	{ "--shadow-reclaim rcu",        U32(shadow_reclaim), SHADOW_RECLAIM_RCU },
	{ "--pages 64",                  U32(pages),      64 },
	{ "--pages 64 --vcpus 31 --initiators 31", U32(pages), 64 },
	{ "--pages 63 --vcpus 32 --initiators 32", U32(pages), 63 },
	{ "--pages 31 --vcpus 64 --initiators 64", U32(pages), 31 },
	{ "--flush-ceiling 0",           U32(flush_ceiling), 0 },
	{ "--flush-ceiling 63",          U32(flush_ceiling), 63 },
	{ "--flush-ceiling 0 --workload teardown", U32(flush_ceiling), 0 },
	{ "--workload teardown",         U32(flush_ceiling), 0 },
	{ "--flush-ceiling 63 --workload teardown --workload churn", U32(flush_ceiling), 63 },
	{ "--vcpus 255 --workload teardown", U32(vcpus),  255 },
	{ "--vcpus 1 --workload teardown", U32(vcpus),    1 },
	{ "--vcpus 256 --workload churn", U32(vcpus),     256 },
	{ "--initiators 64 --vcpus 64 --workload teardown", U32(initiators), 64 },
	{ "",                            U64(break_over_us), 0 },
	{ "--break-over 1",              U64(break_over_us), 1 },
	{ "--break-over 1000000000",     U64(break_over_us), 1000000000 },
	{ "",                            U32(extras),     0 },
	{ "--extra exits",               U32(extras),     1 << EXTRA_EXITS },
	{ "--extra flushes",             U32(extras),     1 << EXTRA_FLUSHES },
	{ "--extra hist,hgrm",           U32(extras),     1 << EXTRA_HGRM | 1 << EXTRA_HIST },
	{ "--ple 0",                     U32(ple_us),     0 },
	{ "--ple 1000000",               U32(ple_us),     1000000 },
	{ "--preempt host --slice-us 50", U32(slice_us),  50 },
	{ "--slice-us 50",               U32(slice_us),   50 },
	{ "--slice-us 10000000",         U32(slice_us),   10000000 },
	{ "--pace-us 0",                 U32(pace_us),    0 },
	{ "--pace-us 1000000",           U32(pace_us),    1000000 },
	{ "--repeat 1",                  U32(repeat),     1 },
	{ "--repeat 10000",              U32(repeat),     10000 },
	{ "--realtime 0",                U32(realtime),   0 },
	{ "--realtime 99",               U32(realtime),   99 },
	{ "--flushes 1",                 U64(flushes),    1 },
	{ "--flushes 1000000000000",     U64(flushes),    UINT64_C(1000000000000) },
	{ "--seed 0",                    U64(seed),       0 },
	{ "--seed 010",                  U64(seed),       10 },
	{ "--seed 18446744073709551615", U64(seed),       UINT64_MAX },
	{ "--seed 0xFFFFffffFFFFffff",   U64(seed),       UINT64_MAX },
	{ "--seed 0x10",                 U64(seed),       16 },
};

static void values_out_of_range_are_refused_in_one_line(void **state)
{
	struct options options;
	struct why why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_refused); i++) {
		print_message("%s\n", g_refused[i].line);
		assert_int_equal(command_line_parse(g_refused[i].line, &options, &why), -EINVAL);
		assert_string_equal(why.text, g_refused[i].says);
		assert_int_equal(why.status, EXIT_USAGE);
	}
}

static void values_at_the_ends_of_ranges_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_taken); i++) {
		struct options options = command_line_options(g_taken[i].line);
		uint64_t value = 0;

		print_message("%s\n", g_taken[i].line);
		memcpy(&value, (char *)&options + g_taken[i].offset, g_taken[i].bytes);
		assert_true(value == g_taken[i].value);
	}
}

static void seconds_are_plain_decimals(void **state)
{
	(void)state;
	assert_true(command_line_options("--duration 0.01").duration_s == 0.01);
	assert_true(command_line_options("--duration 86400").duration_s == 86400);
	assert_true(command_line_options("--duration .5").duration_s == 0.5);
	assert_true(command_line_options("--duration 5.").duration_s == 5);
	assert_true(command_line_options("--warmup 0").warmup_s == 0);
	assert_true(command_line_options("--warmup 60.0").warmup_s == 60);
}

static void flushes_alone_lift_the_deadline(void **state)
{
	(void)state;
	assert_true(command_line_options("").duration_given);
	assert_false(command_line_options("--flushes 9").duration_given);
	assert_true(command_line_options("--duration 3").duration_given);
	assert_true(command_line_options("--duration 3 --flushes 9").duration_given);
	assert_true(command_line_options("--flushes 9 --duration 3").duration_s == 3);
}

static void cpu_lists_are_sets(void **state)
{
	struct options options = command_line_options("--cpus 0-3,8,2-4,1024,8191");

	(void)state;
	assert_true(options.cpus_given);
	for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++)
		assert_int_equal(cpus_has(&options.cpus, cpu),
				 cpu <= 4 || cpu == 8 || cpu == 1024 || cpu == 8191);
	options = command_line_options("--cpus 5 --cpus 7-7");
	assert_int_equal(cpus_count(&options.cpus), 1);
	assert_true(cpus_has(&options.cpus, 7));
	assert_false(command_line_options("").cpus_given);
}

static void entry_flush_has_three_ways(void **state)
{
	(void)state;
	assert_int_equal(command_line_options("--entry-flush auto").entry_flush, ENTRY_FLUSH_AUTO);
	assert_int_equal(command_line_options("--entry-flush steal").entry_flush,
			 ENTRY_FLUSH_STEAL);
	assert_int_equal(command_line_options("--entry-flush sregs").entry_flush,
			 ENTRY_FLUSH_SREGS);
}

/* Each item of the list of @line, in order. */
static void limits_are_figures_and_times(void **state)
{
	static const struct figure_limit expected[] = {
		{ { SD_PROTOCOL_generation, FIGURE_STALL, FIGURE_P99 }, 200000 },
		{ { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX }, UINT64_C(1500000000) },
		{ { SD_PROTOCOL_yield, FIGURE_FLOOR, FIGURE_P50 }, 0 },
		{ { SD_PROTOCOL_sleep, FIGURE_PTE, FIGURE_P999 }, 250 },
		{ { SD_PROTOCOL_takeover, FIGURE_SWITCH, FIGURE_P995 }, UINT64_C(1000000000000) },
		{ { SD_PROTOCOL_deferred, FIGURE_WALL, FIGURE_P90 }, 1 },
	};
	struct options options = command_line_options(
		"--fail-over generation:stall.p99=200us,ipi:wall.max=1.5s,yield:floor.p50=0ns,"
		"sleep:pte.p999=.25us,takeover:switch.p995=1000s,deferred:wall.p90=0.0000005ms");

	(void)state;
	assert_int_equal(options.fail_over_count, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(options.fail_over[i].key.protocol, expected[i].key.protocol);
		assert_int_equal(options.fail_over[i].key.times, expected[i].key.times);
		assert_int_equal(options.fail_over[i].key.quantile, expected[i].key.quantile);
		assert_true(options.fail_over[i].limit_ns == expected[i].limit_ns);
	}
	/* The last list counts; a control may have limits where it is measured. */
	options = command_line_options("--fail-over ipi:wall.p50=1s,ipi:wall.p90=1s --protocol none "
				       "--fail-over none:wall.p50=2s");
	assert_int_equal(options.fail_over_count, 1);
	assert_int_equal(options.fail_over[0].key.protocol, SD_PROTOCOL_none);
	assert_int_equal(command_line_options("").fail_over_count, 0);
}

static void figures_to_print_keep_their_order(void **state)
{
	struct options options = command_line_options("--print ipi:wall.max,generation:pte.p90");

	(void)state;
	assert_int_equal(options.print_count, 2);
	assert_int_equal(options.print[0].protocol, SD_PROTOCOL_ipi);
	assert_int_equal(options.print[0].times, FIGURE_WALL);
	assert_int_equal(options.print[0].quantile, FIGURE_MAX);
	assert_int_equal(options.print[1].protocol, SD_PROTOCOL_generation);
	assert_int_equal(options.print[1].times, FIGURE_PTE);
	assert_int_equal(options.print[1].quantile, FIGURE_P90);
	assert_int_equal(options.fail_over_count, 0);
}

/* 32 of one list are taken, 33 are not. */
static void a_list_of_limits_has_an_end(void **state)
{
	char line[1000] = "--fail-over ipi:wall.max=1s";
	struct options options;
	struct why why;

	(void)state;
	for (int i = 1; i < OPTIONS_MAX_FIGURES; i++)
		strcat(line, ",ipi:wall.max=1s");
	assert_int_equal(command_line_options(line).fail_over_count, OPTIONS_MAX_FIGURES);
	strcat(line, ",ipi:pte.max=1s");
	assert_int_equal(command_line_parse(line, &options, &why), -EINVAL);
	assert_string_equal(why.text, "--fail-over ipi:pte.max=1s: more than 32");
}

/* Every name is read back as what it stands for. */
static void figures_are_named_as_they_are_read(void **state)
{
	char name[FIGURE_KEY_BYTES];

	(void)state;
	for (int i = 0; i < SD_PROTOCOLS * FIGURE_TIMES * FIGURE_QUANTILES; i++) {
		const struct figure_key key = {
			(enum sd_protocol)(i % SD_PROTOCOLS),
			(enum figure_times)(i / SD_PROTOCOLS % FIGURE_TIMES),
			(enum figure_quantile)(i / SD_PROTOCOLS / FIGURE_TIMES),
		};
		struct figure_key read = { 0 };

		figure_key_text(name, &key);
		assert_null(figure_key_read(name, strlen(name), &read));
		assert_int_equal(read.protocol, key.protocol);
		assert_int_equal(read.times, key.times);
		assert_int_equal(read.quantile, key.quantile);
	}
}

static void confine_has_three_modes(void **state)
{
	(void)state;
	assert_int_equal(command_line_options("--confine on").confine, CONFINE_ON);
	assert_int_equal(command_line_options("--confine log").confine, CONFINE_LOG);
	assert_int_equal(command_line_options("--confine off").confine, CONFINE_OFF);
	assert_string_equal(confine_name(command_line_options("").confine), CONFINE_DEFAULT_NAME);
}

#define STEP(step) (UINT32_C(1) << SD_STEP_##step)
#define FLUSH_STEPS (STEP(POSTED) | STEP(READ) | STEP(FLUSHED) | STEP(SERVED) | STEP(PUBLISH))
#define ALL_STEPS (FLUSH_STEPS | STEP(WALK))

/* Other workloads free no tables, and do not mind. */
static void tables_are_freed_in_two_ways(void **state)
{
	static const struct {
		const char *line;
		enum table_free table_free;
	} cases[] = {
		{ "",                                         TABLE_FREE_RCU },
		{ "--workload teardown",                      TABLE_FREE_RCU },
		{ "--workload teardown --table-free rcu",     TABLE_FREE_RCU },
		{ "--workload teardown --table-free now",     TABLE_FREE_NOW },
		{ "--table-free=now --workload teardown",     TABLE_FREE_NOW },
		{ "--table-free now",                         TABLE_FREE_NOW },
		{ "--workload churn --table-free now",        TABLE_FREE_NOW },
		{ "--table-free now --table-free rcu",        TABLE_FREE_RCU },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		print_message("%s\n", cases[i].line);
		assert_int_equal(command_line_options(cases[i].line).table_free,
				 cases[i].table_free);
	}
}

static void policies_have_steps_or_none(void **state)
{
	static const struct {
		const char *line;
		enum preempt preempt;
		uint32_t steps;
	} cases[] = {
		{ "",                               PREEMPT_SLICE,   0 },
		{ "--preempt slice",                PREEMPT_SLICE,   0 },
		{ "--preempt random",               PREEMPT_RANDOM,  0 },
		{ "--preempt host",                 PREEMPT_HOST,    0 },
		{ "--preempt host --realtime 0",    PREEMPT_HOST,    0 },
		{ "--preempt at-step",              PREEMPT_AT_STEP, ALL_STEPS },
		{ "--preempt=at-step=posted",       PREEMPT_AT_STEP, STEP(POSTED) },
		{ "--preempt at-step=read",         PREEMPT_AT_STEP, STEP(READ) },
		{ "--preempt at-step=flushed",      PREEMPT_AT_STEP, STEP(FLUSHED) },
		{ "--preempt at-step=served",       PREEMPT_AT_STEP, STEP(SERVED) },
		{ "--preempt at-step=publish",      PREEMPT_AT_STEP, STEP(PUBLISH) },
		{ "--preempt at-step=walk",         PREEMPT_AT_STEP, STEP(WALK) },
		{ "--preempt at-step=walk --workload churn",    PREEMPT_AT_STEP, STEP(WALK) },
		{ "--preempt at-step=walk --workload teardown", PREEMPT_AT_STEP, STEP(WALK) },
		{ "--preempt at-step=publish,read", PREEMPT_AT_STEP, STEP(PUBLISH) | STEP(READ) },
		{ "--preempt at-step=read,read",    PREEMPT_AT_STEP, STEP(READ) },
		{ "--preempt at-step=posted,read,flushed,served,publish",
		  PREEMPT_AT_STEP, FLUSH_STEPS },
		{ "--preempt at-step=posted,read,flushed,served,publish,walk",
		  PREEMPT_AT_STEP, ALL_STEPS },
		/* The last one counts, with its steps. */
		{ "--preempt at-step --preempt slice",         PREEMPT_SLICE,   0 },
		{ "--preempt at-step=read --preempt at-step",  PREEMPT_AT_STEP, ALL_STEPS },
		{ "--preempt at-step --preempt at-step=read",  PREEMPT_AT_STEP, STEP(READ) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct options options = command_line_options(cases[i].line);

		print_message("%s\n", cases[i].line);
		assert_int_equal(options.preempt, cases[i].preempt);
		assert_int_equal(options.steps, cases[i].steps);
	}
}

/* Every name is read back as what it stands for. */
static void names_are_those_of_the_command_line(void **state)
{
	char line[64];

	(void)state;
	for (enum preempt preempt = PREEMPT_SLICE; preempt <= PREEMPT_HOST; preempt++) {
		snprintf(line, sizeof(line), "--preempt %s", preempt_name(preempt));
		assert_int_equal(command_line_options(line).preempt, preempt);
	}
	for (enum workload workload = WORKLOAD_TOGGLE; workload <= WORKLOAD_TEARDOWN; workload++) {
		snprintf(line, sizeof(line), "--workload %s", workload_name(workload));
		assert_int_equal(command_line_options(line).workload, workload);
	}
	for (enum table_free way = TABLE_FREE_RCU; way <= TABLE_FREE_NOW; way++) {
		snprintf(line, sizeof(line), "--table-free %s", table_free_name(way));
		assert_int_equal(command_line_options(line).table_free, way);
	}
	for (uint32_t step = 0; step < SD_STEPS; step++) {
		snprintf(line, sizeof(line), "--preempt at-step=%s", step_name(step));
		assert_int_equal(command_line_options(line).steps, UINT32_C(1) << step);
	}
}

/* Cut, but ended, and nothing after the end is touched. */
static void lists_of_names_respect_their_buffer(void **state)
{
	static const char *const words[] = { "one", "two", "three" };
	const struct value_names names = VALUE_NAMES(words);
	static const char full[] = "one, two or three";
	char text[32];

	(void)state;
	for (size_t bytes = 1; bytes < sizeof(text); bytes++) {
		size_t length = bytes <= sizeof(full) ? bytes - 1 : sizeof(full) - 1;

		memset(text, 'x', sizeof(text));
		value_names_text(text, bytes, &names, " or ");
		assert_int_equal(strlen(text), length);
		assert_memory_equal(text, full, length);
		for (size_t i = bytes; i < sizeof(text); i++)
			assert_int_equal(text[i], 'x');
	}
}

static void files_and_flags_arrive(void **state)
{
	struct options options = command_line_options("-q --out o --csv=c --json j a.elf");

	(void)state;
	assert_true(options.quiet);
	assert_string_equal(options.out, "o");
	assert_string_equal(options.csv, "c");
	assert_string_equal(options.json, "j");
	assert_string_equal(options.payload, "a.elf");
	assert_string_equal(command_line_options("-- --odd").payload, "--odd");
	assert_true(command_line_options("a.elf --quiet").quiet);
	assert_true(command_line_options("--clear-pending a.elf").clear_pending);
	assert_false(command_line_options("--quiet").clear_pending);
	assert_false(command_line_options("--clear-pending").quiet);
}

static void an_empty_payload_is_refused(void **state)
{
	char program[] = "vmm", empty[] = "";
	char *argv[] = { program, empty, NULL };
	struct options options;
	struct why why = { .text = "" };

	(void)state;
	assert_int_equal(options_parse(2, argv, &options, &why), -EINVAL);
	assert_string_equal(why.text, "PAYLOAD: the name is empty");
}

static void an_answer_ignores_what_is_behind_it(void **state)
{
	(void)state;
	assert_int_equal(command_line_options("--help --foo").action, OPTIONS_HELP);
	assert_int_equal(command_line_options("-qh").action, OPTIONS_HELP);
	assert_int_equal(command_line_options("--version a b").action, OPTIONS_VERSION);
	assert_int_equal(command_line_options("--list-protocols").action, OPTIONS_LIST_PROTOCOLS);
	assert_int_equal(command_line_options("--overcommit 99 --host --help").action,
			 OPTIONS_HELP);
	assert_int_equal(command_line_options("--host --vcpus 2").action, OPTIONS_HOST);
	assert_int_equal(command_line_options("--host --vcpus 2").slots, 1);
	assert_int_equal(command_line_options("--litmus --help").action, OPTIONS_HELP);
}

static void a_litmus_has_a_name_or_none(void **state)
{
	(void)state;
	assert_int_equal(command_line_options("--litmus").action, OPTIONS_LITMUS);
	assert_null(command_line_options("--litmus").litmus);
	assert_null(command_line_options("--host").litmus);
	assert_string_equal(command_line_options("--litmus=two-initiators -q").litmus,
			    "two-initiators");
	assert_string_equal(command_line_options("--litmus=two-initiators/generation").litmus,
			    "two-initiators/generation");
}

static void long_arguments_do_not_flood_the_message(void **state)
{
	char line[900] = "--protocol ";
	struct options options;
	struct why why;

	(void)state;
	memset(line + strlen(line), 'x', 800);
	assert_int_equal(command_line_parse(line, &options, &why), -EINVAL);
	assert_non_null(strstr(why.text, "x: unknown; one of ipi, "));
	line[10] = 'x'; /* --protocolxxx... */
	assert_int_equal(command_line_parse(line, &options, &why), -EINVAL);
	assert_non_null(strstr(why.text, "x (see --help)"));
}

/* getopt_long() by itself would stop at the first operand. */
static void the_environment_does_not_matter(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(setenv("POSIXLY_CORRECT", "1", 1), 0);
	options = command_line_options("a.elf --quiet");
	assert_int_equal(unsetenv("POSIXLY_CORRECT"), 0);
	assert_true(options.quiet);
	assert_string_equal(options.payload, "a.elf");
}

static void parsing_starts_over_each_time(void **state)
{
	struct options options;
	struct why why;

	(void)state;
	for (int i = 0; i < 3; i++) {
		/* Left in the middle of a word, and before the end. */
		assert_int_equal(command_line_parse("-xqqq --vcpus 3 a b", &options, &why),
				 -EINVAL);
		assert_int_equal(command_line_options("--vcpus 5").vcpus, 5);
		assert_null(command_line_options("-q").payload);
		assert_false(command_line_options("").quiet);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_out_of_range_are_refused_in_one_line),
		cmocka_unit_test(values_at_the_ends_of_ranges_are_taken),
		cmocka_unit_test(seconds_are_plain_decimals),
		cmocka_unit_test(flushes_alone_lift_the_deadline),
		cmocka_unit_test(cpu_lists_are_sets),
		cmocka_unit_test(entry_flush_has_three_ways),
		cmocka_unit_test(limits_are_figures_and_times),
		cmocka_unit_test(figures_to_print_keep_their_order),
		cmocka_unit_test(a_list_of_limits_has_an_end),
		cmocka_unit_test(figures_are_named_as_they_are_read),
		cmocka_unit_test(confine_has_three_modes),
		cmocka_unit_test(tables_are_freed_in_two_ways),
		cmocka_unit_test(policies_have_steps_or_none),
		cmocka_unit_test(names_are_those_of_the_command_line),
		cmocka_unit_test(lists_of_names_respect_their_buffer),
		cmocka_unit_test(files_and_flags_arrive),
		cmocka_unit_test(an_empty_payload_is_refused),
		cmocka_unit_test(an_answer_ignores_what_is_behind_it),
		cmocka_unit_test(a_litmus_has_a_name_or_none),
		cmocka_unit_test(long_arguments_do_not_flood_the_message),
		cmocka_unit_test(the_environment_does_not_matter),
		cmocka_unit_test(parsing_starts_over_each_time),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
