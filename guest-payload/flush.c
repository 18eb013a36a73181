// SPDX-License-Identifier: MIT
/*
 * flush.c - one shootdown (flush.h).
 *
 * Threads: an initiator's vCPU. Its stack holds the list of waiting targets.
 */
#include "flush.h"

#include <stddef.h>

/* Targets that got an IPI, in the order of the IPIs. */
struct waiting {
	uint32_t count;
	uint32_t destination[SD_MAX_VCPUS];     /* for the gate */
	uint32_t want[SD_MAX_VCPUS];            /* what served has to reach */
	uint16_t vcpu[SD_MAX_VCPUS];
};

static void post_all(const struct g_protocol_ops *ops, uint32_t self, uint32_t vcpus,
		     struct waiting *waiting, struct g_flush *flush)
{
	for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++) {
		if (vcpu == self)
			continue;
		switch (ops->post(g_region(vcpu), &waiting->want[waiting->count])) {
		case G_POST_WAIT:
			waiting->destination[waiting->count] = g_destination(vcpu);
			waiting->vcpu[waiting->count++] = (uint16_t)vcpu;
			break;
		case G_POST_COVERED:
			flush->deferred++;
			break;
		case G_POST_SKIPPED:
			flush->skipped++;
			break;
		}
	}
}

/* Without a time-out: a target may be off its CPU for hundreds of
 * milliseconds. The VMM watches for a guest that stands still. */
static void wait_one(const struct g_protocol_ops *ops, uint32_t self, uint32_t vcpu,
		     uint32_t want, struct g_flush *flush)
{
	bool (*served)(const struct sd_region *, uint32_t) =
		ops->served != NULL ? ops->served : sd_word_served;
	struct sd_region *target = g_region(vcpu);
	bool helped = ops->help == NULL;

	while (!served(target, want)) {
		if (ops->cover != NULL && ops->cover(target)) {
			flush->taken_over++;
			return;
		}
		if (!helped && sd_word_preempted(target)) {
			helped = true;
			ops->help(self, vcpu);
		}
		g_pause();
	}
}

static void wait_all(const struct g_protocol_ops *ops, uint32_t self,
		     const struct waiting *waiting, struct g_flush *flush)
{
	for (uint32_t i = 0; i < waiting->count; i++)
		wait_one(ops, self, waiting->vcpu[i], waiting->want[i], flush);
}

void g_flush_others(const struct g_protocol_ops *ops, uint32_t self, struct g_flush *flush)
{
	uint32_t vcpus = g_control()->vcpus;
	struct waiting waiting;

	waiting.count = 0;
	*flush = (struct g_flush){ .targets = vcpus - 1 };
	if (ops->cover_all != NULL) {
		ops->cover_all(self);
		g_gate_shootdown(NULL, 0, 0);
		return;
	}
	post_all(ops, self, vcpus, &waiting, flush);
	flush->ipis = waiting.count;
	g_gate_shootdown(waiting.destination, waiting.count,
			 ops->vector != 0 ? ops->vector : SD_VECTOR_FLUSH);
	wait_all(ops, self, &waiting, flush);
}

static bool find_running(uint32_t self, uint32_t *running)
{
	uint32_t vcpus = g_control()->vcpus;

	for (uint32_t i = 1; i < vcpus; i++) {
		*running = (self + i) % vcpus;
		if (!sd_word_preempted(g_region(*running)))
			return true;
	}
	return false;
}

bool g_flush_floor(uint32_t self)
{
	uint32_t running, destination, want;
	struct sd_region *target;
	uint64_t parks;

	if (!find_running(self, &running))
		return false;
	target = g_region(running);
	destination = g_destination(running);
	parks = sd_u64_load(&target->parks);
	want = sd_word_request(target);
	g_gate_shootdown(&destination, 1, SD_VECTOR_FLUSH);
	while (!sd_word_served(target, want)) {
		if (sd_word_preempted(target))
			return false;
		g_pause();
	}
	return sd_u64_load(&target->parks) == parks;
}
