// SPDX-License-Identifier: MIT
/*
 * requests_fuzz.c - a whole session of vCPU threads, and guests that ask for anything.
 *
 * The input is a program: two bytes of the session's shape, a generation for each vCPU,
 * then steps of two bytes: who runs on, and what its guest does if it gets to. The vCPU
 * threads are the VMM's own (vcpu_thread.c, park.c, request_flush.c, slot.c), on a host
 * that is not there (fake_host.h). The reference keeps for each vCPU and page the oldest
 * translation that its TLB may hold, and for each page the newest one that a flush which
 * has returned was about. Checked:
 * - a vCPU that runs guest code holds nothing older, at each return and each entry;
 * - every flush returns, once vCPUs get to run in turn;
 * - doorbells: those that make no sense end the run with one line, no other does;
 *   addresses are checked in 128 bits; counters are what was asked for;
 * - pointers lead where the guest's page tables say at that moment: lines for the user
 *   and words of stamped pages are those that the reference reads (reference_pointer.h);
 * - a slot has one holder, a vCPU is in one place, and is parked between instructions.
 * A guest may also lie: write what it likes where it may write, its page tables too. Then
 * the first two do not hold, and all else does.
 */
#include <string.h>

#include "asleep.h"
#include "clock.h"
#include "fake_host.h"
#include "grace.h"
#include "page_tables.h"
#include "pte.h"
#include "range.h"
#include "reference_pointer.h"
#include "stamp.h"
#include "stamps.h"

#define PAGES 4                 /* of the one window */
#define SLICE_NS NS_PER_MS
#define DRAIN_ROUNDS 3000

#define FLUSH_REQUEST_GPA(vcpu) (SD_PAYLOAD_GPA + (uint64_t)(vcpu) * SD_PAGE_BYTES)
#define MEMORY_BYTES (SD_FRAMES_GPA + (SD_FRAME_SETS + 1) * (size_t)SD_PAGE_BYTES)
#define STAMPS (SD_STAMP_PAGES * SD_PAGE_BYTES / sizeof(uint64_t))

typedef unsigned __int128 u128;

enum phase { PHASE_IDLE, PHASE_POSTING, PHASE_SENDING, PHASE_WAITING, PHASE_RUNG, PHASE_ASLEEP };
enum handler { HANDLER_NONE, HANDLER_BEGUN, HANDLER_FLUSHED };

/* The software of one vCPU, and its TLB. */
struct guest {
	uint64_t tlb[PAGES];            /* oldest version that it may hold */

	enum phase phase;               /* of its own flush */
	uint32_t first, pages;          /* of the range */
	bool full;
	uint64_t version[PAGES];        /* that its PTE stores have made */
	uint32_t next;                  /* target */
	bool tells;                     /* the one before it has yet to be told the range */
	bool waits_for[FAKE_VCPUS];
	uint32_t want[FAKE_VCPUS];

	enum handler handler;
	uint32_t seen;
	uint64_t range;                 /* 0: flush all */
	uint64_t asked;                 /* initiators to be told */

	bool must_fail;                 /* its last doorbell made no sense */
	char gave_up[80];               /* and the user is told where; "": is not */
	bool failed;
	struct vcpu_counts counts;      /* as they have to be */
};

static const enum sd_protocol g_protocols[] = {
	SD_PROTOCOL_ipi, SD_PROTOCOL_sleep, SD_PROTOCOL_yield, SD_PROTOCOL_deferred,
	SD_PROTOCOL_generation, SD_PROTOCOL_takeover, SD_PROTOCOL_hypercall,
};

/* The lines that the user has to see. */
struct expected_log {
	char text[GUEST_LOG_LINES * (GUEST_LOG_BYTES + 16)];
	uint32_t count;                 /* since the last look */
	uint64_t taken, dropped;
};

/* rcu has a thread of its own, and this program has one. */
const struct reclaim_ops reclaim_rcu = { .name = "rcu" };

static struct session g_session;
static struct expected_log g_log;
static struct slot g_slots[2];
static struct vcpu_thread g_threads[FAKE_VCPUS];
static struct guest g_guests[FAKE_VCPUS];
static uint64_t g_page_version[PAGES];
static uint64_t g_flushed_version[PAGES];
static struct fuzz_program g_program;
static uint32_t g_choice;       /* what a guest does that gets to run now */
static enum sd_protocol g_protocol;
static bool g_lies;             /* the guest does */
static bool g_draining;
static bool g_stopping;
static bool g_job_over;         /* one is idle: no flush begins until all are */
static uint32_t g_entered;      /* vCPUs that have, since all flushes have returned */

