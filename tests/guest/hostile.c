// SPDX-License-Identifier: MIT
/*
 * hostile.c - a payload that attacks whoever runs it.
 *
 * It measures exits in CALM_ROUNDS rounds, as any payload may, and then turns: every
 * vCPU walks at random through the acts below for a while, and one of them, the
 * finisher, ends with something that no guest survives. The seed decides all of it.
 * Only some acts are in a seed's walk, so that the violent ones leave others a chance.
 *
 * Built against include/ alone. Threads: every vCPU runs _start(). Whatever interrupts
 * one, be it an exception, begins its walk anew on a fresh stack: entry() remembers
 * nothing and so cannot be confused. Ring 0 is entered through int3.
 * Tested by: tests/kvm/hostile_guest_is_contained_test.py, which has a name for each
 *            of the ends.
 */
#include <stdint.h>

#include "control.h"
#include "region.h"
#include "sample.h"
#include "stamp.h"

_Static_assert(SD_PAYLOAD_GPA == 0x100000, "meson.build links for another address");
_Static_assert(SD_STACK_STRIDE == 0x8000 && SD_STACK_GPA % SD_STACK_STRIDE == 0,
	       "entry() finds the stack by its address");

#define CALM_ROUNDS   2
#define WALK_DIVISOR  8         /* of a second: how long the finisher walks */
#define MEMORY_BYTES  0x10000000
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

/* What a vCPU needs to go on after an interruption; its neighbours may spoil it. */
struct walker {
	uint64_t dice;                  /* SplitMix64 */
	uint64_t acts;                  /* a bit each act of the walk */
	uint64_t until_ticks;
	uint64_t privileged;            /* what int3 is to do: enum privileged */
	uint64_t value;                 /* for it */
	uint32_t index;
	uint32_t finisher;
	uint32_t end;                   /* which one */
	bool walks;                     /* has begun; all else is set */
};

static struct sd_control *const control = (struct sd_control *)SD_CONTROL_GPA;
static struct sd_region *const own = (struct sd_region *)SD_OWN_REGION_VA;
static struct walker walkers[SD_MAX_VCPUS];
/* Copies from the calm rounds: the control block is scribbled over. */
static uint32_t vcpus, initiators;
static uint64_t tsc_hz, seed;

/* --- instructions ------------------------------------------------------------ */

