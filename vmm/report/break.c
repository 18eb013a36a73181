// SPDX-License-Identifier: MIT
/*
 * break.c - what --break-over keeps: the flush that was held up, and every vCPU then.
 *
 * Owns:    nothing beyond a call; the text belongs to the caller.
 * Threads: one at a time, as summary.c.
 * Tested:  tests/unit/summary_has_the_promised_shape_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include "figure.h"
#include "json_part.h"
#include "line.h"
#include "region.h"

#define SCHEMA 1

static struct json_part flush_part(const struct break_result *broke)
{
	struct json_part object = part_new();
	const struct flush_row *row = &broke->row;

	part_put_text(&object, "protocol", protocol_name(broke->protocol));
	part_put_count(&object, "run", row->run);
	part_put_count(&object, "seq", row->seq);
	part_put_count(&object, "initiator", row->initiator);
	part_put_count(&object, "targets", row->targets);
	part_put_count(&object, "ipis", row->ipis);
	part_put_count(&object, "deferred", row->deferred);
	part_put_count(&object, "taken_over", row->taken_over);
	part_put_count(&object, "start_ns", row->start_ns);
	part_put_count(&object, "wall_ns", row->wall_ns);
	part_put_count(&object, "stall_ns", row->stall_ns);
	return object;
}

static struct json_part vcpu_part(uint32_t vcpu, const struct vcpu_snapshot *snapshot)
{
	struct json_part object = part_new();

	part_put_count(&object, "vcpu", vcpu);
	part_put_count(&object, "slot", snapshot->slot);
	part_put_text(&object, "state", snapshot->state);
	part_put_count(&object, "preempted", snapshot->preempted);
	part_put_count(&object, "request", snapshot->request / SD_WORD_GENERATION);
	part_put_count(&object, "served", snapshot->served / SD_WORD_GENERATION);
	part_put_flag(&object, "marked", snapshot->request & SD_WORD_PREEMPTED);
	part_put_flag(&object, "should_flush", snapshot->request & SD_WORD_SHOULD_FLUSH);
	return object;
}

char *break_text(const struct run_results *run)
{
	const struct break_result *broke = &run->broke;
	struct json_part object = part_new();
	json_t *vcpus = json_array();

	part_put_count(&object, "schema", SCHEMA);
	part_put_count(&object, "break_over_us", run->options->break_over_us);
	part_put_flag(&object, "broke", broke->broke);
	part_put_text(&object, "timeline", broke->timeline);
	if (broke->broke)
		part_put_part(&object, "flush", flush_part(broke));
	for (uint32_t i = 0; broke->broke && i < run->options->vcpus; i++)
		part_append_part(&object, vcpus, vcpu_part(i, &broke->vcpus[i]));
	part_put(&object, "vcpus", vcpus);
	return part_text(object);
}

void break_print(FILE *messages, const struct run_results *run)
{
	const struct break_result *broke = &run->broke;

	if (broke->broke)
		line_say(messages,
			 "%s: round %u, flush %u of vCPU %u was held up %s, over %s: see %s and %s",
			 protocol_name(broke->protocol), broke->row.run, broke->row.seq,
			 broke->row.initiator, figure_time(broke->row.stall_ns).text,
			 figure_time(run->options->break_over_us * UINT64_C(1000)).text, broke->file,
			 broke->timeline);
}
