// SPDX-License-Identifier: MIT
/*
 * kvm_stats_find_by_name_test.c - statistics are found by their names, wherever the
 * file puts them, and a file that lies about itself is refused.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_stats.h"
#include "unit_test.h"

#define NAME_BYTES  48u
#define DESCRIPTOR  (offsetof(struct kvm_stats_desc, name) + NAME_BYTES)
#define ID_AT       24u
#define VALUES_MAX  8u

struct described {
	const char *name;
	uint16_t size;                  /* values: 1 but for histograms */
	uint32_t offset;                /* of the first one, after data_offset */
};

/* As KVM lays them out: header, id, descriptors, values. */
static const struct described g_stats[] = {
	{ "exits",                      1, 16 },
	{ "halt_wait_hist",             2, 24 },
	{ "preemption_reported_before", 1, 48 },
	{ "preemption_reported",        1,  8 },
	{ "preemption_other",           1,  0 },
	{ "last",                       1, 40 },
};

#define COUNT     ((uint32_t)COUNT_OF(g_stats))
#define DESC_AT   (ID_AT + NAME_BYTES)
#define DATA_AT   (DESC_AT + COUNT * (uint32_t)DESCRIPTOR)

/* The value at @offset after data_offset. */
#define VALUE_AT(offset) (UINT64_C(0xfedcba9876543200) + (offset) / 8)

static struct kvm_stats_header right_header(void)
{
	return (struct kvm_stats_header){
		.name_size = NAME_BYTES, .num_desc = COUNT, .id_offset = ID_AT,
		.desc_offset = DESC_AT, .data_offset = DATA_AT,
	};
}

static void put(int file, uint64_t at, const void *bytes, size_t count)
{
	assert_int_equal(pwrite(file, bytes, count, (off_t)at), count);
}

static void put_descriptor(int file, uint64_t at, const struct described *stat)
{
	union {
		struct kvm_stats_desc desc;
		char bytes[DESCRIPTOR];
	} descriptor = { .desc = { .size = stat->size, .offset = stat->offset } };

	strcpy(descriptor.bytes + offsetof(struct kvm_stats_desc, name), stat->name);
	put(file, at, &descriptor, sizeof(descriptor));
}

static int empty_file(void)
{
	int file = memfd_create("statistics", MFD_CLOEXEC);

	assert_true(file >= 0);
	return file;
}

static int statistics(struct kvm_stats_header header)
{
	int file = empty_file();

	put(file, 0, &header, sizeof(header));
	for (uint32_t i = 0; i < COUNT; i++)
		put_descriptor(file, DESC_AT + i * DESCRIPTOR, &g_stats[i]);
	for (uint32_t i = 0; i < VALUES_MAX; i++) {
		uint64_t value = VALUE_AT(i * 8);

		put(file, DATA_AT + i * 8, &value, sizeof(value));
	}
	return file;
}

/* Returns what the function does; @stat as it came out. */
static int look_up(int file, struct kvm_stat *stat, struct why *why)
{
	*stat = (struct kvm_stat){ .name = stat->name, .found = true, .value = 99 };
	return kvm_stats_find_by_name(file, stat, 1, why);
}

static void each_is_found_by_its_name(void **state)
{
	int file = statistics(right_header());

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		struct kvm_stat stat = { .name = g_stats[i].name };
		struct why why = { 0 };

		if (g_stats[i].size != 1)
			continue;
		assert_int_equal(look_up(file, &stat, &why), 0);
		assert_true(stat.found);
		assert_true(stat.value == VALUE_AT(g_stats[i].offset));
	}
	close(file);
}

static void several_at_once(void **state)
{
	struct kvm_stat stats[] = {
		{ .name = "preemption_other" }, { .name = "nobody" }, { .name = "preemption_reported" },
	};
	int file = statistics(right_header());
	struct why why = { 0 };

	(void)state;
	assert_int_equal(kvm_stats_find_by_name(file, stats, COUNT_OF(stats), &why), 0);
	assert_true(stats[0].found && !stats[1].found && stats[2].found);
	assert_true(stats[0].value == VALUE_AT(0));
	assert_int_equal(stats[1].value, 0);
	assert_true(stats[2].value == VALUE_AT(8));
	close(file);
}

static void a_name_that_is_not_there_is_no_error(void **state)
{
	/* No beginning and no continuation of a name; and no histogram. */
	static const char *const names[] = {
		"", "exit", "exits2", "preemption", "EXITS", "halt_wait_hist",
		"a name that is longer than any name in the file can be",
	};
	int file = statistics(right_header());

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct kvm_stat stat = { .name = names[i] };
		struct why why = { 0 };

		assert_int_equal(look_up(file, &stat, &why), 0);
		assert_false(stat.found);
		assert_int_equal(stat.value, 0);
	}
	close(file);
}

