/* SPDX-License-Identifier: MIT */
/*
 * report.h - results into words, rows and JSON.
 *
 * Pure but for the streams given: no KVM, no clock, no global state but that of libc's
 * time zone and jansson's hashes.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "results.h"

/* --- CSV: csv.c. One row a flush; formatted into the caller's buffer, which
 * the event loop writes. ------------------------------------------------- */

#define CSV_ROW_MAX 256                 /* bytes of the longest row, newline included */

/* csv_header - the header row with its newline. */
const char *csv_header(void);

/**
 * csv_row - format one row.
 *
 * Shape:   @out holds CSV_ROW_MAX bytes; no terminating zero is written.
 * Returns: bytes written, newline included. About 100 ns: no printf.
 */
size_t csv_row(char *out, const struct flush_row *row, enum sd_protocol protocol);

/* report_prepare - whatever the report would open files for later: the time zone, and
 * random bytes for jansson. Before the process confines itself. */
void report_prepare(void);

/* --- JSON: summary.c (jansson) ------------------------------------------- */

/**
 * summary_text - summary.json of a run; host_text - that of --host.
 *
 * Returns: a malloc'ed, newline-terminated text for the caller to free; NULL
 *          when memory ran out.
 */
char *summary_text(const struct run_results *run);
char *host_text(const struct run_results *run, const struct host_costs *costs);

/* litmus_text - summary.json of --litmus; the same. */
char *litmus_text(const struct run_results *run, const struct litmus_result *results,
		  uint32_t count);

/* --- text: table.c, exits_table.c, host_table.c, litmus_table.c --------------------------- */

/* emulated_print - of an emulated host, one line that says what its times are worth. */
void emulated_print(FILE *out, const struct run_results *run);

/* host_notes_print - a line for each thing that the host did to this run: throttled, CPUs
 * gone, clocks that are coarse or do not agree. */
void host_notes_print(FILE *out, const struct run_results *run);

/* table_print - the comparison table and the lines below it, to @out. */
void table_print(FILE *out, const struct run_results *run);

/* exits_print - a table of exits by protocol and reason, in the manner of perf-kvm(1), to
 * @out. */
void exits_print(FILE *out, const struct run_results *run);

/* host_print - what this KVM host is and what its primitives cost. */
void host_print(FILE *out, const struct run_results *run, const struct host_costs *costs);

/* --- --litmus: litmus_table.c ---------------------------------------------- */

/* litmus_skipped - why it was not played; or, if it was, why this host cannot show what it was
 * to show. Else NULL. */
const char *litmus_skipped(const struct litmus_result *result);

/* litmus_is_expected - has it shown what it had to? True of one that was skipped. Where a
 * flush was to be lost, it was lost at least once, and no round was incomplete. */
bool litmus_is_expected(const struct litmus_result *result);

/* litmus_observed - "lost", "never", "nothing" (no load was compared, or vCPUs did not come
 * where the script says) or "SKIP". */
const char *litmus_observed(const struct litmus_result *result);

/* litmus_verdict - EXIT_WRONG if any of them has not shown what it had to. */
enum exit_status litmus_verdict(const struct litmus_result *results, uint32_t count);

/* litmus_print - the table and a line that sums it up, to @out. */
void litmus_print(FILE *out, const struct run_results *run, const struct litmus_result *results,
		  uint32_t count);

/* --- verdict: verdict.c ---------------------------------------------------- */

/* What the counts of one protocol prove. */
enum verdict {
	VERDICT_OK,             /* safe, checked, nothing stale */
	VERDICT_CAUGHT,         /* a control, and stale loads or bad walks were seen */
	VERDICT_PARTLY,         /* as OK, but some targets never looked across a flush */
	VERDICT_CLAIMED,        /* one of these three, by the word of another payload */
	VERDICT_IDLE,           /* not exercised: proves nothing */
	VERDICT_BLIND,          /* safe, flushed, but nobody checked: proves nothing */
	VERDICT_STALE,          /* safe, but stale loads were seen: EXIT_WRONG */
	VERDICT_UNSAFE,         /* known to lose flushes; stale or not, no failure */
	VERDICT_HIDDEN,         /* a control that this host cannot show: proves nothing */
	VERDICT_HAZARD,         /* tables freed under walkers, as asked; met or not, no failure */
	VERDICT_FREED,          /* a walker met a freed table that had to be held: EXIT_WRONG */
	VERDICT_MISSED,         /* a control, exercised and not caught: EXIT_WRONG */
};

