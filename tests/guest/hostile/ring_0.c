// SPDX-License-Identifier: MIT
/*
 * ring_0.c - the gates of a hostile vCPU, and what it does in ring 0.
 *
 * Threads: every vCPU, on the last page of its stack.
 */
#include "../leave_long_mode.h"
#include "hostile.h"

_Static_assert(SD_STACK_STRIDE == 0x8000 && SD_STACK_GPA % SD_STACK_STRIDE == 0,
	       "entry finds the stack by its address");

static void wrmsr(uint32_t index, uint64_t value)
{
	uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);

	__asm__ volatile("wrmsr" : : "c"(index), "a"(low), "d"(high));
}

static void rdmsr(uint32_t index)
{
	__asm__ volatile("rdmsr" : : "c"(index) : "eax", "edx");
}

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
	struct {
		uint64_t zero0;
		uint16_t zero1[3], limit;
		uint64_t base;
	} place = { .base = base };

	if (idt)
		__asm__ volatile("lidt %0; ud2" : : "m"(place.limit), "m"(place.base));
	else
		__asm__ volatile("lgdt %0" : : "m"(place.limit), "m"(place.base));
}

_Static_assert(CS32 == CODE_32, "ends.c fills it in");

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
	case RUN_LEAVE_LONG_MODE:
		leave_long_mode();
		break;
	}
}

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

void set_gates(void)
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