static void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void wrmsr(uint32_t index, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void rdmsr(uint32_t index)
{
	__asm__ volatile("rdmsr" : : "c"(index) : "eax", "edx");
}

__attribute__((noreturn))
static void spin(void)
{
	for (;;)
		__asm__ volatile("pause" : : : "memory");
}

static void call(uint64_t address)
{
	__asm__ volatile("call *%0" : : "r"(address) : "memory");
}

/* --- chance ------------------------------------------------------------------ */

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t draw(struct walker *walker)
{
	return mix(walker->dice += UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t below(struct walker *walker, uint64_t limit)
{
	return draw(walker) % limit;
}

/* Often one of those that go wrong. */
static uint64_t wild(struct walker *walker)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 4, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x100000000,
		INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 7, UINT64_MAX,
		MEMORY_BYTES, SD_APIC_GPA, SD_FRAMES_GPA, UINT64_C(0x0000800000000000),
	};
	uint64_t choice = below(walker, 2 * COUNT(edges));

	return choice < COUNT(edges) ? edges[choice] : draw(walker) >> below(walker, 64);
}

static struct sd_region *any_region(struct walker *walker)
{
	return (struct sd_region *)(SD_REGION_GPA + below(walker, vcpus) * SD_REGION_STRIDE);
}

static void store(uint64_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

/* --- acts: what a walk is made of --------------------------------------------- */

static bool overlap(uint64_t offset, uint64_t word)
{
	return offset + 8 > word && offset < word + 8;
}

/* The head of a ring and its address end the run at once: move_ring(), hide_ring(). */
static void scribble_region(struct walker *walker)
{
	uint64_t offset = below(walker, SD_PAGE_BYTES - 7);

	if (!overlap(offset, SD_REGION_COUNTS) &&
	    !overlap(offset, offsetof(struct sd_region, ring)))
		store((uint64_t)any_region(walker) + offset, wild(walker));
}

static void scribble_words(struct walker *walker)
{
	struct sd_region *region = any_region(walker);
	struct sd_u32 *const words[] = {
		&region->request, &region->served, &region->state_2017, &region->left,
		&region->asleep, &region->in_walk, &region->pass,
	};

	sd_u32_store(words[below(walker, COUNT(words))], (uint32_t)wild(walker));
	(void)sd_u8_exchange(&region->preempted, (uint8_t)draw(walker));
}

static void scribble_control(struct walker *walker)
{
	store(SD_CONTROL_GPA + below(walker, sizeof(*control)), wild(walker));
}

static void scribble_counts(struct walker *walker)
{
	struct sd_region *region = any_region(walker);
	uint64_t counts = (uint64_t)&region->dropped, walks = (uint64_t)&region->walks;

	store(counts + 8 * below(walker, 12), wild(walker));
	store(walks + 8 * below(walker, 8), wild(walker));
}

static void scribble_memory(struct walker *walker)
{
	store(below(walker, MEMORY_BYTES), draw(walker));
}

/* Samples full of nonsense in a ring that is in order. */
static void push_samples(struct walker *walker)
{
	uint64_t head = sd_u64_load(&own->ring_head);
	uint32_t self = (uint32_t)(walker - walkers);
	uint64_t *words;

	if (self >= initiators)
		return;
	for (uint64_t left = below(walker, 300); left > 0; left--) {
		if (head - sd_u64_load_acquire(&own->ring_tail) >= SD_RING_SAMPLES)
			break;
		words = (uint64_t *)(SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE +
				     head++ % SD_RING_SAMPLES * sizeof(struct sd_sample));
		for (uint32_t i = 0; i < sizeof(struct sd_sample) / sizeof(*words); i++)
			words[i] = wild(walker);
	}
	sd_u64_store_release(&own->ring_head, head);
}

/* Those that the VMM has to answer, whatever their argument. */
static void ring_doorbell(struct walker *walker)
{
	static const uint32_t codes[] = {
		SD_REQ_FLUSH_ME, SD_REQ_FINISH, SD_REQ_NOTHING, SD_REQ_STOPPED, SD_REQ_SPUN,
		SD_REQ_STEP, SD_REQ_STEP + SD_STEPS - 1,
	};

	outl(SD_PORT_REQUEST, codes[below(walker, COUNT(codes))]);
}

static void yield_sleep_wake(struct walker *walker)
{
	uint32_t self = (uint32_t)(walker - walkers), other = (uint32_t)below(walker, vcpus);

	switch (below(walker, 4)) {
	case 0:
		/* A millisecond, a wild time or, but for the finisher, for ever. */
		sd_u64_store(&own->argument, walker->finisher ? tsc_hz / 1000 : wild(walker));
		outl(SD_PORT_REQUEST, SD_REQ_SLEEP);
		break;
	case 1:
		if (other == self)
			break;
		sd_u64_store(&own->argument, other);
		outl(SD_PORT_REQUEST, SD_REQ_YIELD_TO);
		break;
	default:
		outl(SD_PORT_REQUEST, SD_REQ_WAKE | other << 16);
	}
}

/* Sound ones, at any address, and targets that change while the VMM reads them. */
static void request_flush(struct walker *walker)
{
	struct sd_flush_request *request = (struct sd_flush_request *)
		(SD_POOL_GPA + below(walker, SD_PAGE_BYTES));
	uint64_t known = vcpus >= 64 ? UINT64_MAX : (UINT64_C(1) << vcpus) - 1;

	for (uint32_t i = 1; i < COUNT(request->targets); i++)
		request->targets[i] = 0;
	request->start = below(walker, UINT64_C(1) << 30) * SD_PAGE_BYTES;
	request->pages = draw(walker) >> below(walker, 32) & 0xffff;
	request->targets[0] = draw(walker) & known;
	sd_u64_store(&own->argument, (uint64_t)request);
	outl(SD_PORT_REQUEST, SD_REQ_FLUSH_OTHERS);
}

/* Lines from anywhere: text, bytes that are none, no memory at all. */
static void log_line(struct walker *walker)
{
	sd_u64_store(&own->argument, below(walker, 2) ? below(walker, MEMORY_BYTES) : wild(walker));
	outl(SD_PORT_REQUEST, SD_REQ_LOG);
}

static void flood(struct walker *walker)
{
	bool logs = below(walker, 2);

	for (uint64_t left = below(walker, 64); left > 0; left--)
		if (logs)
			log_line(walker);
		else
			outl(SD_PORT_REQUEST, SD_REQ_NOTHING);
}

/* By words of its own page or of another's, which changes meanwhile. */
static void check_stamps(struct walker *walker)
{
	struct sd_stamp_batch *batch = (struct sd_stamp_batch *)
		(SD_POOL_GPA + below(walker, SD_PAGE_BYTES));

	batch->count = 1 + below(walker, SD_STAMP_BATCH);
	for (uint32_t i = 0; i < SD_STAMP_BATCH; i++)
		batch->address[i] = SD_STAMPS_GPA +
			8 * below(walker, SD_STAMP_PAGES * SD_PAGE_BYTES / 8);
	sd_u64_store(&own->argument, (uint64_t)batch);
	outl(SD_PORT_REQUEST, SD_REQ_CHECK_STAMPS);
}

/* Entries of this vCPU's own tables, the windows' leaves most of all. */
static void write_pte(struct walker *walker)
{
	uint64_t table = below(walker, 8) == 0 ? below(walker, SD_TABLE_WINDOW)
					       : SD_TABLE_WINDOW + below(walker, SD_WINDOW_LEAVES);
	uint64_t place = SD_TABLES_GPA + (uint64_t)(walker - walkers) * SD_TABLES_STRIDE +
		table * SD_PAGE_BYTES + 8 * below(walker, 512);
	uint64_t frame = below(walker, 2) ? below(walker, MEMORY_BYTES) : draw(walker);

	store(place, below(walker, 4) == 0 ? wild(walker) : (frame & ~UINT64_C(0xfff)) |
	      (draw(walker) & 0xfff) | 1);
	*(volatile uint64_t *)(SD_WINDOW_VA + 8 * below(walker, 0x1000000 / 8));
}

static void write_apic(struct walker *walker)
{
	volatile uint32_t *apic = (volatile uint32_t *)(uintptr_t)SD_APIC_VA;

	apic[below(walker, SD_PAGE_BYTES / 4)] = (uint32_t)wild(walker);
	apic[SD_APIC_EOI / 4] = 0;
}

/* Any vector, any delivery mode (SMI, NMI, INIT and SIPI are among them), any target. */
static void send_ipi(struct walker *walker)
{
	volatile uint32_t *apic = (volatile uint32_t *)(uintptr_t)SD_APIC_VA;

	apic[SD_APIC_ICR_HIGH / 4] = (uint32_t)below(walker, vcpus + 1) << 24;
	apic[SD_APIC_ICR_LOW / 4] = (uint32_t)draw(walker) & 0xccfff;
	apic[SD_APIC_EOI / 4] = 0;
}

static void send_interrupts(struct walker *walker)
{
	volatile uint32_t *apic = (volatile uint32_t *)(uintptr_t)SD_APIC_VA;

	for (uint32_t left = 16; left > 0; left--) {
		apic[SD_APIC_ICR_HIGH / 4] = (uint32_t)below(walker, vcpus) << 24;
		apic[SD_APIC_ICR_LOW / 4] = (uint32_t)(32 + below(walker, 224));
		apic[SD_APIC_EOI / 4] = 0;
	}
}

static void jump(struct walker *walker)
{
	call(wild(walker));
}

/* INT n, or an instruction of four bytes that need not be one. */
static void run_bytes(struct walker *walker)
{
	uint64_t place = SD_POOL_GPA + 0x100000 + (uint64_t)(walker - walkers) * SD_PAGE_BYTES;
	uint64_t bytes = below(walker, 2) ? 0xc300cd | below(walker, 256) << 8
					  : 0xc300000000 | (draw(walker) & 0xffffffff);

	store(place, bytes);
	call(place);
}

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
};

static void run_in_ring_0(struct walker *walker, enum privileged what, uint32_t index, uint64_t value)
{
	walker->privileged = what;
	walker->index = index;
	walker->value = value;
	__asm__ volatile("int3" : : : "memory");
}

static void write_msr(struct walker *walker)
{
	static const uint32_t known[] = {
		0x10, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b, 0xc1, 0x10a, 0x122, 0x174, 0x175, 0x176,
		0x179, 0x17a, 0x186, 0x1a0, 0x1d9, 0x200, 0x277, 0x2ff, 0x345, 0x38f, 0x3f1, 0x480, 0x6e0,
		0x802, 0x808, 0x80b, 0x80f, 0x830, 0x838, 0x83f, 0xc0000080, 0xc0000081, 0xc0000082,
		0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0xc0010015, 0xc0010117,
		0x11, 0x12, 0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03, 0x4b564d04, 0x4b564d05,
		0x4b564d06, 0x4b564d07, 0x4b564d08, 0x40000000, 0x40000001, 0x40000070,
	};
	uint32_t index = below(walker, 4) ? known[below(walker, COUNT(known))]
					  : (uint32_t)wild(walker);

	run_in_ring_0(walker, below(walker, 4) ? RUN_WRMSR : RUN_RDMSR, index, wild(walker));
}

/* Off, on, x2APIC, and the page somewhere else. */
static void move_apic(struct walker *walker)
{
	uint64_t page = below(walker, 2) ? SD_APIC_GPA : wild(walker) & ~UINT64_C(0xfff);

	run_in_ring_0(walker, RUN_WRMSR, 0x1b, page | (draw(walker) & 0xd00));
}

static void set_control_register(struct walker *walker)
{
	uint64_t root = SD_TABLES_GPA + below(walker, vcpus) * SD_TABLES_STRIDE;

	switch (below(walker, 4)) {
	case 0:
		run_in_ring_0(walker, RUN_CR0, 0, UINT64_C(1) << below(walker, 32));
		break;
	case 1:
		run_in_ring_0(walker, RUN_CR4, 0, UINT64_C(1) << below(walker, 24));
		break;
	case 2:
		run_in_ring_0(walker, RUN_INVLPG, 0, wild(walker));
		break;
	default:
		run_in_ring_0(walker, RUN_CR3, 0, below(walker, 8) ? root : wild(walker));
	}
}

static void upset(struct walker *walker)
{
	static const enum privileged ways[] = { RUN_LGDT, RUN_STI_HLT, RUN_DR7 };
	enum privileged way = ways[below(walker, COUNT(ways))];

	if (way != RUN_STI_HLT || !walker->finisher)
		run_in_ring_0(walker, way, 0, wild(walker));
}

static void (*const acts[])(struct walker *walker) = {
	push_samples, ring_doorbell, yield_sleep_wake, request_flush, check_stamps, flood,
	send_interrupts,
	scribble_words, scribble_region, scribble_counts, scribble_control,
	write_msr, jump, run_bytes,
	/* These end most walks soon. */
	write_apic, send_ipi, move_apic, set_control_register, upset, write_pte, scribble_memory,
};

#define MILD_ACTS   11
#define MIDDLE_ACTS 14

/* --- ends: what no guest survives ---------------------------------------------- */

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

static void (*const ends[])(struct walker *walker) = {
	ring_from_ring_3, out_anywhere, in_anywhere, rep_out, rep_in, read_outside, write_outside,
	run_outside, triple_fault, halt_for_good, spin_for_good, give_up, yield_to_nobody,
	wake_nobody, flush_nowhere, flush_everything, move_ring, hide_ring, stamps_nowhere,
	sleep_for_good, reset_all, nmi_all, forget_tables,
};

/* --- ring 0 ---------------------------------------------------------------------- */

/* The port is the lower half of the index, the size is above it. */
static void out_of_ring_0(uint32_t index, uint32_t value)
{
	uint16_t port = (uint16_t)index;

	switch (index >> 16 & 3) {
	case 0:
		__asm__ volatile("outb %b0, %w1" : : "a"(value), "d"(port));
		break;
	case 1:
		__asm__ volatile("outw %w0, %w1" : : "a"(value), "d"(port));
		break;
	default:
		__asm__ volatile("outl %0, %w1" : : "a"(value), "d"(port));
	}
}

static void in_to_ring_0(uint32_t index)
{
	uint16_t port = (uint16_t)index;

	switch (index >> 16 & 3) {
	case 0:
		__asm__ volatile("inb %w0, %%al" : : "d"(port) : "eax");
		break;
	case 1:
		__asm__ volatile("inw %w0, %%ax" : : "d"(port) : "eax");
		break;
	default:
		__asm__ volatile("inl %w0, %%eax" : : "d"(port) : "eax");
	}
}

static void strings_out(uint32_t index, uint64_t count)
{
	const void *from = (const void *)SD_POOL_GPA;
	uint16_t port = index & 0x100000 ? SD_PORT_REQUEST : (uint16_t)index;

	switch (index >> 16 & 3) {
	case 0:
		__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
		break;
	case 1:
		__asm__ volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(port) : "memory");
		break;
	default:
		__asm__ volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(port) : "memory");
	}
}

