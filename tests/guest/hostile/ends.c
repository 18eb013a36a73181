// SPDX-License-Identifier: MIT
/*
 * ends.c - what no hostile guest survives; some only stand still.
 *
 * Threads: the finisher, in ring 3.
 */
#include "hostile.h"

/* The guest's own end, if all do so: no job of this run is worth a flush to it. */
static void leave_each_job(struct walker *walker)
{
	(void)walker;
	for (;;)
		outl(SD_PORT_REQUEST, SD_REQ_READY);
}

/* Now and then, within the patience of the VMM. */
static void feign_progress_for_good(struct walker *walker)
{
	for (;;) {
		uint64_t until = tsc() + below(walker, tsc_hz + 1);

		acts[ACT_feign_progress](walker);
		while ((int64_t)(tsc() - until) < 0)
			__asm__ volatile("pause" : : : "memory");
	}
}

/* The next flush on entry finds a state that KVM does not take back. */
static void make_sregs_refused(struct walker *walker)
{
	((uint64_t *)SD_GDT_GPA)[CS32 / 8] = UINT64_C(0x00cf9a000000ffff);
	run_in_ring_0(walker, RUN_LEAVE_LONG_MODE, 0, 0);
}

static void ring_from_ring_3(struct walker *walker)
{
	outl(SD_PORT_REQUEST, (uint32_t)draw(walker) | 0x4000);
}

static void out_anywhere(struct walker *walker)
{
	run_in_ring_0(walker, RUN_OUT, (uint32_t)draw(walker), draw(walker));
}

static void in_anywhere(struct walker *walker)
{
	run_in_ring_0(walker, RUN_IN, (uint32_t)draw(walker), 0);
}

/* Word by word, each of which may be a doorbell that the VMM answers. */
static void rep_out(struct walker *walker)
{
	for (uint32_t i = 0; i < 64; i++)
		((uint32_t *)SD_POOL_GPA)[i] = SD_REQ_FLUSH_ME + (uint32_t)below(walker, 3);
	run_in_ring_0(walker, RUN_REP_OUT, (uint32_t)draw(walker), 1 + below(walker, 5000));
}

static void rep_in(struct walker *walker)
{
	run_in_ring_0(walker, RUN_REP_IN, (uint32_t)draw(walker), 1 + below(walker, 5000));
}

/* An address that is mapped, to where no memory is. */
static volatile uint8_t *outside(struct walker *walker)
{
	uint64_t gpa = MEMORY_BYTES * (4 + below(walker, 8)) + below(walker, SD_PAGE_BYTES - 8);

	store(SD_TABLES_GPA + (uint64_t)(walker - walkers) * SD_TABLES_STRIDE +
	      SD_TABLE_OWN * SD_PAGE_BYTES + 8 * 3, (gpa & ~UINT64_C(0xfff)) | 7);
	return (volatile uint8_t *)(SD_PROBE_VA + SD_PAGE_BYTES + gpa % SD_PAGE_BYTES);
}

static void read_outside(struct walker *walker)
{
	volatile uint8_t *place = outside(walker);

	switch (below(walker, 3)) {
	case 0:
		(void)*place;
		break;
	case 1:
		(void)*(volatile uint64_t *)place;
		break;
	default:
		__asm__ volatile("rep movsb" : : "S"(place), "D"(SD_POOL_GPA), "c"(100) : "memory");
	}
}

static void write_outside(struct walker *walker)
{
	volatile uint8_t *place = outside(walker);

	switch (below(walker, 3)) {
	case 0:
		*place = 1;
		break;
	case 1:
		__asm__ volatile("lock incq %0" : "+m"(*(volatile uint64_t *)place));
		break;
	default:
		__asm__ volatile("rep stosb" : : "D"(place), "a"(1), "c"(100) : "memory");
	}
}

static void run_outside(struct walker *walker)
{
	call((uint64_t)outside(walker));
}

static void triple_fault(struct walker *walker)
{
	run_in_ring_0(walker, RUN_NO_IDT, 0, 0);
}

static void halt_for_good(struct walker *walker)
{
	run_in_ring_0(walker, RUN_CLI_HLT, 0, 0);
}

