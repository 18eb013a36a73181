// SPDX-License-Identifier: MIT
/*
 * run.c - the bench, --host and --litmus, from options to report (run.h).
 *
 * Threads: main. Files are opened and capabilities dropped before the first
 *          vCPU thread starts, and main confines itself before a guest runs; results
 *          are reported whatever ended the run.
 */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capabilities.h"
#include "clock.h"
#include "confine.h"
#include "figure.h"
#include "flush_counter.h"
#include "host_costs.h"
#include "host_facts.h"
#include "job.h"
#include "rlimits.h"
#include "line.h"
#include "litmus.h"
#include "mover.h"
#include "output.h"
#include "report.h"
#include "round.h"
#include "session_life.h"
#include "standard.h"
#include "terminal.h"

/* tlb_single_page_flush_ceiling, arch/x86/mm/tlb.c. */
#define FLUSH_CEILING_LINUX 33

/* What `--sleepers` vCPUs do most of the time. */
#define SLEEPER_SLEEP_NS (20 * NS_PER_MS)

/* --reclaim: enough that most runs find room side by side, and that a frame that was left
 * rests for a while, full of poison. Each vCPU has stamps read about once a slice. */
#define SPARE_FRAMES (4 * SD_STAMP_PAGES)
#define STAMPS_EVERY_NS (2 * NS_PER_MS)

static void say(const struct why *why)
{
	if (why->text[0] != '\0')
		fprintf(stderr, "vmm: %s%s\n%s", why->text, rlimits_words(why->error),
			why->more != NULL ? why->more : "");
}

/* KVM_SET_SREGS is right as well, but slower, and this host's KVM has promised the bit. */
static void say_what_failed(const struct run_results *results)
{
	if (results->steal_failed != 0)
		fprintf(stderr, "vmm: note: flush on entry by the steal-time bit failed its test, %"
			PRIu64 " stale translation%s survived it%s: KVM_SET_SREGS is used\n",
			results->steal_failed, line_plural(results->steal_failed),
			results->options->payload != NULL ? ", says the payload" : "");
}

/* Statuses by rank: a later failure does not hide an earlier, worse one. */
static enum exit_status worse(enum exit_status a, enum exit_status b)
{
	static const int rank[] = {
		[EXIT_OK] = 0,    [EXIT_THRESHOLD] = 1, [EXIT_RESULTS] = 2, [EXIT_GUEST] = 3,
		[EXIT_WRONG] = 4, [EXIT_HOST] = 5,      [EXIT_USAGE] = 6,
	};

	return rank[a] >= rank[b] ? a : b;
}

static int choose_cpus(const struct options *options, struct cpus *cpus, struct why *why)
{
	return cpus_choose(options->cpus_given ? &options->cpus : NULL, cpus, why);
}

static uint64_t last_first_instruction(const struct session *session, uint64_t main_ns)
{
	uint64_t last = main_ns;

	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		if (session->threads[i].first_doorbell_ns > last)
			last = session->threads[i].first_doorbell_ns;
	return last - main_ns;
}

static void add_walks(const struct session *session, struct moved_pages *moved)
{
	struct shadow_counts counts = shadow_count(session->shadow);

	moved->walks = counts.walks;
	moved->faults = counts.faults;
	moved->retries = counts.retries;
	moved->tables_freed = counts.tables_freed;
	moved->tables_held_most = counts.tables_held_most;
}

/* Rounds outside, protocols inside: drift of the host spreads over all. */
static int run_rounds(struct session *session, struct run_results *results, struct row_file *csv,
		      struct trace *trace, struct why *why)
{
	const struct options *options = results->options;

	for (uint32_t number = 0; number < options->repeat; number++)
		for (uint32_t i = 0; i < options->protocol_count; i++) {
			struct round round = {
				.options = options,
				.number = number,
				.shows_progress = !options->quiet && terminal_moves(STDERR_FILENO),
				.csv = csv,
				.trace = trace,
				.broke = options->break_over_us != 0 ? &results->broke : NULL,
				.result = &results->results[i],
				.moved = &results->moved,
			};
			int error = round_run(session, &round, why);

			results->interrupted |= round.interrupted;
			if (error != 0 || round.interrupted || results->broke.broke)
				return error;
		}
	return 0;
}

