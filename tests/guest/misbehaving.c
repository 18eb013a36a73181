// SPDX-License-Identifier: MIT
/*
 * misbehaving.c - payloads that break the rules, each in one way: MODE says how.
 *
 * Built once for every mode, against include/ alone. All vCPUs boot and obey;
 * in the first job of its own vCPU 0 then does what MODE names. Exceptions 6,
 * 13 and 14 are reported as payloads do it, unless the mode is about a guest
 * without an IDT. Handlers run in ring 0, everything else in ring 3.
 *
 * Tested by: tests/kvm/guest_failure_is_one_line_test.py,
 *            tests/kvm/guest_counts_do_not_wrap_test.py,
 *            tests/kvm/guest_logs_lines_test.py,
 *            tests/kvm/guest_that_stands_still_is_reported_test.py
 */
#include <stdint.h>

#include "control.h"
#include "leave_long_mode.h"
#include "region.h"
#include "sample.h"
#include "stamp.h"

#if !defined(MODE)
#error "build with -DMODE=..."
#endif

_Static_assert(SD_PAYLOAD_GPA == 0x100000, "meson.build links for another address");

enum mode {
	UD2_AT_BOOT,            /* before any doorbell, without an IDT */
	STILL_AT_BOOT,          /* no doorbell at all */
	BUSY_AT_BOOT,           /* the same, but it counts flushes */
	STILL_IN_FIRST_JOB,     /* READY, and then nothing */
	STILL_IN_TOGGLE,        /* initiators that never flush and never stop */
	BUSY_FOR_EVER,          /* flushes without end, deaf to stop_initiators */
	BUSY_IN_FIRST_JOB,      /* the same in a job that nobody stops */
	SAMPLES_IN_FIRST_JOB,   /* one now and then, in a job that has none */
	STALE_IN_FIRST_JOB,     /* stale translations, though none was there to go */
	STALE_BY_CLAIM,         /* some of those that it says were there */
	STALE_WRAPS,            /* 2^63 stale loads on each vCPU: an even number of them adds up
	                         * to 0 */
	SREGS_REFUSED,          /* its segments are of a state that KVM does not take back */
	STOPPED_FOR_EVER,       /* the doorbell of one that stops, without end */
	LEAVES_UNSTOPPED,       /* READY without SD_REQ_STOPPED: nobody else is stopped */
	UD2,
	UNMAPPED_WRITE,         /* no page-table entry */
	WRITE_BEHIND_MEMORY,    /* a page-table entry, but no memory */
	NO_IDT,                 /* triple fault */
	UNKNOWN_DOORBELL,
	BYTE_OUT,               /* ring 3 may, but it is no doorbell */
	IN_FROM_PORT,
	STRING_IN,
	SHIFTED_OUT,            /* two bytes, two ports higher: the bitmap lets it */
	WRONG_PORT,             /* the bitmap does not */
	MAIL_FILE_OUTSIDE,
	MAIL_FILE_AT_END,       /* begins inside guest memory */
	MAIL_FILE_TWO_LINES,
	MAIL_FILE_NOT_A_NAME,
	RING_HEAD_AHEAD,
	RING_HEAD_BEHIND,
	YIELD_OUTSIDE,          /* to a vCPU that is not there */
	WAKE_OUTSIDE,
	UNKNOWN_STEP,
	FLUSH_REQUEST_OUTSIDE,
	FLUSH_REQUEST_AT_END,   /* begins inside guest memory */
	FLUSH_REQUEST_TARGETS,  /* beyond the last vCPU */
	FLUSH_REQUEST_RANGE,    /* round the end of the address space */
	FLUSH_REQUEST_UNMAPPED, /* no page-table entry */
	STAMPS_OUTSIDE,
	STAMPS_TOO_MANY,
	STAMP_ELSEWHERE,        /* an address that has none */
	RING_UNMAPPED,
	LOGS_TOO_MUCH,
	SLEEP_FOR_EVER,
	WAKE_FOR_EVER,          /* everybody, who need not be asleep */
};

/* What the CPU pushes on the way to a handler. */
struct frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

struct gate {
	uint16_t offset_low, selector;
	uint8_t  ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, zero0;
};

static struct sd_control *const control = (struct sd_control *)SD_CONTROL_GPA;
static struct sd_region *const own = (struct sd_region *)SD_OWN_REGION_VA;

