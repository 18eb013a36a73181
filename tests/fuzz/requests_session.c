// SPDX-License-Identifier: MIT
/*
 * requests_session.c - the session of requests_fuzz.c: vCPU threads of the VMM's own, on
 * a host that is not there, from creation to the end; and its part for these threads.
 *
 * Owns:    g_session, its slots and threads, and guest memory, which stays for the next
 *          input.
 * Checked: a slot has one holder, a vCPU is in one place, and is parked between
 *          instructions; who fails has had a reason, and one line says it.
 * Threads: one.
 */
#include "requests.h"

#include <string.h>

#include "page_tables.h"
#include "stamps.h"
#include "vcpu_loop.h"

/* rcu has a thread of its own, and this program has one. */
const struct reclaim_ops reclaim_rcu = { .name = "rcu" };

struct session g_session;
struct vcpu_thread g_threads[FAKE_VCPUS];
enum sd_protocol g_protocol;
bool g_lies;
bool g_stopping;
bool g_job_over;
static struct slot g_slots[2];

static const enum sd_protocol g_protocols[] = {
	SD_PROTOCOL_ipi, SD_PROTOCOL_sleep, SD_PROTOCOL_yield, SD_PROTOCOL_deferred,
	SD_PROTOCOL_generation, SD_PROTOCOL_takeover, SD_PROTOCOL_hypercall,
};

/* --- its part, for vCPU threads ---------------------------------------------------- */

void session_vcpu_ready(struct session *session)
{
	atomic_fetch_add(&session->ready, 1);
}

/* Whoever may be told: the guest goes on. */
void session_break(struct session *session)
{
	fuzz_check(session == &g_session);
}

void session_initiator_stopped(struct session *session)
{
	atomic_fetch_add(&session->stopped, 1);
}

void session_vcpu_failed(struct session *session, const struct why *why)
{
	struct guest *guest = NULL;

	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (why == &g_threads[i].why)
			guest = &g_guests[i];
	fuzz_check(session == &g_session && guest != NULL && guest->must_fail);
	fuzz_check(why->status == EXIT_GUEST && why->text[0] != '\0');
	fuzz_check(strstr(why->text, guest->gave_up) != NULL);
	for (const char *c = why->text; *c != '\0'; c++)
		fuzz_check(*c >= ' ' && *c < 0x7f);
	guest->failed = true;
}

/* --- slots ----------------------------------------------------------------------- */

static void check_off_slot(const struct slot_member *member, unsigned places[FAKE_VCPUS])
{
	places[member->id]++;
	fuzz_check(!fake_is_in_guest(member->id) && !fake_is_unfinished(member->id));
}

static void check_slot(const struct slot *slot, unsigned places[FAKE_VCPUS])
{
	const struct slot_member *member;
	unsigned waiting = 0, sleeping = 0;

	TAILQ_FOREACH(member, &slot->queue, link) {
		check_off_slot(member, places);
		fuzz_check(!member->asleep);
		waiting++;
	}
	TAILQ_FOREACH(member, &slot->sleepers, link) {
		check_off_slot(member, places);
		fuzz_check(member->asleep);
		sleeping++;
	}
	if (slot->holder != NULL)
		places[slot->holder->id]++;
	else
		fuzz_check(TAILQ_EMPTY(&slot->queue));
	fuzz_check(atomic_load(&slot->waiting) == waiting + sleeping);
	fuzz_check(atomic_load(&slot->sleeping) == sleeping);
}

void check_slots(void)
{
	unsigned places[FAKE_VCPUS] = { 0 };

	for (uint32_t i = 0; i < g_session.slot_count; i++)
		check_slot(&g_slots[i], places);
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		fuzz_check(places[i] <= 1);
}

/* --- from creation to the end ------------------------------------------------------ */

