/* SPDX-License-Identifier: MIT */
/*
 * requests.h - what the parts of requests_fuzz.c have in common: its guests, and how the
 * parts call each other. One thread; nothing is locked.
 *
 *   requests_fuzz.c      the program: who runs, and what its guest then does
 *   requests_session.c   the session under test, from creation to the end
 *   requests_flush.c     a guest's flushes and its handler
 *   requests_ask.c       what else an honest guest asks for
 *   requests_lie.c       what a guest does that is not honest
 *   requests_doorbell.c  doorbells, and what each has to lead to
 *   requests_tlb.c       the reference: what TLBs may hold
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "clock.h"
#include "fake_host.h"

#define PAGES 4                 /* of the one window */
#define SLICE_NS NS_PER_MS
#define DRAIN_ROUNDS 3000

#define FLUSH_REQUEST_GPA(vcpu) (SD_PAYLOAD_GPA + (uint64_t)(vcpu) * SD_PAGE_BYTES)
#define MEMORY_BYTES (SD_FRAMES_GPA + (SD_FRAME_SETS + 1) * (size_t)SD_PAGE_BYTES)
#define STAMPS (SD_STAMP_PAGES * SD_PAGE_BYTES / sizeof(uint64_t))

enum phase { PHASE_IDLE, PHASE_POSTING, PHASE_SENDING, PHASE_WAITING, PHASE_RUNG, PHASE_ASLEEP };
enum handler { HANDLER_NONE, HANDLER_BEGUN, HANDLER_FLUSHED };

/* The software of one vCPU. */
struct guest {
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

/* --- requests_fuzz.c --------------------------------------------------------------- */

extern struct guest g_guests[FAKE_VCPUS];
extern struct fuzz_program g_program;
extern uint32_t g_choice;       /* what a guest does that gets to run now */
extern bool g_draining;         /* nothing new begins, and all that has begun ends */

/* --- requests_session.c ------------------------------------------------------------ */

extern struct session g_session;
extern struct vcpu_thread g_threads[FAKE_VCPUS];
extern enum sd_protocol g_protocol;
extern bool g_lies;             /* the guest does */
extern bool g_stopping;
extern bool g_job_over;         /* one is idle: no flush begins until all are */

static inline struct sd_region *region_of(uint32_t vcpu)
{
	return guest_region(&g_session.machine.memory, vcpu);
}

static inline bool is_wake_protocol(void)
{
	return g_protocol == SD_PROTOCOL_sleep;
}

/* session_begin - of the shape that the program's first bytes say, up to the first job;
 * session_stop - as session.c ends one; session_end - the rest of session_destroy(). */
void session_begin(void);
void session_stop(void);
void session_end(void);

/* give_next_job - once all vCPUs are idle. */
void give_next_job(void);

/* has_failed - has a vCPU's thread ended the run? Each that has ended had to. */
bool has_failed(void);

/* check_slots - one holder a slot, and one place a vCPU; check_counts - of all threads,
 * at the end: what was asked for. */
void check_slots(void);
void check_counts(void);

/* --- requests_flush.c -------------------------------------------------------------- */

/* begin_flush - of the range in g_choice; step_flush - its next step, if there is one. */
void begin_flush(uint32_t vcpu);
enum guest_step step_flush(uint32_t vcpu, struct guest *guest, struct kvm_run *run);

/* is_all_quiet - no flush is under way. */
bool is_all_quiet(void);

/* begin_handler - false: no interrupt is pending; step_handler - its next step. */
bool begin_handler(uint32_t vcpu, struct guest *guest);
enum guest_step step_handler(uint32_t vcpu, struct guest *guest, struct kvm_run *run);

/* --- requests_ask.c ---------------------------------------------------------------- */

/* ring_something - one of the doorbells of an honest guest; ring_with_pointer - one that
 * leads the VMM to memory; end_job - once all is quiet. */
enum guest_step ring_something(uint32_t vcpu, struct guest *guest, struct kvm_run *run);
enum guest_step ring_with_pointer(uint32_t vcpu, struct kvm_run *run);
enum guest_step end_job(uint32_t vcpu, struct kvm_run *run);

/* --- requests_lie.c ---------------------------------------------------------------- */

/* take_number - one from the program, at the edges of what the VMM looks at. */
uint64_t take_number(void);

/* poke - @bytes to guest memory; what of it lies in there. */
void poke(uint64_t gpa, const void *from, size_t bytes);

/* lie - a doorbell, an exit or a write of any kind; write_entry - a page-table entry. */
enum guest_step lie(uint32_t vcpu, struct guest *guest, struct kvm_run *run);
void write_entry(void);

/* --- requests_doorbell.c ----------------------------------------------------------- */

/* leave_by_port - an exit that is a doorbell, whatever comes of it; ring - one that is
 * answered as control.h says; ring_with - with its argument. */
enum guest_step leave_by_port(struct kvm_run *run, uint32_t request);
enum guest_step ring(uint32_t vcpu, struct kvm_run *run, uint32_t request);
enum guest_step ring_with(uint32_t vcpu, struct kvm_run *run, uint32_t request,
			  uint64_t argument);

/* log_begin - the user has seen nothing yet; check_log - print what there is: it is what
 * the guest has had to say. */
void log_begin(void);
void check_log(void);

/* --- requests_tlb.c ---------------------------------------------------------------- */

/* tlb_begin - all TLBs and pages anew. */
void tlb_begin(void);

/* tlb_store_pte - the page gets a new version: which. */
uint64_t tlb_store_pte(uint32_t page);

/* flush_page - the worst that may be: the page is looked up again at once. */
void flush_page(uint32_t vcpu, uint32_t page);

/* flush_returned - nobody uses what @guest's flush was about. */
void flush_returned(struct guest *guest);

/* tlb_all_have_entered - the guest, since tlb_forget_entries(). */
bool tlb_all_have_entered(void);
void tlb_forget_entries(void);

#endif
