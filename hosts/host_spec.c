// SPDX-License-Identifier: MIT
/* host_spec.c - HOST[,KEY=VALUE...] (host_spec.h). */
#include "host_spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const g_host_kind_names[HOST_KINDS] = {
	[HOST_AUTO] = "auto",
	[HOST_KVM] = "kvm",
	[HOST_AMD] = "amd",
	[HOST_INTEL] = "intel",
};

/* auto may become amd, and has no keys of its own. */
static const struct host_spec g_defaults[] = {
	[HOST_AUTO] = { HOST_AUTO, true, "EPYC", 2, 2048, "" },
	[HOST_KVM] = { HOST_KVM, true, "", 0, 0, "" },
	[HOST_AMD] = { HOST_AMD, true, "EPYC", 2, 2048, "" },
	[HOST_INTEL] = { HOST_INTEL, true, "corei7_haswell_4770", 2, 512, "" },
};

/* Ends up among an emulator's own words: nothing that means something to it. */
#define CPU_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-"

#define SMP_MAX     64
#define MEM_MIN_MIB 256
#define MEM_MAX_MIB 65536

struct complaint {
	char *text;
	size_t bytes;
};

__attribute__((format(printf, 2, 3)))
static int complain(struct complaint complaint, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(complaint.text, complaint.bytes, format, values);
	va_end(values);
	/* One line, whatever it names. */
	for (char *c = complaint.text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return -EINVAL;
}

static int number_read(const char *key, const char *text, uint32_t min, uint32_t max,
		       uint32_t *number, struct complaint complaint)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < min || value > max)
		return complain(complaint, "%s=%.32s: must be %u to %u", key, text, min, max);
	*number = (uint32_t)value;
	return 0;
}

static int paging_read(const char *key, const char *text, struct host_spec *spec,
		       struct complaint complaint)
{
	uint32_t on;

	if (number_read(key, text, 0, 1, &on, complaint) != 0)
		return -EINVAL;
	spec->nested_paging = on != 0;
	return 0;
}

static int text_read(const char *key, const char *text, const char *allowed, char *out,
		     size_t bytes, struct complaint complaint)
{
	if (*text == '\0' || (allowed != NULL && text[strspn(text, allowed)] != '\0'))
		return complain(complaint, "%s=%.32s: not a name", key, text);
	if (strlen(text) >= bytes)
		return complain(complaint, "%s=: longer than %zu bytes", key, bytes - 1);
	strcpy(out, text);
	return 0;
}

/* Those of Bochs that have VMX; icelake does not boot. QEMU says itself what it has. */
static const char *const g_bochs_cpus[] = {
	"core2_penryn_t9600", "corei5_lynnfield_750", "corei5_arrandale_m520",
	"corei7_sandy_bridge_2600k", "corei7_ivy_bridge_3770k", "corei7_haswell_4770",
	"broadwell_ult", "corei7_skylake_x", "corei3_cnl", "tigerlake",
};

static int cpu_read(const char *text, struct host_spec *spec, struct complaint complaint)
{
	if (text_read("cpu", text, CPU_CHARACTERS, spec->cpu, sizeof(spec->cpu), complaint) != 0)
		return -EINVAL;
	if (spec->kind != HOST_INTEL)
		return 0;
	for (size_t i = 0; i < sizeof(g_bochs_cpus) / sizeof(g_bochs_cpus[0]); i++)
		if (strcmp(text, g_bochs_cpus[i]) == 0)
			return 0;
	return complain(complaint, "cpu=%.32s: Bochs has no such CPU with VMX, as %s is", text,
			g_defaults[HOST_INTEL].cpu);
}

static int key_take(const char *key, const char *value, struct host_spec *spec,
		    struct complaint complaint)
{
	const char *paging = spec->kind == HOST_INTEL ? "ept" : "npt";

	if (strcmp(key, paging) == 0)
		return paging_read(key, value, spec, complaint);
	if (strcmp(key, "cpu") == 0)
		return cpu_read(value, spec, complaint);
	if (strcmp(key, "smp") == 0)
		return number_read(key, value, 1, SMP_MAX, &spec->smp, complaint);
	if (strcmp(key, "mem") == 0)
		return number_read(key, value, MEM_MIN_MIB, MEM_MAX_MIB, &spec->mem_mib, complaint);
	if (strcmp(key, "args") == 0)
		return text_read(key, value, NULL, spec->args, sizeof(spec->args), complaint);
	return complain(complaint, "%.32s: not a key of %s (%s, cpu, smp, mem, args)", key,
			host_kind_name(spec->kind), paging);
}

/* The next item of a list between commas, its terminator overwritten. */
static char *item_take(char **rest)
{
	char *item = *rest;
	char *comma = strncmp(item, "args=", 5) == 0 ? NULL : strchr(item, ',');

	*rest = comma == NULL ? NULL : comma + 1;
	if (comma != NULL)
		*comma = '\0';
	return item;
}

static int kind_find(const char *name, enum host_kind *kind)
{
	for (size_t i = 0; i < HOST_KINDS; i++) {
		if (strcmp(name, g_host_kind_names[i]) != 0)
			continue;
		*kind = (enum host_kind)i;
		return 0;
	}
	return -EINVAL;
}

int host_spec_parse(const char *text, struct host_spec *spec, char *out, size_t bytes)
{
	struct complaint complaint = { out, bytes };
	char copy[1024];
	char *rest = copy;
	enum host_kind kind;

	if (strlen(text) >= sizeof(copy))
		return complain(complaint, "longer than %zu bytes", sizeof(copy) - 1);
	strcpy(copy, text);
	char *name = item_take(&rest);
	if (kind_find(name, &kind) != 0)
		return complain(complaint, "%.32s: no such host (" HOST_SPEC_USAGE ")", name);
	*spec = g_defaults[kind];
	while (rest != NULL) {
		char *key = item_take(&rest);
		char *value = strchr(key, '=');

		if (kind == HOST_AUTO || kind == HOST_KVM)
			return complain(complaint, "%.32s: %s takes no keys", key, name);
		if (value == NULL)
			return complain(complaint, "%.32s: not KEY=VALUE", key);
		*value++ = '\0';
		if (key_take(key, value, spec, complaint) != 0)
			return -EINVAL;
	}
	return 0;
}

const char *host_kind_name(enum host_kind kind)
{
	return g_host_kind_names[kind];
}
