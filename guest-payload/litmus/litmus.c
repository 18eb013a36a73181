// SPDX-License-Identifier: MIT
/*
 * litmus.c - the cast of a litmus, and the handler's body (litmus.h).
 *
 * Threads: every vCPU. The handler's body runs on the target's, in ring 3 with
 *          interrupts off, on the stack of what it has interrupted.
 */
#include "litmus.h"

#include <stddef.h>

#include "flush.h"
#include "window.h"

#define SD_LITMUS(identifier, name, protocol, guest, script, oracle, expected, hazard) \
	extern const struct g_litmus g_litmus_##guest;
#include "litmus.def"
#undef SD_LITMUS

static const struct g_litmus *const litmuses[SD_LITMUSES] = {
#define SD_LITMUS(identifier, name, protocol, guest, script, oracle, expected, hazard) \
	[SD_LITMUS_##identifier] = &g_litmus_##guest,
#include "litmus.def"
#undef SD_LITMUS
};

/* entry.S */
void g_litmus_interrupt(void);

static void look_through(uint32_t self)
{
	for (uint32_t initiator = 0; initiator < SD_LITMUS_INITIATORS; initiator++)
		g_window_watch(self, initiator, 1);
}

static const struct g_workload windows = {
	.before = g_window_prepare,
	.move = g_window_remap,
	.returned = g_window_publish,
	.observe = look_through,
};

static const struct g_litmus *in_hand(void)
{
	return litmuses[g_control()->litmus];
}

static const struct g_workload *workload(void)
{
	return in_hand()->workload != NULL ? in_hand()->workload : &windows;
}

/* --- the target --------------------------------------------------------------- */

bool g_litmus_serve_begin(struct sd_region *own, uint32_t *seen)
{
	*seen = sd_word_serve_begin(own);
	return true;
}

void g_litmus_serve_end(struct sd_region *own, uint32_t seen)
{
	sd_word_serve_end(own, seen);
}

/* The processor may load a translation at any moment; here it is sure to, before the
 * flush and after it. */
void g_litmus_interrupt(void)
{
	const struct g_litmus *litmus = in_hand();
	struct sd_region *own = g_region(SD_CAST_T);
	uint32_t seen;

	if (litmus->begin == NULL || !litmus->begin(own, &seen))
		return;
	g_step(SD_STEP_READ);
	look_through(SD_CAST_T);
	g_gate_shootdown(NULL, 0, 0, G_EVERYTHING);
	look_through(SD_CAST_T);
	g_step(SD_STEP_FLUSHED);
	look_through(SD_CAST_T);
	g_step(SD_STEP_LOADED);
	litmus->end(own, seen);
	look_through(SD_CAST_T);
	g_step(SD_STEP_SERVED);
}

static void serve(void)
{
	while (!sd_u32_load(&g_control()->stop_observers)) {
		workload()->observe(SD_CAST_T);
		g_step(SD_STEP_WATCHED);
	}
}

/* --- an initiator ------------------------------------------------------------- */

/* The other initiator does not look through this one's window. */
static enum g_post post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	if (target != g_region(SD_CAST_T))
		return G_POST_SKIPPED;
	return in_hand()->ops->post(self, target, want);
}

static bool served(const struct sd_region *target, uint32_t want)
{
	const struct g_protocol_ops *ops = in_hand()->ops;

	if (ops->served != NULL ? ops->served(target, want) : sd_word_served(target, want))
		return true;
	g_step(SD_STEP_WAITS);
	return false;
}

static void flush_once(uint32_t self)
{
	const struct g_protocol_ops *inner = in_hand()->ops;
	const struct g_protocol_ops ops = {
		.cover_all = inner->cover_all,
		.post = post,
		.cover = inner->cover,
		.served = served,
		.vector = inner->vector,
	};
	struct sd_region *own = g_region(self);
	struct g_flush ignored = { .trace = { .ring = NULL } };

	workload()->before(self);
	workload()->move(self);
	g_flush_others(&ops, self, G_EVERYTHING, &ignored);
	workload()->returned(self);
	sd_u64_store(&own->flushes, sd_u64_load(&own->flushes) + 1);
}

static void initiate(uint32_t self)
{
	const struct sd_control *control = g_control();

	for (;;) {
		g_step(SD_STEP_IDLE);
		if (sd_u32_load(&control->stop_initiators))
			break;
		flush_once(self);
	}
	if (workload()->after != NULL)
		workload()->after(self);
	g_doorbell(SD_REQ_STOPPED);
	while (!sd_u32_load(&control->stop_observers))
		g_pause();
}

/* ------------------------------------------------------------------------------ */

static void check_job(const struct sd_control *control)
{
	g_check(control->litmus < SD_LITMUSES, control->litmus, SD_LITMUSES);
	g_check(control->vcpus == SD_CAST, control->vcpus, SD_CAST);
	g_check(control->initiators == SD_LITMUS_INITIATORS, control->initiators, 0);
	g_check(!control->x2apic && !control->by_page, control->x2apic, control->by_page);
}

void g_litmus_run(uint32_t self)
{
	check_job(g_control());
	g_idt_set_interrupt(SD_VECTOR_FLUSH, g_litmus_enter);
	g_idt_set_interrupt(SD_VECTOR_FLUSH_2017, g_litmus_enter);
	g_idt_set_interrupt(SD_VECTOR_UNDEFINED, g_litmus_leave);
	if (workload()->begin != NULL)
		workload()->begin(self);
	if (self < SD_LITMUS_INITIATORS)
		initiate(self);
	else
		serve();
}