static void out(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("pause" : : : "memory");
}

/* Does not return; the attribute is what lets handlers call it. */
__attribute__((no_caller_saved_registers))
static void mail(uint32_t kind, uint32_t line, uint64_t file, uint64_t a, uint64_t b)
{
	own->mailbox.kind = kind;
	own->mailbox.line = line;
	own->mailbox.file = file;
	own->mailbox.a = a;
	own->mailbox.b = b;
	out(SD_PORT_REQUEST, SD_REQ_FAIL);
	spin();
}

__attribute__((interrupt))
static void on_undefined(struct frame *frame)
{
	mail(SD_MAIL_EXCEPTION, 6, 0, frame->rip, 0);
}

__attribute__((interrupt))
static void on_protection(struct frame *frame, unsigned long code)
{
	mail(SD_MAIL_EXCEPTION, 13, code, frame->rip, 0);
}

__attribute__((interrupt))
static void on_page_fault(struct frame *frame, unsigned long code)
{
	uint64_t address;

	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	mail(SD_MAIL_EXCEPTION, 14, code, frame->rip, address);
}

static void set_gate(uint32_t vector, uint64_t handler)
{
	((struct gate *)SD_IDT_GPA)[vector] = (struct gate){
		.offset_low = (uint16_t)handler,
		.selector = SD_KERNEL_CS,
		.type = 0x8e,           /* present, DPL 0, interrupt gate */
		.offset_middle = (uint16_t)(handler >> 16),
	};
}

static void set_gates(void)
{
	set_gate(6, (uint64_t)(uintptr_t)on_undefined);
	set_gate(13, (uint64_t)(uintptr_t)on_protection);
	set_gate(14, (uint64_t)(uintptr_t)on_page_fault);
}

static void string_in(void)
{
	static uint32_t words[4];
	uint32_t *next = words;
	uint64_t count = 4;

	__asm__ volatile("rep insl" : "+D"(next), "+c"(count) : "d"(SD_PORT_REQUEST) : "memory");
}

