/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the first instruction, and everything that runs in ring 0.
 *
 * Ring 0 is emulated one instruction at a time on some hosts (1 to 3 us each),
 * so the common handler is under ten instructions and the gate does a whole
 * shootdown's worth of privileged work in one trip. IF is clear in all of them.
 * Fixed addresses: each vCPU's tables show its own region and its own APIC there.
 * Follows: Intel SDM volume 3, 6.14 (64-bit interrupt stack frame), 11.6 (ICR).
 */
#include "asleep.h"
#include "control.h"
#include "pending_2017.h"
#include "range.h"

#define OWN(offset) (SD_OWN_REGION_VA + (offset))
#define REQUEST    OWN(SD_REGION_REQUEST)
#define SERVED     OWN(SD_REGION_SERVED)
#define RANGE      OWN(SD_REGION_RANGE)
#define STATE_2017 OWN(SD_REGION_STATE_2017)
#define ASKED      OWN(SD_REGION_ASKED)
#define BY_PAGE    OWN(SD_REGION_BY_PAGE)
#define PINGS      OWN(SD_REGION_PINGS)
#define TRACE_HEAD OWN(SD_REGION_TRACE_HEAD)
#define TRACE      OWN(SD_REGION_TRACE)
#define MAILBOX    OWN(SD_REGION_MAILBOX)
#define STEPS      (SD_CONTROL_GPA + SD_CONTROL_STEPS)
#define EOI        (SD_APIC_VA + SD_APIC_EOI)

#define PAGE_SHIFT   12
#define REGION_SHIFT 12
#define WAKE_SHIFT   16         /* of the vCPU in an SD_REQ_WAKE */

	.if (1 << PAGE_SHIFT) != SD_PAGE_BYTES || (1 << REGION_SHIFT) != SD_REGION_STRIDE
	.error	"layout.h has other sizes"
	.endif

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

/* --- parts ------------------------------------------------------------------ */

/* The whole TLB of this vCPU. */
	.macro	flush_all
	movq	%cr3, %rax
	movq	%rax, %cr3
	.endm

/*
 * INVLPG of 1 to SD_RANGE_MAX_PAGES pages from @base on. It has one instruction a
 * page, where a loop has three: for each number of pages @table holds the address
 * to jump to, the last page comes first, and every INVLPG is as long as the next.
 * Entry 0 is @none.
 */
	.macro	invlpg_pages table, base, none
1:
	.set	page, SD_RANGE_MAX_PAGES
	.rept	SD_RANGE_MAX_PAGES
	.set	page, page - 1
	{disp32} invlpg	page * SD_PAGE_BYTES(\base)
	.endr
2:
	.if	(2b - 1b) % SD_RANGE_MAX_PAGES
	.error	"an INVLPG has another length"
	.endif
	.pushsection .rodata
	.balign	64
\table:
	.quad	\none
	.set	page, 0
	.rept	SD_RANGE_MAX_PAGES
	.set	page, page + 1
	.quad	2b - (2b - 1b) / SD_RANGE_MAX_PAGES * page
	.endr
	.popsection
	.endm

/* Rings SD_REQ_STEP in a handler's stepped form, if control.steps asks for it.
 * Changes the flags. */
	.macro	step stepped, which
	.if	\stepped
	testl	$(1 << \which), STEPS
	jz	9f
	pushq	%rax
	movl	$(SD_REQ_STEP + \which), %eax
	outl	%eax, $SD_PORT_REQUEST
	popq	%rax
9:
	.endif
	.endm

/*
 * An entry of the trace: the TSC. Uses up rax. PAIR(trace-head): the entry before the
 * head, plain stores on TSO; one byte of the head is the index.
 */
	.if SD_TRACE_ENTRIES != 256
	.error	"the trace has another length"
	.endif
	.macro	trace_mark traced
	.if	\traced
	pushq	%rdx
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movzbl	TRACE_HEAD, %edx
	movq	%rax, TRACE(, %rdx, 8)
	incq	TRACE_HEAD
	popq	%rdx
	.endif
	.endm

/* What a handler saves: rax, and rcx if it says so. */
	.macro	isr_enter rcx, traced
	.if	\rcx
	pushq	%rcx
	.endif
	pushq	%rax
	trace_mark \traced
	.endm

