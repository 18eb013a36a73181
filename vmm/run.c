// SPDX-License-Identifier: MIT
/*
 * run.c - the bench, --host and --litmus, from options to report (run.h).
 *
 * Threads: main. Files are opened and capabilities dropped before the first
 *          vCPU thread starts, and main confines itself before a guest runs; results
 *          are reported whatever ended the run.
 */
#include "run.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capabilities.h"
#include "clock.h"
#include "confine.h"
#include "host_costs.h"
#include "host_facts.h"
#include "litmus.h"
#include "mover.h"
#include "output.h"
#include "report.h"
#include "round.h"

/* tlb_single_page_flush_ceiling, arch/x86/mm/tlb.c. */
#define FLUSH_CEILING_LINUX 33

/* What `--sleepers` vCPUs do most of the time. */
#define SLEEPER_SLEEP_NS (20 * NS_PER_MS)

/* --reclaim: a frame that was left rests for a while, full of poison, before it is used
 * again; each vCPU has stamps read about once a slice. */
#define SPARE_FRAMES (4 * MOVER_MAX_RUN)
#define STAMPS_EVERY_NS (2 * NS_PER_MS)

static void say(const struct why *why)
{
	if (why->text[0] != '\0')
		fprintf(stderr, "vmm: %s\n", why->text);
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

/* The CPUs asked for, or all this process may use. */
static int choose_cpus(const struct options *options, cpu_set_t *cpus, struct why *why)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return why_set(why, EXIT_HOST, errno, "sched_getaffinity: %s", strerror(errno));
	*cpus = allowed;
	if (!options->cpus_given)
		return 0;
	CPU_AND(cpus, &allowed, &options->cpus);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &options->cpus) && !CPU_ISSET(cpu, &allowed))
			return why_set(why, EXIT_HOST, EINVAL, "--cpus: CPU %zu is not there to be used",
				       cpu);
	return 0;
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
static int run_rounds(struct session *session, struct run_results *results, struct csv_file *csv,
		      struct why *why)
{
	const struct options *options = results->options;

	for (uint32_t number = 0; number < options->repeat; number++)
		for (uint32_t i = 0; i < options->protocol_count; i++) {
			struct round round = {
				.options = options,
				.number = number,
				.shows_progress = !options->quiet && isatty(STDERR_FILENO),
				.csv = csv,
				.result = &results->results[i],
				.moved = &results->moved,
			};
			int error = round_run(session, &round, why);

			results->interrupted |= round.interrupted;
			if (error != 0 || round.interrupted)
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

	return options->reclaim_hz != 0 ? mover_start(mover, &config, why) : 0;
}

/* What it has moved is counted; @error and @why are those of the run so far. */
static int stop_moving(struct mover *mover, const struct session *session,
		       struct run_results *results, int error, struct why *why)
{
	struct why move_why = { 0 };
	int move_error;

	/* A thread that its filter has stopped never ends: confine.h. */
	if (results->options->reclaim_hz == 0 || confine_failure(&move_why) != 0)
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
				     const struct run_results *results)
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
	};
}

/* From the last right that main gives up to the last round. */
static int run_confined(struct session *session, const struct run *run,
			struct run_results *results, struct csv_file *csv, struct why *why)
{
	const struct options *options = run->options;
	struct kvm_marks marks = { 0 };
	int error = confine_enter(CONFINE_MAIN, why);

	if (error == 0)
		error = session_boot(session, why);
	if (error != 0)
		return error;
	results->first_instruction_ns = last_first_instruction(session, run->main_ns);
	/* Not before: 300 KiB a protocol, all touched. */
	for (uint32_t i = 0; i < results->result_count; i++)
		protocol_result_init(&results->results[i], options->protocols[i]);
	error = host_survey(session, options->entry_flush, results, why);
	if (error == 0)
		error = round_read_marks(session, &marks, why);
	results->kvm_counts_marks = marks.known;
	return error != 0 ? error : run_rounds(session, results, csv, why);
}

static int run_session(const struct run *run, struct run_results *results, struct loop *loop,
		       struct kvm_system system, struct csv_file *csv, struct why *why)
{
	struct session_shape shape = shape_of(run->options, results);
	static struct session session;
	static struct mover mover;
	int error = session_create(&session, loop, system, &shape, run->payload, why);

	if (error != 0)
		return error;
	host_facts_read(&results->host, &session.machine);
	error = start_moving(&mover, run->options, &session, why);
	if (error == 0) {
		error = run_confined(&session, run, results, csv, why);
		error = stop_moving(&mover, &session, results, error, why);
	}
	session_destroy(&session);
	return error;
}

/* The end of rights: what is open by now, and what the tables of confine/ have. */
static int give_up_rights(const struct options *options, const struct confine_end *end,
			  struct why *why)
{
	bool keep_sys_nice = options->realtime != 0 && options->action == OPTIONS_RUN;
	int error = capabilities_drop(keep_sys_nice, why);

	report_prepare();
	return error != 0 ? error : confine_prepare(options->confine, end, why);
}