static void strings_in(uint32_t index, uint64_t count)
{
	void *to = (void *)SD_POOL_GPA;
	uint16_t port = index & 0x100000 ? SD_PORT_REQUEST : (uint16_t)index;

	switch (index >> 16 & 3) {
	case 0:
		__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
		break;
	case 1:
		__asm__ volatile("rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory");
		break;
	default:
		__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
	}
}

/* A register with some of its bits the other way round. */
#define FLIP(name, bits) do { \
	uint64_t old; \
	__asm__ volatile("movq %%" name ", %0" : "=r"(old)); \
	__asm__ volatile("movq %0, %%" name : : "r"(old ^ (bits)) : "memory"); \
} while (0)

static void load_table(uint64_t base, bool idt)
{
	struct { uint64_t zero0; uint16_t zero1[3], limit; uint64_t base; } place = { .base = base };

	if (idt)
		__asm__ volatile("lidt %0; ud2" : : "m"(place.limit), "m"(place.base));
	else
		__asm__ volatile("lgdt %0" : : "m"(place.limit), "m"(place.base));
}

/* By entry(), for int3. */
void ring_0(uint32_t self);

void ring_0(uint32_t self)
{
	struct walker *walker = &walkers[self];

	switch ((enum privileged)walker->privileged) {
	case RUN_WRMSR:
		wrmsr(walker->index, walker->value);
		break;
	case RUN_RDMSR:
		rdmsr(walker->index);
		break;
	case RUN_CR0:
		FLIP("cr0", walker->value);
		break;
	case RUN_CR3:
		__asm__ volatile("movq %0, %%cr3" : : "r"(walker->value) : "memory");
		break;
	case RUN_CR4:
		FLIP("cr4", walker->value);
		break;
	case RUN_INVLPG:
		__asm__ volatile("invlpg (%0)" : : "r"(walker->value) : "memory");
		break;
	case RUN_LGDT:
		load_table(walker->value, false);
		break;
	case RUN_STI_HLT:
		__asm__ volatile("sti; hlt");
		break;
	case RUN_DR7:
		__asm__ volatile("movq %0, %%dr7" : : "r"(walker->value & 0xffffffff));
		break;
	case RUN_OUT:
		out_of_ring_0(walker->index, (uint32_t)walker->value);
		break;
	case RUN_IN:
		in_to_ring_0(walker->index);
		break;
	case RUN_REP_OUT:
		strings_out(walker->index, walker->value);
		break;
	case RUN_REP_IN:
		strings_in(walker->index, walker->value);
		break;
	case RUN_CLI_HLT:
		for (;;)
			__asm__ volatile("cli; hlt");
	case RUN_CLI_SPIN:
		__asm__ volatile("cli");
		spin();
	case RUN_NO_IDT:
		load_table(0, true);
		break;
	}
}

