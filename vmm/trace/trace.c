// SPDX-License-Identifier: MIT
/*
 * trace.c - the timeline of a run (trace.h).
 *
 * Threads: main.
 * Tested:  tests/unit/trace_draws_arrows_test.c, tests/kvm/trace_is_whole_test.py
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "clock.h"
#include "count.h"
#include "protocol_list.h"
#include "vcpu_state.h"

enum {
	PROCESS_ROUNDS,
	PROCESS_SLOTS,
	PROCESS_VCPUS,
	PROCESS_GUEST,
};

static struct trace_track track_of(uint32_t process, uint64_t index)
{
	return (struct trace_track){ process, (uint32_t)index };
}

/* --- set-up ----------------------------------------------------------------- */

int trace_create(struct trace *trace, uint32_t vcpus, uint32_t initiators, struct why *why)
{
	const size_t line = alignof(struct trace_ring);

	trace->vcpu_count = vcpus;
	trace->initiator_count = initiators;
	trace->rings = aligned_alloc(line, vcpus * sizeof(*trace->rings));
	/* Zeroed pages come when they are touched. */
	trace->events = calloc((size_t)vcpus * TRACE_RING_EVENTS, sizeof(*trace->events));
	trace->vcpus = calloc(vcpus, sizeof(*trace->vcpus));
	trace->asked_ticks = calloc((size_t)initiators * vcpus, sizeof(*trace->asked_ticks));
	trace->flushed_ns = calloc(initiators, sizeof(*trace->flushed_ns));
	trace->waits = calloc(TRACE_WAITS, sizeof(*trace->waits));
	if (trace->rings == NULL || trace->events == NULL || trace->vcpus == NULL ||
	    trace->asked_ticks == NULL || trace->waits == NULL || trace->flushed_ns == NULL) {
		trace_destroy(trace);
		return why_set(why, EXIT_HOST, ENOMEM, "timeline: %s", strerror(ENOMEM));
	}
	memset(trace->rings, 0, vcpus * sizeof(*trace->rings));
	for (uint32_t i = 0; i < vcpus; i++)
		trace->rings[i].events = &trace->events[(size_t)i * TRACE_RING_EVENTS];
	return 0;
}

void trace_destroy(struct trace *trace)
{
	free(trace->rings);
	free(trace->events);
	free(trace->vcpus);
	free(trace->asked_ticks);
	free(trace->flushed_ns);
	free(trace->waits);
	trace->rings = NULL;
	trace->events = NULL;
	trace->vcpus = NULL;
	trace->asked_ticks = NULL;
	trace->flushed_ns = NULL;
	trace->waits = NULL;
}

void trace_begin(struct trace *trace, uint64_t tsc_hz, uint64_t origin_ticks)
{
	trace->tsc_hz = tsc_hz;
	trace->origin_ticks = origin_ticks;
}

static void name_process(struct row_file *file, uint32_t process, const char *name)
{
	struct trace_track track = track_of(process, 0);

	row_file_add(file, trace_json_name(row_file_room(file), "process_name", track, name,
					   TRACE_NO_NUMBER));
	row_file_add(file, trace_json_order(row_file_room(file), "process_sort_index", track));
}

static void name_track(struct row_file *file, struct trace_track track, const char *name,
		       uint64_t number)
{
	row_file_add(file, trace_json_name(row_file_room(file), "thread_name", track, name, number));
	row_file_add(file, trace_json_order(row_file_room(file), "thread_sort_index", track));
}

void trace_name_tracks(struct row_file *file, uint32_t slots, uint32_t vcpus)
{
	name_process(file, PROCESS_ROUNDS, "rounds");
	name_process(file, PROCESS_SLOTS, "slots");
	name_process(file, PROCESS_VCPUS, "vCPUs");
	name_process(file, PROCESS_GUEST, "guest");
	name_track(file, track_of(PROCESS_ROUNDS, 0), "protocol", TRACE_NO_NUMBER);
	for (uint32_t i = 0; i < slots; i++)
		name_track(file, track_of(PROCESS_SLOTS, i), "slot", i);
	for (uint32_t i = 0; i < vcpus; i++) {
		name_track(file, track_of(PROCESS_VCPUS, i), "vCPU", i);
		name_track(file, track_of(PROCESS_GUEST, i), "vCPU", i);
	}
}