static struct sd_region *region_of(uint32_t vcpu)
{
	return guest_region(&g_session.machine.memory, vcpu);
}

static bool is_wake_protocol(void)
{
	return g_protocol == SD_PROTOCOL_sleep;
}

static uint8_t vector_of_protocol(void)
{
	return is_wake_protocol() ? SD_VECTOR_FLUSH_WAKE : SD_VECTOR_FLUSH;
}

/* --- the reference: TLBs --------------------------------------------------------- */

static void check_fresh(uint32_t vcpu)
{
	for (uint32_t page = 0; !g_lies && page < PAGES; page++)
		fuzz_check(g_guests[vcpu].tlb[page] >= g_flushed_version[page]);
}

/* The worst that may be: each page is looked up again at once. */
static void flush_page(uint32_t vcpu, uint32_t page)
{
	g_guests[vcpu].tlb[page] = g_page_version[page];
}

void guest_flushed(uint32_t vcpu)
{
	for (uint32_t page = 0; page < PAGES; page++)
		flush_page(vcpu, page);
}

void guest_entered(uint32_t vcpu)
{
	fuzz_check(!g_guests[vcpu].must_fail);
	fuzz_check(g_threads[vcpu].slot->holder == &g_threads[vcpu].member);
	check_fresh(vcpu);
	g_entered |= UINT32_C(1) << vcpu;
}

static void flush_returned(struct guest *guest)
{
	for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
		if (g_flushed_version[page] < guest->version[page])
			g_flushed_version[page] = guest->version[page];
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (fake_is_in_guest(i))
			check_fresh(i);
	guest->phase = PHASE_IDLE;
}

/* --- doorbells ------------------------------------------------------------------- */

static enum guest_step leave_by_port(struct kvm_run *run, uint32_t request)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = sizeof(request);
	run->io.port = SD_PORT_REQUEST;
	run->io.count = 1;
	run->io.data_offset = SD_PAGE_BYTES / 2;
	memcpy((char *)run + run->io.data_offset, &request, sizeof(request));
	return GUEST_LEAVES;
}

static bool copy_from_guest(uint32_t vcpu, uint64_t gva, void *to, size_t bytes)
{
	return reference_copy(&g_session.machine.memory, vcpu, gva, to, bytes);
}

static bool flush_request_is_sound(uint32_t vcpu, uint64_t gva)
{
	struct sd_flush_request request;
	bool sound = true;

	if (!copy_from_guest(vcpu, gva, &request, sizeof(request)))
		return false;
	for (uint32_t i = FAKE_VCPUS; i < SD_MAX_VCPUS; i++)
		sound &= !(request.targets[i / 64] >> i % 64 & 1);
	return sound && request.start % SD_PAGE_BYTES == 0 && request.pages >> 32 == 0 &&
		(u128)request.start + (u128)request.pages * SD_PAGE_BYTES <= (u128)1 << 47;
}

static bool stamps_are_sound(uint32_t vcpu, uint64_t gva, struct vcpu_counts *counts)
{
	struct sd_stamp_batch batch;

	if (!copy_from_guest(vcpu, gva, &batch, sizeof(batch)))
		return false;
	for (uint64_t i = 0; batch.count <= SD_STAMP_BATCH && i < batch.count; i++) {
		uint64_t address = batch.address[i], word;

		if (address < SD_STAMPS_GPA || (address - SD_STAMPS_GPA) / 8 >= STAMPS ||
		    address % 8 != 0 || !copy_from_guest(vcpu, address, &word, sizeof(word)))
			return false;
		counts->stamp_checks++;
		counts->stamps_wrong += word != sd_stamp(address);
	}
	return batch.count >= 1 && batch.count <= SD_STAMP_BATCH;
}

static void expect_line(uint32_t vcpu, uint64_t gva)
{
	size_t length = strlen(g_log.text);
	char text[GUEST_LOG_BYTES];

	if (g_log.count == GUEST_LOG_LINES || g_log.taken == GUEST_LOG_MOST) {
		g_log.dropped++;
		return;
	}
	reference_text(&g_session.machine.memory, vcpu, gva, text, sizeof(text));
	snprintf(g_log.text + length, sizeof(g_log.text) - length, "vCPU %u: %s\n", vcpu, text);
	g_log.count++;
	g_log.taken++;
}

/* The user is told which check it was, or which exception. */
static void expect_end(uint32_t vcpu)
{
	const struct sd_mailbox *mail = &region_of(vcpu)->mailbox;
	struct guest *guest = &g_guests[vcpu];
	char name[64];

	reference_text(&g_session.machine.memory, vcpu, mail->file, name, sizeof(name));
	if (mail->kind != SD_MAIL_EXCEPTION)
		snprintf(guest->gave_up, sizeof(guest->gave_up), " at %s:%u (", name, mail->line);
}