/* --- interrupts -------------------------------------------------------------------- */

__attribute__((noreturn))
void walk(uint32_t self);

/* Every vector leads here: back to ring 3 and to walk(), with the vCPU's number, which
 * is that of its stack. int3 does its errand in ring 0 first.
 *   rax  the vCPU's stack     rdi  its number     rcx  top of its stack in ring 3 */
__asm__(
	".text\n"
	"entry_gate:\n"
	"	mov %rsp, %rax\n"
	"	and $-0x8000, %rax\n"
	"	lea -0x800000(%rax), %rdi\n"    /* SD_STACK_GPA */
	"	shr $15, %rdi\n"                /* SD_STACK_STRIDE */
	"	and $-16, %rsp\n"
	"	call ring_0\n"
	"entry:\n"
	"	mov %rsp, %rax\n"
	"	and $-0x8000, %rax\n"
	"	lea -0x800000(%rax), %rdi\n"
	"	shr $15, %rdi\n"
	"	lea 0x6ff8(%rax), %rcx\n"
	"	lea 0x7fc0(%rax), %rsp\n"
	"	pushq $0x23\n"                  /* SD_USER_DS */
	"	pushq %rcx\n"
	"	pushq $0x3202\n"                /* IOPL 3, IF */
	"	pushq $0x1b\n"                  /* SD_USER_CS */
	"	pushq $walk\n"
	"	iretq\n");
