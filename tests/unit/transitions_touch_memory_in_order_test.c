// SPDX-License-Identifier: MIT
/*
 * transitions_touch_memory_in_order_test.c - what each step of word.h, pending_2017.h,
 * grace.h and asleep.h does to the region page: which words, in which order, and what by
 * a locked instruction. Results do not tell: a mark that is there already and is not made
 * again, or a word that is read too early, is right until another CPU comes in between.
 * And none of the VMM's steps compares and swaps: a guest that writes the word all the
 * time could keep it trying.
 *
 * Owns:    the region page, which is closed. An access faults, is noted, and is let
 *          through by itself: one instruction with the trap flag set.
 * Follows: Intel SDM volume 3, 6.15 (page-fault error code, bit 1: a write), 17.3.1.4
 *          (single-step); volume 2, 2.1.1 (LOCK prefix), XCHG (locked with memory),
 *          CMPXCHG (0F B0, 0F B1).
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "asleep.h"
#include "grace.h"
#include "pending_2017.h"
#include "unit_test.h"
#include "word.h"

#define P       SD_WORD_PREEMPTED
#define S       SD_WORD_SHOULD_FLUSH
#define FLUSH   SD_BYTE_FLUSH_TLB

#define TRAP_FLAG    0x100
#define FAULT_WRITE  2
#define MOST         12         /* accesses of one step that are kept */
#define HOSTILE_MOST 200        /* times that another CPU comes in between */

enum kind { NOTHING, LOAD, STORE, LOCKED, COMPARED };   /* CMPXCHG: it may fail */

struct access {
	enum kind kind;
	uint32_t offset;                /* in the region */
};

static struct sd_region *g_region;
static struct access g_trace[MOST + 1];
static volatile sig_atomic_t g_count;

/* What a hostile guest writes before each access, in turn; NULL: there is none. */
static const uint32_t *g_hostile;
static size_t g_hostile_count;

static const uint8_t *behind_rex(const uint8_t *code)
{
	return (*code & 0xf0) == 0x40 ? code + 1 : code;
}

static enum kind kind_of_write(const uint8_t *code)
{
	bool locked = *code == 0xf0;

	code = behind_rex(locked ? code + 1 : code);
	if (locked)
		return code[0] == 0x0f && (code[1] & 0xfe) == 0xb0 ? COMPARED : LOCKED;
	return *code == 0x86 || *code == 0x87 ? LOCKED : STORE;         /* XCHG */
}

static void note(enum kind kind, uint32_t offset)
{
	if (g_count < MOST)
		g_trace[g_count] = (struct access){ kind, offset };
	g_count++;
}

static void write_as_hostile_guest(void)
{
	uint32_t value;

	if (g_hostile == NULL || g_count > HOSTILE_MOST)
		return;
	value = g_hostile[(size_t)g_count % g_hostile_count];
	sd_u32_store(&g_region->request, value);
	sd_u32_store(&g_region->state_2017, value);
	(void)sd_u8_exchange(&g_region->preempted, (uint8_t)value);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t offset = (uintptr_t)info->si_addr - (uintptr_t)g_region;
	const uint8_t *code = (const uint8_t *)(uintptr_t)registers[REG_RIP];

	if (offset >= sizeof(*g_region)) {      /* not ours: the next one is fatal */
		(void)sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
		return;
	}
	note(registers[REG_ERR] & FAULT_WRITE ? kind_of_write(code) : LOAD, (uint32_t)offset);
	(void)mprotect(g_region, sizeof(*g_region), PROT_READ | PROT_WRITE);
	write_as_hostile_guest();
	registers[REG_EFL] |= TRAP_FLAG;
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)mprotect(g_region, sizeof(*g_region), PROT_NONE);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

/* --- the steps ---------------------------------------------------------------------- */

static volatile uint64_t g_ignored;

static void post(void)
{
	uint32_t want = 0;

	g_ignored = sd_word_post(g_region, &want);
}

static void request(void)
{
	g_ignored = sd_word_request(g_region);
}

static void serve_begin(void)
{
	g_ignored = sd_word_serve_begin(g_region);
}

