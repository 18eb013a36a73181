// SPDX-License-Identifier: MIT
/*
 * exit_cost.c - an example of a payload of one's own: what does an exit to the
 * VMM cost while other vCPUs compete for its CPU?
 *
 * Needs nothing but include/. Build and run it by hand with
 *
 *   cc -I include -O2 -ffreestanding -fno-pic -no-pie -fno-stack-protector
 *      -mno-red-zone -mgeneral-regs-only -nostdlib -static
 *      -Wl,-Ttext-segment=0x100000,-z,max-page-size=4096,--build-id=none
 *      guest-payload/example/exit_cost.c -o exit_cost
 *   build/vmm --vcpus 4 --overcommit 2 --protocol generation exit_cost
 *
 * What the report then calls a flush is one exit: wall_ns from the doorbell to
 * its return, stall_ns without the time that the vCPU was parked. The verdict is
 * "blind", because no oracle looks for stale translations here.
 *
 * Threads: every vCPU runs _start() from the first instruction on, in 64-bit
 *          ring 3 on a stack of its own. There is no IDT: an exception is a
 *          triple fault, which the VMM reports. A payload that sends IPIs fills
 *          the page at SD_IDT_GPA.
 * Tested:  tests/kvm/example_payload_runs_test.py
 */
#include <stdint.h>

#include "control.h"    /* jobs, doorbells, what the VMM tells us */
#include "region.h"     /* this vCPU's page: counts, parked time, mailbox */
#include "sample.h"     /* what is measured, and the ring it goes into */

_Static_assert(SD_PAYLOAD_GPA == 0x100000, "and -Ttext-segment above and in meson.build");

/* Fixed addresses. Each vCPU sees its own region page at SD_OWN_REGION_VA. */
static const struct sd_control *const control = (const struct sd_control *)SD_CONTROL_GPA;
static struct sd_region *const own = (struct sd_region *)SD_OWN_REGION_VA;

/* Leave for the VMM; returns when the request has been dealt with. "memory": the
 * VMM reads and writes shared memory meanwhile. */
static inline void doorbell(uint32_t request)
{
	__asm__ volatile("outl %0, %w1" : : "a"(request), "d"(SD_PORT_REQUEST) : "memory");
}

/* In order with the loads and stores around it. */
static inline uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Give up: the VMM prints file, line and both values, and ends with status 4. */
__attribute__((noreturn))
static void fail(uint32_t line, uint64_t a, uint64_t b)
{
	own->mailbox.file = (uint64_t)(uintptr_t)__FILE_NAME__;
	own->mailbox.line = line;
	own->mailbox.a = a;
	own->mailbox.b = b;
	own->mailbox.kind = SD_MAIL_CHECK;
	for (;;)
		doorbell(SD_REQ_FAIL);
}

/*
 * A moment, and the time this vCPU has been parked up to it. A park between the
 * two reads changes parked_ticks, and they are read again: either both are from
 * before it or both from after it.
 */
struct moment {
	uint64_t ticks, parked_ticks;
};

static struct moment now(void)
{
	struct moment moment;

	do {
		moment.parked_ticks = sd_u64_load(&own->parked_ticks);
		moment.ticks = tsc();
	} while (sd_u64_load(&own->parked_ticks) != moment.parked_ticks);
	return moment;
}

/* Where the next sample goes, or NULL: the ring is full, and the VMM wants to
 * know what it has missed. Heads and tails only grow; the ring is their mask.
 * PAIR(ring-tail): acquire here, release in the VMM. */
static struct sd_sample *next_sample(uint32_t self)
{
	struct sd_sample *ring = (struct sd_sample *)(SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
	uint64_t head = sd_u64_load(&own->ring_head);

	if (head - sd_u64_load_acquire(&own->ring_tail) < SD_RING_SAMPLES)
		return &ring[head % SD_RING_SAMPLES];
	sd_u64_store(&own->dropped, sd_u64_load(&own->dropped) + 1);
	return NULL;
}

/* PAIR(ring-head): release here, acquire in the VMM: the record before the head. */
static void push_sample(void)
{
	sd_u64_store_release(&own->ring_head, sd_u64_load(&own->ring_head) + 1);
}

/* One exit, and its sample once the warm-up is over. */
static void measure(uint32_t self, uint32_t *seq)
{
	struct moment from = now(), to;
	struct sd_sample *sample;

	doorbell(SD_REQ_NOTHING);
	to = now();
	/* What the VMM takes for progress: without any for 30 s, it gives up. */
	sd_u64_store(&own->flushes, sd_u64_load(&own->flushes) + 1);
	if (!sd_u32_load(&control->recording))
		return;
	sample = next_sample(self);
	if (sample != NULL) {
		*sample = (struct sd_sample){
			.start_ticks = from.ticks,
			.wall_ticks = to.ticks - from.ticks,
			.parked_ticks = to.parked_ticks - from.parked_ticks,
			.seq = *seq,
			.kind = SD_SAMPLE_FLUSH,        /* a row in the CSV */
			.initiator = (uint16_t)self,
		};
		push_sample();
	}
	++*seq;
}

/* The job of the vCPUs that the VMM calls initiators (--initiators, --flushes). */
static void initiate(uint32_t self)
{
	uint64_t quota = control->flush_quota, initiators = control->initiators;
	uint64_t share = quota / initiators + (self < quota % initiators);
	uint32_t seq = 0;

	sd_u64_store(&own->ring, SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
	sd_u64_store(&own->started_ticks, tsc());
	while ((quota == 0 || seq < share) && !sd_u32_load(&control->stop_initiators))
		measure(self, &seq);
	doorbell(SD_REQ_STOPPED);
}

/* The jobs of --workload. All others are about the host. */
static bool is_workload(uint32_t job)
{
	return job == SD_JOB_TOGGLE || job == SD_JOB_CHURN;
}

__attribute__((noreturn))
void _start(uint32_t self);

/*
 * A vCPU's life: READY, a job, READY, a job... In a job about the host vCPU 0
 * measures something, and may as well stop at once. In every job those that have
 * stopped, and all others, stay on the CPU until stop_observers: they are the
 * competition.
 */
void _start(uint32_t self)
{
	if (control->abi_version != SD_ABI_VERSION)
		fail(__LINE__, control->abi_version, SD_ABI_VERSION);
	for (;;) {
		doorbell(SD_REQ_READY);
		if (is_workload(control->job) && self < control->initiators)
			initiate(self);
		else if (!is_workload(control->job) && self == 0)
			doorbell(SD_REQ_STOPPED);
		while (!sd_u32_load(&control->stop_observers))
			__asm__ volatile("pause");
	}
}