static void finish_csv(void *csv)
{
	csv_file_finish(csv);
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
	if (results->results == NULL || results->by_round == NULL)
		return why_set(why, EXIT_HOST, ENOMEM, "results: %s", strerror(ENOMEM));
	for (uint32_t i = 0; i < options->protocol_count; i++) {
		results->results[i].protocol = options->protocols[i];
		results->results[i].by_round = &results->by_round[i * options->repeat];
	}
	return choose_cpus(options, &results->slot_cpus, why);
}

static enum exit_status flush_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	fprintf(stderr, "vmm: standard output: %s\n", strerror(errno));
	return EXIT_RESULTS;
}

/* The table, summary.json and the end of the CSV: what was measured, whatever
 * ended the run. */
static enum exit_status report_run(struct run_results *results, struct output *output)
{
	struct why csv_why = { 0 }, json_why = { 0 };
	enum exit_status status;

	clock_gettime(CLOCK_REALTIME, &results->ended);
	/* A guest that did not boot has nothing to show. */
	if (results->first_instruction_ns != 0)
		table_print(stdout, results);
	status = worse(flush_stdout(), verdict_of(results, stderr));
	if (output_close_csv(output, &csv_why) != 0)
		status = worse(status, csv_why.status);
	if (output_write_json(output, summary_text(results), &json_why) != 0)
		status = worse(status, json_why.status);
	say(&csv_why);
	say(&json_why);
	return status;
}

enum exit_status run_bench(const struct run *run)
{
	static struct output output;
	struct run_results results = { 0 };
	struct kvm_system system = { .fd = -1 };
	struct confine_end end;
	struct why why = { 0 };
	struct loop loop;
	int error = kvm_open(&system, &why);

	if (error == 0 && run->options->realtime != 0)
		error = host_check_realtime(run->options->slots, &why);
	if (error == 0)
		error = prepare_results(run, &results, &why);
	if (error == 0)
		error = loop_create(&loop, &why);
	if (error != 0)
		goto out;
	error = output_open(&output, run->options, &loop, &why);
	if (error != 0)
		goto destroy_loop;
	end = (struct confine_end){ loop.event_fd, finish_csv, &output.csv };
	error = give_up_rights(run->options, &end, &why);
	if (error == 0)
		error = run_session(run, &results, &loop, system, &output.csv, &why);
	results.interrupted |= error == -EINTR;
	why.status = worse(report_run(&results, &output), why.status);
destroy_loop:
	loop_destroy(&loop);
out:
	say(&why);
	free(results.results);
	free(results.by_round);
	if (system.fd >= 0)
		close(system.fd);
	return why.status;
}

enum exit_status run_host(const struct run *run)
{
	struct host_costs *costs = malloc(sizeof(*costs));
	struct run_results results = { .options = run->options, .argc = run->argc, .argv = run->argv };
	struct kvm_system system = { .fd = -1 };
	struct output output = { .json_fd = -1 };
	struct confine_end end;
	struct why why = { 0 };
	struct loop loop;
	int error = costs == NULL ? why_set(&why, EXIT_HOST, ENOMEM, "no memory")
				  : kvm_open(&system, &why);

	clock_gettime(CLOCK_REALTIME, &results.started);
	if (error == 0)
		error = choose_cpus(run->options, &results.slot_cpus, &why);
	if (error == 0)
		error = output_open_json(&output, run->options, &why);
	if (error == 0)
		error = loop_create(&loop, &why);
	if (error != 0)
		goto out;
	end = (struct confine_end){ .wake_fd = loop.event_fd };
	error = give_up_rights(run->options, &end, &why);
	if (error == 0)
		error = host_costs_measure(costs, &loop, system, run->payload, &results, &why);
	loop_destroy(&loop);
	if (error != 0)
		goto out;
	host_print(stdout, &results, costs);
	why.status = worse(why.status, flush_stdout());
	if (output.json_fd >= 0)
		(void)!output_write_json(&output, host_text(&results, costs), &why);
out:
	say(&why);
	free(costs);
	if (system.fd >= 0)
		close(system.fd);
	return why.status;
}

static enum exit_status report_litmus(struct litmus_run *plays, struct output *output)
{
	struct why json_why = { 0 };
	enum exit_status status;

	clock_gettime(CLOCK_REALTIME, &plays->facts.ended);
	litmus_print(stdout, &plays->facts, plays->results, plays->count);
	status = worse(flush_stdout(), litmus_verdict(plays->results, plays->count));
	if (output_write_json(output, litmus_text(&plays->facts, plays->results, plays->count),
			      &json_why) != 0)
		status = worse(status, json_why.status);
	say(&json_why);
	return status;
}

enum exit_status run_litmus(const struct run *run)
{
	static struct litmus_run plays;
	struct kvm_system system = { .fd = -1 };
	static struct output output;
	struct confine_end end;
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
		error = output_open_summary(&output, run->options, &why);
	if (error == 0)
		error = loop_create(&loop, &why);
	if (error != 0)
		goto out;
	end = (struct confine_end){ .wake_fd = loop.event_fd };
	error = give_up_rights(run->options, &end, &why);
	if (error == 0)
		error = litmus_play(run, &plays, &loop, system, &why);
	loop_destroy(&loop);
	plays.facts.interrupted = error == -EINTR;
	why.status = worse(report_litmus(&plays, &output), why.status);
out:
	say(&why);
	if (system.fd >= 0)
		close(system.fd);
	return why.status;
}