/* What the doorbell has to lead to, by control.h. */
static bool makes_sense(uint32_t vcpu, uint32_t request, struct vcpu_counts *counts)
{
	uint64_t argument = region_of(vcpu)->argument.raw;

	if (request % 65536 == SD_REQ_WAKE) {
		counts->wakes += request / 65536 < FAKE_VCPUS;
		return request / 65536 < FAKE_VCPUS;
	}
	if (request >= SD_REQ_STEP && request <= SD_REQ_STEP + SD_STEP_WALK) {
		counts->steps++;
		return true;
	}
	switch (request) {
	case SD_REQ_READY:
	case SD_REQ_FLUSH_ME:
	case SD_REQ_NOTHING:
	case SD_REQ_STOPPED:
	case SD_REQ_FINISH:
	case SD_REQ_SPUN:
	case SD_REQ_BREAK:
		return true;
	case SD_REQ_SLEEP:
		counts->sleeps++;
		return true;
	case SD_REQ_YIELD_TO:
		counts->yields += argument < FAKE_VCPUS && argument != vcpu;
		return argument < FAKE_VCPUS && argument != vcpu;
	case SD_REQ_FLUSH_OTHERS:
		return flush_request_is_sound(vcpu, argument);
	case SD_REQ_LOG:
		expect_line(vcpu, argument);
		return true;
	case SD_REQ_CHECK_STAMPS:
		return stamps_are_sound(vcpu, argument, counts);
	case SD_REQ_FAIL:
		expect_end(vcpu);
		return false;
	default:
		return false;
	}
}

static enum guest_step ring(uint32_t vcpu, struct kvm_run *run, uint32_t request)
{
	struct guest *guest = &g_guests[vcpu];

	guest->must_fail = !makes_sense(vcpu, request, &guest->counts);
	return leave_by_port(run, request);
}

static enum guest_step ring_with(uint32_t vcpu, struct kvm_run *run, uint32_t request,
				 uint64_t argument)
{
	sd_u64_store(&region_of(vcpu)->argument, argument);
	return ring(vcpu, run, request);
}

/* --- an initiator ---------------------------------------------------------------- */

static void begin_flush(uint32_t vcpu)
{
	struct guest *guest = &g_guests[vcpu];
	uint32_t range = g_choice >> 3;

	guest->first = range % PAGES;
	guest->pages = 1 + (range >> 2 & 3) % (PAGES - guest->first);
	guest->full = (range & 16) || !g_session.shape.by_page;
	for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
		guest->version[page] = ++g_page_version[page];
	guest->phase = PHASE_POSTING;
	guest->next = 0;
	memset(guest->waits_for, 0, sizeof(guest->waits_for));
	if (is_wake_protocol())
		sd_asleep_begin(region_of(vcpu), FAKE_VCPUS - 1);
}

static uint64_t range_va(const struct guest *guest)
{
	return SD_WINDOW_VA + (uint64_t)guest->first * SD_PAGE_BYTES;
}

/* As guest-payload/protocols/ does. True: wait for it. */
static bool post(uint32_t vcpu, uint32_t target, uint32_t *want)
{
	struct sd_region *region = region_of(target);

	switch (g_protocol) {
	case SD_PROTOCOL_sleep:
		sd_asleep_ask(region, vcpu);
		return true;
	case SD_PROTOCOL_generation:
		return sd_word_post(region, want) == SD_POST_WAIT;
	case SD_PROTOCOL_deferred:
	case SD_PROTOCOL_takeover:
		if (sd_byte_defer(region))
			return false;
		/* fall through */
	default:
		*want = sd_word_request(region);
		return true;
	}
}

static void post_next(uint32_t vcpu, struct guest *guest)
{
	uint32_t target = guest->next++;

	if (target == vcpu)
		return;
	guest->waits_for[target] = post(vcpu, target, &guest->want[target]);
	guest->tells = guest->waits_for[target] && !guest->full;
}

/* A step of its own: another's IPI may have the handler read in between. */
static void tell_range(struct guest *guest)
{
	uint32_t target = guest->next - 1;

	sd_range_tell(region_of(target),
		      sd_range_of(guest->want[target], range_va(guest), guest->pages));
	guest->tells = false;
}

static enum guest_step ask_vmm(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	struct sd_flush_request request = { 0 };

	request.targets[0] = ((1u << FAKE_VCPUS) - 1) & ~(1u << vcpu);
	request.start = guest->full ? 0 : range_va(guest);
	request.pages = guest->full ? 0 : guest->pages;
	memcpy(g_session.machine.memory.hva + FLUSH_REQUEST_GPA(vcpu), &request, sizeof(request));
	guest->phase = PHASE_RUNG;
	return ring_with(vcpu, run, SD_REQ_FLUSH_OTHERS, FLUSH_REQUEST_GPA(vcpu));
}