/* --- rows ------------------------------------------------------------------- */

/* Nothing happens before 0; a guest may claim it. A run that has ended before trace_begin()
 * has no clock yet. */
static uint64_t host_ns(const struct trace *trace, uint64_t ticks)
{
	uint64_t since = ticks - trace->origin_ticks;

	return trace->tsc_hz != 0 && (int64_t)since > 0 ? ticks_ns(since, trace->tsc_hz) : 0;
}

static void add_slice(struct trace *trace, struct trace_slice *slice, uint64_t start_ticks,
		      uint64_t end_ticks)
{
	slice->start_ns = host_ns(trace, start_ticks);
	slice->end_ns = host_ns(trace, end_ticks);
	if (slice->end_ns < slice->start_ns)
		slice->end_ns = slice->start_ns;
	trace_out_add(&trace->out, trace_json_slice(trace_out_room(&trace->out), slice));
	trace->counts.slices++;
}

/* An arrow from a request to what covered its target. It comes after the rows of both slices:
 * rows of the same time count in their order, and an end belongs to the slice open then. */
static void add_arrow_ns(struct trace *trace, struct trace_track from, uint64_t from_ns,
			 struct trace_track to, uint64_t to_ns)
{
	struct trace_out *out = &trace->out;
	uint64_t id = ++trace->counts.arrows;

	trace_out_add(out, trace_json_arrow(trace_out_room(out), 's', id, from, from_ns));
	trace_out_add(out, trace_json_arrow(trace_out_room(out), 'f', id, to, to_ns));
}

static void add_arrow(struct trace *trace, struct trace_track from, uint64_t from_ticks,
		      struct trace_track to, uint64_t to_ticks)
{
	add_arrow_ns(trace, from, host_ns(trace, from_ticks), to, host_ns(trace, to_ticks));
}

/* A moment on the track of a vCPU that another one has marked or kicked. */
static void add_moment(struct trace *trace, const char *name, uint64_t target, uint64_t by,
		       uint64_t ticks)
{
	struct trace_slice slice = {
		.track = track_of(PROCESS_VCPUS, target),
		.name = name,
		.number = TRACE_NO_NUMBER,
		.arguments = { { "by", NULL, by } },
	};

	add_slice(trace, &slice, ticks, ticks);
}

/* --- what the vCPU threads tell ------------------------------------------------ */

static void add_service(struct trace *trace, uint32_t vcpu, uint64_t start_ticks,
			uint64_t end_ticks, bool is_transfer)
{
	struct trace_vcpu *known = &trace->vcpus[vcpu];

	known->service[known->services++ % TRACE_SERVICES] = (struct trace_service){
		start_ticks, end_ticks, is_transfer,
	};
}

/* A doorbell that does not cost the slot is not the reason for the park. */
static const char *parked_why(uint32_t state, uint32_t why)
{
	bool stepped = why >= SD_REQ_STEP;

	if (state == VCPU_PARKED && why != SD_REQ_YIELD_TO && why != SD_REQ_SPUN && !stepped)
		return "slice";
	return state == VCPU_CREATING ? "created" : exit_kind_name(why);
}

/* An event and whose it is. */
struct from {
	struct trace *trace;
	uint32_t vcpu;
};

static void add_running(struct trace *trace, uint32_t vcpu, const struct trace_event *event)
{
	struct trace_slice running = {
		.track = track_of(PROCESS_VCPUS, vcpu),
		.name = "running",
		.number = TRACE_NO_NUMBER,
		.arguments = { { "slot", NULL, event->value } },
	};
	struct trace_slice held = {
		.track = track_of(PROCESS_SLOTS, event->value),
		.name = "vCPU",
		.number = vcpu,
	};

	add_slice(trace, &running, event->start_ticks, event->end_ticks);
	add_slice(trace, &held, event->start_ticks, event->end_ticks);
}

