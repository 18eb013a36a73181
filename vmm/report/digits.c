// SPDX-License-Identifier: MIT
/*
 * digits.c - a number as text (digits.h).
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/csv_rows_round_trip_test.c
 */
#include "digits.h"

#include <string.h>

static unsigned digits_of(uint64_t value)
{
	unsigned digits = 1;

	for (; value >= 100; value /= 100)
		digits += 2;
	return digits + (value >= 10);
}

/* Two digits a division. */
char *digits_put(char *out, uint64_t value)
{
	static const char pairs[] =
		"00010203040506070809" "10111213141516171819" "20212223242526272829"
		"30313233343536373839" "40414243444546474849" "50515253545556575859"
		"60616263646566676869" "70717273747576777879" "80818283848586878889"
		"90919293949596979899";
	char *end = out + digits_of(value);
	char *at = end;

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
