// SPDX-License-Identifier: MIT
/*
 * options_fuzz.c - any bytes as a command line, each argument ended by a zero byte as in
 * /proc/self/cmdline.
 *
 * What is refused has one printable line and the status of a usage error. What is taken
 * lies in the ranges of options.h, and written out in full it is read back as the same.
 * A second reading of the same arguments ends the same: getopt has state of its own.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "control.h"
#include "fuzz.h"
#include "layout.h"
#include "options.h"
#include "options_parse.h"
#include "protocol_list.h"
#include "range.h"

#define MAX_ARGUMENTS 40
#define MAX_TEXT      16384

/* Arguments and where they stand. */
struct line {
	char text[MAX_TEXT];
	size_t bytes;
	char *argv[MAX_ARGUMENTS + 2];
	int argc;
};

static void line_begin(struct line *line)
{
	static char program[] = "vmm";

	line->bytes = 0;
	line->argc = 1;
	line->argv[0] = program;
	line->argv[1] = NULL;
}

__attribute__((format(printf, 2, 3)))
static void line_add(struct line *line, const char *format, ...)
{
	char *argument = line->text + line->bytes;
	va_list args;
	int bytes;

	va_start(args, format);
	bytes = vsnprintf(argument, MAX_TEXT - line->bytes, format, args);
	va_end(args);
	fuzz_check(bytes >= 0 && (size_t)bytes < MAX_TEXT - line->bytes);
	fuzz_check(line->argc <= MAX_ARGUMENTS);
	line->bytes += (size_t)bytes + 1;
	line->argv[line->argc++] = argument;
	line->argv[line->argc] = NULL;
}

static void line_read(struct line *line, const uint8_t *data, size_t bytes)
{
	line_begin(line);
	while (bytes != 0 && line->argc <= MAX_ARGUMENTS) {
		const uint8_t *end = memchr(data, 0, bytes);
		size_t length = end != NULL ? (size_t)(end - data) : bytes;

		if (length >= MAX_TEXT - line->bytes)
			return;
		line_add(line, "%.*s", (int)length, (const char *)data);
		data += length;
		bytes -= length;
		if (bytes != 0) {
			data++;
			bytes--;
		}
	}
}

/* --- what is refused ---------------------------------------------------------- */

static void check_refusal(int error, const struct why *why)
{
	size_t bytes = strnlen(why->text, sizeof(why->text));

	fuzz_check(error == -EINVAL);
	fuzz_check(why->status == EXIT_USAGE);
	fuzz_check(bytes > 0 && bytes < sizeof(why->text));
	for (size_t i = 0; i < bytes; i++)
		fuzz_check((unsigned char)why->text[i] >= ' ' && why->text[i] != 0x7f);
}

/* --- what is taken ------------------------------------------------------------ */

static bool is_in(uint64_t value, uint64_t low, uint64_t high)
{
	return value >= low && value <= high;
}

static void check_protocols(const struct options *options)
{
	uint32_t seen = 0;

	fuzz_check(is_in(options->protocol_count, 1, SD_PROTOCOLS));
	for (uint32_t i = 0; i < options->protocol_count; i++) {
		fuzz_check((uint32_t)options->protocols[i] < SD_PROTOCOLS);
		fuzz_check(!(seen >> options->protocols[i] & 1));
		seen |= UINT32_C(1) << options->protocols[i];
	}
}

static void check_machine(const struct options *options)
{
	uint32_t last = options->slots - 1;

	fuzz_check(is_in(options->vcpus, 1, SD_MAX_VCPUS));
	fuzz_check(is_in(options->overcommit, 1, options->vcpus));
	/* All vCPUs fit, and one slot less would not do. */
	fuzz_check(options->slots >= 1 && options->slots * options->overcommit >= options->vcpus &&
		   last * options->overcommit < options->vcpus);
	fuzz_check(is_in(options->slice_us, 50, 10000000));
	fuzz_check((cpus_count(&options->cpus) != 0) == options->cpus_given);
	fuzz_check((uint32_t)options->preempt <= PREEMPT_HOST);
	fuzz_check((options->steps != 0) == (options->preempt == PREEMPT_AT_STEP));
	fuzz_check(options->steps < UINT32_C(1) << SD_STEPS);
	fuzz_check(options->ple_us <= 1000000);
	fuzz_check(options->realtime <= 99);
	fuzz_check(options->realtime == 0 || options->preempt != PREEMPT_HOST);
	fuzz_check((uint32_t)options->entry_flush <= ENTRY_FLUSH_SREGS);
	fuzz_check((uint32_t)options->confine <= CONFINE_OFF);
	fuzz_check((uint32_t)options->host.kind <= HOST_INTEL);
}