static void add_parked(struct trace *trace, uint32_t vcpu, const struct trace_event *event)
{
	uint32_t state = trace_parked_state(event->value);
	struct trace_slice slice = {
		.track = track_of(PROCESS_VCPUS, vcpu),
		.name = vcpu_state_name((enum vcpu_state)state),
		.number = TRACE_NO_NUMBER,
		.arguments = { { "why", parked_why(state, trace_parked_why(event->value)), 0 } },
	};

	add_slice(trace, &slice, event->start_ticks, event->end_ticks);
}

/* A vCPU has asked the VMM to have another one flushed. */
static void add_asked(struct trace *trace, uint32_t vcpu, const struct trace_event *event)
{
	const char *name = event->kind == TRACE_KICKED ? "kick" : "deferral";

	add_moment(trace, name, event->value, vcpu, event->start_ticks);
	add_arrow(trace, track_of(PROCESS_VCPUS, vcpu), event->start_ticks,
		  track_of(PROCESS_VCPUS, event->value), event->start_ticks);
}

static void add_plain(struct trace *trace, uint32_t vcpu, const char *name,
		      const struct trace_event *event)
{
	struct trace_slice slice = {
		.track = track_of(PROCESS_VCPUS, vcpu),
		.name = name,
		.number = TRACE_NO_NUMBER,
	};

	if (event->kind == TRACE_EXIT)
		slice.arguments[0] = (struct trace_argument){
			"why", exit_kind_name((uint32_t)event->value), 0,
		};
	add_slice(trace, &slice, event->start_ticks, event->end_ticks);
}

static void add_event(void *context, const struct trace_event *event)
{
	struct trace *trace = ((struct from *)context)->trace;
	uint32_t vcpu = ((struct from *)context)->vcpu;

	switch ((enum trace_kind)event->kind) {
	case TRACE_RUNNING:
		add_running(trace, vcpu, event);
		break;
	case TRACE_PARKED:
		add_parked(trace, vcpu, event);
		break;
	case TRACE_EXIT:
		add_plain(trace, vcpu, "exit", event);
		break;
	case TRACE_TRANSFER:
		add_plain(trace, vcpu, "transfer", event);
		add_service(trace, vcpu, event->start_ticks, event->end_ticks, true);
		break;
	case TRACE_ENTRY_FLUSH:
		add_plain(trace, vcpu, "entry flush", event);
		break;
	case TRACE_DEFERRED:
	case TRACE_KICKED:
		add_asked(trace, vcpu, event);
		break;
	}
}

/* --- what the handlers tell ------------------------------------------------------ */

static void begin_handler(struct trace *trace, uint32_t vcpu, uint64_t ticks)
{
	trace->vcpus[vcpu].in_handler = true;
	add_service(trace, vcpu, ticks, UINT64_MAX, false);
}

static struct trace_service *last_handler(struct trace_vcpu *known)
{
	for (uint64_t i = known->services; i > 0 && known->services - i < TRACE_SERVICES; i--)
		if (!known->service[(i - 1) % TRACE_SERVICES].is_transfer)
			return &known->service[(i - 1) % TRACE_SERVICES];
	return NULL;
}

static void end_handler(struct trace *trace, uint32_t vcpu, uint64_t ticks)
{
	struct trace_vcpu *known = &trace->vcpus[vcpu];
	struct trace_service *service = known->in_handler ? last_handler(known) : NULL;
	struct trace_slice slice = {
		.track = track_of(PROCESS_GUEST, vcpu),
		.name = "handler",
		.number = TRACE_NO_NUMBER,
	};

	known->in_handler = false;
	if (service == NULL)
		return;
	service->end_ticks = ticks;
	add_slice(trace, &slice, service->start_ticks, ticks);
}

/* The entry's place is the next to be written once the head is a whole ring ahead. */
static bool is_written_over(const struct sd_region *region, uint64_t entry)
{
	/* PAIR(trace-head): acquire, after the load of the entry. */
	return sd_u64_load_acquire(&region->trace_head) - entry >= SD_TRACE_ENTRIES;
}