/* One of the gate's steps: an IPI, and then the flush of this vCPU. */
static void send_next(uint32_t vcpu, struct guest *guest)
{
	if (guest->next < FAKE_VCPUS) {
		if (guest->waits_for[guest->next])
			fake_interrupt(guest->next, vector_of_protocol());
		guest->next++;
		return;
	}
	for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
		flush_page(vcpu, page);
	guest->phase = PHASE_WAITING;
	guest->next = 0;
}

static enum guest_step wait_asleep(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	struct sd_region *own = region_of(vcpu);

	if (guest->phase == PHASE_ASLEEP) {
		sd_asleep_awake(own);
		sd_walk_pass(own);
		guest->phase = PHASE_WAITING;
	}
	if (sd_asleep_over(own)) {
		flush_returned(guest);
		return GUEST_RUNS;
	}
	guest->phase = PHASE_ASLEEP;
	return sd_asleep_may(own) ? ring_with(vcpu, run, SD_REQ_SLEEP, 0) : GUEST_RUNS;
}

static enum guest_step wait_next(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	uint32_t target = guest->next;

	if (is_wake_protocol())
		return wait_asleep(vcpu, guest, run);
	if (target == FAKE_VCPUS) {
		flush_returned(guest);
		return GUEST_RUNS;
	}
	if (!guest->waits_for[target] || sd_word_served(region_of(target), guest->want[target]) ||
	    (g_protocol == SD_PROTOCOL_takeover && sd_byte_defer(region_of(target)))) {
		guest->next++;
		return GUEST_RUNS;
	}
	if (g_protocol == SD_PROTOCOL_yield && sd_word_preempted(region_of(target)))
		return ring_with(vcpu, run, SD_REQ_YIELD_TO, target);
	return GUEST_RUNS;
}

static enum guest_step step_flush(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	switch (guest->phase) {
	case PHASE_IDLE:
		break;
	case PHASE_POSTING:
		if (g_protocol == SD_PROTOCOL_hypercall)
			return ask_vmm(vcpu, guest, run);
		if (guest->tells) {
			tell_range(guest);
			break;
		}
		if (guest->next < FAKE_VCPUS) {
			post_next(vcpu, guest);
			break;
		}
		guest->phase = PHASE_SENDING;
		guest->next = 0;
		break;
	case PHASE_SENDING:
		send_next(vcpu, guest);
		break;
	case PHASE_WAITING:
	case PHASE_ASLEEP:
		return wait_next(vcpu, guest, run);
	case PHASE_RUNG:                /* the doorbell has been answered */
		for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
			flush_page(vcpu, page);
		flush_returned(guest);
		break;
	}
	return GUEST_RUNS;
}

/* --- the handler ----------------------------------------------------------------- */

static bool begin_handler(uint32_t vcpu, struct guest *guest)
{
	struct sd_region *own = region_of(vcpu);

	if (!fake_take_interrupt(vcpu, vector_of_protocol()))
		return false;
	guest->handler = HANDLER_BEGUN;
	guest->range = 0;
	if (is_wake_protocol()) {
		guest->asked = sd_asleep_take(own);
		return true;
	}
	guest->seen = sd_word_serve_begin(own);
	if (g_session.shape.by_page &&
	    sd_range_holds(guest->seen, sd_u32_load(&own->served), sd_u64_load(&own->range)))
		guest->range = sd_u64_load(&own->range);
	return true;
}

static void flush_range(uint32_t vcpu, uint64_t range)
{
	uint64_t first = (uint32_t)range >> SD_RANGE_PAGE_SHIFT;

	for (uint64_t i = 0; i < (range & SD_RANGE_PAGES_MASK); i++) {
		uint64_t page = first + i - SD_WINDOW_VA / SD_PAGE_BYTES;

		if (page < PAGES)
			flush_page(vcpu, (uint32_t)page);
	}
}

static enum guest_step end_handler(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	while (guest->asked != 0) {
		uint32_t initiator = (uint32_t)__builtin_ctzll(guest->asked);

		guest->asked &= guest->asked - 1;
		/* A lie: the assembly handler would count in other memory of the guest's. */
		if (initiator < FAKE_VCPUS && sd_asleep_done(region_of(initiator)))
			return ring(vcpu, run, SD_REQ_WAKE | initiator << 16);
	}
	if (!is_wake_protocol())
		sd_word_serve_end(region_of(vcpu), guest->seen);
	guest->handler = HANDLER_NONE;
	fake_end_interrupt(vcpu, vector_of_protocol());
	return GUEST_RUNS;
}

