// SPDX-License-Identifier: MIT
/*
 * host_facts.c - what this host is (host_facts.h).
 *
 * Threads: main, at start.
 * Follows: sysfs and proc of Linux; CPUID leaf 0x40000001 (Linux
 *          Documentation/virt/kvm/x86/cpuid.rst).
 */
#include "host_facts.h"

#include <asm/kvm_para.h>
#include <cpuid.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clock.h"
#include "entry_flush_test.h"
#include "host_below.h"

#define VMX_BIT (1u << 5)
#define SVM_BIT (1u << 2)

/* At 100 Hz and with a clock that moves once a tick, 50 ms. */
#define CLOCK_STEPS      5
#define CLOCK_LOOKS_MOST 100000000u     /* it stands still: 0 */

/* First line of @path, or "unknown". */
static void read_line(const char *path, char *out, size_t bytes)
{
	FILE *file = fopen(path, "re");

	snprintf(out, bytes, "unknown");
	if (file == NULL)
		return;
	if (fgets(out, (int)bytes, file) != NULL)
		out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

/* Value of the first line of /proc/cpuinfo that begins with @key. */
static void read_cpuinfo(const char *key, char *out, size_t bytes)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];
	const char *value;

	snprintf(out, bytes, "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		value = strstr(line, ": ");
		if (strncmp(line, key, strlen(key)) != 0 || value == NULL)
			continue;
		snprintf(out, bytes, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
		break;
	}
	if (file != NULL)
		fclose(file);
}

/* CPUID says what hardware KVM can use (SDM volume 2, leaf 1; APM volume 3, leaf
 * 0x80000001); a host with neither that has the module of kvm-pvm uses shadow
 * paging alone. */
const char *host_kvm_kind(void)
{
	unsigned eax, ebx, ecx, edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & VMX_BIT)
		return "vmx";
	if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && ecx & SVM_BIT)
		return "svm";
	return access("/sys/module/kvm_pvm", F_OK) == 0 ? "pvm" : "unknown";
}

bool host_emulates_ring0(void)
{
	return strcmp(host_kvm_kind(), "pvm") == 0;
}

bool host_kvm_marks(void)
{
	return strcmp(host_kvm_kind(), "pvm") != 0;
}

/* How many known vulnerabilities there are, and how many have a mitigation. */
static void read_mitigations(char *out, size_t bytes)
{
	const char *folder = "/sys/devices/system/cpu/vulnerabilities";
	unsigned mitigated = 0, vulnerable = 0, unaffected = 0;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[512], text[128];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		read_line(path, text, sizeof(text));
		mitigated += strncmp(text, "Mitigation", 10) == 0;
		vulnerable += strncmp(text, "Vulnerable", 10) == 0;
		unaffected += strncmp(text, "Not affected", 12) == 0;
	}
	if (dir == NULL) {
		snprintf(out, bytes, "unknown");
		return;
	}
	closedir(dir);
	snprintf(out, bytes, "%u mitigated, %u vulnerable, %u not affected", mitigated, vulnerable,
		 unaffected);
}

static uint32_t pv_features(const struct kvm_cpuid_table *table)
{
	for (uint32_t i = 0; i < table->head.nent && i < KVM_CPUID_ENTRIES; i++)
		if (table->entries[i].function == KVM_CPUID_FEATURES)
			return table->entries[i].eax;
	return 0;
}

static int read_pv_features(struct host_facts *facts, struct kvm_system system, struct why *why)
{
	struct kvm_cpuid_table *table = calloc(1, sizeof(*table));
	int error;

	if (table == NULL)
		return why_set(why, EXIT_HOST, ENOMEM, "KVM_GET_SUPPORTED_CPUID: %s", strerror(ENOMEM));
	error = kvm_supported_cpuid(system, table, why);
	if (error == 0)
		facts->pv_features = pv_features(table);
	free(table);
	return error;
}

/* The least of some steps: each may be longer, where somebody else runs in between. */
static uint64_t clock_step_ns(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < CLOCK_STEPS; i++) {
		uint64_t from = clock_ns(), to = from;

		for (uint32_t looks = 0; to == from && looks < CLOCK_LOOKS_MOST; looks++)
			to = clock_ns();
		least = to - from < least ? to - from : least;
	}
	return least;
}

void host_facts_read(struct host_facts *facts, const struct session *session)
{
	struct host_below below = host_below();
	struct utsname name;

	memset(facts, 0, sizeof(*facts));
	if (uname(&name) == 0)
		snprintf(facts->kernel, sizeof(facts->kernel), "%.40s %.80s", name.sysname,
			 name.release);
	read_cpuinfo("model name", facts->cpu, sizeof(facts->cpu));
	snprintf(facts->kvm, sizeof(facts->kvm), "%s", host_kvm_kind());
	snprintf(facts->below, sizeof(facts->below), "%s", below.name);
	facts->emulated = below.emulated;
	facts->marks_preempted = host_kvm_marks();
	read_mitigations(facts->mitigations, sizeof(facts->mitigations));
	read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		  facts->clocksource, sizeof(facts->clocksource));
	facts->clock_step_ns = clock_step_ns();
	facts->quota_cpus = session->throttle.quota_cpus;
	facts->cpus_online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (getloadavg(&facts->load_1m, 1) != 1)
		facts->load_1m = 0;
	facts->max_vcpus = (uint32_t)kvm_capability(session->machine.vm, KVM_CAP_MAX_VCPUS);
}

int host_survey(struct session *session, enum entry_flush wanted, struct run_results *results,
		struct why *why)
{
	struct entry_flush_test test = { 0 };
	int error = entry_flush_choose(session, wanted, &test, why);

	if (error == 0)
		error = read_pv_features(&results->host, session->machine.system, why);
	results->host.tsc_hz = session->tsc_hz;
	results->entry_flush = session->park.entry_flush;
	results->entry_flush_tested = test.seen != 0;
	results->steal_failed = error == 0 ? test.steal_failed : 0;
	results->exit_keeps_stale = test.kept != 0;
	return error;
}

static bool has_sys_nice(void)
{
	cap_t held = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (held == NULL)
		return false;
	(void)cap_get_flag(held, CAP_SYS_NICE, CAP_EFFECTIVE, &value);
	cap_free(held);
	return value == CAP_SET;
}

int host_check_realtime(uint32_t slots, struct why *why)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	char runtime[32];

	if (!has_sys_nice())
		return why_set(why, EXIT_HOST, EPERM, "--realtime: needs the capability CAP_SYS_NICE");
	if (slots >= online)
		return why_set(why, EXIT_HOST, EINVAL,
			       "--realtime: %u slots on %ld CPUs would leave none for anything else", slots,
			       online);
	read_line("/proc/sys/kernel/sched_rt_runtime_us", runtime, sizeof(runtime));
	if (strcmp(runtime, "-1") == 0)
		return why_set(why, EXIT_HOST, EINVAL,
			       "--realtime: kernel.sched_rt_runtime_us is -1, nothing would stop a spinning vCPU");
	return 0;
}