static int confine_mover(struct why *why)
{
	return confine_enter(CONFINE_MOVER, why);
}

/* --reclaim: from here to stop_moving(). */
static int start_moving(struct mover *mover, const struct options *options,
			struct session *session, struct why *why)
{
	struct mover_config config = {
		.shadow = session->shadow,
		.frames = &session->frames,
		.first_gpa = SD_STAMPS_GPA,
		.pages = SD_STAMP_PAGES,
		.rate_hz = options->reclaim_hz,
		.seed = options->seed,
		.begin = confine_mover,
	};

	int error;

	if (options->reclaim_hz == 0)
		return 0;
	error = confine_know_memory(session->machine.memory.fd, why);
	return error != 0 ? error : mover_start(mover, &config, why);
}

/* Count what the mover has moved. @error and @why are those of the run so far. */
static int stop_moving(struct mover *mover, const struct session *session,
		       struct run_results *results, int error, struct why *why)
{
	struct why move_why = { 0 };
	int move_error;

	/* A thread that its filter has stopped never ends: confine.h. */
	if (results->options->reclaim_hz == 0 || confine_stopped_thread())
		return error;
	move_error = mover_stop(mover, &move_why);
	results->moved.moves = mover_moves(mover);
	add_walks(session, &results->moved);
	if (error != 0 || move_error == 0)
		return error;
	*why = move_why;
	return move_error;
}

/* As Linux does, but for hosts where each page costs an emulated instruction. */
static bool flushes_by_page(const struct options *options)
{
	uint32_t ceiling = options->flush_ceiling;

	if (ceiling == FLUSH_CEILING_AUTO)
		ceiling = host_emulates_ring0() ? 0 : FLUSH_CEILING_LINUX;
	return options->pages <= ceiling;
}

static const struct reclaim_ops *reclaim_of(enum shadow_reclaim shadow_reclaim)
{
	static const struct reclaim_ops *const schemes[] = {
		[SHADOW_RECLAIM_MODE] = &reclaim_mode,
		[SHADOW_RECLAIM_RCU] = &reclaim_rcu,
		[SHADOW_RECLAIM_COUNTER] = &reclaim_counter,
	};

	return schemes[shadow_reclaim];
}

static struct session_shape shape_of(const struct options *options,
				     const struct run_results *results, const struct trace *trace)
{
	return (struct session_shape){
		.vcpus = options->vcpus,
		.initiators = options->initiators,
		.pages = options->pages,
		.slots = options->slots,
		.slice_ns = options->slice_us * NS_PER_US,
		.shares_cpus = options->preempt == PREEMPT_HOST,
		.preempt = options->preempt == PREEMPT_RANDOM ? &preempt_random : &preempt_slice,
		.steps = options->preempt == PREEMPT_AT_STEP ? options->steps : 0,
		.by_page = results->by_page,
		.clears_pending = options->clear_pending,
		.sleepers = options->sleepers,
		.free_after_grace = options->table_free == TABLE_FREE_RCU,
		.ple_ns = options->ple_us * NS_PER_US,
		.sleep_ns = SLEEPER_SLEEP_NS,
		.cpus = results->slot_cpus,
		.realtime = options->realtime,
		.marks_preempted = host_kvm_marks(),
		.reclaim = reclaim_of(options->shadow_reclaim),
		.spare_frames = options->reclaim_hz != 0 ? SPARE_FRAMES : 0,
		.stamp_ns = options->reclaim_hz != 0 ? STAMPS_EVERY_NS : 0,
		.trace_rings = trace != NULL ? trace->rings : NULL,
		.break_ns = options->break_over_us * NS_PER_US,
		.snapshot = results->broke.vcpus,
	};
}

/* From the moment at which main gives up its last right, to the end of the last round. */
static int run_confined(struct session *session, const struct run *run,
			struct run_results *results, struct output *output, struct trace *trace,
			struct why *why)
{
	const struct options *options = run->options;
	struct kvm_marks marks = { 0 };
	int error = confine_enter(CONFINE_MAIN, why);