/* End of interrupt, registers, back. With x2APIC rcx was saved in any case. */
	.macro	isr_leave rcx, x2apic, traced
	trace_mark \traced
	.if	\x2apic
	jmp	x2apic_eoi
	.else
	movl	$0, EOI
	popq	%rax
	.if	\rcx
	popq	%rcx
	.endif
	iretq
	.endif
	.endm

/* A flush handler in its eight forms: with xAPIC or x2APIC, plain or stepped, traced or
 * not. */
	.macro	form handler, name, stepped, x2apic, traced
	.balign 64
	.globl	\name
\name:
	\handler \stepped, \x2apic, \traced
	.endm

	.macro	forms handler
	form	\handler, g_\handler, 0, 0, 0
	form	\handler, g_\handler\()_x2apic, 0, 1, 0
	form	\handler, g_\handler\()_stepped, 1, 0, 0
	form	\handler, g_\handler\()_stepped_x2apic, 1, 1, 0
	form	\handler, g_\handler\()_traced, 0, 0, 1
	form	\handler, g_\handler\()_traced_x2apic, 0, 1, 1
	form	\handler, g_\handler\()_stepped_traced, 1, 0, 1
	form	\handler, g_\handler\()_stepped_traced_x2apic, 1, 1, 1
	.endm

/* --- the gate --------------------------------------------------------------- */

/*
 * int3. rcx: number of IPIs, rsi: their destinations, r8: the vector. By page
 * also r9: the first page, r10: how many, 0 for the whole TLB. rcx, rsi and rax
 * are used up; with x2APIC rdx and rdi too.
 */
	.macro	gate_ipis
	jrcxz	2f
1:	lodsl
	movl	%eax, SD_APIC_VA + SD_APIC_ICR_HIGH
	movl	%r8d, SD_APIC_VA + SD_APIC_ICR_LOW
	loop	1b
2:
	.endm

/* The same with x2APIC: rdx comes from the list, rdi keeps the count, because
 * wrmsr takes rcx. */
	.macro	gate_ipis_x2apic
	movl	%ecx, %edi
	jrcxz	2f
	movl	$SD_X2APIC_MSR_ICR, %ecx
1:	lodsl
	movl	%eax, %edx
	movl	%r8d, %eax
	wrmsr
	decl	%edi
	jnz	1b
2:
	.endm

	.balign 64
	.globl	g_gate_entry_shootdown
g_gate_entry_shootdown:
	gate_ipis
	flush_all
	iretq

	.balign 64
	.globl	g_gate_entry_shootdown_x2apic
g_gate_entry_shootdown_x2apic:
	gate_ipis_x2apic
	flush_all
	iretq

	.balign 64
	.globl	g_gate_entry_shootdown_by_page
g_gate_entry_shootdown_by_page:
	gate_ipis
	jmp	*gate_pages(, %r10, 8)

	.balign 64
	.globl	g_gate_entry_shootdown_by_page_x2apic
g_gate_entry_shootdown_by_page_x2apic:
	gate_ipis_x2apic
	jmp	*gate_pages(, %r10, 8)

	.balign 64
	invlpg_pages gate_pages, %r9, gate_all
	iretq
gate_all:
	flush_all
	iretq

	.balign 64
	.globl	g_gate_entry_empty
g_gate_entry_empty:
	iretq

/* --- the flush handlers ----------------------------------------------------- */

/*
 * sd_word_serve_begin(), flush, sd_word_serve_end().
 * PAIR(word-flush): request is read before the CR3 write, and what was read is
 * what is stored; it waits on the stack, which saves a register and two
 * instructions. Both words have four zero bytes after them, so eight can be
 * moved. PAIR(word-served): the plain store is a release on TSO.
 */
	.macro	serve_begin stepped
	pushq	REQUEST
	step	\stepped, SD_STEP_READ
	.endm

	.macro	serve_end stepped, rcx, x2apic, traced
	step	\stepped, SD_STEP_FLUSHED
	popq	SERVED
	step	\stepped, SD_STEP_SERVED
	isr_leave \rcx, \x2apic, \traced
	.endm

	.macro	isr_flush stepped, x2apic, traced
	isr_enter \x2apic, \traced
	serve_begin \stepped
	flush_all
	serve_end \stepped, 0, \x2apic, \traced
	.endm

	forms	isr_flush