static void serve_end(void)
{
	sd_word_serve_end(g_region, 8);
}

static void mark(void)
{
	sd_word_mark(g_region);
}

static void park(void)
{
	g_ignored = sd_word_park(g_region);
}

static void unpark(void)
{
	g_ignored = sd_word_unpark(g_region);
}

static void post_2017(void)
{
	g_ignored = sd_2017_post(g_region);
}

static void park_2017(void)
{
	g_ignored = sd_2017_park(g_region);
}

static void unpark_2017(void)
{
	g_ignored = sd_2017_unpark(g_region);
}

static void byte_defer(void)
{
	g_ignored = sd_byte_defer(g_region);
}

static void byte_mark(void)
{
	sd_byte_mark(g_region);
}

static void byte_ask_flush(void)
{
	sd_byte_ask_flush(g_region);
}

static void byte_take(void)
{
	g_ignored = sd_byte_take(g_region);
}

static void walk_begin(void)
{
	sd_walk_begin(g_region);
}

static void walk_end(void)
{
	sd_walk_end(g_region);
}

static void grace_begin(void)
{
	sd_grace_begin(g_region);
}

static void grace_note(void)
{
	g_ignored = sd_grace_note(g_region);
}

static void grace_passed(void)
{
	g_ignored = sd_grace_passed(g_region, 0);
}

static void asleep_ask(void)
{
	sd_asleep_ask(g_region, 3);
}

static void asleep_may(void)
{
	g_ignored = sd_asleep_may(g_region);
}

static void asleep_take(void)
{
	g_ignored = sd_asleep_take(g_region);
}

static void asleep_done(void)
{
	g_ignored = sd_asleep_done(g_region);
}

#define REQUEST SD_REGION_REQUEST
#define SERVED  SD_REGION_SERVED
#define BYTE    SD_REGION_PREEMPTED
#define STATE   SD_REGION_STATE_2017
#define ASKED   SD_REGION_ASKED
#define LEFT    SD_REGION_LEFT
#define ASLEEP  SD_REGION_ASLEEP
#define IN_WALK ((uint32_t)offsetof(struct sd_region, in_walk))
#define PASS    ((uint32_t)offsetof(struct sd_region, pass))
#define GRACES  ((uint32_t)offsetof(struct sd_region, graces))