_Static_assert(SD_STACK_GPA == 0x800000 && SD_USER_DS == 0x23 && SD_USER_CS == 0x1b,
	       "the constants of entry()");

extern char entry[], entry_gate[];

struct gate {
	uint16_t offset_low, selector;
	uint8_t  ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, zero0;
};

static void set_gates(void)
{
	for (uint32_t vector = 0; vector < 256; vector++) {
		uint64_t handler = (uint64_t)(vector == SD_VECTOR_GATE ? entry_gate : entry);

		((struct gate *)SD_IDT_GPA)[vector] = (struct gate){
			.offset_low = (uint16_t)handler,
			.selector = SD_KERNEL_CS,
			.type = vector % 16 == SD_VECTOR_GATE ? 0xee : 0x8e, /* DPL 3, DPL 0 */
			.offset_middle = (uint16_t)(handler >> 16),
		};
	}
}

/* --- a vCPU's life ------------------------------------------------------------------ */

static void choose(uint32_t self)
{
	struct walker *walker = &walkers[self];
	uint64_t dice = mix(seed + 1), violence = (seed + seed / COUNT(ends)) % 3;

	*walker = (struct walker){
		.dice = mix(dice + self),
		.end = (uint32_t)(seed % COUNT(ends)),
		.finisher = self == dice % vcpus,
		.until_ticks = tsc() + tsc_hz / WALK_DIVISOR,
		.walks = true,
	};
	/* The same for all vCPUs: half of the mild ones, some more in two guests of three,
	 * and one of the violent in one. */
	walker->acts = dice >> 8 & ((1u << MILD_ACTS) - 1);
	if (violence >= 1)
		walker->acts |= dice >> 24 & ((1u << MIDDLE_ACTS) - 1);
	if (violence == 2)
		walker->acts |= 1u << (MIDDLE_ACTS + (dice >> 48) % (COUNT(acts) - MIDDLE_ACTS));
	walker->acts |= 1u << dice % MILD_ACTS;
}