	if (error == 0)
		error = session_boot(session, why);
	if (error != 0)
		return error;
	results->first_instruction_ns = last_first_instruction(session, run->main_ns);
	/* Not earlier: 300 KiB for each protocol, all of them touched. */
	for (uint32_t i = 0; i < results->result_count; i++)
		protocol_result_init(&results->results[i], options->protocols[i]);
	if (trace != NULL) {
		trace_begin(trace, session->tsc_hz, session->started_ticks);
		trace_name_tracks(&output->trace.file, session->slot_count, session->shape.vcpus);
	}
	error = host_survey(session, options->entry_flush, results, why);
	if (error == 0)
		say_what_failed(results);
	if (error == 0)
		error = round_read_marks(session, &marks, why);
	results->kvm_counts_marks = marks.known;
	return error != 0 ? error : run_rounds(session, results, &output->csv.file, trace, why);
}

static int run_session(const struct run *run, struct run_results *results, struct loop *loop,
		       struct kvm_system system, struct output *output, struct trace *trace,
		       struct why *why)
{
	struct session_shape shape = shape_of(run->options, results, trace);
	static struct session session;
	static struct mover mover;
	int error = session_create(&session, loop, system, &shape, run->payload, why);

	if (error != 0)
		return error;
	host_facts_read(&results->host, &session);
	error = start_moving(&mover, run->options, &session, why);
	if (error == 0) {
		error = run_confined(&session, run, results, output, trace, why);
		error = stop_moving(&mover, &session, results, error, why);
	}
	session_destroy(&session);
	return error;
}

static void finish_rows(void *context)
{
	struct output *output = context;

	if (output->csv.is_open)
		row_file_finish(&output->csv.file);
	if (output->trace.is_open)
		row_file_finish(&output->trace.file);
}

/* From here on main has only what is open by now and what the tables of confine/ allow.
 * @rows: files that end in whole rows even where a filter ends the process, or NULL. */
static int give_up_rights(const struct options *options, const struct loop *loop,
			  struct output *rows, struct why *why)
{
	struct confine_end end = {
		.wake_fd = loop->event_fd,
		.finish = rows == NULL ? NULL : finish_rows,
		.context = rows,
	};
	bool keep_sys_nice = options->realtime != 0 && options->action == OPTIONS_RUN;
	int error = capabilities_drop(keep_sys_nice, why);

	report_prepare();
	return error != 0 ? error : confine_prepare(options->confine, &end, why);
}

static int prepare_results(const struct run *run, struct run_results *results, struct why *why)
{
	const struct options *options = run->options;

	results->options = options;
	results->argc = run->argc;
	results->argv = run->argv;
	clock_gettime(CLOCK_REALTIME, &results->started);
	results->result_count = options->protocol_count;
	results->by_page = flushes_by_page(options);
	results->results = calloc(options->protocol_count, sizeof(*results->results));
	results->by_round = calloc((size_t)options->protocol_count * options->repeat,
				   sizeof(*results->by_round));
	if (options->break_over_us != 0)
		results->broke.vcpus = calloc(options->vcpus, sizeof(*results->broke.vcpus));
	if (results->results == NULL || results->by_round == NULL ||
	    (options->break_over_us != 0 && results->broke.vcpus == NULL))
		return why_set(why, EXIT_HOST, ENOMEM, "results: %s", strerror(ENOMEM));
	for (uint32_t i = 0; i < options->protocol_count; i++) {
		results->results[i].protocol = options->protocols[i];
		results->results[i].by_round = &results->by_round[i * options->repeat];
	}
	return choose_cpus(options, &results->slot_cpus, why);
}

static enum exit_status write_text(struct output *output, int which, char *text)
{
	struct why why = { 0 };

	(void)!output_write_text(output, which, text, &why);
	say(&why);
	return why.status;
}

/* The files of --extra; empty ones where the guest did not boot. */
static enum exit_status write_histograms(const struct run_results *results, struct output *output)
{
	enum exit_status status = EXIT_OK;

