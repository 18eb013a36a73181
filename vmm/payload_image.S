/* SPDX-License-Identifier: MIT */
/*
 * payload_image.S - the built-in payload, as the ELF file that it is.
 *
 * PAYLOAD_FILE comes from the build. In C:
 *   extern const uint8_t payload_image[], payload_image_end[];
 */
	.section .rodata
	.balign 16

	.globl payload_image
	.type payload_image, @object
payload_image:
	.incbin PAYLOAD_FILE
	.size payload_image, . - payload_image

	.globl payload_image_end
	.type payload_image_end, @object
payload_image_end:
	.byte 0
	.size payload_image_end, 1

	.section .note.GNU-stack, "", @progbits
