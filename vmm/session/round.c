// SPDX-License-Identifier: MIT
/*
 * round.c - one protocol, one round (round.h).
 *
 * Threads: main. It wakes ten times a second to read the rings, so that it
 *          takes as little as it can from the slots' CPUs.
 */
#include "round.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>

#include "clock.h"
#include "count.h"
#include "flush_counter.h"
#include "host_load.h"
#include "job.h"
#include "protocol_list.h"
#include "report.h"
#include "samples.h"
#include "standard.h"
#include "terminal.h"
#include "watchdog.h"

#define TICK_NS (100 * NS_PER_MS)
#define FLOOR_INTERVAL 64

/* The round in hand. */
struct course {
	struct session *session;
	struct round *round;
	uint64_t origin_ticks;          /* guest TSC at the job's start; 0 until the first flush */
	uint64_t flushes_before;        /* of the rounds before this one, dropped ones too */
	uint64_t recorded_before;       /* and without them */
	uint64_t measured_before_ns;
	uint64_t started_ns;            /* of the job */
	uint64_t started_ticks;         /* the same moment, TSC of the host */
	uint64_t recording_ticks;       /* when recording began; 0 not yet */
	uint64_t recording_ns;          /* when recording began; 0 not yet */
	uint64_t stopped_ns;            /* when the initiators were told to stop; 0 not yet */
	struct host_load load;          /* when recording began */
};

void protocol_result_init(struct protocol_result *result, enum sd_protocol protocol)
{
	struct round_figure *by_round = result->by_round;

	memset(result, 0, sizeof(*result));
	result->protocol = protocol;
	result->by_round = by_round;
	histogram_init(&result->wall_ns);
	histogram_init(&result->stall_ns);
	histogram_init(&result->floor_ns);
	histogram_init(&result->pte_ns);
	histogram_init(&result->switch_ns);
}

/* Looked for at the first flush: whoever sees that also sees its initiator's start. */
static uint64_t since_origin(struct course *course, uint64_t ticks)
{
	if (course->origin_ticks == 0)
		course->origin_ticks = samples_origin(course->session);
	return ticks - course->origin_ticks;
}

_Static_assert(CSV_ROW_MAX <= ROW_FILE_ROW_MAX, "a row of the CSV does not fit");

static void add_row(struct row_file *csv, const struct flush_row *row, enum sd_protocol protocol)
{
	row_file_add(csv, csv_row(row_file_room(csv), row, protocol));
}

/* The first one too slow ends the run; its vCPU has rung, if the payload knows how. */
static void look_for_break(struct course *course, const struct flush_row *row)
{
	struct break_result *broke = course->round->broke;

	if (broke->broke || row->stall_ns <= course->session->shape.break_ns)
		return;
	*broke = (struct break_result){
		.broke = true,
		.protocol = course->round->result->protocol,
		.row = *row,
		.vcpus = broke->vcpus,
		.timeline = broke->timeline,
		.file = broke->file,
	};
	session_break(course->session);
}

static void add_flush(struct course *course, const struct sd_sample *sample)
{
	struct protocol_result *result = course->round->result;
	uint64_t hz = course->session->tsc_hz;
	uint64_t since = since_origin(course, sample->start_ticks);
	uint64_t stall = sample->wall_ticks > sample->parked_ticks
		? sample->wall_ticks - sample->parked_ticks : 0;
	struct flush_row row = {
		.start_ns = (int64_t)since > 0 ? ticks_ns(since, hz) : 0,
		.pte_ns = ticks_ns(sample->pte_ticks, hz),
		.wall_ns = ticks_ns(sample->wall_ticks, hz),
		.stall_ns = ticks_ns(stall, hz),
		.run = course->round->number,
		.seq = sample->seq,
		.initiator = sample->initiator,
		.targets = sample->targets,
		.ipis = sample->ipis,
		.deferred = sample->deferred,
		.taken_over = sample->taken_over,
		.pages = sample->pages,
	};

	session_count_flush(course->session);
	result->flushes++;
	result->ipis += row.ipis;
	result->deferred += row.deferred;
	result->takeovers += row.taken_over;
	result->clipped += sample->parked_ticks > sample->wall_ticks;
	result->over_quarter_slice += row.stall_ns > course->session->shape.slice_ns / 4;
	histogram_record(&result->wall_ns, row.wall_ns);
	histogram_record(&result->stall_ns, row.stall_ns);
	histogram_record(&result->pte_ns, row.pte_ns);
	if (course->round->broke != NULL)
		look_for_break(course, &row);
	if (course->round->csv != NULL)
		add_row(course->round->csv, &row, result->protocol);
	if (course->round->trace != NULL)
		trace_flush(course->round->trace, sample, &row, result->protocol);
}