static void create_memory(struct guest_memory *memory)
{
	if (memory->hva != NULL)
		return;
	/* A heap block: a sanitizer sees each byte beyond. */
	memory->hva = aligned_alloc(SD_PAGE_BYTES, MEMORY_BYTES);
	fuzz_check(memory->hva != NULL);
	memory->bytes = MEMORY_BYTES;
	memory->vcpus = FAKE_VCPUS;
	memory->initiators = 1;
	memory->pages = 1;
	stamps_write(memory);
}

static void reset_memory(struct guest_memory *memory)
{
	memset(memory->hva + SD_REGION_GPA, 0, FAKE_VCPUS * sizeof(struct sd_region));
	memset(memory->hva + SD_PAYLOAD_GPA, 0, (FAKE_VCPUS + 1) * (size_t)SD_PAGE_BYTES);
	memset(memory->hva + MEMORY_BYTES - SD_PAGE_BYTES, 0, SD_PAGE_BYTES);
	memset(memory->hva + SD_TABLES_GPA, 0, FAKE_VCPUS * (size_t)SD_TABLES_STRIDE);
	memset(memory->hva + SD_IDENTITY_PD_GPA, 0, SD_PAGE_BYTES);
	page_tables_build(memory);
}

/* Frames that never move: the view of them is memory itself. */
static void begin_frames(void)
{
	static _Atomic uint32_t moved_by[MEMORY_BYTES / SD_PAGE_BYTES];

	g_session.frames = (struct frames){
		.memory = &g_session.machine.memory,
		.view = g_session.machine.memory.hva,
		.view_bytes = MEMORY_BYTES,
		.pages = MEMORY_BYTES / SD_PAGE_BYTES,
		.moved_by = moved_by,
	};
}

/* @tight: with the fewest tables, and generations that come round after a few exits. */
static void begin_shadow(bool tight)
{
	struct shadow_config config = {
		.frames = &g_session.frames,
		.reclaim = tight ? &reclaim_counter : &reclaim_mode,
		.readers = FAKE_VCPUS + 1,
		.tables_max = tight ? 5 : 0,
		.first_tag = tight ? UINT32_MAX - 4 : 0,
	};

	begin_frames();
	fuzz_check(shadow_create(&g_session.shadow, &config) == 0);
	shadow_thread_begin(g_session.shadow);
}

static void begin_session(void)
{
	uint32_t shape = (uint32_t)fuzz_take(&g_program, 1);
	struct guest_memory memory = g_session.machine.memory;

	g_protocol = g_protocols[fuzz_below(&g_program, 7)];
	g_session = (struct session){
		.slots = g_slots,
		.slot_count = shape & 1 ? 1 : 2,
		.threads = g_threads,
		.park = {
			.protocol = protocol_ops_of(g_protocol),
			.entry_flush = shape & 2 ? ENTRY_FLUSH_SREGS : ENTRY_FLUSH_STEAL,
			.settles = shape & 4,
			.clears_pending = shape & 16,
		},
		.tsc_hz = NS_PER_S,
		.shape = {
			.vcpus = FAKE_VCPUS,
			.slots = shape & 1 ? 1 : 2,
			.slice_ns = SLICE_NS,
			.marks_preempted = shape & 4,
			.by_page = (shape & 8) && !is_wake_protocol(),
		},
	};
	g_lies = shape & 32;
	g_session.machine.memory = memory;
	g_session.machine.run_bytes = SD_PAGE_BYTES;
	for (uint32_t i = 0; i < g_session.slot_count; i++) {
		slot_init(&g_slots[i], 0, SLICE_NS, 0);
		if (shape & 64)
			g_slots[i].preempt = &preempt_random;
		preempt_throw(&g_slots[i].dice, shape, i);
	}
	guest_log_init(&g_session.log);
	begin_shadow(shape & 128);
}

/* Every request so far is served. */
static void begin_vcpu(uint32_t vcpu, uint32_t generation)
{
	struct vcpu_thread *thread = &g_threads[vcpu];

	*thread = (struct vcpu_thread){
		.vcpu = { .id = vcpu },
		.session = &g_session,
		.policy = &g_session.park,
		.slot = &g_slots[vcpu % g_session.slot_count],
		.reader = shadow_reader(g_session.shadow, vcpu),
	};
	thread->mode = shadow_mode(thread->reader);
	slot_member_init(&thread->member, vcpu);
	thread->member.is_interrupted = vcpu_is_interrupted;
	sd_u32_store(&region_of(vcpu)->request, generation);
	sd_u32_store(&region_of(vcpu)->served, generation);
}