static void check_measurement(const struct options *options)
{
	uint64_t frames = (uint64_t)options->initiators * (SD_FRAME_SETS + 1) * options->pages;

	fuzz_check(is_in(options->initiators, 1, SD_MAX_INITIATORS));
	fuzz_check((uint64_t)options->initiators + options->sleepers <= options->vcpus);
	fuzz_check(is_in(options->pages, 1, SD_MAX_PAGES));
	fuzz_check(frames <= SD_MAX_FRAMES);
	fuzz_check(options->flush_ceiling <= SD_RANGE_MAX_PAGES ||
		   options->flush_ceiling == FLUSH_CEILING_AUTO);
	fuzz_check((uint32_t)options->workload <= WORKLOAD_TEARDOWN);
	fuzz_check((uint32_t)options->table_free <= TABLE_FREE_NOW);
	if (options->workload == WORKLOAD_TEARDOWN)
		fuzz_check(options->vcpus <= 255 && options->flush_ceiling == 0);
	fuzz_check(options->duration_s >= 0.01 && options->duration_s <= 86400);
	fuzz_check(options->duration_given || options->flushes != 0);
	fuzz_check(options->flushes <= UINT64_C(1000000000000));
	fuzz_check(options->warmup_s >= 0 && options->warmup_s <= 60);
	fuzz_check(is_in(options->repeat, 1, 10000));
	fuzz_check(options->pace_us <= 1000000);
	fuzz_check(options->reclaim_hz <= 1000000);
	fuzz_check((uint32_t)options->shadow_reclaim <= SHADOW_RECLAIM_COUNTER);
}

static void check_figure(const struct options *options, const struct figure_key *key)
{
	bool measured = false;

	for (uint32_t i = 0; i < options->protocol_count; i++)
		measured |= options->protocols[i] == key->protocol;
	fuzz_check(measured);
	fuzz_check((uint32_t)key->times < FIGURE_TIMES);
	fuzz_check((uint32_t)key->quantile < FIGURE_QUANTILES);
}

static void check_figures(const struct options *options)
{
	fuzz_check(options->fail_over_count <= OPTIONS_MAX_FIGURES);
	fuzz_check(options->print_count <= OPTIONS_MAX_FIGURES);
	for (uint32_t i = 0; i < options->fail_over_count; i++) {
		check_figure(options, &options->fail_over[i].key);
		fuzz_check(options->fail_over[i].limit_ns <= UINT64_C(1000000000000));
	}
	for (uint32_t i = 0; i < options->print_count; i++)
		check_figure(options, &options->print[i]);
	fuzz_check(options->break_over_us <= 1000000000);
	fuzz_check(options->extras < UINT32_C(1) << EXTRAS);
}

static void check_files(const struct options *options)
{
	fuzz_check(options->out != NULL && options->out[0] != '\0');
	fuzz_check(options->csv == NULL || options->csv[0] != '\0');
	fuzz_check(options->json == NULL || options->json[0] != '\0');
	fuzz_check(options->payload == NULL || options->payload[0] != '\0');
	fuzz_check(options->trace == NULL || options->trace[0] != '\0');
}

/* --- numbers, read once more -------------------------------------------------- */

struct number {
	const char *name;               /* up to the value */
	size_t field, bytes;
};

#define NUMBER(name, member) \
	{ "--" name "=", offsetof(struct options, member), sizeof(((struct options *)0)->member) }

static const struct number g_numbers[] = {
	NUMBER("vcpus", vcpus), NUMBER("overcommit", overcommit), NUMBER("slice-us", slice_us),
	NUMBER("ple", ple_us), NUMBER("sleepers", sleepers), NUMBER("realtime", realtime),
	NUMBER("flushes", flushes), NUMBER("repeat", repeat), NUMBER("initiators", initiators),
	NUMBER("pages", pages), NUMBER("flush-ceiling", flush_ceiling),
	NUMBER("pace-us", pace_us), NUMBER("seed", seed), NUMBER("reclaim", reclaim_hz),
	NUMBER("break-over", break_over_us),
};

static const struct number *number_of(const char *argument)
{
	for (size_t i = 0; i < sizeof(g_numbers) / sizeof(g_numbers[0]); i++)
		if (strncmp(argument, g_numbers[i].name, strlen(g_numbers[i].name)) == 0)
			return &g_numbers[i];
	return NULL;
}