static enum guest_step step_handler(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	if (guest->handler == HANDLER_FLUSHED)
		return end_handler(vcpu, guest, run);
	if (guest->range & SD_RANGE_PAGES_MASK)
		flush_range(vcpu, guest->range);
	else
		guest_flushed(vcpu);
	guest->handler = HANDLER_FLUSHED;
	return GUEST_RUNS;
}

/* --- other doorbells, and lies ----------------------------------------------------- */

/* Near the places that the guest's page tables begin with. */
static uint64_t take_pointer(uint32_t choice)
{
	static const uint64_t starts[] = {
		0, SD_PAYLOAD_GPA, SD_STAMPS_GPA, SD_STAMPS_GPA + SD_STAMP_PAGES * SD_PAGE_BYTES,
		SD_TABLES_GPA, SD_OWN_REGION_VA, SD_APIC_VA, SD_PROBE_VA, SD_WINDOW_VA,
		SD_WINDOW_VA + SD_PAGE_BYTES, SD_TREE_VA, UINT64_C(1) << 39,
		UINT64_MAX << 47, UINT64_MAX << 39, UINT64_MAX << 30, UINT64_MAX << 12,
	};
	uint64_t offset = choice & 1 ? fuzz_take(&g_program, 2) % SD_PAGE_BYTES : 0;

	return starts[choice >> 1] + offset;
}

/* Anything at the edges of what the VMM looks at. */
static uint64_t take_number(void)
{
	static const uint64_t ends[] = {
		0, 1, FAKE_VCPUS - 1, FAKE_VCPUS, SD_MAX_VCPUS, NS_PER_MS, 86400 * NS_PER_S,
		MEMORY_BYTES - sizeof(struct sd_flush_request), MEMORY_BYTES - 64, MEMORY_BYTES,
		UINT64_C(1) << 47, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_MAX,
	};
	uint32_t choice = fuzz_below(&g_program, 64);

	if (choice >= 32)
		return take_pointer(choice - 32);
	if (choice < 15)
		return ends[choice];
	if (choice < 20)
		return FLUSH_REQUEST_GPA(choice - 15);
	if (choice < 28)
		return ends[7 + choice % 8] + 1 - 2 * (uint64_t)(choice & 1);
	return fuzz_take(&g_program, 8);
}

/* What of it lies in memory. */
static void poke(uint64_t gpa, const void *from, size_t bytes)
{
	if (gpa < MEMORY_BYTES)
		memcpy(g_session.machine.memory.hva + gpa, from,
		       bytes < MEMORY_BYTES - gpa ? bytes : MEMORY_BYTES - gpa);
}

/* Of what the guest shows the VMM: in one page, or across two. */
static uint64_t take_place(void)
{
	static const uint16_t offsets[] = {
		0, 1, SD_PAGE_BYTES - 512, SD_PAGE_BYTES - 504, SD_PAGE_BYTES - 96,
		SD_PAGE_BYTES - 95, SD_PAGE_BYTES - 8, SD_PAGE_BYTES - 1,
	};
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	uint64_t page = byte & 32 ? MEMORY_BYTES - SD_PAGE_BYTES : FLUSH_REQUEST_GPA(byte & 3);

	return page + offsets[byte >> 2 & 7];
}

/* Letters, and one byte that may be none. */
static void write_line(uint64_t gpa)
{
	char text[256];
	uint32_t length = fuzz_below(&g_program, 128), at = fuzz_below(&g_program, 128);

	for (uint32_t i = 0; i < length; i++)
		text[i] = (char)('a' + i % 26);
	text[at] = (char)fuzz_take(&g_program, 1);
	text[length] = '\0';
	poke(gpa, text, length + 1);
}

static void write_batch(uint64_t gpa)
{
	uint64_t first = fuzz_take(&g_program, 3), stride = fuzz_take(&g_program, 1);
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	struct sd_stamp_batch batch = { .count = 1 + byte % SD_STAMP_BATCH };

	for (uint64_t i = 0; i < SD_STAMP_BATCH; i++)
		batch.address[i] = SD_STAMPS_GPA + (first + i * stride) % STAMPS * 8;
	if (g_lies && byte & 64)
		batch.address[fuzz_below(&g_program, SD_STAMP_BATCH)] = take_number();
	if (g_lies && byte & 128)
		batch.count = take_number();
	poke(gpa, &batch, sizeof(batch));
}

