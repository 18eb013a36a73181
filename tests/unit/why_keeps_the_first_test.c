// SPDX-License-Identifier: MIT
/*
 * why_keeps_the_first_test.c - of several failures the first one is reported, because the
 * others follow from it.
 */
#include <string.h>

#include "unit_test.h"
#include "why.h"

static void the_first_stays(void **state)
{
	struct why why = { 0 };

	(void)state;
	assert_int_equal(why_set(&why, EXIT_HOST, ENOMEM, "vCPU %d: %s", 7, "no memory"), -ENOMEM);
	assert_int_equal(why.status, EXIT_HOST);
	assert_string_equal(why.text, "vCPU 7: no memory");
	/* Each caller still gets its own error back. */
	assert_int_equal(why_set(&why, EXIT_GUEST, EIO, "later"), -EIO);
	assert_int_equal(why.status, EXIT_HOST);
	assert_string_equal(why.text, "vCPU 7: no memory");
}

static void status_zero_is_a_first_one_too(void **state)
{
	struct why why = { 0 };

	(void)state;
	assert_int_equal(why_set(&why, EXIT_OK, EINTR, "interrupted"), -EINTR);
	assert_int_equal(why_set(&why, EXIT_GUEST, EIO, "later"), -EIO);
	assert_int_equal(why.status, EXIT_OK);
	assert_string_equal(why.text, "interrupted");
}

static void long_words_are_cut(void **state)
{
	char words[2 * sizeof(((struct why *)0)->text)];
	struct { struct why why; char guard[16]; } box;

	(void)state;
	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	memset(&box, 0, sizeof(box));
	memset(box.guard, 0x5a, sizeof(box.guard));
	assert_int_equal(why_set(&box.why, EXIT_USAGE, EINVAL, "%s", words), -EINVAL);
	assert_int_equal(strlen(box.why.text), sizeof(box.why.text) - 1);
	for (size_t i = 0; i < sizeof(box.guard); i++)
		assert_int_equal(box.guard[i], 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_stays),
		cmocka_unit_test(status_zero_is_a_first_one_too),
		cmocka_unit_test(long_words_are_cut),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
