// SPDX-License-Identifier: MIT
/*
 * acts.c - what a hostile walk is made of: wild writes, doorbells, samples, page tables,
 * interrupts, jumps, registers.
 *
 * Threads: every vCPU, in ring 3. An act need not return: whatever interrupts it, be it
 *          an exception, begins the walk anew.
 */
#include "hostile.h"

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

/* Whatever the VMM may take for progress, a little of it. */
static void feign_progress(struct walker *walker)
{
	struct sd_region *region = below(walker, 2) ? own : (struct sd_region *)SD_REGION_GPA;

	switch (below(walker, 3)) {
	case 0:
		sd_u64_store_release(&region->ring_head, sd_u64_load(&region->ring_head) + 1);
		break;
	case 1:
		sd_u64_store(&region->flushes, sd_u64_load(&region->flushes) + 1);
		break;
	default:
		outl(SD_PORT_REQUEST, SD_REQ_STOPPED);
	}
}

/* As the test of the flush on entry counts, whatever the job is. */
static void claim_survivors(struct walker *walker)
{
	struct sd_region *region = (struct sd_region *)SD_REGION_GPA;

	sd_u64_store(&region->checks, below(walker, 4) ? below(walker, SD_ENTRY_FLUSH_ROUNDS + 2)
						       : wild(walker));
	sd_u64_store(&region->skipped, below(walker, 3));
	sd_u64_store(&region->stale, below(walker, 4) ? below(walker, 6) : wild(walker));
}

/* On each vCPU half of what a word holds, so that two of them add up to 0. */
static void wrap_counts(struct walker *walker)
{
	struct sd_region *first = (struct sd_region *)SD_REGION_GPA;
	struct sd_u64 *const counts[] = {
		&first->stale, &first->checks, &first->dropped, &first->skipped, &first->by_page,
		&first->sample_ticks, &first->walks, &first->walks_poisoned, &first->grace_ticks,
		&first->stamp_loads, &first->stamps_wrong, &first->trace_dropped, &first->watched,
	};
	uint64_t count = (uint64_t)counts[below(walker, COUNT(counts))];

	for (uint32_t i = 0; i < vcpus; i++)
		store(count + i * SD_REGION_STRIDE, UINT64_C(1) << 63);
}

/* Those that the VMM has to answer, whatever their argument. */
static void ring_doorbell(struct walker *walker)
{
	static const uint32_t codes[] = {
		SD_REQ_FLUSH_ME, SD_REQ_FINISH, SD_REQ_NOTHING, SD_REQ_STOPPED, SD_REQ_SPUN,
		SD_REQ_BREAK, SD_REQ_STEP, SD_REQ_STEP + SD_STEPS - 1,
	};

	outl(SD_PORT_REQUEST, codes[below(walker, COUNT(codes))]);
}

/* In the middle of it, and only this vCPU. */
static void leave_job(struct walker *walker)
{
	if (!walker->finisher && below(walker, 64) == 0)
		outl(SD_PORT_REQUEST, SD_REQ_READY);
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

static void write_msr(struct walker *walker)
{
	static const uint32_t known[] = {
		0x10, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b, 0xc1, 0x10a, 0x122, 0x174, 0x175,
		0x176, 0x179, 0x17a, 0x186, 0x1a0, 0x1d9, 0x200, 0x277, 0x2ff, 0x345, 0x38f, 0x3f1,
		0x480, 0x6e0,
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

#define HOSTILE_ACT(name, how) [ACT_##name] = name,
void (*const acts[ACTS])(struct walker *walker) = {
#include "acts.def"
};
#undef HOSTILE_ACT