static void add_sample(void *context, const struct sd_sample *sample)
{
	struct course *course = context;

	/* Samples of other kinds do not belong to a round. */
	if (sample->kind == SD_SAMPLE_FLUSH)
		add_flush(course, sample);
	else if (sample->kind == SD_SAMPLE_FLOOR)
		histogram_record(&course->round->result->floor_ns,
				 ticks_ns(sample->wall_ticks, course->session->tsc_hz));
	if (course->round->trace != NULL)
		trace_sample(course->round->trace, sample);
}

static int drain(struct course *course, struct why *why)
{
	int error = samples_drain(course->session, add_sample, course, why);

	if (course->round->csv != NULL)
		row_file_push(course->round->csv);
	if (course->round->trace != NULL)
		trace_drain(course->round->trace, &course->session->machine.memory, clock_ns());
	return error;
}

static void trace_recorded(const struct course *course)
{
	if (course->round->trace != NULL)
		trace_round(course->round->trace, "recorded", course->round->result->protocol,
			    course->round->number, course->recording_ticks, __rdtsc());
}

static void stop(struct course *course, uint64_t now)
{
	struct host_load load;

	if (course->stopped_ns != 0)
		return;
	course->stopped_ns = now;
	if (course->recording_ns != 0) {
		load = host_load_read(course->session);
		host_load_add(course->session, &course->load, &load, course->round->result);
		course->round->result->measured_ns += now - course->recording_ns;
		trace_recorded(course);
	}
	session_stop_job(course->session);
}

/* At the quota initiators stop by themselves; one that goes on is told to, and must. */
static bool has_its_quota(const struct course *course)
{
	uint64_t quota = course->round->options->flushes;

	return quota != 0 && course->session->recorded >= quota;
}

/* Start recording and stop, each when its time has come. */
static void steer(struct course *course, uint64_t now)
{
	const struct options *options = course->round->options;

	if (course->stopped_ns != 0)
		return;
	if (course->recording_ns == 0 &&
	    now - course->started_ns >= (uint64_t)(options->warmup_s * 1e9)) {
		course->load = host_load_read(course->session);
		course->recording_ns = clock_ns();
		course->recording_ticks = __rdtsc();
		session_record(course->session);
	}
	if (course->recording_ns != 0 && options->duration_given &&
	    now >= course->recording_ns &&
	    now - course->recording_ns >= (uint64_t)(options->duration_s * 1e9))
		stop(course, now);
	if (has_its_quota(course))
		stop(course, now);
}

static uint64_t next_moment(const struct course *course, uint64_t tick_ns)
{
	const struct options *options = course->round->options;
	uint64_t moment = UINT64_MAX;

	if (course->recording_ns == 0)
		moment = course->started_ns + (uint64_t)(options->warmup_s * 1e9);
	else if (course->stopped_ns == 0 && options->duration_given)
		moment = course->recording_ns + (uint64_t)(options->duration_s * 1e9);
	return moment < tick_ns ? moment : tick_ns;
}