/* False when @text is no number of 64 bits. */
static bool read_number(const char *text, uint64_t *value)
{
	unsigned base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
	unsigned __int128 sum = 0;

	text += base == 16 ? 2 : 0;
	*value = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
		const char *at = strchr(digits, *text);

		if (at == NULL || (size_t)(at - digits) / 2 >= base)
			return false;
		sum = sum * base + (size_t)(at - digits) / 2;
		if (sum > UINT64_MAX)
			return false;
	}
	*value = (uint64_t)sum;
	return true;
}

/* Where every argument is a number with its full name, the last of each name holds. */
static void check_numbers(const struct line *line, const struct options *options)
{
	for (int i = 1; i < line->argc; i++)
		if (number_of(line->argv[i]) == NULL)
			return;
	for (int i = 1; i < line->argc; i++) {
		const struct number *number = number_of(line->argv[i]);
		uint64_t expected, stored = 0;
		bool last = true;

		for (int j = i + 1; j < line->argc; j++)
			last &= number_of(line->argv[j]) != number;
		fuzz_check(read_number(line->argv[i] + strlen(number->name), &expected));
		memcpy(&stored, (const char *)options + number->field, number->bytes);
		fuzz_check(!last || stored == expected);
	}
}

/* --- written out in full ------------------------------------------------------ */

static void write_cpus(struct line *line, const struct cpus *cpus)
{
	char list[8 * CPUS_MAX] = "";
	size_t used = 0;

	for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++)
		if (cpus_has(cpus, cpu))
			used += (size_t)sprintf(list + used, ",%u", cpu);
	line_add(line, "--cpus=%s", list + 1);
}

static void write_preempt(struct line *line, const struct options *options)
{
	char list[128] = "";
	size_t used = 0;

	for (uint32_t step = 0; step < SD_STEPS; step++)
		if (options->steps >> step & 1)
			used += (size_t)sprintf(list + used, "%c%s", used == 0 ? '=' : ',',
						step_name(step));
	line_add(line, "--preempt=%s%s", preempt_name(options->preempt), list);
}

static void write_protocols(struct line *line, const struct options *options)
{
	char list[32 * SD_PROTOCOLS] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < options->protocol_count; i++)
		used += (size_t)sprintf(list + used, ",%s", protocol_name(options->protocols[i]));
	line_add(line, "--protocol=%s", list + 1);
}

/* Every digit that a double has. */
static void write_seconds(struct line *line, const char *name, double seconds)
{
	line_add(line, "--%s=%.*f", name, seconds >= 0.01 ? 30 : 1080, seconds);
}

static void write_machine(struct line *line, const struct options *options)
{
	static const char *const ways[] = { "auto", "steal", "sregs" };

	if (options->action == OPTIONS_HOST)
		line_add(line, "--host");
	if (options->action == OPTIONS_LITMUS)
		line_add(line, "--litmus%s%s", options->litmus != NULL ? "=" : "",
			 options->litmus != NULL ? options->litmus : "");
	line_add(line, "--vcpus=%u", options->vcpus);
	line_add(line, "--overcommit=%u", options->overcommit);
	if (options->cpus_given)
		write_cpus(line, &options->cpus);
	line_add(line, "--slice-us=%u", options->slice_us);
	write_preempt(line, options);
	line_add(line, "--ple=%u", options->ple_us);
	line_add(line, "--sleepers=%u", options->sleepers);
	line_add(line, "--realtime=%u", options->realtime);
	line_add(line, "--entry-flush=%s", ways[options->entry_flush]);
	if (options->clear_pending)
		line_add(line, "--clear-pending");
	line_add(line, "--confine=%s", confine_name(options->confine));
	line_add(line, "--on=%s", options->on);
}

static void write_measurement(struct line *line, const struct options *options)
{
	write_protocols(line, options);
	if (options->duration_given)
		write_seconds(line, "duration", options->duration_s);
	if (options->flushes != 0)
		line_add(line, "--flushes=%" PRIu64, options->flushes);
	write_seconds(line, "warmup", options->warmup_s);
	line_add(line, "--repeat=%u", options->repeat);
	line_add(line, "--workload=%s", workload_name(options->workload));
	line_add(line, "--table-free=%s", table_free_name(options->table_free));
	line_add(line, "--initiators=%u", options->initiators);
	line_add(line, "--pages=%u", options->pages);
	if (options->flush_ceiling != FLUSH_CEILING_AUTO)
		line_add(line, "--flush-ceiling=%u", options->flush_ceiling);
	line_add(line, "--pace-us=%u", options->pace_us);
	line_add(line, "--reclaim=%u", options->reclaim_hz);
	line_add(line, "--shadow-reclaim=%s", shadow_reclaim_name(options->shadow_reclaim));
	line_add(line, "--seed=0x%" PRIx64, options->seed);
}