/* A batch that memory ends in is no honest one; of a line, the rest is missing. */
static enum guest_step ring_with_pointer(uint32_t vcpu, struct kvm_run *run)
{
	uint32_t what = g_choice >> 3 & 3;
	uint64_t place = what != 1 ? take_place() : take_number();

	if (what == 0)
		write_line(place);
	if (what < 2)
		return ring_with(vcpu, run, SD_REQ_LOG, place);
	write_batch(place);
	return ring_with(vcpu, run, SD_REQ_CHECK_STAMPS, place);
}

static bool is_all_quiet(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (g_guests[i].phase != PHASE_IDLE)
			return false;
	return true;
}

/* Who is idle does not serve: initiators stop first. */
static enum guest_step end_job(uint32_t vcpu, struct kvm_run *run)
{
	if (!is_all_quiet())
		return GUEST_RUNS;
	g_job_over = true;
	return ring(vcpu, run, SD_REQ_READY);
}

/* One of an honest guest. */
static enum guest_step ring_something(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1), other = byte >> 4 & 3;

	switch (byte % 10) {
	case 0:
		return ring(vcpu, run, SD_REQ_NOTHING);
	case 1:
		return ring(vcpu, run, SD_REQ_FINISH);
	case 2:
		return ring(vcpu, run, SD_REQ_FLUSH_ME);
	case 3:
		other = other != vcpu ? other : (vcpu + 1) % FAKE_VCPUS;
		return ring_with(vcpu, run, SD_REQ_YIELD_TO, other);
	case 4:
		return ring(vcpu, run, SD_REQ_WAKE | other << 16);
	case 5:
		return ring_with(vcpu, run, SD_REQ_SLEEP, 1 + other * SLICE_NS);
	case 6:
		return ring(vcpu, run, SD_REQ_SPUN);
	case 7:
		return ring(vcpu, run, SD_REQ_STEP + (byte >> 4) % SD_STEPS);
	case 8:
		return ring(vcpu, run, SD_REQ_STOPPED);
	default:
		return guest->handler == HANDLER_NONE ? end_job(vcpu, run) : GUEST_RUNS;
	}
}

static void write_anything(void)
{
	static const uint16_t places[] = {
		SD_REGION_PREEMPTED, SD_REGION_REQUEST, SD_REGION_SERVED, SD_REGION_PARKED,
		SD_REGION_RANGE, SD_REGION_RING_TAIL, SD_REGION_MAILBOX, SD_MAILBOX_LINE,
		SD_MAILBOX_FILE, SD_MAILBOX_A, SD_MAILBOX_B, SD_REGION_ASKED, SD_REGION_LEFT,
		SD_REGION_ASLEEP, SD_REGION_WALK, offsetof(struct sd_region, argument),
	};
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	uint64_t value = take_number();

	memcpy((char *)region_of(byte & 3) + places[byte >> 4], &value,
	       byte & 4 ? sizeof(value) : sizeof(uint32_t));
}

static void write_request(void)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	uint64_t gpa = byte & 4 ? MEMORY_BYTES - sizeof(struct sd_flush_request)
				: FLUSH_REQUEST_GPA(byte & 3);
	struct sd_flush_request request = { .start = take_number(), .pages = take_number() };

	request.targets[byte >> 4] = take_number();
	poke(gpa, &request, sizeof(request));
}

/* Of an entry: one that the tables have from the start, the ends, or any. */
static uint32_t take_index(void)
{
	static const uint16_t indices[] = { 0, 1, 2, 3, 255, 256, 511 };
	uint32_t choice = fuzz_below(&g_program, 8);

	return choice < 7 ? indices[choice] : (uint32_t)fuzz_take(&g_program, 2) % 512;
}

/* What an entry leads to: where the program writes, tables, stamps, and memory's end. */
static uint64_t take_page(void)
{
	static const uint64_t pages[] = {
		SD_PAYLOAD_GPA, SD_PAYLOAD_GPA + SD_PAGE_BYTES, SD_STAMPS_GPA,
		SD_STAMPS_GPA + SD_PAGE_BYTES, SD_IDENTITY_PD_GPA, SD_REGION_GPA,
		MEMORY_BYTES - SD_PAGE_BYTES, MEMORY_BYTES,
	};
	uint32_t choice = fuzz_below(&g_program, 32);

	if (choice < 8)
		return pages[choice];
	if (choice < 24)
		return sd_table_gpa(choice & 3, (choice - 8) >> 2);
	return (fuzz_take(&g_program, 2) << 12) & ~(choice & 1 ? UINT64_C(0x1fffff) : 0);
}