static const struct {
	const char *name;
	void (*step)(void);
	uint32_t request;               /* before; state_2017 too */
	uint8_t byte;
	struct access trace[MOST + 1];
} g_steps[] = {
	{ "post, running",       post, 8, 0, { { LOAD, REQUEST }, { COMPARED, REQUEST } } },
	{ "post, preempted",     post, 8 | P, 0, { { LOAD, REQUEST }, { COMPARED, REQUEST } } },
	/* The PTE store may still wait in the store buffer: a look would not drain it. */
	{ "post, marked",        post, 8 | P | S, 0, { { LOAD, REQUEST }, { COMPARED, REQUEST } } },
	{ "request",             request, 8, 0, { { LOCKED, REQUEST } } },
	{ "serve_begin",         serve_begin, 8, 0, { { LOAD, REQUEST } } },
	/* What was read before the flush, and not what stands there now. */
	{ "serve_end",           serve_end, 8, 0, { { STORE, SERVED } } },
	{ "mark",                mark, 8, 0, { { LOCKED, REQUEST } } },
	/* PREEMPTED, then the generation, and only then the acknowledgement. */
	{ "park, unserved",      park, 8, 0,
	  { { LOCKED, REQUEST }, { LOAD, REQUEST }, { LOAD, SERVED }, { STORE, SERVED } } },
	{ "park, served",        park, 0, 0,
	  { { LOCKED, REQUEST }, { LOAD, REQUEST }, { LOAD, SERVED } } },
	/* PREEMPTED, then the look: no mark is made after it. */
	{ "unpark",              unpark, 8 | P, 0, { { LOCKED, REQUEST }, { LOAD, REQUEST } } },
	{ "unpark, marked",      unpark, 8 | P | S, 0,
	  { { LOCKED, REQUEST }, { LOAD, REQUEST }, { LOCKED, REQUEST } } },
	{ "2017 post",           post_2017, 0, 0, { { LOAD, STATE }, { COMPARED, STATE } } },
	{ "2017 park",           park_2017, 0, 0, { { LOCKED, STATE }, { LOAD, STATE } } },
	{ "2017 park, pending",  park_2017, SD_2017_IPI_PENDING, 0,
	  { { LOCKED, STATE }, { LOAD, STATE }, { LOCKED, STATE } } },
	{ "2017 unpark",         unpark_2017, P | S, 0, { { LOCKED, STATE } } },
	{ "byte_defer, running", byte_defer, 0, 0, { { LOAD, BYTE } } },
	{ "byte_defer",          byte_defer, 0, P, { { LOAD, BYTE }, { COMPARED, BYTE } } },
	{ "byte_defer, marked",  byte_defer, 0, P | FLUSH, { { LOAD, BYTE }, { COMPARED, BYTE } } },
	{ "byte_mark",           byte_mark, 0, FLUSH, { { LOCKED, BYTE } } },
	{ "byte_ask_flush",      byte_ask_flush, 0, P, { { LOCKED, BYTE } } },
	{ "byte_take",           byte_take, 0, P | FLUSH, { { LOCKED, BYTE } } },
	{ "walk_begin",          walk_begin, 0, 0, { { STORE, IN_WALK } } },
	{ "walk_end",            walk_end, 0, 0, { { STORE, IN_WALK }, { LOCKED, PASS } } },
	{ "grace_begin",         grace_begin, 0, 0, { { LOCKED, GRACES } } },
	{ "grace_note",          grace_note, 0, 0, { { LOAD, PASS } } },
	{ "grace_passed, runs",  grace_passed, 8, 0, { { LOAD, PASS }, { LOAD, REQUEST } } },
	/* Whoever is seen parked has drained in_walk; the other way round it may begin a
	 * walk in between. */
	{ "grace_passed, parked", grace_passed, 8 | P, 0,
	  { { LOAD, PASS }, { LOAD, REQUEST }, { LOAD, IN_WALK } } },
	{ "asleep_ask",          asleep_ask, 0, 0, { { LOCKED, ASKED } } },
	{ "asleep_may",          asleep_may, 0, 0, { { LOCKED, ASLEEP }, { LOAD, LEFT } } },
	{ "asleep_take",         asleep_take, 0, 0, { { LOCKED, ASKED } } },
	/* Zero targets are left: the one that is taken off is not the last. */
	{ "asleep_done",         asleep_done, 0, 0, { { LOCKED, LEFT } } },
};

/* In the test itself: cmocka has handlers of its own around it, and wants them back. */
static void trace_of(void (*step)(void), uint32_t request_before, uint8_t byte)
{
	const struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	const struct sigaction trap = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct sigaction old_fault, old_trap;

	assert_int_equal(sigaction(SIGSEGV, &fault, &old_fault), 0);
	assert_int_equal(sigaction(SIGTRAP, &trap, &old_trap), 0);
	memset(g_region, 0, sizeof(*g_region));
	sd_u32_store(&g_region->request, request_before);
	sd_u32_store(&g_region->state_2017, request_before);
	(void)sd_u8_exchange(&g_region->preempted, byte);
	memset(g_trace, 0, sizeof(g_trace));
	g_count = 0;
	assert_int_equal(mprotect(g_region, sizeof(*g_region), PROT_NONE), 0);
	step();
	assert_int_equal(mprotect(g_region, sizeof(*g_region), PROT_READ | PROT_WRITE), 0);
	assert_int_equal(sigaction(SIGSEGV, &old_fault, NULL), 0);
	assert_int_equal(sigaction(SIGTRAP, &old_trap, NULL), 0);
}

static void each_step_touches_what_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_steps); i++) {
		trace_of(g_steps[i].step, g_steps[i].request, g_steps[i].byte);
		for (size_t a = 0; a <= MOST; a++) {
			const struct access *wanted = &g_steps[i].trace[a];

			if (g_trace[a].kind != wanted->kind || g_trace[a].offset != wanted->offset)
				fail_msg("%s: access %zu is %d at 0x%x, not %d at 0x%x",
					 g_steps[i].name, a, g_trace[a].kind, g_trace[a].offset,
					 wanted->kind, wanted->offset);
		}
	}
}