static void spin_for_good(struct walker *walker)
{
	run_in_ring_0(walker, RUN_CLI_SPIN, 0, 0);
}

static void give_up(struct walker *walker)
{
	own->mailbox.kind = (uint32_t)below(walker, 4);
	own->mailbox.line = (uint32_t)draw(walker);
	own->mailbox.file = wild(walker);
	own->mailbox.a = wild(walker);
	own->mailbox.b = wild(walker);
	outl(SD_PORT_REQUEST, SD_REQ_FAIL);
}

static void yield_to_nobody(struct walker *walker)
{
	sd_u64_store(&own->argument, vcpus + (draw(walker) >> 1));
	outl(SD_PORT_REQUEST, SD_REQ_YIELD_TO);
}

static void wake_nobody(struct walker *walker)
{
	outl(SD_PORT_REQUEST, SD_REQ_WAKE | (uint32_t)(0xffff - below(walker, 256)) << 16);
}

static void flush_nowhere(struct walker *walker)
{
	static const uint64_t places[] = {
		UINT64_MAX, UINT64_MAX - sizeof(struct sd_flush_request) + 1, MEMORY_BYTES * 4,
		UINT64_C(1) << 63,
	};

	sd_u64_store(&own->argument, places[below(walker, COUNT(places))]);
	outl(SD_PORT_REQUEST, SD_REQ_FLUSH_OTHERS);
}

static void flush_everything(struct walker *walker)
{
	uint64_t *request = (uint64_t *)SD_POOL_GPA;

	for (uint32_t i = 0; i < sizeof(struct sd_flush_request) / sizeof(*request); i++)
		request[i] = draw(walker);
	sd_u64_store(&own->argument, SD_POOL_GPA);
	outl(SD_PORT_REQUEST, SD_REQ_FLUSH_OTHERS);
}

static void move_ring(struct walker *walker)
{
	struct sd_region *region = (struct sd_region *)SD_REGION_GPA;

	sd_u64_store(&region->ring_head, sd_u64_load(&region->ring_tail) + SD_RING_SAMPLES + 1 +
		     (draw(walker) >> 1));
}

static void hide_ring(struct walker *walker)
{
	struct sd_region *region = (struct sd_region *)SD_REGION_GPA;

	sd_u64_store(&region->ring, draw(walker) | UINT64_C(1) << 62);
	sd_u64_store_release(&region->ring_head, sd_u64_load(&region->ring_tail) + 1);
}

static void stamps_nowhere(struct walker *walker)
{
	struct sd_stamp_batch *batch = (struct sd_stamp_batch *)SD_POOL_GPA;

	batch->count = below(walker, 3) ? 1 : wild(walker) | 1 << 6;
	batch->address[0] = wild(walker) | 1;
	sd_u64_store(&own->argument, below(walker, 2) ? SD_POOL_GPA : UINT64_C(1) << 63);
	outl(SD_PORT_REQUEST, SD_REQ_CHECK_STAMPS);
}

static void sleep_for_good(struct walker *walker)
{
	(void)walker;
	for (;;) {
		sd_u64_store(&own->argument, 0);
		outl(SD_PORT_REQUEST, SD_REQ_SLEEP);
	}
}

/* All but the sender; then the sender itself. */
static void send_to_all(uint32_t command)
{
	volatile uint32_t *apic = (volatile uint32_t *)(uintptr_t)SD_APIC_VA;

	for (;;) {
		apic[SD_APIC_ICR_LOW / 4] = command | 0xc0000;
		apic[SD_APIC_ICR_LOW / 4] = command | 0x80000;
	}
}

static void reset_all(struct walker *walker)
{
	(void)walker;
	send_to_all(0x4500);
}

static void nmi_all(struct walker *walker)
{
	(void)walker;
	send_to_all(0x4400);
}

static void forget_tables(struct walker *walker)
{
	run_in_ring_0(walker, RUN_CR3, 0, wild(walker) & ~UINT64_C(0xfff));
}

#define HOSTILE_END(name) [END_##name] = name,
void (*const ends[ENDS])(struct walker *walker) = {
#include "ends.def"
};
#undef HOSTILE_END