static void show_progress(const struct course *course, uint64_t now)
{
	const struct options *options = course->round->options;
	const struct protocol_result *result = course->round->result;
	struct winsize size = { .ws_col = 80 };
	uint64_t stale = 0;
	char line[256];

	/* A terminal that stands still is not waited for either. */
	if (!course->round->shows_progress || !standard_has_room(STDERR_FILENO))
		return;
	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	for (uint32_t i = 0; i < course->session->shape.vcpus; i++)
		(void)count_add(&stale, sd_u64_load(
			&guest_region(&course->session->machine.memory, i)->stale));
	progress_line(line, sizeof(line), size.ws_col != 0 ? size.ws_col : 80,
		      protocol_name(result->protocol), course->round->number + 1, options->repeat,
		      (double)(now - course->started_ns) / 1e9,
		      options->duration_given ? options->warmup_s + options->duration_s : 0,
		      result->flushes, stale);
	fprintf(stderr, TERMINAL_OVER "%s", line);
}

static int tick(struct course *course, uint64_t now, struct why *why)
{
	int error = drain(course, why);

	if (error == 0)
		error = session_check(course->session, now, why);
	show_progress(course, now);
	return error;
}

static int follow(struct course *course, struct why *why)
{
	uint64_t interval_ns = course->round->trace != NULL ? TRACE_TICK_NS : TICK_NS;
	uint64_t tick_ns = course->started_ns + interval_ns;
	int error = 0;

	while (error == 0 && !session_is_done(course->session)) {
		int events = loop_wait(course->session->loop, next_moment(course, tick_ns));
		uint64_t now = clock_ns();

		if (events & LOOP_SIGNAL) {
			course->round->interrupted = true;
			stop(course, now);
		}
		steer(course, now);
		if (now >= tick_ns || events & LOOP_WOKEN) {
			error = tick(course, now, why);
			tick_ns = now + interval_ns;
		}
		if (course->round->broke != NULL && course->round->broke->broke)
			stop(course, now);
	}
	return error;
}

/* One of the guest's counts, which may be any number. */
static void add_count(struct protocol_result *result, uint64_t *sum, const struct sd_u64 *count)
{
	result->saturated |= count_add(sum, sd_u64_load(count));
}

/* The guest's counts, read once, after every vCPU has stopped or the run has
 * failed. */
static void add_counts(struct course *course)
{
	struct protocol_result *result = course->round->result;
	uint64_t flushes = result->flushes, ticks = 0;

	for (uint32_t i = 0; i < course->session->shape.vcpus; i++) {
		const struct sd_region *region = guest_region(&course->session->machine.memory, i);

		add_count(result, &result->checks, &region->checks);
		add_count(result, &result->stale, &region->stale);
		add_count(result, &result->dropped, &region->dropped);
		add_count(result, &result->skipped, &region->skipped);
		add_count(result, &result->by_page, &region->by_page);
		add_count(result, &ticks, &region->sample_ticks);
		if (sd_u64_load(&region->stale) != 0) {
			result->stale_saw = sd_u64_load(&region->stale_saw);
			result->stale_expected = sd_u64_load(&region->stale_expected);
		}
	}
	result->saturated |= count_add(&flushes, result->dropped);
	/* A mean over all rounds; the guest has counted this one's ticks alone. */
	result->sample_ns = count_mean(result->sample_ns, course->flushes_before,
				       ticks_ns(ticks, course->session->tsc_hz), flushes);
}

/* Count the vCPUs that would have shown it if a flush had missed them: watchers of a window
 * that looked before and after one, walkers that walked. A sole initiator is nobody's target. */
static void add_watched(struct course *course)
{
	const struct session_shape *shape = &course->session->shape;
	struct protocol_result *result = course->round->result;
	uint32_t first = shape->initiators == 1, watched = 0;

	for (uint32_t i = first; i < shape->vcpus; i++) {
		const struct sd_region *region = guest_region(&course->session->machine.memory, i);

		watched += sd_u64_load(&region->watched) != 0 || sd_u64_load(&region->walks) != 0;
		add_count(result, &result->watched, &region->watched);
	}
	result->targets = shape->vcpus - first;
	if (watched > result->targets_watched)
		result->targets_watched = watched;
}

static void add_trace(struct course *course)
{
	struct trace *trace = course->round->trace;

	if (trace == NULL)
		return;
	for (uint32_t i = 0; i < course->session->shape.initiators; i++)
		trace_add_dropped(trace, sd_u64_load(&guest_region(
			&course->session->machine.memory, i)->trace_dropped));
	trace_round(trace, "round", course->round->result->protocol, course->round->number,
		    course->started_ticks, __rdtsc());
}