	for (int times = 0; times < FIGURE_FILES; times++) {
		for (int i = 0; i < (int)results->result_count; i++) {
			int which = OUTPUT_HGRM + i * FIGURE_FILES + times;

			if (output_has(output, which))
				status = worse(status, write_text(output, which, hgrm_text(figure_times(
					&results->results[i], (enum figure_times)times))));
		}
		if (output_has(output, OUTPUT_HIST + times))
			status = worse(status, write_text(output, OUTPUT_HIST + times, hist_text(
				results, (enum figure_times)times)));
	}
	return status;
}

static enum exit_status close_rows(struct row_output *rows)
{
	struct why why = { 0 };

	(void)!output_close_rows(rows, &why);
	say(&why);
	return why.status;
}

/* One file after the other, whatever became of the one before. */
static enum exit_status close_files(struct run_results *results, struct output *output)
{
	enum exit_status status = worse(close_rows(&output->csv), close_rows(&output->trace));

	status = worse(status, write_text(output, OUTPUT_SUMMARY, summary_text(results)));
	if (output_has(output, OUTPUT_BREAK))
		status = worse(status, write_text(output, OUTPUT_BREAK, break_text(results)));
	return worse(status, write_histograms(results, output));
}

static void print_results(const struct run_results *results)
{
	/* A guest that did not boot has nothing to show. */
	bool booted = results->first_instruction_ns != 0;

	if (results->options->print_count != 0)
		print_figures(stdout, results);
	else if (booted)
		table_print(stdout, results);
	if (booted && options_wants(results->options, EXTRA_EXITS))
		exits_print(stdout, results);
}

/* The table, summary.json and the end of the CSV: what was measured, whatever
 * ended the run. One that has @failed owes no proof. */
static enum exit_status report_run(struct run_results *results, struct output *output,
				   bool failed)
{
	enum exit_status status;

	clock_gettime(CLOCK_REALTIME, &results->ended);
	print_results(results);
	status = worse(standard_flush(), verdict_of(results, stderr));
	if (results->options->require_proof && !failed)
		status = worse(status, proof_of(results, stderr));
	status = worse(status, thresholds_of(results, stderr));
	break_print(stderr, results);
	return worse(status, close_files(results, output));
}

/* *trace stays NULL where nothing is traced. */
static int open_trace(const struct options *options, struct output *output, struct trace **trace,
		      struct why *why)
{
	static struct trace only;
	int error;

	if (!output->trace.is_open)
		return 0;
	error = trace_create(&only, options->vcpus, options->initiators, why);
	if (error != 0)
		return error;
	*trace = &only;
	/* A run that may break keeps only the last rows. */
	if (options->trace == NULL)
		return trace_out_to_memory(&only.out, why);
	only.out.file = &output->trace.file;
	return 0;
}

static void close_trace(struct trace *trace, struct output *output, struct run_results *results)
{
	if (trace == NULL)
		return;
	if (trace->out.file == NULL && results->broke.broke)
		trace_out_copy(&trace->out, &output->trace.file);
	trace_end(trace, &output->trace.file, &results->trace);
	trace_out_close(&trace->out);
	/* Otherwise vCPU threads go on until the process ends, and write to it: confine.h. */
	if (!confine_stopped_thread())
		trace_destroy(trace);
}

enum exit_status run_bench(const struct run *run)
{
	static struct output output;
	struct run_results results = { 0 };
	struct kvm_system system = { .fd = -1 };
	struct why why = { 0 };
	struct trace *trace = NULL;
	struct loop loop;
	int error = kvm_open(&system, &why);

