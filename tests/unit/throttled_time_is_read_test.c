// SPDX-License-Identifier: MIT
/*
 * throttled_time_is_read_test.c - the quota of one's own cgroups and of those above them is
 * found, and how long they were throttled, with both versions of cgroups.
 *
 * The files are written here, in a folder that stands for the root.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "throttle.h"
#include "unit_test.h"

#define V2_STAT(times, us) "usage_usec 9\nnr_periods 50\nnr_throttled " #times \
			   "\nthrottled_usec " #us "\nnr_bursts 3\n"
#define V1_STAT(times, ns) "nr_periods 50\nnr_throttled " #times "\nthrottled_time " #ns "\n"

static char g_root[64];

static void write_file(const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", g_root, path);
	for (char *slash = strchr(full + strlen(g_root) + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(g_root, "/tmp/throttle.XXXXXX");
	return mkdtemp(g_root) == NULL;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", g_root);
	return system(command);
}

static void assert_found(double quota_cpus, uint64_t times, uint64_t ns)
{
	struct throttle throttle;
	struct throttled throttled;

	throttle_open(&throttle, g_root);
	throttled = throttle_read(&throttle);
	assert_int_equal(throttled.times, times);
	assert_int_equal(throttled.ns, ns);
	assert_true(throttle.quota_cpus > quota_cpus - 1e-9 && throttle.quota_cpus < quota_cpus + 1e-9);
	throttle_close(&throttle);
	assert_int_equal(throttle.count, 0);
}

static void what_is_not_there_throttles_nobody(void **state)
{
	(void)state;
	assert_found(0, 0, 0);
	write_file("/proc/self/mountinfo", "22 1 0:21 / /proc rw - proc proc rw\nx\n");
	write_file("/proc/self/cgroup", "0::/\n1\n\n");
	assert_found(0, 0, 0);
}

static void version_2_is_read_up_to_the_mount(void **state)
{
	(void)state;
	write_file("/proc/self/mountinfo",
		   "22 1 0:21 / /proc rw,nosuid - proc proc rw\n"
		   "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
	write_file("/proc/self/cgroup", "0::/a/b\n");
	write_file("/sys/fs/cgroup/a/b/cpu.stat", V2_STAT(7, 300));
	write_file("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	assert_found(0, 7, 300000);
	/* A quota above holds it back just as well. */
	write_file("/sys/fs/cgroup/a/cpu.stat", V2_STAT(5, 11));
	write_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
	write_file("/sys/fs/cgroup/cpu.stat", "usage_usec 9\n");
	assert_found(0.5, 12, 311000);
	write_file("/sys/fs/cgroup/a/b/cpu.max", "2000 100000\n");
	assert_found(0.02, 12, 311000);
}

/* In a container the mount shows a part of the tree, and /proc may name all of it. */
static void a_part_of_the_tree_is_enough(void **state)
{
	(void)state;
	write_file("/proc/self/mountinfo",
		   "30 22 0:26 /pod /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n");
	write_file("/sys/fs/cgroup/x/cpu.stat", V2_STAT(7, 300));
	write_file("/sys/fs/cgroup/cpu.stat", V2_STAT(1, 2));
	write_file("/sys/fs/cgroup/cpu.max", "150000 100000\n");
	write_file("/proc/self/cgroup", "0::/pod/x\n");
	assert_found(1.5, 8, 302000);
	write_file("/proc/self/cgroup", "0::/pod\n");
	assert_found(1.5, 1, 2000);
	write_file("/proc/self/cgroup", "0::/elsewhere\n");
	assert_found(1.5, 1, 2000);
	write_file("/proc/self/cgroup", "0::/../x\n");
	assert_found(1.5, 1, 2000);
}

/* Its controllers stand beside version 2, which has no files of theirs then. */
static void version_1_is_read_where_it_is_mounted(void **state)
{
	(void)state;
	write_file("/proc/self/mountinfo",
		   "30 22 0:26 / /cg/unified rw - cgroup2 cgroup2 rw\n"
		   "31 22 0:27 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"
		   "32 22 0:28 / /cg/cpuacct,cpu rw - cgroup cgroup rw,cpuacct,cpu\n"
		   "33 22 0:29 / /cg/memory rw - cgroup cgroup rw,memory\n");
	write_file("/proc/self/cgroup", "9:cpuset:/no\n8:memory:/no\n4:cpuacct,cpu:/job\n0::/no\n");
	write_file("/cg/cpuacct,cpu/job/cpu.stat", V1_STAT(4, 987654321));
	write_file("/cg/cpuacct,cpu/job/cpu.cfs_quota_us", "-1\n");
	write_file("/cg/cpuacct,cpu/job/cpu.cfs_period_us", "100000\n");
	write_file("/cg/unified/no/cpu.stat", V2_STAT(70, 300));
	write_file("/cg/cpuset/no/cpu.stat", V1_STAT(70, 300));
	assert_found(0, 4, 987654321);
	write_file("/cg/cpuacct,cpu/job/cpu.cfs_quota_us", "25000\n");
	assert_found(0.25, 4, 987654321);
}

/* The file stays open: later ones cannot be opened any more. */
static void it_is_read_again_as_it_grows(void **state)
{
	struct throttle throttle;

	(void)state;
	write_file("/proc/self/mountinfo", "30 22 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
	write_file("/proc/self/cgroup", "0::/\n");
	write_file("/cg/cpu.stat", V2_STAT(1, 10));
	throttle_open(&throttle, g_root);
	assert_int_equal(throttle_read(&throttle).ns, 10000);
	write_file("/cg/cpu.stat", V2_STAT(3, 70));
	assert_int_equal(throttle_read(&throttle).ns, 70000);
	assert_int_equal(throttle_read(&throttle).times, 3);
	throttle_close(&throttle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_there_throttles_nobody),
		TEST(version_2_is_read_up_to_the_mount),
		TEST(a_part_of_the_tree_is_enough),
		TEST(version_1_is_read_where_it_is_mounted),
		TEST(it_is_read_again_as_it_grows),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