/* Walks and freed tables; the means are over all rounds, as above. */
static void add_walks(struct course *course)
{
	struct protocol_result *result = course->round->result;
	uint64_t graces = result->graces, ticks = 0, held_max = 0;

	for (uint32_t i = 0; i < course->session->shape.vcpus; i++) {
		const struct sd_region *region = guest_region(&course->session->machine.memory, i);

		add_count(result, &result->walks, &region->walks);
		add_count(result, &result->walks_poisoned, &region->walks_poisoned);
		add_count(result, &result->walks_reused, &region->walks_reused);
		add_count(result, &result->tables_freed, &region->tables_freed);
		add_count(result, &held_max, &region->tables_held_max);
		add_count(result, &graces, &region->graces);
		add_count(result, &ticks, &region->grace_ticks);
	}
	if (held_max > result->tables_held_max)
		result->tables_held_max = held_max;
	result->grace_ns = count_mean(result->grace_ns, result->graces,
				      ticks_ns(ticks, course->session->tsc_hz), graces);
	result->graces = graces;
}

static void add_exits(struct protocol_result *result, const struct vcpu_counts *counts, uint64_t hz)
{
	for (uint32_t kind = 0; kind < EXIT_KINDS; kind++) {
		const struct exit_count *from = &counts->exits[kind];
		struct exit_figure *to = &result->exits[kind];
		uint64_t max_ns = ticks_ns(from->max_ticks, hz);

		to->count += from->count;
		to->total_ns += ticks_ns(from->ticks, hz);
		if (max_ns > to->max_ns)
			to->max_ns = max_ns;
	}
}

/* The VMM's own counts; the threads are idle. */
static void add_thread_counts(struct course *course)
{
	struct protocol_result *result = course->round->result;
	struct session *session = course->session;

	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		const struct vcpu_counts *counts = &session->threads[i].counts;

		result->switches += counts->switches;
		result->transfers += counts->transfers;
		result->spurious_ipis += counts->spurious_ipis;
		result->cleared_ipis += counts->cleared_ipis;
		result->entry_flushes_asked += counts->entry_flushes_asked;
		result->kicks += counts->kicks;
		result->yields += counts->yields;
		result->sleeps += counts->sleeps;
		result->wakes += counts->wakes;
		result->spun += counts->spun;
		result->steps += counts->steps;
		result->strayed += counts->strayed;
		add_exits(result, counts, session->tsc_hz);
	}
	for (uint32_t i = 0; i < session->slot_count; i++)
		histogram_merge(&result->switch_ns, &session->slots[i].switches);
}

/* Stamps read by vCPUs, and for them by the VMM; the threads are idle. */
static void add_stamps(const struct course *course)
{
	struct moved_pages *moved = course->round->moved;
	struct session *session = course->session;

	for (uint32_t i = 0; moved != NULL && i < session->shape.vcpus; i++) {
		const struct sd_region *region = guest_region(&session->machine.memory, i);
		const struct vcpu_counts *counts = &session->threads[i].counts;

		moved->checks += counts->stamp_checks;
		moved->wrong += counts->stamps_wrong;
		moved->saturated |= count_add(&moved->loads, sd_u64_load(&region->stamp_loads));
		moved->saturated |= count_add(&moved->loads_wrong,
					      sd_u64_load(&region->stamps_wrong));
	}
}

/* The draws of all slots in one number; 0 unless each slot has made enough of them. */
static void add_decisions(const struct session *session, struct round_figure *figure)
{
	bool enough = true;

	for (uint32_t i = 0; i < session->slot_count; i++) {
		const struct preempt_dice *dice = &session->slots[i].dice;

		enough &= dice->decisions >= PREEMPT_DIGESTED;
		figure->decisions += dice->decisions;
		figure->decisions_digest = figure->decisions_digest * 31 + dice->digest;
	}
	if (!enough)
		figure->decisions_digest = 0;
}

