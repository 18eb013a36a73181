// SPDX-License-Identifier: MIT
/*
 * csv.c - one flush, one row of text.
 *
 * Owns:    nothing; rows go into the caller's buffer.
 * Threads: any; no state. Called once a flush by the event loop, hence no printf.
 * Tested:  tests/unit/csv_rows_round_trip_test.c
 */
#include "report.h"

#include <string.h>

#define DIGITS_32 10            /* of UINT32_MAX */
#define DIGITS_64 20            /* of UINT64_MAX */
/* Eight narrow and four wide fields, a comma before each, a newline. */
#define NUMBERS_BYTES (8 * (1 + DIGITS_32) + 4 * (1 + DIGITS_64) + 1)

#define SD_PROTOCOL(identifier, name, kind, walkers, vmm) \
	_Static_assert(sizeof(name) - 1 + NUMBERS_BYTES <= CSV_ROW_MAX, "row of " name " too long");
#include "protocols.def"
#undef SD_PROTOCOL

const char *csv_header(void)
{
	return "protocol,run,seq,initiator,targets,ipis,deferred,taken_over,pages,"
	       "start_ns,pte_ns,wall_ns,stall_ns\n";
}

static unsigned digits_of(uint64_t value)
{
	unsigned digits = 1;

	for (; value >= 100; value /= 100)
		digits += 2;
	return digits + (value >= 10);
}

/* A comma and @value in decimal, two digits a division; returns the end. */
static char *put_number(char *out, uint64_t value)
{
	static const char pairs[] =
		"00010203040506070809" "10111213141516171819" "20212223242526272829"
		"30313233343536373839" "40414243444546474849" "50515253545556575859"
		"60616263646566676869" "70717273747576777879" "80818283848586878889"
		"90919293949596979899";
	char *end = out + 1 + digits_of(value);
	char *at = end;

	*out = ',';
	for (; value >= 100; value /= 100) {
		at -= 2;
		memcpy(at, &pairs[2 * (value % 100)], 2);
	}
	if (value >= 10)
		memcpy(at - 2, &pairs[2 * value], 2);
	else
		at[-1] = (char)('0' + value);
	return end;
}

size_t csv_row(char *out, const struct flush_row *row, enum sd_protocol protocol)
{
	const uint64_t numbers[] = {
		row->run, row->seq, row->initiator, row->targets, row->ipis, row->deferred,
		row->taken_over, row->pages, row->start_ns, row->pte_ns, row->wall_ns, row->stall_ns,
	};
	const char *name = protocol_name(protocol);
	size_t name_bytes = strlen(name);
	char *at = out + name_bytes;

	memcpy(out, name, name_bytes);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		at = put_number(at, numbers[i]);
	*at++ = '\n';
	return (size_t)(at - out);
}
