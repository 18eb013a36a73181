// SPDX-License-Identifier: MIT
/*
 * csv.c - one flush, one row of text.
 *
 * Owns:    nothing; rows go into the caller's buffer.
 * Threads: any; no state. Called once a flush by the event loop, hence no printf.
 * Tested:  tests/unit/csv_rows_round_trip_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include <string.h>

#include "digits.h"

/* Eight narrow and four wide fields, a comma before each, a newline. */
#define NUMBERS_BYTES (8 * (1 + DIGITS_32) + 4 * (1 + DIGITS_64) + 1)

#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
	_Static_assert(sizeof(name) - 1 + NUMBERS_BYTES <= CSV_ROW_MAX, "row of " name " too long");
#include "protocols.def"
#undef SD_PROTOCOL

const char *csv_header(void)
{
	return "protocol,run,seq,initiator,targets,ipis,deferred,taken_over,pages,"
	       "start_ns,pte_ns,wall_ns,stall_ns\n";
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
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		*at++ = ',';
		at = digits_put(at, numbers[i]);
	}
	*at++ = '\n';
	return (size_t)(at - out);
}
