// SPDX-License-Identifier: MIT
/*
 * csv_rows_round_trip_test.c - a row read back holds what was written, in the
 * columns that the header names, and stays in its buffer.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "protocol_list.h"
#include "report.h"
#include "unit_test.h"

#define NUMBERS 12
#define GUARD_BYTES 32
#define GUARD 0x5a

/* Read by column name, so that swapped columns show. */
static uint64_t *field64(struct flush_row *row, const char *column)
{
	if (!strcmp(column, "start_ns"))
		return &row->start_ns;
	if (!strcmp(column, "pte_ns"))
		return &row->pte_ns;
	if (!strcmp(column, "wall_ns"))
		return &row->wall_ns;
	return strcmp(column, "stall_ns") ? NULL : &row->stall_ns;
}

static uint32_t *field32(struct flush_row *row, const char *column)
{
	static const struct { const char *column; size_t offset; } fields[] = {
		{ "run", offsetof(struct flush_row, run) },
		{ "seq", offsetof(struct flush_row, seq) },
		{ "initiator", offsetof(struct flush_row, initiator) },
		{ "targets", offsetof(struct flush_row, targets) },
		{ "ipis", offsetof(struct flush_row, ipis) },
		{ "deferred", offsetof(struct flush_row, deferred) },
		{ "taken_over", offsetof(struct flush_row, taken_over) },
		{ "pages", offsetof(struct flush_row, pages) },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(column, fields[i].column))
			return (uint32_t *)(void *)((char *)row + fields[i].offset);
	return NULL;
}

static uint64_t parse_number(const char *text)
{
	uint64_t value;
	char *end;
	char canonical[24];

	assert_in_range(text[0], '0', '9');
	value = strtoull(text, &end, 10);
	assert_int_equal(*end, '\0');
	snprintf(canonical, sizeof(canonical), "%" PRIu64, value);
	assert_string_equal(text, canonical);   /* no leading zeros, no overflow */
	return value;
}

static void parse_column(struct flush_row *row, const char *column, const char *text)
{
	uint64_t *wide = field64(row, column);
	uint32_t *narrow = field32(row, column);

	assert_true(wide != NULL || narrow != NULL);
	if (wide != NULL) {
		*wide = parse_number(text);
		return;
	}
	assert_true(parse_number(text) <= UINT32_MAX);
	*narrow = (uint32_t)parse_number(text);
}

static void parse_row(char *text, struct flush_row *row, char *protocol, size_t bytes)
{
	char header[CSV_ROW_MAX];
	char *columns, *column, *cell;
	unsigned parsed = 0;

	assert_true(strlen(csv_header()) < sizeof(header));
	strcpy(header, csv_header());
	columns = header;
	columns[strcspn(columns, "\n")] = '\0';
	assert_string_equal(strsep(&columns, ","), "protocol");
	snprintf(protocol, bytes, "%s", strsep(&text, ","));
	while ((column = strsep(&columns, ",")) != NULL) {
		cell = strsep(&text, ",");
		assert_non_null(cell);
		parse_column(row, column, cell);
		parsed++;
	}
	assert_null(text);
	assert_int_equal(parsed, NUMBERS);
}

static void check_row(const struct flush_row *row, enum sd_protocol protocol)
{
	char text[CSV_ROW_MAX + GUARD_BYTES];
	struct flush_row back = { 0 };
	char name[64];
	size_t bytes;

	memset(text, GUARD, sizeof(text));
	bytes = csv_row(text, row, protocol);
	assert_in_range(bytes, 2, CSV_ROW_MAX);
	for (size_t i = bytes; i < sizeof(text); i++)
		assert_int_equal(text[i], GUARD);
	assert_null(memchr(text, '\0', bytes));
	assert_ptr_equal(memchr(text, '\n', bytes), text + bytes - 1);
	text[bytes - 1] = '\0';
	parse_row(text, &back, name, sizeof(name));
	assert_string_equal(name, protocol_name(protocol));
	assert_memory_equal(&back, row, sizeof(back));
}

static void header_is_the_promised_one(void **state)
{
	(void)state;
	assert_string_equal(csv_header(),
		"protocol,run,seq,initiator,targets,ipis,deferred,taken_over,pages,"
		"start_ns,pte_ns,wall_ns,stall_ns\n");
}

static void a_row_reads_as_expected(void **state)
{
	const struct flush_row row = {
		.run = 0, .seq = 7, .initiator = 10, .targets = 99, .ipis = 100, .deferred = 1023,
		.taken_over = 65535, .pages = 1, .start_ns = 1234567890123, .pte_ns = 4500,
		.wall_ns = 29300, .stall_ns = 0,
	};
	char text[CSV_ROW_MAX + 1];

	(void)state;
	text[csv_row(text, &row, SD_PROTOCOL_generation)] = '\0';
	assert_string_equal(text, "generation,0,7,10,99,100,1023,65535,1,1234567890123,4500,29300,0\n");
}

static void ends_of_ranges_survive(void **state)
{
	struct flush_row row = { 0 };

	(void)state;
	for (int protocol = 0; protocol < SD_PROTOCOLS; protocol++) {
		memset(&row, 0, sizeof(row));
		check_row(&row, (enum sd_protocol)protocol);
		memset(&row, 0xff, sizeof(row));
		check_row(&row, (enum sd_protocol)protocol);
	}
}

/* One below, at and above each power of ten: where the number of digits changes. */
static void every_number_of_digits_survives(void **state)
{
	(void)state;
	for (uint64_t power = 1; power <= UINT64_C(1000000000000000000); power *= 10)
		for (uint64_t value = power - 1; value <= power + 1; value++) {
			struct flush_row row = {
				.start_ns = value, .pte_ns = value * 10, .wall_ns = value / 2,
				.stall_ns = UINT64_MAX - value, .run = (uint32_t)value,
				.seq = (uint32_t)(value * 3), .initiator = (uint32_t)(value / 7),
				.targets = (uint32_t)value / 2, .ipis = (uint32_t)value / 3,
				.deferred = ~(uint32_t)value, .taken_over = (uint32_t)value / 5,
				.pages = (uint32_t)value % 100,
			};

			check_row(&row, SD_PROTOCOL_ipi);
		}
}

static void random_rows_survive(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct flush_row row;
		unsigned char *bytes = (unsigned char *)&row;

		for (size_t b = 0; b < sizeof(row); b++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			bytes[b] = (unsigned char)(seed >> 56);
		}
		row.wall_ns >>= i % 64;
		row.seq >>= i % 32;
		check_row(&row, (enum sd_protocol)(i % SD_PROTOCOLS));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_the_promised_one),
		cmocka_unit_test(a_row_reads_as_expected),
		cmocka_unit_test(ends_of_ranges_survive),
		cmocka_unit_test(every_number_of_digits_survives),
		cmocka_unit_test(random_rows_survive),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
