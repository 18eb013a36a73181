/* SPDX-License-Identifier: MIT */
/*
 * entry.S - an interrupt handler whose body runs in ring 3 with interrupts off.
 *
 * Ring 0 sends the interrupted code to body: its rip and rflags wait on its own stack,
 * below which there is no red zone. body runs on that stack and comes back by an
 * undefined instruction, the one way that sets IF again on every host: STI in ring 3
 * ends in a triple fault on some, and POPF leaves it as it is.
 * Follows: Intel SDM volume 3, 6.14 (64-bit interrupt stack frame).
 */
#include "control.h"
#include "region.h"

#define EOI (SD_APIC_VA + SD_APIC_EOI)
#define RFLAGS_IF 0x200

/* The frame, with rax and rcx pushed. */
#define RIP    0x10
#define RFLAGS 0x20
#define RSP    0x28

/* What waits on the interrupted stack. */
#define SAVED_RIP    0
#define SAVED_RFLAGS 8
#define SAVED_BYTES  16

	.code64
	.text

	.balign 64
	.globl	g_litmus_enter
g_litmus_enter:
	pushq	%rax
	pushq	%rcx
	subq	$SAVED_BYTES, RSP(%rsp)
	movq	RSP(%rsp), %rcx
	movq	RIP(%rsp), %rax
	movq	%rax, SAVED_RIP(%rcx)
	movq	RFLAGS(%rsp), %rax
	movq	%rax, SAVED_RFLAGS(%rcx)
	andq	$~RFLAGS_IF, %rax
	movq	%rax, RFLAGS(%rsp)
	movq	$body, RIP(%rsp)
	popq	%rcx
	popq	%rax
	iretq

/* Ring 3. What C may change, and the stack as C wants it. */
body:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbp
	movq	%rsp, %rbp
	andq	$-16, %rsp
	cld
	call	g_litmus_interrupt
	movq	%rbp, %rsp
	popq	%rbp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
over:
	ud2

/* Any other undefined instruction is the payload's end, as always. */
	.balign 64
	.globl	g_litmus_leave
g_litmus_leave:
	cmpq	$over, (%rsp)
	jne	1f
	pushq	%rax
	pushq	%rcx
	movq	RSP(%rsp), %rcx
	movq	SAVED_RIP(%rcx), %rax
	movq	%rax, RIP(%rsp)
	movq	SAVED_RFLAGS(%rcx), %rax
	movq	%rax, RFLAGS(%rsp)
	addq	$SAVED_BYTES, RSP(%rsp)
	movl	$0, EOI
	popq	%rcx
	popq	%rax
	iretq
1:	movl	g_exception_entries + 4 * SD_VECTOR_UNDEFINED, %eax
	jmp	*%rax

	.section .note.GNU-stack, "", @progbits