/* That a trace can have each kind at all, and that none goes unseen. */
static void touch_plainly(void)
{
	g_ignored = sd_u32_load(&g_region->request);
	sd_u32_store(&g_region->request, 5);
	(void)sd_u32_fetch_add(&g_region->served, 4);
	g_ignored = sd_u32_exchange(&g_region->left, 6);
	g_ignored = sd_u64_exchange(&g_region->asked, 7);
	g_ignored = sd_u8_exchange(&g_region->preempted, 1);
	sd_u8_or(&g_region->preempted, 2);
	sd_u32_or(&g_region->left, 8);
	sd_u32_and(&g_region->left, 12);
	sd_u64_or(&g_region->asked, 8);
	g_ignored = sd_u8_cas(&g_region->preempted, 3, 2);
}

static void every_access_is_seen(void **state)
{
	static const struct access wanted[] = {
		{ LOAD, REQUEST }, { STORE, REQUEST }, { LOCKED, SERVED }, { LOCKED, LEFT },
		{ LOCKED, ASKED }, { LOCKED, BYTE }, { LOCKED, BYTE }, { LOCKED, LEFT },
		{ LOCKED, LEFT }, { LOCKED, ASKED }, { COMPARED, BYTE },
	};

	(void)state;
	trace_of(touch_plainly, 3, 0);
	assert_int_equal(g_count, COUNT_OF(wanted));
	assert_memory_equal(g_trace, wanted, sizeof(wanted));
	assert_int_equal(sd_u32_load(&g_region->request), 5);
	assert_int_equal(sd_u32_load(&g_region->served), 4);
	assert_int_equal(sd_u32_load(&g_region->left), 12);
	assert_int_equal(sd_u64_load(&g_region->asked), 15);
	assert_int_equal(sd_u8_load(&g_region->preempted), 2);
}

/* --- a guest that writes its words between any two accesses of the VMM ---------------- */

/* No two that follow each other are the same, or a post would end. */
static const uint32_t g_writes[][3] = {
	{ 0, P | S, 8 },
	{ P, 0, S },
	{ S, 8 | S, 16 | S },
	{ UINT32_MAX, 0, UINT32_MAX - 1 },
	{ P | S | 4, P | S | 8, P | S | 12 },
	{ 4, 8, 12 },
};

static int accesses_under(const uint32_t writes[3], void (*step)(void))
{
	g_hostile = writes;
	g_hostile_count = 3;
	trace_of(step, 8 | P, P);
	g_hostile = NULL;
	return g_count;
}

static void the_vmm_is_done_after_a_few_accesses_whatever_the_guest_writes(void **state)
{
	static const struct {
		void (*step)(void);
		int most;
	} steps[] = {
		{ mark, 1 }, { park, 4 }, { unpark, 3 }, { park_2017, 3 }, { unpark_2017, 1 },
		{ byte_mark, 1 }, { byte_ask_flush, 1 }, { byte_take, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		for (size_t w = 0; w < COUNT_OF(g_writes); w++)
			assert_in_range(accesses_under(g_writes[w], steps[i].step), 1,
					(uintmax_t)steps[i].most);
}

/* Which is what a guest may do to itself: a post goes on for as long as that. */
static void a_loop_would_be_seen(void **state)
{
	(void)state;
	for (size_t w = 0; w < COUNT_OF(g_writes); w++) {
		assert_true(accesses_under(g_writes[w], post) > HOSTILE_MOST);
		assert_true(accesses_under(g_writes[w], post_2017) > HOSTILE_MOST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_access_is_seen),
		cmocka_unit_test(each_step_touches_what_it_should),
		cmocka_unit_test(the_vmm_is_done_after_a_few_accesses_whatever_the_guest_writes),
		cmocka_unit_test(a_loop_would_be_seen),
	};

	g_region = mmap(NULL, sizeof(*g_region), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g_region == MAP_FAILED)
		return 99;
	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