static void drain_handlers(struct trace *trace, const struct sd_region *region, uint32_t vcpu)
{
	struct trace_vcpu *known = &trace->vcpus[vcpu];
	/* PAIR(trace-head): acquire here, the handler's plain stores in entry.S. */
	uint64_t head = sd_u64_load_acquire(&region->trace_head);

	/* A guest may have set the head back: it spoils its own timeline only. */
	if (head - known->handler_tail >= SD_TRACE_ENTRIES) {
		trace->counts.dropped++;
		known->handler_tail = head - SD_TRACE_ENTRIES + 1;
		known->in_handler = false;
	}
	for (; known->handler_tail != head; known->handler_tail++) {
		uint64_t entry = known->handler_tail;
		uint64_t ticks = sd_u64_load_acquire(&region->trace[entry % SD_TRACE_ENTRIES]);

		if (is_written_over(region, entry)) {
			trace->counts.dropped++;
			known->in_handler = false;
		} else if (entry % 2 == 0) {
			begin_handler(trace, vcpu, ticks);
		} else {
			end_handler(trace, vcpu, ticks);
		}
	}
}

/* --- what the initiators tell ---------------------------------------------------- */

static uint64_t *asked_of(struct trace *trace, uint32_t initiator, uint32_t target)
{
	return &trace->asked_ticks[(size_t)initiator * trace->vcpu_count + target];
}

static void add_request(struct trace *trace, const struct sd_sample *sample, uint64_t start)
{
	static const char *const outcomes[] = {
		[SD_REQUEST_SENT] = "sent",
		[SD_REQUEST_DEFERRED] = "deferred",
		[SD_REQUEST_SKIPPED] = "skipped",
	};
	struct trace_slice slice = {
		.track = track_of(PROCESS_GUEST, sample->initiator),
		.name = "request",
		.number = TRACE_NO_NUMBER,
	};

	if (sample->target >= trace->vcpu_count || sample->outcome > SD_REQUEST_SKIPPED)
		return;
	slice.arguments[0] = (struct trace_argument){ "target", NULL, sample->target };
	slice.arguments[1] = (struct trace_argument){ "outcome", outcomes[sample->outcome], 0 };
	slice.arguments[2] = (struct trace_argument){ "seq", NULL, sample->seq };
	add_slice(trace, &slice, start, start + sample->wall_ticks);
	*asked_of(trace, sample->initiator, sample->target) =
		sample->outcome == SD_REQUEST_SENT ? start : 0;
	if (sample->outcome != SD_REQUEST_DEFERRED)
		return;
	add_moment(trace, "deferral", sample->target, sample->initiator, start);
	add_arrow(trace, slice.track, start, track_of(PROCESS_VCPUS, sample->target), start);
}

/* The service is looked for when all rings have been read. */
static void note_wait(struct trace *trace, uint32_t initiator, uint32_t target, uint64_t end)
{
	uint64_t *asked = asked_of(trace, initiator, target);

	if (*asked == 0)
		return;
	if (trace->wait_count < TRACE_WAITS)
		trace->waits[trace->wait_count++] = (struct trace_wait){
			(uint16_t)initiator, (uint16_t)target, false, *asked, end,
		};
	else
		trace->counts.arrows_lost++;
	*asked = 0;
}

static void take_over(struct trace *trace, uint32_t initiator, uint32_t target, uint64_t end)
{
	uint64_t *asked = asked_of(trace, initiator, target);
	struct trace_slice slice = {
		.track = track_of(PROCESS_GUEST, initiator),
		.name = "takeover",
		.number = TRACE_NO_NUMBER,
		.arguments = { { "target", NULL, target } },
	};

	add_slice(trace, &slice, end, end);
	add_moment(trace, "deferral", target, initiator, end);
	if (*asked != 0)
		add_arrow(trace, slice.track, *asked, track_of(PROCESS_VCPUS, target), end);
	*asked = 0;
}