/* A whole entry, of any table that the VMM has made. */
static void write_entry(void)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1), table = byte >> 2 & 7;
	uint64_t place = table < SD_TABLE_WINDOW + 1 ? sd_table_gpa(byte & 3, table)
						     : SD_IDENTITY_PD_GPA;
	uint64_t entry;

	place += take_index() * sizeof(entry);
	switch (byte >> 5) {
	case 0: entry = 0; break;
	case 1: entry = fuzz_take(&g_program, 8); break;
	case 2: entry = sd_pte_large(take_page()); break;
	case 3: entry = take_page() | fuzz_take(&g_program, 1); break;
	default: entry = sd_pte(take_page()); break;
	}
	poke(place, &entry, sizeof(entry));
}

/* Exits that are no doorbell. */
static enum guest_step leave_badly(struct guest *guest, struct kvm_run *run)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);

	(void)leave_by_port(run, SD_REQ_NOTHING);
	switch (byte & 7) {
	case 0: run->io.direction = KVM_EXIT_IO_IN; break;
	case 1: run->io.size = (uint8_t)(byte >> 6); break;
	case 2: run->io.count = byte; break;            /* 2: never 1 */
	case 3: run->io.port = (uint16_t)fuzz_take(&g_program, 2); break;
	default: run->exit_reason = byte >> 3; break;
	}
	guest->must_fail = run->exit_reason != KVM_EXIT_IO || run->io.size != 4 ||
		run->io.direction != KVM_EXIT_IO_OUT || run->io.count != 1 || run->io.port != 0x10;
	return GUEST_LEAVES;
}

static enum guest_step lie(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	uint32_t request;

	switch (g_choice >> 3 & 7) {
	case 0:
	case 1:
		write_request();
		return ring_with(vcpu, run, SD_REQ_FLUSH_OTHERS, take_number());
	case 2:
		write_request();
		return GUEST_RUNS;
	case 3:
		return leave_badly(guest, run);
	case 4:
		request = (uint32_t)fuzz_take(&g_program, 4);
		return ring_with(vcpu, run, request, take_number());
	case 5:
		request = fuzz_below(&g_program, SD_REQ_STEP + SD_STEPS + 1);
		return ring_with(vcpu, run, request, take_number());
	default:
		write_anything();
		return GUEST_RUNS;
	}
}

/* --- one step ---------------------------------------------------------------------- */

/* What an interrupt or a flush in hand asks for; the handler first: interrupts are off. */
static enum guest_step go_on(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	if (guest->handler != HANDLER_NONE)
		return step_handler(vcpu, guest, run);
	if (g_draining && begin_handler(vcpu, guest))
		return GUEST_RUNS;
	return g_draining && g_job_over ? end_job(vcpu, run) : step_flush(vcpu, guest, run);
}

enum guest_step guest_step(uint32_t vcpu, struct kvm_run *run)
{
	struct guest *guest = &g_guests[vcpu];

	if (g_stopping)
		return GUEST_RUNS;
	if (g_draining)
		return go_on(vcpu, guest, run);
	switch (g_choice & 7) {
	case 0:
		if (guest->phase == PHASE_IDLE && guest->handler == HANDLER_NONE && !g_job_over)
			begin_flush(vcpu);
		return GUEST_RUNS;
	case 1:
		if (guest->handler == HANDLER_NONE)
			(void)begin_handler(vcpu, guest);
		return GUEST_RUNS;
	case 2:
		return GUEST_IS_SCHEDULED_OUT;
	case 3:
		return g_lies ? lie(vcpu, guest, run) : ring_something(vcpu, guest, run);
	case 4:
		return ring_something(vcpu, guest, run);
	case 6:
		return ring_with_pointer(vcpu, run);
	case 7:
		if (g_lies) {
			write_entry();
			return GUEST_RUNS;
		}
		/* fall through */
	default:
		return go_on(vcpu, guest, run);
	}
}

/* --- the session's part, for vCPU threads ---------------------------------------- */

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

static void check_slots(void)
{
	unsigned places[FAKE_VCPUS] = { 0 };

	for (uint32_t i = 0; i < g_session.slot_count; i++)
		check_slot(&g_slots[i], places);
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		fuzz_check(places[i] <= 1);
}

/* --- the program ----------------------------------------------------------------- */

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
		.protocol = protocol_ops_of(g_protocol),
		.tsc_hz = NS_PER_S,
		.entry_flush = shape & 2 ? ENTRY_FLUSH_SREGS : ENTRY_FLUSH_STEAL,
		.settles = shape & 4,
		.shape = {
			.vcpus = FAKE_VCPUS,
			.slots = shape & 1 ? 1 : 2,
			.slice_ns = SLICE_NS,
			.marks_preempted = shape & 4,
			.by_page = (shape & 8) && !is_wake_protocol(),
			.clears_pending = shape & 16,
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
	memset(&g_log, 0, sizeof(g_log));
	begin_shadow(shape & 128);
}

