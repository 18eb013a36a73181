// SPDX-License-Identifier: MIT
/*
 * protocol_list_keeps_its_order_test.c - --protocol gives the protocols in the
 * order named, each once; safe and all stand for the lines of protocols.def.
 */
#include "command_line.h"
#include "protocol_list.h"

static void list_is(const char *line, size_t count, const enum sd_protocol *expected)
{
	struct options options = command_line_options(line);

	print_message("%s\n", line);
	assert_int_equal(options.protocol_count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(options.protocols[i], expected[i]);
}

#define LIST_IS(line, ...) \
	list_is(line, COUNT_OF(((const enum sd_protocol[]){ __VA_ARGS__ })), \
		(const enum sd_protocol[]){ __VA_ARGS__ })

static void names_keep_their_order(void **state)
{
	(void)state;
	LIST_IS("--protocol ipi", SD_PROTOCOL_ipi);
	LIST_IS("--protocol sleep,ipi", SD_PROTOCOL_sleep, SD_PROTOCOL_ipi);
	LIST_IS("--protocol takeover,ipi", SD_PROTOCOL_takeover, SD_PROTOCOL_ipi);
	LIST_IS("--protocol ipi --protocol none", SD_PROTOCOL_none);
}

static void duplicates_are_given_once(void **state)
{
	(void)state;
	LIST_IS("--protocol none,ipi,none,none", SD_PROTOCOL_none, SD_PROTOCOL_ipi);
}

static void all_is_every_line(void **state)
{
	struct options options = command_line_options("--protocol all,ipi,all");

	(void)state;
	assert_int_equal(options.protocol_count, SD_PROTOCOLS);
	for (unsigned int i = 0; i < SD_PROTOCOLS; i++)
		assert_int_equal(options.protocols[i], i);
}

static void safe_is_every_line_but_controls(void **state)
{
	struct options options = command_line_options("--protocol none,safe");
	uint32_t next = 1;

	(void)state;
	assert_int_equal(options.protocols[0], SD_PROTOCOL_none);
	for (unsigned int i = 0; i < SD_PROTOCOLS; i++) {
		if (protocol_kind((enum sd_protocol)i) == SD_KIND_SAFE)
			assert_int_equal(options.protocols[next++], i);
	}
	assert_int_equal(options.protocol_count, next);
	assert_true(next > 1 && next < SD_PROTOCOLS);
}

static void the_columns_are_those_of_the_table(void **state)
{
	(void)state;
	assert_string_equal(protocol_name(SD_PROTOCOL_ipi), "ipi");
	assert_string_equal(protocol_name(SD_PROTOCOL_skip_preempted), "skip-preempted");
	assert_int_equal(protocol_kind(SD_PROTOCOL_sleep), SD_KIND_SAFE);
	assert_int_equal(protocol_kind(SD_PROTOCOL_deferred), SD_KIND_SAFE);
	assert_int_equal(protocol_kind(SD_PROTOCOL_ipi_pending_2017), SD_KIND_UNSAFE);
	assert_int_equal(protocol_kind(SD_PROTOCOL_none), SD_KIND_CONTROL);
	assert_int_equal(protocol_walkers(SD_PROTOCOL_ipi), SD_WALKERS_HELD);
	assert_int_equal(protocol_walkers(SD_PROTOCOL_sleep), SD_WALKERS_HELD);
	assert_int_equal(protocol_walkers(SD_PROTOCOL_yield), SD_WALKERS_HELD);
	assert_int_equal(protocol_walkers(SD_PROTOCOL_deferred), SD_WALKERS_MISSED);
	assert_int_equal(protocol_walkers(SD_PROTOCOL_hypercall), SD_WALKERS_MISSED);
	assert_int_equal(protocol_walkers(SD_PROTOCOL_skip_preempted), SD_WALKERS_MISSED);
}

/* A flush that loses targets does not wait for what they do. */
static void only_safe_protocols_hold_walkers(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SD_PROTOCOLS; i++) {
		enum sd_protocol protocol = (enum sd_protocol)i;

		if (protocol_walkers(protocol) == SD_WALKERS_HELD)
			assert_int_equal(protocol_kind(protocol), SD_KIND_SAFE);
	}
}

static void every_name_is_taken(void **state)
{
	char line[64] = "--protocol ";
	size_t start = strlen(line);

	(void)state;
	for (unsigned int i = 0; i < SD_PROTOCOLS; i++) {
		strcpy(line + start, protocol_name((enum sd_protocol)i));
		LIST_IS(line, (enum sd_protocol)i);
	}
}

static void unknown_names_are_told_with_the_list(void **state)
{
	static const char *const cases[][2] = {
		{ "--protocol foo",      "--protocol foo: unknown; one of ipi, " },
		{ "--protocol ipi,foo,none", "--protocol foo: unknown; one of ipi, " },
		{ "--protocol ip",       "--protocol ip: unknown; one of ipi, " },
		{ "--protocol ipis",     "--protocol ipis: unknown; one of ipi, " },
		{ "--protocol IPI",      "--protocol IPI: unknown; one of ipi, " },
		{ "--protocol skip_preempted", "--protocol skip_preempted: unknown; one of ipi, " },
	};
	static const char end[] = ", safe, all";
	struct options options;
	struct why why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		print_message("%s\n", cases[i][0]);
		assert_int_equal(command_line_parse(cases[i][0], &options, &why), -EINVAL);
		assert_int_equal(why.status, EXIT_USAGE);
		assert_memory_equal(why.text, cases[i][1], strlen(cases[i][1]));
		assert_string_equal(why.text + strlen(why.text) - strlen(end), end);
	}
}

static void empty_names_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "--protocol ,",         "--protocol ,: a name in the list is empty" },
		{ "--protocol ,ipi",      "--protocol ,ipi: a name in the list is empty" },
		{ "--protocol ipi,",      "--protocol ipi,: a name in the list is empty" },
		{ "--protocol ipi,,none", "--protocol ipi,,none: a name in the list is empty" },
	};
	struct options options;
	struct why why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(command_line_parse(cases[i][0], &options, &why), -EINVAL);
		assert_string_equal(why.text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_keep_their_order),
		cmocka_unit_test(duplicates_are_given_once),
		cmocka_unit_test(all_is_every_line),
		cmocka_unit_test(safe_is_every_line_but_controls),
		cmocka_unit_test(the_columns_are_those_of_the_table),
		cmocka_unit_test(only_safe_protocols_hold_walkers),
		cmocka_unit_test(every_name_is_taken),
		cmocka_unit_test(unknown_names_are_told_with_the_list),
		cmocka_unit_test(empty_names_are_refused),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
