/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the first instruction, and everything that runs in ring 0.
 *
 * Ring 0 is emulated one instruction at a time on some hosts (1 to 3 us each),
 * so a handler is under ten instructions and the gate does a whole shootdown's
 * worth of privileged work in one trip. IF is clear in all of them. Fixed
 * addresses: each vCPU's tables show its own region and its own APIC there.
 * Follows: Intel SDM volume 3, 6.14 (64-bit interrupt stack frame), 11.6 (ICR).
 */
#include "control.h"
#include "pending_2017.h"

#define REQUEST (SD_OWN_REGION_VA + SD_REGION_REQUEST)
#define SERVED  (SD_OWN_REGION_VA + SD_REGION_SERVED)
#define STATE_2017 (SD_OWN_REGION_VA + SD_REGION_STATE_2017)
#define PINGS   (SD_OWN_REGION_VA + SD_REGION_PINGS)
#define MAILBOX (SD_OWN_REGION_VA + SD_REGION_MAILBOX)
#define OWN(offset) (SD_OWN_REGION_VA + (offset))

	.code64

/* rdi: number of this vCPU. rsp: its stack, set by the VMM. The first doorbell
 * comes before anything that touches memory: a booting vCPU gives its slot up as
 * soon as it is ready, and every first touch of a page is an exit. */
	.section .text.start, "ax"
	.globl	_start
_start:
	movl	$SD_PORT_REQUEST, %edx
	movl	$SD_REQ_READY, %eax
	outl	%eax, %dx
	call	g_main

	.text

/*
 * The gate (int3). rcx: number of IPIs, rsi: their destinations, r8: the vector.
 * rcx, rsi and rax are used up; with x2APIC rdx and rdi too.
 */
	.balign 64
	.globl	g_gate_entry_shootdown
g_gate_entry_shootdown:
	jrcxz	2f
1:	lodsl
	movl	%eax, SD_APIC_VA + SD_APIC_ICR_HIGH
	movl	%r8d, SD_APIC_VA + SD_APIC_ICR_LOW
	loop	1b
2:	movq	%cr3, %rax
	movq	%rax, %cr3
	iretq

/* The same with x2APIC: rdx comes from the list, rdi keeps the count, because
 * wrmsr takes rcx. */
	.balign 64
	.globl	g_gate_entry_shootdown_x2apic
g_gate_entry_shootdown_x2apic:
	movl	%ecx, %edi
	jrcxz	2f
	movl	$SD_X2APIC_MSR_ICR, %ecx
1:	lodsl
	movl	%eax, %edx
	movl	%r8d, %eax
	wrmsr
	decl	%edi
	jnz	1b
2:	movq	%cr3, %rax
	movq	%rax, %cr3
	iretq

	.balign 64
	.globl	g_gate_entry_empty
g_gate_entry_empty:
	iretq

/*
 * The flush handler: sd_word_serve_begin(), flush, sd_word_serve_end().
 * PAIR(word-flush): request is read before the CR3 write, and what was read is
 * what is stored; it waits on the stack, which saves a register and two
 * instructions. Both words have four zero bytes behind them, so eight can be
 * moved. PAIR(word-served): the plain store is a release on TSO.
 */
	.balign 64
	.globl	g_isr_flush
g_isr_flush:
	pushq	%rax
	pushq	REQUEST
	movq	%cr3, %rax
	movq	%rax, %cr3
	popq	SERVED
	movl	$0, SD_APIC_VA + SD_APIC_EOI
	popq	%rax
	iretq

	.balign 64
	.globl	g_isr_flush_x2apic
g_isr_flush_x2apic:
	pushq	%rcx
	pushq	%rax
	pushq	REQUEST
	movq	%cr3, %rax
	movq	%rax, %cr3
	popq	SERVED
	jmp	x2apic_eoi

/*
 * The handler of the 2017 text: READ_ONCE(state), return unless IPI_PENDING,
 * flush, clear IPI_PENDING unless VMEXIT has. Its compare-and-swap loop ends
 * with the bit clear in any case: one locked AND. PAIR(2017-state)
 */
	.balign 64
	.globl	g_isr_flush_2017
g_isr_flush_2017:
	testl	$SD_2017_IPI_PENDING, STATE_2017
	jz	1f
	pushq	%rax
	movq	%cr3, %rax
	movq	%rax, %cr3
	lock andl $~SD_2017_IPI_PENDING, STATE_2017
	popq	%rax
1:	movl	$0, SD_APIC_VA + SD_APIC_EOI
	iretq

	.balign 64
	.globl	g_isr_flush_2017_x2apic
g_isr_flush_2017_x2apic:
	pushq	%rcx
	pushq	%rax
	testl	$SD_2017_IPI_PENDING, STATE_2017
	jz	x2apic_eoi
	movq	%cr3, %rax
	movq	%rax, %cr3
	lock andl $~SD_2017_IPI_PENDING, STATE_2017
	jmp	x2apic_eoi

	.balign 64
	.globl	g_isr_ping
g_isr_ping:
	incq	PINGS
	movl	$0, SD_APIC_VA + SD_APIC_EOI
	iretq

	.balign 64
	.globl	g_isr_ping_x2apic
g_isr_ping_x2apic:
	pushq	%rcx
	pushq	%rax
	incq	PINGS
x2apic_eoi:
	pushq	%rdx
	movl	$SD_X2APIC_MSR_EOI, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	popq	%rdx
	popq	%rax
	popq	%rcx
	iretq

/*
 * An exception nobody asked for: vector, error code, rip and cr2 go to the
 * mailbox, and the VMM ends the run. Vectors 8, 10-14, 17, 21, 29, 30 push an
 * error code (SDM volume 3, table 6-1); the others get a 0 for it.
 */
	.macro	exception vector
exception_\vector:
	.if (0x60227d00 >> \vector) & 1
	.else
	pushq	$0
	.endif
	movl	$\vector, OWN(SD_MAILBOX_LINE)
	jmp	exception
	.endm

	.set	i, 0
	.rept	32
	.altmacro
	exception %i
	.noaltmacro
	.set	i, i + 1
	.endr

exception:
	popq	%rax
	movq	%rax, OWN(SD_MAILBOX_FILE)
	popq	%rax
	movq	%rax, OWN(SD_MAILBOX_A)
	movq	%cr2, %rax
	movq	%rax, OWN(SD_MAILBOX_B)
	movl	$SD_MAIL_EXCEPTION, MAILBOX
	movl	$SD_PORT_REQUEST, %edx
	movl	$SD_REQ_FAIL, %eax
	outl	%eax, %dx
1:	hlt
	jmp	1b

	.section .rodata
	.balign 64
	.globl	g_exception_entries
g_exception_entries:
	.macro	exception_entry vector
	.long	exception_\vector
	.endm
	.set	i, 0
	.rept	32
	.altmacro
	exception_entry %i
	.noaltmacro
	.set	i, i + 1
	.endr

	.section .note.GNU-stack, "", @progbits