/* All of its bytes, and no zero after them: not "exits", and nothing beyond the
 * descriptor is taken for its name. */
static void a_name_without_end_is_nobodys(void **state)
{
	char endless[NAME_BYTES], longer[2 * NAME_BYTES] = { 0 };
	int file = statistics(right_header());
	struct kvm_stat stat = { .name = longer };
	struct why why = { 0 };

	(void)state;
	memset(endless, 'e', sizeof(endless));
	put(file, DESC_AT + offsetof(struct kvm_stats_desc, name), endless, sizeof(endless));
	memset(longer, 'e', sizeof(endless));
	assert_int_equal(look_up(file, &stat, &why), 0);
	assert_false(stat.found);
	close(file);
}

static void no_statistics_at_all(void **state)
{
	struct kvm_stats_header header = right_header();
	struct kvm_stat stat = { .name = "exits" };
	struct why why = { 0 };
	int file;

	(void)state;
	header.num_desc = 0;
	file = statistics(header);
	assert_int_equal(look_up(file, &stat, &why), 0);
	assert_false(stat.found);
	close(file);
}

/* Where the parts lie is the header's to say; so is the length of a name. */
static void the_header_says_where(void **state)
{
	const struct described exits = { "exits", 1, 800 };
	const uint64_t value = 4711;
	struct kvm_stats_header header = {
		.name_size = 7, .num_desc = 2, .id_offset = 9000, .desc_offset = 5001,
		.data_offset = 100,
	};
	struct kvm_stat stat = { .name = "exits" };
	struct why why = { 0 };
	int file = empty_file();

	(void)state;
	put(file, 0, &header, sizeof(header));
	put(file, header.desc_offset, "0123456789abcdefneither", 23);
	put_descriptor(file, header.desc_offset + 23, &exits);
	put(file, header.data_offset + exits.offset, &value, sizeof(value));
	assert_int_equal(look_up(file, &stat, &why), 0);
	assert_true(stat.found);
	assert_true(stat.value == value);
	close(file);
}

static void is_refused(int file, const char *word)
{
	struct kvm_stat stat = { .name = "preemption_other" };
	struct why why = { 0 };

	assert_int_equal(look_up(file, &stat, &why), -EIO);
	assert_int_equal(why.status, EXIT_HOST);
	assert_non_null(strstr(why.text, word));
	assert_false(stat.found);
	assert_int_equal(stat.value, 0);
	close(file);
}

static void impossible_sizes_are_refused(void **state)
{
	static const struct { uint32_t name_size, num_desc; } cases[] = {
		{ 0, COUNT }, { 257, COUNT }, { UINT32_MAX, COUNT }, { UINT32_MAX - 15, COUNT },
		{ NAME_BYTES, 4097 }, { NAME_BYTES, UINT32_MAX }, { UINT32_MAX, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct kvm_stats_header header = right_header();

		header.name_size = cases[i].name_size;
		header.num_desc = cases[i].num_desc;
		is_refused(statistics(header), "with names of");
	}
}

static void a_file_that_ends_too_early_is_refused(void **state)
{
	const struct { off_t bytes; const char *word; } cases[] = {
		{ 0, "header" }, { sizeof(struct kvm_stats_header) - 1, "header" },
		{ DESC_AT, "descriptors" }, { DATA_AT - 1, "descriptors" },
		{ DATA_AT, "preemption_other" }, { DATA_AT + 7, "preemption_other" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int file = statistics(right_header());

		assert_int_equal(ftruncate(file, cases[i].bytes), 0);
		is_refused(file, cases[i].word);
	}
}

static void offsets_behind_the_end_are_refused(void **state)
{
	struct kvm_stats_header header = right_header();

	(void)state;
	header.desc_offset = UINT32_MAX;
	is_refused(statistics(header), "descriptors");
	header = right_header();
	header.data_offset = UINT32_MAX;
	is_refused(statistics(header), "preemption_other");
}

static void what_is_no_file_is_refused(void **state)
{
	struct kvm_stat stat = { .name = "exits" };
	struct why why = { 0 };

	(void)state;
	assert_int_equal(look_up(-1, &stat, &why), -EBADF);
	assert_int_equal(why.status, EXIT_HOST);
	assert_false(stat.found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_by_its_name),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(a_name_that_is_not_there_is_no_error),
		cmocka_unit_test(a_name_without_end_is_nobodys),
		cmocka_unit_test(no_statistics_at_all),
		cmocka_unit_test(the_header_says_where),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(a_file_that_ends_too_early_is_refused),
		cmocka_unit_test(offsets_behind_the_end_are_refused),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
