// SPDX-License-Identifier: MIT
/*
 * option_words.c - the words that options take as values.
 *
 * Tested: tests/unit/options_are_checked_test.c
 */
#include <assert.h>

#include "control.h"
#include "option_table.h"

static const char *const g_workloads[] = {
	[WORKLOAD_TOGGLE] = "toggle",
	[WORKLOAD_CHURN] = "churn",
	[WORKLOAD_TEARDOWN] = "teardown",
};

static const char *const g_table_frees[] = {
	[TABLE_FREE_RCU] = "rcu",
	[TABLE_FREE_NOW] = "now",
};

static const char *const g_shadow_reclaims[] = {
	[SHADOW_RECLAIM_MODE] = "mode",
	[SHADOW_RECLAIM_RCU] = "rcu",
	[SHADOW_RECLAIM_COUNTER] = "counter",
};

static const char *const g_preempts[] = {
	[PREEMPT_SLICE] = "slice",
	[PREEMPT_RANDOM] = "random",
	[PREEMPT_AT_STEP] = "at-step",
	[PREEMPT_HOST] = "host",
};

static const char *const g_steps[] = {
	[SD_STEP_POSTED] = "posted",
	[SD_STEP_READ] = "read",
	[SD_STEP_FLUSHED] = "flushed",
	[SD_STEP_SERVED] = "served",
	[SD_STEP_PUBLISH] = "publish",
	[SD_STEP_WALK] = "walk",
};

static const char *const g_entry_flushes[] = {
	[ENTRY_FLUSH_AUTO] = "auto",
	[ENTRY_FLUSH_STEAL] = "steal",
	[ENTRY_FLUSH_SREGS] = "sregs",
};

static const char *const g_extras[] = {
	[EXTRA_EXITS] = "exits",
	[EXTRA_FLUSHES] = "flushes",
	[EXTRA_HGRM] = "hgrm",
	[EXTRA_HIST] = "hist",
};

_Static_assert(sizeof(g_extras) / sizeof(g_extras[0]) == EXTRAS, "an extra has no name");

static const char *const g_confines[] = {
	[CONFINE_ON] = "on",
	[CONFINE_LOG] = "log",
	[CONFINE_OFF] = "off",
};

_Static_assert(sizeof(g_steps) / sizeof(g_steps[0]) == SD_STEPS, "a step has no name");

const struct value_names g_host_names = VALUE_NAMES(g_host_kind_names);
const struct value_names g_workload_names = VALUE_NAMES(g_workloads);
const struct value_names g_table_free_names = VALUE_NAMES(g_table_frees);
const struct value_names g_shadow_reclaim_names = VALUE_NAMES(g_shadow_reclaims);
const struct value_names g_preempt_names = VALUE_NAMES(g_preempts);
const struct value_names g_step_names = VALUE_NAMES(g_steps);
const struct value_names g_extra_names = VALUE_NAMES(g_extras);
const struct value_names g_entry_flush_names = VALUE_NAMES(g_entry_flushes);
const struct value_names g_confine_names = VALUE_NAMES(g_confines);

static const char *name_of(const struct value_names *names, uint32_t value)
{
	assert(value < names->count);
	return names->names[value];
}

const char *workload_name(enum workload workload)
{
	return name_of(&g_workload_names, workload);
}

const char *table_free_name(enum table_free table_free)
{
	return name_of(&g_table_free_names, table_free);
}

const char *shadow_reclaim_name(enum shadow_reclaim shadow_reclaim)
{
	return name_of(&g_shadow_reclaim_names, shadow_reclaim);
}

const char *preempt_name(enum preempt preempt)
{
	return name_of(&g_preempt_names, preempt);
}

const char *confine_name(enum confine_mode confine)
{
	return name_of(&g_confine_names, confine);
}

const char *step_name(uint32_t step)
{
	return name_of(&g_step_names, step);
}