void walk(uint32_t self)
{
	struct walker *walker = &walkers[self];

	/* The neighbours' interrupts may be here first. */
	if (!walker->walks)
		choose(self);
	sd_u64_store(&own->ring, SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
	for (;;) {
		uint64_t act = below(walker, COUNT(acts));

		if (walker->finisher && tsc() >= walker->until_ticks) {
			ends[walker->end % COUNT(ends)](walker);
			walker->until_ticks = tsc() + tsc_hz / WALK_DIVISOR;
		}
		if (walker->acts >> act & 1)
			acts[act](walker);
	}
}

/* An exit and its sample: what these rounds are about. */
static void measure(uint32_t self, uint32_t seq)
{
	struct sd_sample *ring = (struct sd_sample *)(SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
	uint64_t head = sd_u64_load(&own->ring_head), start = tsc();

	while (head - sd_u64_load_acquire(&own->ring_tail) >= SD_RING_SAMPLES)
		__asm__ volatile("pause");
	outl(SD_PORT_REQUEST, SD_REQ_NOTHING);
	ring[head % SD_RING_SAMPLES] = (struct sd_sample){
		.start_ticks = start, .wall_ticks = tsc() - start, .seq = seq, .targets = 1, .pages = 1,
	};
	sd_u64_store_release(&own->ring_head, head + 1);
	sd_u64_store(&own->flushes, sd_u64_load(&own->flushes) + 1);
}

static void obey(uint32_t self)
{
	bool measures = control->job == SD_JOB_TOGGLE && self < control->initiators;
	uint64_t share = measures ? control->flush_quota / control->initiators : 0;

	if (measures) {
		sd_u64_store(&own->ring, SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
		sd_u64_store(&own->started_ticks, tsc());
	}
	for (uint32_t seq = 0; seq < share; seq++) {
		while (!sd_u32_load(&control->recording))
			__asm__ volatile("pause");
		measure(self, seq);
	}
	if (measures || self == 0)
		outl(SD_PORT_REQUEST, SD_REQ_STOPPED);
	while (!sd_u32_load(&control->stop_observers))
		__asm__ volatile("pause");
}

static void remember(void)
{
	vcpus = control->vcpus;
	initiators = control->initiators;
	tsc_hz = control->tsc_hz;
	seed = control->seed;
}

__attribute__((noreturn))
void _start(uint32_t self);

void _start(uint32_t self)
{
	uint32_t rounds = 0;

	set_gates();
	for (;;) {
		outl(SD_PORT_REQUEST, SD_REQ_READY);
		rounds += control->job == SD_JOB_TOGGLE;
		if (rounds > CALM_ROUNDS)
			walk(self);
		remember();
		obey(self);
	}
}
