/* SPDX-License-Identifier: MIT */
/*
 * hostile.h - a payload that attacks whoever runs it, in parts: life.c (it measures, and
 * then turns), acts.c (what the walk is made of), ends.c (what no guest survives),
 * ring_0.c (what takes ring 0, by int3).
 *
 * Built against include/ alone. The plan decides everything, and is in the file.
 * Tested by: tests/kvm/hostile_guest_is_contained_test.py
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdint.h>

#include "control.h"
#include "region.h"
#include "sample.h"
#include "stamp.h"

#define MEMORY_BYTES  0x10000000 /* about: where guest memory ends */
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define CS32          0x38       /* ring 0, 32 bits: make_sregs_refused() */

/*
 * What the guest will do: the test writes one over that in the file, after the marker. Words
 * of 64 bits, little-endian.
 */
struct plan {
	uint64_t marker[2];
	uint64_t seed;
	uint64_t acts;                  /* a bit each act of the walk */
	uint64_t end;                   /* which one */
	uint64_t finisher;              /* vCPU whose end it is; EVERYBODY: all have it */
	uint64_t jobs;                  /* obeyed before it turns; AFTER_CALM: CALM_ROUNDS */
};

#define MARKER_0   UINT64_C(0x6e616c7020656854) /* "The plan" */
#define MARKER_1   UINT64_C(0x656c6974736f6820) /* " hostile" */
#define EVERYBODY  UINT64_MAX
#define AFTER_CALM UINT64_MAX

extern const volatile struct plan plan;

/* What a vCPU needs to go on after an interruption; its neighbours may spoil it. */
struct walker {
	uint64_t dice;                  /* SplitMix64 */
	uint64_t acts;                  /* as planned */
	uint64_t until_ticks;
	uint64_t privileged;            /* what int3 is to do: enum privileged */
	uint64_t value;                 /* for it */
	uint32_t index;
	uint32_t finisher;
	bool walks;                     /* has begun; all else is set */
};

extern struct walker walkers[SD_MAX_VCPUS];
/* Copies from before it turned: the control block is scribbled over. */
extern uint32_t vcpus, initiators;
extern uint64_t tsc_hz;

#define HOSTILE_ACT(name, how) ACT_##name,
enum {
#include "acts.def"
	ACTS
};
#undef HOSTILE_ACT
extern void (*const acts[ACTS])(struct walker *walker);

#define HOSTILE_END(name) END_##name,
enum {
#include "ends.def"
	ENDS
};
#undef HOSTILE_END
extern void (*const ends[ENDS])(struct walker *walker);

static struct sd_control *const control = (struct sd_control *)SD_CONTROL_GPA;
static struct sd_region *const own = (struct sd_region *)SD_OWN_REGION_VA;

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static inline uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

__attribute__((noreturn))
static inline void spin(void)
{
	for (;;)
		__asm__ volatile("pause" : : : "memory");
}

static inline void call(uint64_t address)
{
	__asm__ volatile("call *%0" : : "r"(address) : "memory");
}

static inline uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t draw(struct walker *walker)
{
	return mix(walker->dice += UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t below(struct walker *walker, uint64_t limit)
{
	return draw(walker) % limit;
}

/* Often one of those that go wrong. */
static inline uint64_t wild(struct walker *walker)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 4, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x100000000,
		INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 7, UINT64_MAX,
		MEMORY_BYTES, SD_APIC_GPA, SD_FRAMES_GPA, UINT64_C(0x0000800000000000),
	};
	uint64_t choice = below(walker, 2 * COUNT(edges));

	return choice < COUNT(edges) ? edges[choice] : draw(walker) >> below(walker, 64);
}

static inline struct sd_region *any_region(struct walker *walker)
{
	return (struct sd_region *)(SD_REGION_GPA + below(walker, vcpus) * SD_REGION_STRIDE);
}

static inline void store(uint64_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

/* --- ring_0.c ------------------------------------------------------------------- */

enum privileged {
	RUN_WRMSR,
	RUN_RDMSR,
	RUN_CR0,
	RUN_CR3,
	RUN_CR4,
	RUN_INVLPG,
	RUN_LGDT,
	RUN_STI_HLT,
	RUN_DR7,
	RUN_OUT,                /* and from here on: an end */
	RUN_IN,
	RUN_REP_OUT,
	RUN_REP_IN,
	RUN_CLI_HLT,
	RUN_CLI_SPIN,
	RUN_NO_IDT,
	RUN_LEAVE_LONG_MODE,
};

/* run_in_ring_0 - by int3; walk() begins anew after it. */
static inline void run_in_ring_0(struct walker *walker, enum privileged what, uint32_t index,
				 uint64_t value)
{
	walker->privileged = what;
	walker->index = index;
	walker->value = value;
	__asm__ volatile("int3" : : : "memory");
}

/* set_gates - every vector leads to walk(), int3 by way of ring 0. */
void set_gates(void);

/* walk - life.c; by the gates, on a fresh stack. */
__attribute__((noreturn))
void walk(uint32_t self);

#endif