static void add_round_figure(struct course *course)
{
	const struct protocol_result *result = course->round->result;
	struct round_figure *figure;

	if (result->by_round == NULL)
		return;
	figure = &result->by_round[course->round->number];
	figure->flushes = result->flushes - course->recorded_before;
	figure->measured_ns = result->measured_ns - course->measured_before_ns;
	add_decisions(course->session, figure);
}

/* Where KVM cannot mark vCPUs there is nothing to read, unless they are left to the
 * host's scheduler: then the zeros are the point. */
int round_read_marks(struct session *session, struct kvm_marks *sum, struct why *why)
{
	bool matters = session->shape.marks_preempted || session->shape.shares_cpus;
	int error = 0;

	*sum = (struct kvm_marks){ .known = matters };
	for (uint32_t i = 0; error == 0 && matters && i < session->shape.vcpus; i++) {
		struct kvm_marks marks;

		error = kvm_stats_read_marks(session->threads[i].vcpu.fd, &marks, why);
		sum->known &= marks.known;
		sum->reported += marks.reported;
		sum->other += marks.other;
	}
	return error;
}

static int add_marks(struct course *course, const struct kvm_marks *before, struct why *why)
{
	struct protocol_result *result = course->round->result;
	struct kvm_marks now;
	int error = round_read_marks(course->session, &now, why);

	if (error != 0 || !now.known)
		return error;
	result->kvm_reported += now.reported - before->reported;
	result->kvm_other += now.other - before->other;
	return 0;
}

static int add_entry_flushes(struct course *course, uint64_t before, struct why *why)
{
	uint64_t now;
	int error = flush_counter_read(&now, why);

	if (error == 0)
		course->round->result->entry_flushes_done += now - before;
	return error;
}

static uint32_t job_of(enum workload workload)
{
	static const uint32_t jobs[] = {
		[WORKLOAD_TOGGLE] = SD_JOB_TOGGLE,
		[WORKLOAD_CHURN] = SD_JOB_CHURN,
		[WORKLOAD_TEARDOWN] = SD_JOB_TEARDOWN,
	};

	return jobs[workload];
}

int round_run(struct session *session, struct round *round, struct why *why)
{
	const struct options *options = round->options;
	struct session_job job = {
		.kind = job_of(options->workload),
		.protocol = round->result->protocol,
		.pace_ticks = (uint64_t)options->pace_us * session->tsc_hz / 1000000,
		.flush_quota = options->flushes,
		.floor_interval = FLOOR_INTERVAL,
		.initiators_to_stop = options->initiators,
		.seed = options->seed,
		.round = round->number,
	};
	struct course course = {
		.session = session,
		.round = round,
		.started_ns = clock_ns(),
		.started_ticks = __rdtsc(),
		.flushes_before = round->result->flushes,
		.recorded_before = round->result->flushes,
		.measured_before_ns = round->result->measured_ns,
	};
	uint64_t involuntary = host_load_involuntary(session);
	struct why ignored = { 0 };
	struct kvm_marks marks;
	uint64_t entry_flushes;
	int error = round_read_marks(session, &marks, why);

	if (error == 0)
		error = flush_counter_read(&entry_flushes, why);
	if (error != 0)
		return error;
	(void)count_add(&course.flushes_before, round->result->dropped);
	session_start(session, &job);
	steer(&course, course.started_ns);
	error = follow(&course, why);
	if (round->shows_progress && standard_has_room(STDERR_FILENO))
		fputs(TERMINAL_OVER, stderr);
	if (error == 0)
		error = session_failure(session, why);
	stop(&course, clock_ns());
	/* Also after a failure: what the guest had measured by then is kept. */
	if (error == 0)
		error = drain(&course, why);
	else
		(void)!drain(&course, &ignored);
	round->result->rounds++;
	add_counts(&course);
	add_walks(&course);
	add_watched(&course);
	add_round_figure(&course);
	add_trace(&course);
	if (error != 0)
		return error;
	add_thread_counts(&course);
	add_stamps(&course);
	round->result->involuntary_switches += host_load_involuntary(session) - involuntary;
	error = add_entry_flushes(&course, entry_flushes, why);
	return error != 0 ? error : add_marks(&course, &marks, why);
}