/**
 * verdict_of_protocol - the verdict on @result's counts. The policy that took vCPUs off
 * their CPU is no evidence.
 *
 * With WORKLOAD_TEARDOWN also of when tables are freed. Nobody watches a window then:
 * `checks` are page-table walks, and what a control loses is seen in bad walks alone.
 */
enum verdict verdict_of_protocol(const struct run_results *run,
				 const struct protocol_result *result);

/* verdict_name - at most seven characters; those that fail the run are capitals. */
const char *verdict_name(enum verdict verdict);

/* verdict_words - what it says, for the lines below the table; NULL: needs no words. */
const char *verdict_words(enum verdict verdict);

/**
 * verdict_is_hazardous - may walkers of @protocol meet freed tables, and has the user
 * asked for it: are tables freed at once though a flush does not wait for every walker?
 */
bool verdict_is_hazardous(const struct options *options, enum sd_protocol protocol);

/**
 * verdict_of - exit status a finished run has earned.
 *
 * Returns: EXIT_OK; EXIT_WRONG when a safe protocol let a stale load through, a
 *          walker met a freed table where it must not, or a control was exercised
 *          (flushes and, for one that skips, skips) and nothing was caught. One line
 *          for each reason goes to @messages.
 */
enum exit_status verdict_of(const struct run_results *run, FILE *messages);

/* --- --require-proof: proof.c ------------------------------------------------ */

/**
 * proof_missing - why @result does not prove that a safe protocol lost no flush.
 *
 * Returns: NULL where it does prove that, where it is of a control, and where it says itself
 *          that something is wrong. Else what is missing:
 *          - idle: no flush;
 *          - blind: nobody could have seen a loss (no checks, tables freed as a hazard, or
 *            an exit drops translations);
 *          - not in effect: no target was interrupted or deferred, or targets were preempted
 *            and the protocol has done nothing of what it does for such.
 *          Transfers and takeovers are not required: they happen only when they are needed.
 */
const char *proof_missing(const struct run_results *run, const struct protocol_result *result);

/* proof_of - EXIT_WRONG if it is missing of any, with a line for each to @messages. */
enum exit_status proof_of(const struct run_results *run, FILE *messages);

/* --- thresholds: threshold.c ------------------------------------------------ */

/* What became of a --fail-over. */
enum threshold {
	THRESHOLD_HELD,
	THRESHOLD_EXCEEDED,
	THRESHOLD_UNMEASURED,   /* there is no such time: nothing is shown to hold */
};

/* threshold_of - of @limit, whose figure goes to *value_ns (0: unmeasured). */
enum threshold threshold_of(const struct run_results *run, const struct figure_limit *limit,
			    uint64_t *value_ns);

/**
 * thresholds_of - exit status that --fail-over has earned.
 *
 * Returns: EXIT_OK; EXIT_THRESHOLD when a threshold was exceeded, or when its figure was
 *          not measured though the run was not interrupted. One line for each reason
 *          goes to @messages.
 */
enum exit_status thresholds_of(const struct run_results *run, FILE *messages);

/* print_figures - what --print names, in nanoseconds, a line each, and nothing else; "-"
 * for one that was not measured. */
void print_figures(FILE *out, const struct run_results *run);

/* --- histograms of other tools' making: histogram_text.c --------------------- */

/**
 * hgrm_text - an .hgrm file of @histogram; hist_text - @times of every protocol, a column
 * each, as cyclictest's histogram.
 *
 * Units:   microseconds, from a histogram of nanoseconds. hist_text() has a row a
 *          microsecond up to 10 ms; longer ones are counted as overflows.
 * Returns: a malloc'ed text for the caller to free; NULL when memory ran out.
 */
char *hgrm_text(const struct histogram *histogram);
char *hist_text(const struct run_results *run, enum figure_times times);

/* --- --break-over: break.c --------------------------------------------------- */

/**
 * break_text - break.json: the flush that broke the run, if one did, and each vCPU then.
 *
 * Returns: as summary_text().
 */
char *break_text(const struct run_results *run);

/* break_print - one line that says so, to @messages; nothing if none did. */
void break_print(FILE *messages, const struct run_results *run);

/* --- progress: progress.c -------------------------------------------------- */

/**
 * progress_line - the one live line, without newline.
 *
 * Shape:   @out holds @bytes; the text fits @columns columns, by leaving out
 *          whole fields from the end. @total_s 0: no deadline.
 */
void progress_line(char *out, size_t bytes, unsigned columns, const char *protocol,
		   unsigned round, unsigned rounds, double elapsed_s, double total_s,
		   uint64_t flushes, uint64_t stale);

#endif
