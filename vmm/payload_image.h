/* SPDX-License-Identifier: MIT */
/*
 * payload_image.h - the built-in payload: an ELF64 file inside this binary
 * (payload_image.S).
 */
#ifndef PAYLOAD_IMAGE_H
#define PAYLOAD_IMAGE_H

#include <stdint.h>

extern const uint8_t payload_image[], payload_image_end[];

#endif
