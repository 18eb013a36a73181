// SPDX-License-Identifier: MIT
/*
 * printer.c - bytes to the outside through a parallel port (agent.h).
 *
 * Bochs writes each to a file, whole and in order, and lets the machine wait until it is
 * written: nothing is lost, and what the machine does next does not depend on who reads. Its
 * serial lines have neither: a terminal that is full loses bytes, and 11 kB/s is their end.
 * Follows: IBM PC/AT Technical Reference, parallel printer adapter.
 */
#include <errno.h>
#include <sys/io.h>

#include "agent.h"

#define PORT         0x378
#define PORT_DATA    PORT
#define PORT_CONTROL (PORT + 2)
#define PORTS        3

/* Selected, not being initialised, no interrupts. */
#define IDLE   0x0c
#define STROBE 0x0d

int printer_open(void)
{
	return ioperm(PORT, PORTS, 1) == 0 ? 0 : -errno;
}

void printer_write(const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		outb(data[i], PORT_DATA);
		outb(STROBE, PORT_CONTROL);
		outb(IDLE, PORT_CONTROL);
	}
}