static void add_wait(struct trace *trace, const struct sd_sample *sample, uint64_t start)
{
	uint64_t end = start + sample->wall_ticks;
	bool all = sample->target == SD_TARGET_ALL;
	struct trace_slice slice = {
		.track = track_of(PROCESS_GUEST, sample->initiator),
		.name = "wait",
		.number = TRACE_NO_NUMBER,
	};

	if (!all && sample->target >= trace->vcpu_count)
		return;
	slice.arguments[0] = all ? (struct trace_argument){ "target", "all", 0 }
				 : (struct trace_argument){ "target", NULL, sample->target };
	slice.arguments[1] = (struct trace_argument){ "seq", NULL, sample->seq };
	add_slice(trace, &slice, start, end);
	if (sample->outcome == SD_WAIT_TAKEN_OVER && !all)
		take_over(trace, sample->initiator, sample->target, end);
	else if (!all)
		note_wait(trace, sample->initiator, sample->target, end);
	for (uint32_t target = 0; all && target < trace->vcpu_count; target++)
		note_wait(trace, sample->initiator, target, end);
}

void trace_sample(struct trace *trace, const struct sd_sample *sample)
{
	uint64_t start = sample->start_ticks;
	struct trace_slice floor = {
		.track = track_of(PROCESS_GUEST, sample->initiator),
		.name = "floor",
		.number = TRACE_NO_NUMBER,
	};

	if (sample->kind == SD_SAMPLE_REQUEST)
		add_request(trace, sample, start);
	else if (sample->kind == SD_SAMPLE_WAIT)
		add_wait(trace, sample, start);
	else if (sample->kind == SD_SAMPLE_FLOOR)
		add_slice(trace, &floor, start, start + sample->wall_ticks);
}

void trace_flush(struct trace *trace, const struct sd_sample *sample, const struct flush_row *row,
		 enum sd_protocol protocol)
{
	uint64_t start = sample->start_ticks;
	struct trace_slice pte = {
		.track = track_of(PROCESS_GUEST, sample->initiator),
		.name = "PTE stores",
		.number = TRACE_NO_NUMBER,
	};
	struct trace_slice flush = {
		.track = pte.track,
		.name = "flush",
		.number = TRACE_NO_NUMBER,
		.arguments = {
			{ "protocol", protocol_name(protocol), 0 }, { "run", NULL, row->run },
			{ "seq", NULL, row->seq }, { "ipis", NULL, row->ipis },
			{ "deferred", NULL, row->deferred }, { "taken_over", NULL, row->taken_over },
			{ "stall_ns", NULL, row->stall_ns },
		},
	};

	/* Not earlier than the last reading of the rings. */
	trace->flushed_ns[sample->initiator] = trace->drained_ns;
	add_slice(trace, &pte, start - sample->pte_ticks, start);
	add_slice(trace, &flush, start, start + sample->wall_ticks);
}

/* --- arrows -------------------------------------------------------------------- */

/* The first service that began between @asked and @end, else the last one that was under
 * way at @asked. */
static const struct trace_service *find_service(const struct trace_vcpu *known, uint64_t asked,
						uint64_t end)
{
	const struct trace_service *first = NULL, *under_way = NULL;

	for (uint32_t i = 0; i < TRACE_SERVICES && i < known->services; i++) {
		const struct trace_service *service = &known->service[i];

		if ((int64_t)(service->start_ticks - end) > 0)
			continue;
		if ((int64_t)(service->start_ticks - asked) >= 0) {
			if (first == NULL ||
			    (int64_t)(service->start_ticks - first->start_ticks) < 0)
				first = service;
		} else if (service->end_ticks == UINT64_MAX ||
			   (int64_t)(service->end_ticks - asked) >= 0) {
			if (under_way == NULL ||
			    (int64_t)(service->start_ticks - under_way->start_ticks) > 0)
				under_way = service;
		}
	}
	return first != NULL ? first : under_way;
}

/*
 * Where an arrow ends in the slice of @service: at the beginning of the slice, or, if that
 * was under way already, at the request, because viewers drop an arrow that goes back in
 * time. Only host_ns() rounds times, and it keeps their order: what is inside in ticks is
 * inside in nanoseconds. A slice that has no row yet has to be open before the arrow's end.
 */
