// SPDX-License-Identifier: MIT
/*
 * host_specs_are_checked_test.c - HOST[,KEY=VALUE...] is taken whole, or refused in one line.
 */
#include <errno.h>
#include <string.h>

#include "host_spec.h"
#include "unit_test.h"

static void refused(const char *text, const char *words)
{
	struct host_spec spec;
	char complaint[256] = "";

	assert_int_equal(host_spec_parse(text, &spec, complaint, sizeof(complaint)), -EINVAL);
	if (strstr(complaint, words) == NULL)
		fail_msg("%s: said \"%s\", not \"%s\"", text, complaint, words);
	for (const char *c = complaint; *c != '\0'; c++)
		assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void taken(const char *text, struct host_spec *spec)
{
	char complaint[256] = "";

	if (host_spec_parse(text, spec, complaint, sizeof(complaint)) != 0)
		fail_msg("%s: %s", text, complaint);
}

static void each_host_has_defaults(void **state)
{
	static const struct { const char *text; enum host_kind kind; } hosts[] = {
		{ "auto", HOST_AUTO }, { "kvm", HOST_KVM }, { "amd", HOST_AMD },
		{ "intel", HOST_INTEL },
	};
	struct host_spec spec;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		taken(hosts[i].text, &spec);
		assert_int_equal(spec.kind, hosts[i].kind);
		assert_string_equal(host_kind_name(spec.kind), hosts[i].text);
		assert_true(spec.nested_paging);
		assert_string_equal(spec.args, "");
	}
}

static void every_key_is_read(void **state)
{
	struct host_spec spec;

	(void)state;
	taken("amd,npt=0,cpu=EPYC-Rome-v2,smp=4,mem=4096,args=preempt=full a,b=c", &spec);
	assert_false(spec.nested_paging);
	assert_string_equal(spec.cpu, "EPYC-Rome-v2");
	assert_int_equal(spec.smp, 4);
	assert_int_equal(spec.mem_mib, 4096);
	assert_string_equal(spec.args, "preempt=full a,b=c");
	taken("intel,cpu=core2_penryn_t9600", &spec);
	taken("intel,ept=0,smp=1", &spec);
	assert_false(spec.nested_paging);
	assert_int_equal(spec.smp, 1);
	taken("amd,npt=0,npt=1", &spec);
	assert_true(spec.nested_paging);
}

static void the_rest_is_refused(void **state)
{
	char longest[2048];

	(void)state;
	refused("", "no such host");
	refused("AMD", "no such host");
	refused("arm,npt=0", "arm: no such host");
	refused("\033[31m\n", "no such host");
	refused("kvm,smp=2", "takes no keys");
	refused("auto,npt=0", "takes no keys");
	refused("amd,", "not KEY=VALUE");
	refused("amd,npt", "not KEY=VALUE");
	refused("amd,npt=", "must be 0 to 1");
	refused("amd,npt=2", "must be 0 to 1");
	refused("amd,npt=0x", "must be 0 to 1");
	refused("amd,ept=0", "not a key of amd");
	refused("intel,npt=0", "not a key of intel");
	refused("amd,smp=0", "must be 1 to 64");
	refused("amd,smp=65", "must be 1 to 64");
	refused("amd,smp=-1", "must be 1 to 64");
	refused("amd,mem=255", "must be 256 to 65536");
	refused("amd,mem=18446744073709551616", "must be 256 to 65536");
	refused("amd,cpu=", "not a name");
	refused("intel,cpu=EPYC", "cpu=EPYC: Bochs has no such CPU");
	refused("amd,cpu=EPYC -S", "not a name");
	refused("amd,args=", "not a name");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	refused(longest, "longer than");
	memcpy(longest, "amd,args=", strlen("amd,args="));
	longest[strlen("amd,args=") + 600] = '\0';
	refused(longest, "longer than 511 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_host_has_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(the_rest_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
