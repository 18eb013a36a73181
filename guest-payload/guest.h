/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what every file of the payload needs: where things are, and the
 * instructions that C has no word for. One instruction, one function.
 *
 * Ring 3 throughout; only entry.S runs in ring 0.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "region.h"

static inline struct sd_region *g_region(uint32_t vcpu)
{
	return (struct sd_region *)(uintptr_t)(SD_REGION_GPA +
					       (uint64_t)vcpu * SD_REGION_STRIDE);
}

static inline struct sd_control *g_control(void)
{
	return (struct sd_control *)(uintptr_t)SD_CONTROL_GPA;
}

static inline struct sd_published *g_published(uint32_t initiator, uint32_t group)
{
	return (struct sd_published *)(uintptr_t)SD_PUBLISHED_GPA +
		initiator * SD_MAX_GROUPS + group;
}

static inline void g_pause(void)
{
	__asm__ volatile("pause");
}

/* Read when everything before it has executed: LFENCE;RDTSC (SDM volume 2, RDTSC). Guest TSC
 * ticks. "memory": stores before it stay before it. */
static inline uint64_t g_tsc_start(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Read after all loads that come before it, and before everything that comes after it. */
static inline uint64_t g_tsc_end(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Unordered: for pacing, where a few ticks do not matter. */
static inline uint64_t g_tsc_raw(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/**
 * g_doorbell - leave for the VMM with an SD_REQ_ code; returns when it has
 * been dealt with. Ring 3 may: IOPL is 3, and the TSS's I/O bitmap
 * opens this port. "memory": the VMM reads and writes shared memory meanwhile.
 */
static inline void g_doorbell(uint32_t request)
{
	__asm__ volatile("outl %0, %w1" : : "a"(request), "d"(SD_PORT_REQUEST) : "memory");
}

/* g_step - a step of the handshake (SD_STEP_): off the slot here, if the VMM
 * wants that. */
static inline void g_step(uint32_t step)
{
	if (sd_u32_load(&g_control()->steps) >> step & 1)
		g_doorbell(SD_REQ_STEP + step);
}

/* What a flush is about. */
struct g_range {
	uint64_t va;            /* a whole page */
	uint32_t pages;         /* 1 to SD_RANGE_MAX_PAGES; 0: everything */
};

#define G_EVERYTHING ((struct g_range){ .pages = 0 })

/**
 * g_gate_shootdown - one trip to ring 0: an IPI of @vector to each of @count
 * destinations, then @range in this vCPU's own TLB.
 *
 * Shape:   @destinations holds @count values for the high half of the ICR
 *          (g_destination()); count 0 only flushes. @range is of pages only
 *          where control.by_page is 1; the whole TLB goes where it is 0.
 * "memory": loads after it must not use what was read through the old TLB.
 */
static inline void g_gate_shootdown(const uint32_t *destinations, uint32_t count,
				    uint32_t vector, struct g_range range)
{
	uint64_t list = (uint64_t)(uintptr_t)destinations, left = count;
	register uint64_t r8 __asm__("r8") = vector;
	register uint64_t r9 __asm__("r9") = range.va;
	register uint64_t r10 __asm__("r10") = range.pages;

	__asm__ volatile("int3" : "+S"(list), "+c"(left) : "r"(r8), "r"(r9), "r"(r10)
			 : "rax", "rdx", "rdi", "memory", "cc");
}

/* g_gate_empty - the same trip when the gate has been set to do nothing. */
static inline void g_gate_empty(void)
{
	__asm__ volatile("int3" : : : "memory");
}

/* g_destination - the high half of the ICR for an IPI to @vcpu. */
static inline uint32_t g_destination(uint32_t vcpu)
{
	return g_control()->x2apic ? vcpu : vcpu << 24;
}

/**
 * g_check - give up when something the payload relies on does not hold.
 *
 * The VMM prints file, line and both values and ends with status 4.
 */
#define g_check(condition, a, b) \
	do { \
		if (!(condition)) \
			g_fail(__FILE_NAME__, __LINE__, (uint64_t)(a), (uint64_t)(b)); \
	} while (0)

__attribute__((noreturn))
void g_fail(const char *file, uint32_t line, uint64_t a, uint64_t b);

/* idt.c */
void g_idt_init(void);
void g_idt_set_gate(void (*handler)(void));
void g_idt_set_interrupt(uint32_t vector, void (*handler)(void));

/* entry.S: ring 0, never called from C. A flush handler has eight forms. */
#define G_HANDLER_FORMS(name) \
	void name(void); \
	void name##_x2apic(void); \
	void name##_stepped(void); \
	void name##_stepped_x2apic(void); \
	void name##_traced(void); \
	void name##_traced_x2apic(void); \
	void name##_stepped_traced(void); \
	void name##_stepped_traced_x2apic(void);

void g_gate_entry_shootdown(void);
void g_gate_entry_shootdown_x2apic(void);
void g_gate_entry_shootdown_by_page(void);
void g_gate_entry_shootdown_by_page_x2apic(void);
void g_gate_entry_empty(void);
G_HANDLER_FORMS(g_isr_flush)
G_HANDLER_FORMS(g_isr_flush_by_page)
G_HANDLER_FORMS(g_isr_flush_2017)
G_HANDLER_FORMS(g_isr_flush_wake)
void g_isr_ping(void);
void g_isr_ping_x2apic(void);
extern const uint32_t g_exception_entries[32]; /* addresses, below 4 GiB */

#endif