/*
 * The same, by page if sd_range_holds(): the range's tag is the request that was
 * read, and served is the one before it. PAIR(range-tag): tag and range are one
 * load. Served changes under this handler only in a park that flushes all.
 * rcx: the range, then its number of pages; rax: the tag, then the first page,
 * in whose bits 6 to 11, which INVLPG ignores, the number is left standing.
 */
	.macro	isr_flush_by_page stepped, x2apic, traced
	isr_enter 1, \traced
	serve_begin \stepped
	movq	RANGE, %rcx
	movq	%rcx, %rax
	shrq	$SD_RANGE_TAG_SHIFT, %rax
	cmpl	%eax, (%rsp)
	jne	3f
	subl	$SD_WORD_GENERATION, %eax
	cmpl	%eax, SERVED
	jne	3f
	movl	%ecx, %eax
	shlq	$(PAGE_SHIFT - SD_RANGE_PAGE_SHIFT), %rax
	andl	$SD_RANGE_PAGES_MASK, %ecx
	jmp	*4f(, %rcx, 8)
	invlpg_pages 4, %rax, 3f
	incq	BY_PAGE
	serve_end \stepped, 1, \x2apic, \traced
3:	flush_all
	serve_end \stepped, 1, \x2apic, \traced
	.endm

	forms	isr_flush_by_page

/*
 * The handler of the 2017 text: READ_ONCE(state), return unless IPI_PENDING,
 * flush, clear IPI_PENDING unless VMEXIT has. Its compare-and-swap loop ends
 * with the bit clear in any case: one locked AND. PAIR(2017-state)
 */
	.macro	isr_flush_2017 stepped, x2apic, traced
	.if	\x2apic || \traced
	isr_enter \x2apic, \traced
	testl	$SD_2017_IPI_PENDING, STATE_2017
	jz	3f
	.else
	testl	$SD_2017_IPI_PENDING, STATE_2017
	jz	3f
	isr_enter 0, 0
	.endif
	step	\stepped, SD_STEP_READ
	flush_all
	step	\stepped, SD_STEP_FLUSHED
	lock andl $~SD_2017_IPI_PENDING, STATE_2017
	step	\stepped, SD_STEP_SERVED
	.if	\x2apic || \traced
3:	isr_leave \x2apic, \x2apic, \traced
	.else
	popq	%rax
3:	movl	$0, EOI
	iretq
	.endif
	.endm

	forms	isr_flush_2017

/*
 * sd_asleep_take(), flush, sd_asleep_done() for each initiator that had asked.
 * PAIR(asked-flush): the bits are taken before the CR3 write. PAIR(left-done),
 * PAIR(left-asleep): the locked count comes after it, and is the full fence
 * before the look at asleep. rax: the bits; rcx: an initiator, shifted.
 */
	.macro	isr_flush_wake stepped, x2apic, traced
	isr_enter 1, \traced
	xorl	%eax, %eax
	xchgq	%rax, ASKED
	step	\stepped, SD_STEP_READ
	movq	%cr3, %rcx
	movq	%rcx, %cr3
	step	\stepped, SD_STEP_FLUSHED
1:	bsfq	%rax, %rcx
	jz	2f
	btrq	%rcx, %rax
	shll	$REGION_SHIFT, %ecx
	lock decl SD_REGION_GPA + SD_REGION_LEFT(%rcx)
	jnz	1b
	cmpl	$0, SD_REGION_GPA + SD_REGION_ASLEEP(%rcx)
	je	1b
	shll	$(WAKE_SHIFT - REGION_SHIFT), %ecx
	xchgq	%rax, %rcx
	orl	$SD_REQ_WAKE, %eax
	outl	%eax, $SD_PORT_REQUEST
	movq	%rcx, %rax
	jmp	1b
2:	step	\stepped, SD_STEP_SERVED
	isr_leave 1, \x2apic, \traced
	.endm

	forms	isr_flush_wake

/* --- the other handlers ----------------------------------------------------- */

	.balign 64
	.globl	g_isr_ping
g_isr_ping:
	incq	PINGS
	movl	$0, EOI
	iretq

	.balign 64
	.globl	g_isr_ping_x2apic
g_isr_ping_x2apic:
	isr_enter 1, 0
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
