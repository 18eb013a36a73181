// SPDX-License-Identifier: MIT
/*
 * handler_steps.c - a payload that looks at the real flush handlers between their steps:
 * nothing is acknowledged before the flush, and nothing that was asked after the load.
 *
 * vCPU 0 interrupts itself. At each step its handler leaves its slot, and vCPU 1, which
 * has the slot then, looks at what has been acknowledged, asks for more, and leaves the
 * slot too. One slot and slices without end: nobody else takes anybody off. The protocol
 * is one whose park only marks. Linked with the handlers themselves, guest-payload/entry.S.
 *
 * Follows: include/word.h, include/asleep.h.
 * Tested by: tests/kvm/handlers_acknowledge_what_they_read_test.py
 */
#include "asleep.h"
#include "guest.h"
#include "word.h"

#define ROUNDS 64               /* of each vector; the test counts their steps */
#define ACTOR 0                 /* whose handlers are looked at */
#define LOOKER 1
#define FIRST_BIT 5             /* initiators that ask: any */
#define LATE_BIT 6

__attribute__((noreturn))
void g_main(uint32_t self);

/* Written by one vCPU while the other is off the slot that they share. */
static struct {
	struct sd_u32 vector;           /* in flight; 0: none */
	struct sd_u32 step;             /* SD_STEP_ that comes next */
	struct sd_u32 want;             /* what the handler's request word asked for */
	struct sd_u32 over;
} scene;

static struct sd_region *actor(void)
{
	return g_region(ACTOR);
}

/* The request word's handlers: flush, and flush by page. */
static void look_at_word(uint32_t step)
{
	uint32_t want = sd_u32_load(&scene.want), served = sd_u32_load(&actor()->served);

	if (step == SD_STEP_SERVED) {
		g_check(served == want, served, want);
		return;
	}
	g_check(served == want - SD_WORD_GENERATION, served, want);
	/* After the handler's load: it is not for this flush. */
	if (step == SD_STEP_FLUSHED)
		(void)sd_word_request(actor());
}

/* What was asked before the bits were taken is answered, what comes later stays. */
static void look_at_bits(uint32_t step)
{
	uint64_t late = UINT64_C(1) << LATE_BIT;
	uint64_t asked = sd_u64_load(&actor()->asked);
	uint32_t left = sd_u32_load(&g_region(FIRST_BIT)->left);

	g_check(asked == (step == SD_STEP_READ ? 0 : late), asked, step);
	g_check(left == (step == SD_STEP_SERVED ? 1 : 2), left, step);
	g_check(sd_u32_load(&g_region(LATE_BIT)->left) == 2, LATE_BIT, step);
	if (step == SD_STEP_READ)
		sd_asleep_ask(actor(), LATE_BIT);
}

static void look(void)
{
	uint32_t step = sd_u32_load(&scene.step);

	if (sd_u32_load(&scene.vector) == SD_VECTOR_FLUSH)
		look_at_word(step);
	else
		look_at_bits(step);
	sd_u32_store(&scene.step, step + 1);
}

/* Back to the other one, whatever the VMM has asked to be told of. */
static void leave_slot(void)
{
	g_doorbell(SD_REQ_STEP + SD_STEP_SERVED);
}

static void interrupt_self(uint32_t vector)
{
	uint32_t destination = g_destination(ACTOR);

	sd_u32_store(&scene.step, SD_STEP_READ);
	sd_u32_store(&scene.vector, vector);
	g_gate_shootdown(&destination, 1, vector, G_EVERYTHING);
	/* A handler has run by now: interrupts are on after the gate. */
	sd_u32_store(&scene.vector, 0);
	g_check(sd_u32_load(&scene.step) == SD_STEP_SERVED + 1, sd_u32_load(&scene.step), vector);
}

/* The late request is nobody's: no handler is left in flight that could answer it. */
static void word_once(void)
{
	uint32_t want = sd_word_request(actor());

	sd_u32_store(&scene.want, want);
	interrupt_self(SD_VECTOR_FLUSH);
	g_check(!sd_word_served(actor(), want + SD_WORD_GENERATION), want, 0);
	sd_u32_store(&actor()->served, want + SD_WORD_GENERATION);
}

static void bits_once(void)
{
	sd_asleep_begin(g_region(FIRST_BIT), 2);
	sd_asleep_begin(g_region(LATE_BIT), 2);
	sd_asleep_ask(actor(), FIRST_BIT);
	interrupt_self(SD_VECTOR_FLUSH_WAKE);
	g_check(sd_asleep_take(actor()) == UINT64_C(1) << LATE_BIT, LATE_BIT, 0);
}

static void act(void)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		word_once();
		bits_once();
	}
	sd_u32_store(&scene.over, 1);
	g_doorbell(SD_REQ_STOPPED);
}

static void look_on(void)
{
	while (!sd_u32_load(&scene.over)) {
		if (sd_u32_load(&scene.vector) != 0)
			look();
		leave_slot();
	}
}

void g_main(uint32_t self)
{
	g_idt_init();
	for (;;) {
		if (g_control()->job == SD_JOB_TOGGLE && self == ACTOR)
			act();
		else if (g_control()->job == SD_JOB_TOGGLE && self == LOOKER)
			look_on();
		g_doorbell(SD_REQ_READY);
	}
}
