// SPDX-License-Identifier: MIT
/*
 * idt.c - the interrupt descriptor table, one for all vCPUs.
 *
 * Owns:    the page at SD_IDT_GPA, which the VMM has loaded into every IDTR.
 * Threads: every vCPU fills it before its first job, all with the same values: a
 *          vCPU that takes an interrupt has at least seen its own stores.
 * Follows: Intel SDM volume 3, 6.14.1 (64-bit IDT gate).
 */
#include "guest.h"

#define GATE_KERNEL 0x8e        /* present, DPL 0, interrupt gate */
#define GATE_USER   0xee        /* present, DPL 3: reachable by int3 */

struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t  ist;
	uint8_t  type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t zero0;
};

_Static_assert(sizeof(struct idt_gate) == 16, "gate size");

static void idt_set(uint32_t vector, uint64_t handler, uint8_t type)
{
	volatile struct idt_gate *gate =
		(volatile struct idt_gate *)(uintptr_t)SD_IDT_GPA + vector;

	gate->offset_low = (uint16_t)handler;
	gate->selector = SD_KERNEL_CS;
	gate->ist = 0;
	gate->type = type;
	gate->offset_middle = (uint16_t)(handler >> 16);
	gate->offset_high = (uint32_t)(handler >> 32);
}

void g_idt_set_gate(void (*handler)(void))
{
	idt_set(SD_VECTOR_GATE, (uint64_t)(uintptr_t)handler, GATE_USER);
}

void g_idt_set_interrupt(uint32_t vector, void (*handler)(void))
{
	idt_set(vector, (uint64_t)(uintptr_t)handler, GATE_KERNEL);
}

/* The forms of a flush handler: [traced][stepped][x2apic]. */
struct handler {
	void (*form[2][2][2])(void);
};

#define HANDLER(name) { { \
	{ { name, name##_x2apic }, { name##_stepped, name##_stepped_x2apic } }, \
	{ { name##_traced, name##_traced_x2apic }, \
	  { name##_stepped_traced, name##_stepped_traced_x2apic } }, \
} }

static const struct handler flush = HANDLER(g_isr_flush);
static const struct handler flush_by_page = HANDLER(g_isr_flush_by_page);
static const struct handler flush_2017 = HANDLER(g_isr_flush_2017);
static const struct handler flush_wake = HANDLER(g_isr_flush_wake);

/* [by_page][x2apic] */
static void (*const shootdown_gates[2][2])(void) = {
	{ g_gate_entry_shootdown, g_gate_entry_shootdown_x2apic },
	{ g_gate_entry_shootdown_by_page, g_gate_entry_shootdown_by_page_x2apic },
};

#define HANDLER_STEPS \
	(1u << SD_STEP_READ | 1u << SD_STEP_FLUSHED | 1u << SD_STEP_SERVED)

static void set_flush(uint32_t vector, const struct handler *handler)
{
	bool stepped = sd_u32_load(&g_control()->steps) & HANDLER_STEPS;
	bool traced = g_control()->trace, x2apic = g_control()->x2apic;

	idt_set(vector, (uint64_t)(uintptr_t)handler->form[traced][stepped][x2apic], GATE_KERNEL);
}

void g_idt_init(void)
{
	bool x2apic = g_control()->x2apic, by_page = g_control()->by_page;

	for (uint32_t vector = 0; vector < 32; vector++)
		idt_set(vector, g_exception_entries[vector], GATE_KERNEL);
	g_idt_set_gate(shootdown_gates[by_page][x2apic]);
	set_flush(SD_VECTOR_FLUSH, by_page ? &flush_by_page : &flush);
	set_flush(SD_VECTOR_FLUSH_2017, &flush_2017);
	set_flush(SD_VECTOR_FLUSH_WAKE, &flush_wake);
	idt_set(SD_VECTOR_PING,
		(uint64_t)(uintptr_t)(x2apic ? g_isr_ping_x2apic : g_isr_ping), GATE_KERNEL);
}