/* All are queued before the first slot is given out (job.c). */
static void open_slots(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		g_threads[i].state = VCPU_PARKED;
		slot_queue(g_threads[i].slot, &g_threads[i].member);
	}
	for (uint32_t i = 0; i < g_session.slot_count; i++)
		slot_open(&g_slots[i]);
}

void session_begin(void)
{
	create_memory(&g_session.machine.memory);
	reset_memory(&g_session.machine.memory);
	begin_session();
	g_stopping = g_job_over = false;
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		begin_vcpu(i, (uint32_t)(int8_t)fuzz_take(&g_program, 1) * SD_WORD_GENERATION);
	fake_begin(&g_session, &g_program);
	/* No job is given out before every vCPU is there. */
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		while (atomic_load(&g_session.ready) == i)
			fuzz_check(fake_resume(i));
	open_slots();
	/* A thread that has a slot goes on up to its next call. */
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		(void)fake_resume(i);
}

/* Between two jobs vCPUs are off their slots: nobody joins while one goes on. */
void give_next_job(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (fake_has_ended(i) || g_threads[i].state != VCPU_IDLE)
			return;
	g_job_over = false;
	open_slots();
}

bool has_failed(void)
{
	bool failed = false;

	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		/* Nobody leaves for any other reason. */
		fuzz_check(g_stopping || fake_has_ended(i) == g_guests[i].failed);
		failed |= g_guests[i].failed;
	}
	return failed;
}

/* As a session ends (session_life.c). */
void session_stop(void)
{
	uint32_t ended = 0;

	g_stopping = true;
	atomic_store(&g_session.quit, true);
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		slot_member_quit(&g_threads[i].member);
	for (uint32_t round = 0; ended < FAKE_VCPUS; round++) {
		fuzz_check(round < DRAIN_ROUNDS);
		ended = 0;
		for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
			(void)fake_resume(i);
			ended += fake_has_ended(i);
		}
	}
}

/* What initiators ask for, the VMM may see too late. */
static void check_entry_flushes(uint32_t vcpu)
{
	uint64_t asked = g_threads[vcpu].counts.entry_flushes_asked;
	uint64_t done = fake_flushes_found(vcpu);

	fuzz_check(asked <= done);
	fuzz_check(g_protocol != SD_PROTOCOL_generation || asked == done);
}

void check_counts(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		const struct vcpu_counts *counted = &g_threads[i].counts;
		const struct vcpu_counts *expected = &g_guests[i].counts;

		fuzz_check(counted->wakes == expected->wakes);
		fuzz_check(counted->steps == expected->steps);
		fuzz_check(counted->yields == expected->yields);
		fuzz_check(counted->sleeps <= expected->sleeps);
		fuzz_check(counted->stamp_checks == expected->stamp_checks);
		fuzz_check(counted->stamps_wrong == expected->stamps_wrong);
		fuzz_check(counted->transfers <= counted->switches);
		fuzz_check(counted->cleared_ipis <= counted->spurious_ipis);
		fuzz_check(counted->spurious_ipis <= counted->transfers);
		fuzz_check(g_protocol == SD_PROTOCOL_generation || counted->transfers == 0);
		if (!g_lies)
			check_entry_flushes(i);
	}
}

/* The rest of session_destroy(). */
void session_end(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		vcpu_thread_clear(&g_threads[i]);
		fuzz_check(fake_is_clear(i));
	}
	for (uint32_t i = 0; i < g_session.slot_count; i++)
		slot_destroy(&g_slots[i]);
	shadow_thread_end(g_session.shadow);
	shadow_destroy(g_session.shadow);
	guest_log_destroy(&g_session.log);
}