static void write_limits(struct line *line, const struct options *options)
{
	char list[OPTIONS_MAX_FIGURES * (FIGURE_KEY_BYTES + 32)] = "", name[FIGURE_KEY_BYTES];
	size_t used = 0;

	for (uint32_t i = 0; i < options->fail_over_count; i++) {
		figure_key_text(name, &options->fail_over[i].key);
		used += (size_t)sprintf(list + used, ",%s=%" PRIu64 "ns", name,
					options->fail_over[i].limit_ns);
	}
	if (used != 0)
		line_add(line, "--fail-over=%s", list + 1);
}

static void write_keys(struct line *line, const struct options *options)
{
	char list[OPTIONS_MAX_FIGURES * (FIGURE_KEY_BYTES + 1)] = "", name[FIGURE_KEY_BYTES];
	size_t used = 0;

	for (uint32_t i = 0; i < options->print_count; i++) {
		figure_key_text(name, &options->print[i]);
		used += (size_t)sprintf(list + used, ",%s", name);
	}
	if (used != 0)
		line_add(line, "--print=%s", list + 1);
}

static void write_extras(struct line *line, const struct options *options)
{
	static const char *const names[EXTRAS] = {
		[EXTRA_EXITS] = "exits", [EXTRA_FLUSHES] = "flushes", [EXTRA_HGRM] = "hgrm",
		[EXTRA_HIST] = "hist",
	};
	char list[64] = "";
	size_t used = 0;

	for (int extra = 0; extra < EXTRAS; extra++)
		if (options->extras >> extra & 1)
			used += (size_t)sprintf(list + used, ",%s", names[extra]);
	if (used != 0)
		line_add(line, "--extra=%s", list + 1);
}

static void write_results(struct line *line, const struct options *options)
{
	if (options->trace != NULL)
		line_add(line, "--trace=%s", options->trace);
	if (options->break_over_us != 0)
		line_add(line, "--break-over=%" PRIu64, options->break_over_us);
	write_limits(line, options);
	write_keys(line, options);
	write_extras(line, options);
}

static void write_files(struct line *line, const struct options *options)
{
	line_add(line, "--out=%s", options->out);
	if (options->csv != NULL)
		line_add(line, "--csv=%s", options->csv);
	if (options->json != NULL)
		line_add(line, "--json=%s", options->json);
	if (options->quiet)
		line_add(line, "-q");
	if (options->payload != NULL) {
		line_add(line, "--");
		line_add(line, "%s", options->payload);
	}
}

static void write_all(struct line *line, const struct options *options)
{
	line_begin(line);
	write_machine(line, options);
	write_measurement(line, options);
	write_results(line, options);
	write_files(line, options);
}

static int parse(struct line *line, struct options *options, struct why *why)
{
	memset(options, 0x5a, sizeof(*options)); /* the parser sets every field */
	memset(why, 0, sizeof(*why));
	return options_parse(line->argc, line->argv, options, why);
}

static bool is_answer(const struct options *options)
{
	return options->action != OPTIONS_RUN && options->action != OPTIONS_HOST &&
		options->action != OPTIONS_LITMUS;
}

static void check_taken(const struct options *options)
{
	static struct line written, again;
	struct options read_back;
	struct why why;

	fuzz_check((uint32_t)options->action <= OPTIONS_LIST_PROTOCOLS);
	if (is_answer(options))
		return;
	check_protocols(options);
	check_machine(options);
	check_measurement(options);
	check_figures(options);
	check_files(options);
	write_all(&written, options);
	fuzz_check(parse(&written, &read_back, &why) == 0);
	fuzz_check(read_back.slots == options->slots);
	write_all(&again, &read_back);
	fuzz_check(again.bytes == written.bytes &&
		   memcmp(again.text, written.text, written.bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct line line, before;
	struct options options, repeated;
	struct why why, repeated_why;
	int error;

	line_read(&line, data, bytes);
	before = line;
	error = parse(&line, &options, &why);
	fuzz_check(parse(&line, &repeated, &repeated_why) == error);
	fuzz_check(strcmp(why.text, repeated_why.text) == 0);
	fuzz_check(memcmp(line.text, before.text, line.bytes) == 0);
	fuzz_check(memcmp(line.argv, before.argv, sizeof(line.argv)) == 0);
	if (error != 0) {
		check_refusal(error, &why);
		return 0;
	}
	fuzz_check(why.text[0] == '\0');
	check_numbers(&line, &options);
	check_taken(&options);
	return 0;
}
