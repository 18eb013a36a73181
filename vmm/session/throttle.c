// SPDX-License-Identifier: MIT
/*
 * throttle.c - quota and throttling of one's own cgroups (throttle.h).
 *
 * Threads: main.
 * Follows: cgroups(7), proc(5) (/proc/self/mountinfo), both versions of cgroups.
 */
#include "throttle.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"

/* Where the cgroups with the CPU controller are. */
struct hierarchy {
	char mount[PATH_MAX];           /* of it */
	char below[PATH_MAX];           /* what of the tree is mounted there */
	char own[PATH_MAX];             /* cgroup of this process, as /proc names it */
	bool v1;
	bool found;
};

/* Is @word one of the words between commas in @list? */
static bool has_word(const char *list, const char *word)
{
	size_t bytes = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += bytes)
		if ((at == list || at[-1] == ',') && strchr(",:\n", at[bytes]) != NULL)
			return true;
	return false;
}

static FILE *open_under(const char *root, const char *folder, const char *name)
{
	static char path[3 * PATH_MAX];

	snprintf(path, sizeof(path), "%s%s/%s", root, folder, name);
	return fopen(path, "re");
}

/* Where the CPU controller is mounted as version 1, version 2 has none. */
static void find_mount(struct hierarchy *tree, const char *root)
{
	FILE *file = open_under(root, "/proc/self", "mountinfo");
	static char line[2 * PATH_MAX], below[PATH_MAX], mount[PATH_MAX], options[PATH_MAX];

	while (file != NULL && !tree->v1 && fgets(line, sizeof(line), file) != NULL) {
		const char *type = strstr(line, " - ");
		bool v1;

		if (type == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s", below, mount) != 2)
			continue;
		v1 = sscanf(type, " - cgroup %*s %4095s", options) == 1 && has_word(options, "cpu");
		if (!v1 && strncmp(type, " - cgroup2 ", strlen(" - cgroup2 ")) != 0)
			continue;
		tree->v1 = v1;
		tree->found = true;
		snprintf(tree->mount, sizeof(tree->mount), "%s", mount);
		snprintf(tree->below, sizeof(tree->below), "%s", below);
	}
	if (file != NULL)
		fclose(file);
}

/* "0::/path", or "4:cpu,cpuacct:/path". */
static void find_own(struct hierarchy *tree, const char *root)
{
	FILE *file = open_under(root, "/proc/self", "cgroup");
	static char line[2 * PATH_MAX];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		const char *names = strchr(line, ':');
		const char *path = names != NULL ? strchr(names + 1, ':') : NULL;

		if (path == NULL || (tree->v1 ? !has_word(names + 1, "cpu")
					      : strncmp(line, "0::", 3) != 0))
			continue;
		snprintf(tree->own, sizeof(tree->own), "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
	}
	if (file != NULL)
		fclose(file);
}

/* The path of one's own below the mount; of a cgroup that is not to be seen there (another
 * namespace) the mount itself. */
static void settle_own(struct hierarchy *tree)
{
	size_t bytes = strlen(tree->below);

	if (strcmp(tree->below, "/") == 0)
		bytes = 0;
	if (strncmp(tree->own, tree->below, bytes) != 0 || strstr(tree->own, "/..") != NULL)
		tree->own[0] = '\0';
	else
		memmove(tree->own, tree->own + bytes, strlen(tree->own + bytes) + 1);
	if (strcmp(tree->own, "/") == 0)
		tree->own[0] = '\0';
}

static double read_pair(FILE *file, const char *format, double *second)
{
	double first = -1;

	*second = 0;
	if (file != NULL && fscanf(file, format, &first, second) < 1)
		first = -1;
	if (file != NULL)
		fclose(file);
	return first;
}

/* In CPUs; 0 where there is none: "max", or -1. */
static double quota_of(const struct hierarchy *tree, const char *root, const char *folder)
{
	double quota, period, ignored;

	if (!tree->v1) {
		quota = read_pair(open_under(root, folder, "cpu.max"), "%lf %lf", &period);
	} else {
		quota = read_pair(open_under(root, folder, "cpu.cfs_quota_us"), "%lf", &ignored);
		period = read_pair(open_under(root, folder, "cpu.cfs_period_us"), "%lf", &ignored);
	}
	return quota > 0 && period > 0 ? quota / period : 0;
}

static void add_level(struct throttle *throttle, const struct hierarchy *tree, const char *root,
		      const char *folder)
{
	double quota = quota_of(tree, root, folder);
	FILE *file = open_under(root, folder, "cpu.stat");

	if (quota > 0 && (throttle->quota_cpus <= 0 || quota < throttle->quota_cpus))
		throttle->quota_cpus = quota;
	if (file != NULL)
		throttle->stat[throttle->count++] = file;
}

void throttle_open(struct throttle *throttle, const char *root)
{
	static struct hierarchy tree;           /* too large for a small stack, as all paths here */
	static char folder[2 * PATH_MAX];
	bool top = false;

	*throttle = (struct throttle){ 0 };
	memset(&tree, 0, sizeof(tree));
	find_mount(&tree, root);
	find_own(&tree, root);
	settle_own(&tree);
	while (tree.found && !top && throttle->count < THROTTLE_LEVELS) {
		char *last = strrchr(tree.own, '/');

		top = tree.own[0] == '\0';
		snprintf(folder, sizeof(folder), "%s%s", tree.mount, tree.own);
		add_level(throttle, &tree, root, folder);
		if (last != NULL)
			*last = '\0';
	}
}

void throttle_close(struct throttle *throttle)
{
	while (throttle->count > 0)
		fclose(throttle->stat[--throttle->count]);
}

static void add_line(struct throttled *sum, const char *line)
{
	unsigned long long value;

	if (sscanf(line, "nr_throttled %llu", &value) == 1)
		sum->times += value;
	else if (sscanf(line, "throttled_usec %llu", &value) == 1)
		sum->ns += value * NS_PER_US;
	else if (sscanf(line, "throttled_time %llu", &value) == 1)
		sum->ns += value;
}

struct throttled throttle_read(const struct throttle *throttle)
{
	struct throttled sum = { 0 };
	char line[128];

	for (uint32_t i = 0; i < throttle->count; i++) {
		rewind(throttle->stat[i]);
		while (fgets(line, sizeof(line), throttle->stat[i]) != NULL)
			add_line(&sum, line);
	}
	return sum;
}