static uint64_t end_in_service_ns(const struct trace *trace, const struct trace_service *service,
				  uint64_t asked)
{
	bool under_way = (int64_t)(service->start_ticks - asked) < 0;
	uint64_t at_ns = host_ns(trace, under_way ? asked : service->start_ticks);

	return service->end_ticks == UINT64_MAX ? at_ns + 1 : at_ns;
}

/* Returns false when nothing is known that has covered it. */
static bool draw_wait(struct trace *trace, const struct trace_wait *wait)
{
	const struct trace_service *service = find_service(&trace->vcpus[wait->target],
							   wait->asked_ticks, wait->end_ticks);

	if (service == NULL)
		return false;
	add_arrow_ns(trace, track_of(PROCESS_GUEST, wait->initiator),
		     host_ns(trace, wait->asked_ticks),
		     track_of(service->is_transfer ? PROCESS_VCPUS : PROCESS_GUEST, wait->target),
		     end_in_service_ns(trace, service, wait->asked_ticks));
	return true;
}

/* A thread may not have told of its transfer yet: then look once more. */
static void draw_waits(struct trace *trace)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < trace->wait_count; i++) {
		struct trace_wait wait = trace->waits[i];

		if (draw_wait(trace, &wait))
			continue;
		if (wait.again) {
			trace->counts.arrows_lost++;
			continue;
		}
		wait.again = true;
		trace->waits[kept++] = wait;
	}
	trace->wait_count = kept;
}

/* The beginning of a flush that is under way is kept, however long it takes: it may be the
 * flush that breaks the run. */
static uint64_t needed_ns(const struct trace *trace)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < trace->initiator_count; i++)
		if (trace->flushed_ns[i] < first)
			first = trace->flushed_ns[i];
	return first;
}

/* After the samples: a handler that has served a request that they tell of has made its
 * entry before. */
void trace_drain(struct trace *trace, const struct guest_memory *memory, uint64_t now_ns)
{
	for (uint32_t i = 0; i < trace->vcpu_count; i++) {
		struct from from = { trace, i };

		drain_handlers(trace, guest_region(memory, i), i);
		trace_ring_drain(&trace->rings[i], add_event, &from);
	}
	draw_waits(trace);
	trace->drained_ns = now_ns;
	trace_out_push(&trace->out, now_ns, needed_ns(trace));
}

/* --- rounds ---------------------------------------------------------------------- */

void trace_round(struct trace *trace, const char *name, enum sd_protocol protocol, uint32_t run,
		 uint64_t start_ticks, uint64_t end_ticks)
{
	struct trace_slice slice = {
		.track = track_of(PROCESS_ROUNDS, 0),
		.name = name,
		.number = TRACE_NO_NUMBER,
		.arguments = { { "protocol", protocol_name(protocol), 0 }, { "run", NULL, run } },
	};

	add_slice(trace, &slice, start_ticks, end_ticks);
}

void trace_add_dropped(struct trace *trace, uint64_t count)
{
	(void)count_add(&trace->counts.dropped, count);
}

static struct trace_counts counts_of(const struct trace *trace)
{
	struct trace_counts counts = trace->counts;

	for (uint32_t i = 0; i < trace->vcpu_count; i++)
		(void)count_add(&counts.dropped, atomic_load_explicit(&trace->rings[i].dropped,
								      memory_order_relaxed));
	return counts;
}

void trace_end(struct trace *trace, struct row_file *file, struct trace_counts *counts)
{
	struct trace_slice mark = {
		.track = track_of(PROCESS_ROUNDS, 0),
		.start_ns = host_ns(trace, __rdtsc()),
		.name = "end",
		.number = TRACE_NO_NUMBER,
	};

	/* Requests that have waited for one more look. */
	draw_waits(trace);
	*counts = counts_of(trace);
	mark.arguments[0] = (struct trace_argument){ "slices", NULL, counts->slices };
	mark.arguments[1] = (struct trace_argument){ "arrows", NULL, counts->arrows };
	mark.arguments[2] = (struct trace_argument){ "arrows_lost", NULL, counts->arrows_lost };
	mark.arguments[3] = (struct trace_argument){ "dropped", NULL, counts->dropped };
	row_file_add(file, trace_json_end(row_file_room(file), &mark));
}
