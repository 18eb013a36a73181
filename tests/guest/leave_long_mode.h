/* SPDX-License-Identifier: MIT */
/*
 * leave_long_mode.h - to a state that KVM_GET_SREGS gives and KVM_SET_SREGS refuses: a 32-bit
 * code segment, paging off, long mode's enable left on, and back to a code segment with its
 * L bit, which means nothing there. The VMM learns of it at the next flush on entry.
 *
 * In ring 0, as the handler of an interrupt gate, with CODE_32 in the GDT.
 */
#ifndef LEAVE_LONG_MODE_H
#define LEAVE_LONG_MODE_H

#include "control.h"
#include "layout.h"

/* Its selector: ring 0, 32 bits, in the GDT by whoever includes this. */
#define CODE_32 0x38

void leave_long_mode(void);
__asm__(
	".text\n"
	".balign 16\n"
	"leave_long_mode:\n"
	"	pushq $0x38\n"                 /* ring 0, 32 bits */
	"	lea 1f(%rip), %rax\n"
	"	push %rax\n"
	"	lretq\n"
	"	.code32\n"
	"1:	mov %cr0, %eax\n"
	"	and $0x7fffffff, %eax\n"
	"	mov %eax, %cr0\n"
	"	ljmp $8, $2f\n"                /* SD_KERNEL_CS */
	"	.code16\n"                     /* its D bit is 0 */
	"2:	mov $3, %eax\n"                /* SD_REQ_FLUSH_ME */
	"	mov $0x10, %edx\n"             /* SD_PORT_REQUEST */
	"	outl %eax, %dx\n"
	"	hlt\n"
	"	.code64\n");
_Static_assert(CODE_32 == 0x38 && SD_KERNEL_CS == 8 && SD_REQ_FLUSH_ME == 3 &&
	       SD_PORT_REQUEST == 0x10, "the constants of leave_long_mode()");

#endif