/* Every request so far is served. */
static void begin_vcpu(uint32_t vcpu, uint32_t generation)
{
	struct vcpu_thread *thread = &g_threads[vcpu];

	*thread = (struct vcpu_thread){
		.vcpu = { .id = vcpu },
		.session = &g_session,
		.slot = &g_slots[vcpu % g_session.slot_count],
		.reader = shadow_reader(g_session.shadow, vcpu),
	};
	thread->mode = shadow_mode(thread->reader);
	slot_member_init(&thread->member, vcpu);
	thread->member.is_interrupted = vcpu_is_interrupted;
	sd_u32_store(&region_of(vcpu)->request, generation);
	sd_u32_store(&region_of(vcpu)->served, generation);
}

/* All are queued before the first slot is given out (session.c). */
static void open_slots(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		g_threads[i].state = VCPU_PARKED;
		slot_queue(g_threads[i].slot, &g_threads[i].member);
	}
	for (uint32_t i = 0; i < g_session.slot_count; i++)
		slot_open(&g_slots[i]);
}

static void begin(void)
{
	create_memory(&g_session.machine.memory);
	reset_memory(&g_session.machine.memory);
	begin_session();
	memset(g_guests, 0, sizeof(g_guests));
	memset(g_page_version, 0, sizeof(g_page_version));
	memset(g_flushed_version, 0, sizeof(g_flushed_version));
	g_draining = g_stopping = g_job_over = false;
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		begin_vcpu(i, (uint32_t)(int8_t)fuzz_take(&g_program, 1) * SD_WORD_GENERATION);
	fake_begin(&g_session, &g_program);
	/* No job is given out before every vCPU is there. */
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		while (atomic_load(&g_session.ready) == i)
			fuzz_check(fake_resume(i));
	open_slots();
	/* Who has a slot goes on up to its next call. */
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		(void)fake_resume(i);
}

/* Between two jobs vCPUs are off their slots: nobody joins while one goes on. */
static void give_next_job(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (fake_has_ended(i) || g_threads[i].state != VCPU_IDLE)
			return;
	g_job_over = false;
	open_slots();
}

static bool has_failed(void)
{
	bool failed = false;

	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		/* Nobody leaves for any other reason. */
		fuzz_check(g_stopping || fake_has_ended(i) == g_guests[i].failed);
		failed |= g_guests[i].failed;
	}
	return failed;
}

/* Main prints what the guest has had to say: now and then, and at the end. */
static void check_log(void)
{
	char *text;
	size_t bytes;
	FILE *out;

	fuzz_check(g_session.log.count == g_log.count && g_session.log.dropped == g_log.dropped);
	if (g_log.count == 0)
		return;
	out = open_memstream(&text, &bytes);
	fuzz_check(out != NULL);
	guest_log_print(&g_session.log, out);
	fclose(out);
	fuzz_check(strcmp(text, g_log.text) == 0);
	free(text);
	g_log.count = 0;
	g_log.text[0] = '\0';
}

static void schedule(void)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1), vcpu = byte & 3;

	g_choice = (uint32_t)fuzz_take(&g_program, 1);
	switch (byte >> 2 & 7) {
	case 0:
		fake_pass_time(SLICE_NS / 4 * (vcpu + 1));
		check_log();
		break;
	case 1:
		give_next_job();
		break;
	default:
		for (uint32_t times = 1 + (byte >> 5); times > 0; times--)
			(void)fake_resume(vcpu);
		break;
	}
}

/* Each vCPU gets to run in turn, and once more when all is over: what hangs now hangs for
 * ever, and what is old is used. */
static void drain(void)
{
	g_draining = true;
	g_entered = 0;
	for (uint32_t round = 0; g_entered != (1u << FAKE_VCPUS) - 1; round++) {
		if (!is_all_quiet())
			g_entered = 0;
		fuzz_check(round < DRAIN_ROUNDS);
		fake_pass_time(SLICE_NS / 4);
		give_next_job();
		for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
			for (int times = 0; times < 8; times++)
				(void)fake_resume(i);
			check_slots();
		}
	}
}

/* As a session ends (session.c). */
static void stop(void)
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

static void check_counts(void)
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
	}
}

/* The rest of session_destroy(). */
static void end(void)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	g_program = (struct fuzz_program){ data, bytes };
	begin();
	while (g_program.left != 0 && !has_failed()) {
		schedule();
		check_slots();
	}
	if (!g_lies && !has_failed())
		drain();
	stop();
	check_counts();
	check_log();
	end();
	return 0;
}