	if (error == 0 && run->options->realtime != 0)
		error = host_check_realtime(run->options->slots, &why);
	if (error == 0)
		error = prepare_results(run, &results, &why);
	if (error == 0 && options_wants(run->options, EXTRA_FLUSHES))
		error = flush_counter_open(&why);
	if (error == 0)
		error = loop_create(&loop, &why);
	if (error != 0)
		goto out;
	error = output_open(&output, run->files, &loop, &why);
	if (error != 0)
		goto destroy_loop;
	results.broke.file = output.texts[OUTPUT_BREAK].path;
	results.broke.timeline = output.trace.path;
	error = open_trace(run->options, &output, &trace, &why);
	if (error == 0)
		error = give_up_rights(run->options, &loop, &output, &why);
	if (error == 0)
		error = run_session(run, &results, &loop, system, &output, trace, &why);
	results.interrupted |= error == -EINTR;
	close_trace(trace, &output, &results);
	why.status = worse(report_run(&results, &output, why.status != EXIT_OK), why.status);
destroy_loop:
	loop_destroy(&loop);
out:
	say(&why);
	flush_counter_close();
	free(results.results);
	free(results.by_round);
	if (!confine_stopped_thread())
		free(results.broke.vcpus);
	if (system.fd >= 0)
		close(system.fd);
	return why.status;
}

static enum exit_status report_host(const struct run_results *results, const struct host_costs *costs,
				    struct output *output)
{
	enum exit_status status;

	say_what_failed(results);
	host_print(stdout, results, costs);
	status = standard_flush();
	if (output_has(output, OUTPUT_SUMMARY))
		status = worse(status, write_text(output, OUTPUT_SUMMARY, host_text(results, costs)));
	return status;
}

enum exit_status run_host(const struct run *run)
{
	struct host_costs *costs = malloc(sizeof(*costs));
	struct run_results results = { .options = run->options, .argc = run->argc, .argv = run->argv };
	struct kvm_system system = { .fd = -1 };
	static struct output output;
	struct why why = { 0 };
	struct loop loop;
	int error = costs == NULL ? why_set(&why, EXIT_HOST, ENOMEM, "no memory")
				  : kvm_open(&system, &why);

	clock_gettime(CLOCK_REALTIME, &results.started);
	if (error == 0)
		error = choose_cpus(run->options, &results.slot_cpus, &why);
	if (error == 0)
		error = loop_create(&loop, &why);
	if (error != 0)
		goto out;
	error = output_open(&output, run->files, &loop, &why);
	if (error == 0)
		error = give_up_rights(run->options, &loop, NULL, &why);
	if (error == 0)
		error = host_costs_measure(costs, &loop, system, run->payload, &results, &why);
	if (error == 0)
		why.status = worse(report_host(&results, costs, &output), why.status);
	loop_destroy(&loop);
out:
	say(&why);
	free(costs);
	if (system.fd >= 0)
		close(system.fd);
	return why.status;
}

static enum exit_status report_litmus(struct litmus_run *plays, struct output *output)
{
	enum exit_status status;

	clock_gettime(CLOCK_REALTIME, &plays->facts.ended);
	litmus_print(stdout, &plays->facts, plays->results, plays->count);
	status = worse(standard_flush(), litmus_verdict(plays->results, plays->count));
	return worse(status, write_text(output, OUTPUT_SUMMARY,
					litmus_text(&plays->facts, plays->results, plays->count)));
}

enum exit_status run_litmus(const struct run *run)
{
	static struct litmus_run plays;
	static struct output output;
	struct kvm_system system = { .fd = -1 };
	struct why why = { 0 };
	struct loop loop;
	int error = kvm_open(&system, &why);

	plays.facts.options = run->options;
	plays.facts.argc = run->argc;
	plays.facts.argv = run->argv;
	clock_gettime(CLOCK_REALTIME, &plays.facts.started);
	if (error == 0)
		error = choose_cpus(run->options, &plays.facts.slot_cpus, &why);
	if (error == 0)
		error = loop_create(&loop, &why);
	if (error != 0)
		goto out;
	error = output_open(&output, run->files, &loop, &why);
	if (error != 0)
		goto destroy_loop;
	error = give_up_rights(run->options, &loop, NULL, &why);
	if (error == 0)
		error = litmus_play(&plays, run->payload, &loop, system, &why);
	say_what_failed(&plays.facts);
	plays.facts.interrupted = error == -EINTR;
	why.status = worse(report_litmus(&plays, &output), why.status);
destroy_loop:
	loop_destroy(&loop);
out:
	say(&why);
	if (system.fd >= 0)
		close(system.fd);
	return why.status;
}