static uint64_t end_of_memory(void)
{
	return SD_FRAMES_GPA + (uint64_t)control->initiators * (SD_FRAME_SETS + 1) *
		control->pages * SD_PAGE_BYTES;
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Samples in order, one a pace, as long as the ring has room. */
static void flush_for_ever(void)
{
	struct sd_sample *ring = (struct sd_sample *)SD_RING_GPA;
	uint64_t head = sd_u64_load(&own->ring_head), next = tsc();

	sd_u64_store(&own->ring, SD_RING_GPA);
	for (uint32_t seq = 0;; next += control->pace_ticks) {
		while ((int64_t)(tsc() - next) < 0)
			__asm__ volatile("pause");
		sd_u64_store(&own->flushes, sd_u64_load(&own->flushes) + 1);
		if (head - sd_u64_load_acquire(&own->ring_tail) >= SD_RING_SAMPLES)
			continue;
		ring[head % SD_RING_SAMPLES] = (struct sd_sample){
			.start_ticks = next, .wall_ticks = 1, .seq = seq++, .pages = 1,
		};
		sd_u64_store_release(&own->ring_head, ++head);
	}
}

static struct sd_flush_request senseless;

static void request_flush(uint64_t address)
{
	sd_u64_store(&own->argument, address);
	out(SD_PORT_REQUEST, SD_REQ_FLUSH_OTHERS);
}

static struct sd_stamp_batch batch = { .count = 1, .address = { SD_STAMPS_GPA } };

static void check_stamps(uint64_t address)
{
	sd_u64_store(&own->argument, address);
	out(SD_PORT_REQUEST, SD_REQ_CHECK_STAMPS);
}

#define TOO_MANY_LINES 3000

/* Each line has its number, and 200 bytes too many. */
static void log_too_much(void)
{
	static char line[256];

	for (uint32_t i = 0; i < sizeof(line); i++)
		line[i] = 'x';
	for (uint32_t number = 0; number < TOO_MANY_LINES; number++) {
		for (uint32_t i = 8, left = number; i-- > 0; left /= 10)
			line[i] = (char)('0' + left % 10);
		sd_u64_store(&own->argument, (uint64_t)(uintptr_t)line);
		out(SD_PORT_REQUEST, SD_REQ_LOG);
	}
}

/* A ring head that rises ten times within the least patience of a VMM. */
static void push_now_and_then(void)
{
	uint64_t head = sd_u64_load(&own->ring_head);

	for (;;) {
		uint64_t until = tsc() + 3 * control->tsc_hz / 10;

		while ((int64_t)(tsc() - until) < 0)
			__asm__ volatile("pause");
		sd_u64_store_release(&own->ring_head, ++head);
	}
}

/* Jobs whose initiators stop at once. */
static void obey(uint32_t self)
{
	if (self == 0)
		out(SD_PORT_REQUEST, SD_REQ_STOPPED);
	while (!sd_u32_load(&control->stop_observers))
		__asm__ volatile("pause");
}

static void claim(uint64_t seen, uint64_t survived)
{
	sd_u64_store(&own->checks, seen);
	sd_u64_store(&own->stale, survived);
	obey(0);
}

static void claim_stale_on_each(void)
{
	for (uint32_t i = 0; i < control->vcpus; i++)
		sd_u64_store(&((struct sd_region *)(SD_REGION_GPA +
			     (uint64_t)i * SD_REGION_STRIDE))->stale, UINT64_C(1) << 63);
	obey(0);
}

static void make_sregs_refused(void)
{
	((uint64_t *)SD_GDT_GPA)[CODE_32 / 8] = UINT64_C(0x00cf9a000000ffff);
	set_gate(SD_VECTOR_GATE, (uint64_t)(uintptr_t)leave_long_mode);
	((struct gate *)SD_IDT_GPA)[SD_VECTOR_GATE].type = 0xee;
	__asm__ volatile("int3");
}

static void misbehave(void)
{
	switch ((enum mode)MODE) {
	case SAMPLES_IN_FIRST_JOB:
		push_now_and_then();
		break;
	case STALE_IN_FIRST_JOB:
		claim(0, 5);
		return;
	case STALE_BY_CLAIM:
		claim(SD_ENTRY_FLUSH_ROUNDS, 5);
		return;
	case STALE_WRAPS:
		claim_stale_on_each();
		return;
	case SREGS_REFUSED:
		make_sregs_refused();
		break;
	case UD2:
	case NO_IDT:
		__asm__ volatile("ud2");
		break;
	case UNMAPPED_WRITE:
		*(volatile uint32_t *)(SD_PROBE_VA + SD_PAGE_BYTES) = 1;
		break;
	case WRITE_BEHIND_MEMORY:
		*(volatile uint32_t *)(end_of_memory() + SD_PAGE_BYTES) = 1;
		break;
	case UNKNOWN_DOORBELL:
		out(SD_PORT_REQUEST, 0x5d00);
		break;
	case BYTE_OUT:
		__asm__ volatile("outb %b0, %w1" : : "a"(SD_REQ_NOTHING), "d"(SD_PORT_REQUEST));
		break;
	case SHIFTED_OUT:
		__asm__ volatile("outw %w0, %w1" : : "a"(SD_REQ_NOTHING), "d"(SD_PORT_REQUEST + 2));
		break;
	case IN_FROM_PORT:
		__asm__ volatile("inl %w0, %%eax" : : "d"(SD_PORT_REQUEST) : "eax");
		break;
	case STRING_IN:
		string_in();
		break;
	case WRONG_PORT:
		out(SD_PORT_REQUEST + 4, SD_REQ_NOTHING);
		break;
	case MAIL_FILE_OUTSIDE:
		mail(SD_MAIL_CHECK, 7, UINT64_MAX - 8, 1, 2);
		break;
	case MAIL_FILE_AT_END:
		mail(SD_MAIL_CHECK, 7, end_of_memory() - 8, 1, 2);
		break;
	case MAIL_FILE_TWO_LINES:
		mail(SD_MAIL_CHECK, 7, (uint64_t)(uintptr_t)"name\nvmm: all is well", 1, 2);
		break;
	case MAIL_FILE_NOT_A_NAME:
		mail(SD_MAIL_CHECK, 7, (uint64_t)(uintptr_t)"\x1b[2J", 1, 2);
		break;
	case RING_HEAD_AHEAD:
		sd_u64_store(&own->ring_head, sd_u64_load(&own->ring_tail) + SD_RING_SAMPLES + 1);
		break;
	case RING_HEAD_BEHIND:
		sd_u64_store(&own->ring_head, sd_u64_load(&own->ring_tail) - 1);
		break;
	case YIELD_OUTSIDE:
		sd_u64_store(&own->argument, control->vcpus);
		out(SD_PORT_REQUEST, SD_REQ_YIELD_TO);
		break;
	case WAKE_OUTSIDE:
		out(SD_PORT_REQUEST, SD_REQ_WAKE | 0xffffu << 16);
		break;
	case UNKNOWN_STEP:
		out(SD_PORT_REQUEST, SD_REQ_STEP + SD_STEPS);
		break;
	case FLUSH_REQUEST_OUTSIDE:
		request_flush(UINT64_MAX - 8);
		break;
	case FLUSH_REQUEST_AT_END:
		request_flush(end_of_memory() - 8);
		break;
	case FLUSH_REQUEST_TARGETS:
		senseless.targets[SD_MAX_VCPUS / 64 - 1] = UINT64_C(1) << 63;
		request_flush((uint64_t)(uintptr_t)&senseless);
		break;
	case FLUSH_REQUEST_RANGE:
		senseless.start = UINT64_MAX - SD_PAGE_BYTES + 1;
		senseless.pages = 2;
		request_flush((uint64_t)(uintptr_t)&senseless);
		break;
	case FLUSH_REQUEST_UNMAPPED:
		request_flush(SD_PROBE_VA + SD_PAGE_BYTES);
		break;
	case STAMPS_OUTSIDE:
		check_stamps(UINT64_C(0x4444) << 32);
		break;
	case STAMPS_TOO_MANY:
		batch.count = SD_STAMP_BATCH + 1;
		check_stamps((uint64_t)(uintptr_t)&batch);
		break;
	case STAMP_ELSEWHERE:
		batch.address[0] = SD_PAYLOAD_GPA;
		check_stamps((uint64_t)(uintptr_t)&batch);
		break;
	case RING_UNMAPPED:
		sd_u64_store(&own->ring, SD_PROBE_VA + SD_PAGE_BYTES);
		sd_u64_store_release(&own->ring_head, sd_u64_load(&own->ring_head) + 1);
		break;
	case LOGS_TOO_MUCH:
		log_too_much();
		mail(SD_MAIL_CHECK, 7, (uint64_t)(uintptr_t)"enough", TOO_MANY_LINES, 0);
		break;
	case SLEEP_FOR_EVER:
		sd_u64_store(&own->argument, UINT64_MAX);
		out(SD_PORT_REQUEST, SD_REQ_SLEEP);
		break;
	case WAKE_FOR_EVER:
		for (uint32_t i = 0;; i = (i + 1) % control->vcpus)
			out(SD_PORT_REQUEST, SD_REQ_WAKE | i << 16);
		break;
	case BUSY_FOR_EVER:
	case BUSY_IN_FIRST_JOB:
		flush_for_ever();
		break;
	case STOPPED_FOR_EVER:
		for (;;)
			out(SD_PORT_REQUEST, SD_REQ_STOPPED);
		break;
	case LEAVES_UNSTOPPED:
		out(SD_PORT_REQUEST, SD_REQ_READY);
		break;
	case UD2_AT_BOOT:
	case STILL_AT_BOOT:
	case BUSY_AT_BOOT:
	case STILL_IN_FIRST_JOB:
	case STILL_IN_TOGGLE:
		break;
	}
	spin();
}

static void boot(uint32_t self)
{
	if (MODE == UD2_AT_BOOT)
		__asm__ volatile("ud2");
	if (MODE == STILL_AT_BOOT)
		spin();
	while (MODE == BUSY_AT_BOOT)
		sd_u64_store(&own->flushes, sd_u64_load(&own->flushes) + 1);
	if (self == 0 && MODE != NO_IDT)
		set_gates();
}

static bool is_time(void)
{
	switch ((enum mode)MODE) {
	case STILL_IN_FIRST_JOB:
	case BUSY_IN_FIRST_JOB:
	case SAMPLES_IN_FIRST_JOB:
	case STALE_IN_FIRST_JOB:
	case STALE_BY_CLAIM:
		return true;
	default:
		return control->job == SD_JOB_TOGGLE;
	}
}

__attribute__((noreturn))
void _start(uint32_t self);

void _start(uint32_t self)
{
	boot(self);
	for (;;) {
		out(SD_PORT_REQUEST, SD_REQ_READY);
		if (self == 0 && is_time())
			misbehave();
		else
			obey(self);
	}
}
