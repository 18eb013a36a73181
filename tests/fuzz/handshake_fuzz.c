// SPDX-License-Identifier: MIT
/*
 * handshake_fuzz.c - every transition of include/, in any order.
 *
 * The input is a program of operations on two vCPUs' regions. Beside the regions stands
 * a model with a field for each thing that a word says, and generations that never wrap.
 * After each operation its result is compared, and every word of both regions; each
 * program begins at a generation of its own, so that most ways of wrapping are met.
 * One thread: the races are those of tests/stress/ and tests/model/.
 */
#include <string.h>

#include "asleep.h"
#include "fuzz.h"
#include "grace.h"
#include "pending_2017.h"
#include "range.h"
#include "word.h"

#define REGIONS 2

struct model {
	uint64_t asked, served;         /* generations, not wrapped */
	bool preempted, marked;
	bool byte_preempted, byte_flush;
	bool preempted_2017, marked_2017, pending_2017;
	uint64_t range_tag;             /* generation */
	uint64_t range_page, range_pages;
	uint64_t asking;                /* initiators that wait for this one */
	uint32_t left;                  /* targets that this one waits for */
	bool asleep, walking;
	uint32_t passes;
	uint64_t graces;
};

/* What an operation before has given out. */
struct notes {
	uint64_t want;                  /* generation */
	uint32_t want_word;
	uint64_t seen;                  /* by a handler that is in flight, parked or not */
	uint32_t seen_word;
	uint64_t taken;                 /* initiators */
	uint32_t passes;
};

static struct sd_region g_regions[REGIONS];
static struct model g_models[REGIONS];
static struct notes g_notes[REGIONS];

/* --- the words, as the model has them ------------------------------------------ */

static uint32_t word_of(uint64_t generation, bool preempted, bool marked)
{
	return (uint32_t)(generation * 4 + (marked ? 2 : 0) + (preempted ? 1 : 0));
}

static uint64_t range_of(const struct model *model)
{
	return (model->range_tag % (UINT64_C(1) << 30) * 4) << 32 |
		model->range_page << 6 | model->range_pages;
}

static void check_region(const struct sd_region *region, const struct model *model)
{
	struct sd_region expected;

	memset(&expected, 0, sizeof(expected));
	expected.preempted.raw = (uint8_t)(model->byte_preempted + 2 * model->byte_flush);
	expected.request.raw = word_of(model->asked, model->preempted, model->marked);
	expected.served.raw = word_of(model->served, false, false);
	expected.range.raw = range_of(model);
	expected.state_2017.raw = model->preempted_2017 + 2u * model->marked_2017 +
		4u * model->pending_2017;
	expected.asked.raw = model->asking;
	expected.left.raw = model->left;
	expected.asleep.raw = model->asleep;
	expected.in_walk.raw = model->walking;
	expected.pass.raw = model->passes;
	expected.graces.raw = model->graces;
	fuzz_check(memcmp(region, &expected, SD_REGION_LINES_END) == 0);
}

/* --- operations: the request word ------------------------------------------------ */

static void op_post(struct sd_region *region, struct model *model, struct notes *notes)
{
	const uint32_t untouched = notes->want_word;
	enum sd_post post = sd_word_post(region, &notes->want_word);

	if (model->preempted) {
		model->marked = true;
		fuzz_check(post == SD_POST_COVERED && notes->want_word == untouched);
		return;
	}
	notes->want = ++model->asked;
	fuzz_check(post == SD_POST_WAIT && notes->want_word == word_of(notes->want, false, false));
}

static void op_request(struct sd_region *region, struct model *model, struct notes *notes)
{
	notes->want_word = sd_word_request(region);
	notes->want = ++model->asked;
	fuzz_check(notes->want_word == word_of(notes->want, false, false));
}

static void op_look(struct sd_region *region, struct model *model, struct notes *notes)
{
	fuzz_check(sd_word_preempted(region) == model->preempted);
	fuzz_check(sd_word_served(region, notes->want_word) == (model->served >= notes->want));
}

static void op_serve_begin(struct sd_region *region, struct model *model, struct notes *notes)
{
	uint64_t range = sd_u64_load(&region->range);
	uint32_t served = sd_u32_load(&region->served);

	notes->seen_word = sd_word_serve_begin(region);
	notes->seen = model->asked;
	fuzz_check(notes->seen_word == word_of(model->asked, model->preempted, model->marked));
	fuzz_check(sd_range_holds(notes->seen_word, served, range) ==
		   (!model->preempted && !model->marked && model->asked == model->served + 1 &&
		    (model->asked - model->range_tag) % (UINT64_C(1) << 30) == 0));
}

/* Also of a handler that was parked half-way: served may go back. */
static void op_serve_end(struct sd_region *region, struct model *model, struct notes *notes)
{
	sd_word_serve_end(region, notes->seen_word);
	model->served = notes->seen;
}

static void op_mark(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_word_mark(region);
	model->preempted = true;
}

static void op_park(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_word_park(region) == (model->asked != model->served));
	model->preempted = true;
	model->served = model->asked;
}

static void op_unpark(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_word_unpark(region) == model->marked);
	model->preempted = model->marked = false;
}

/* --- KVM's byte ------------------------------------------------------------------ */

static void op_defer(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_byte_defer(region) == model->byte_preempted);
	model->byte_flush |= model->byte_preempted;
}

static void op_byte_mark(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_byte_mark(region);
	model->byte_preempted = true;
}

static void op_ask_flush(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_byte_ask_flush(region);
	model->byte_flush = true;
}

static void op_take(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_byte_take(region) == model->byte_flush);
	model->byte_preempted = model->byte_flush = false;
}

/* --- the handshake of 2017 ------------------------------------------------------- */

static void op_2017_post(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_2017_post(region) == model->preempted_2017);
	model->marked_2017 |= model->preempted_2017;
	model->pending_2017 |= !model->preempted_2017;
	fuzz_check(sd_2017_pending(region) == model->pending_2017);
}

static void op_2017_serve(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_2017_handler_done(region);
	model->pending_2017 = false;
}

static void op_2017_park(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_2017_park(region) == model->pending_2017);
	model->preempted_2017 = true;
	model->pending_2017 = false;
}

static void op_2017_unpark(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_2017_unpark(region) == model->marked_2017);
	model->preempted_2017 = model->marked_2017 = model->pending_2017 = false;
}

/* --- sleepers -------------------------------------------------------------------- */

static void op_begin(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_asleep_begin(region, REGIONS);
	model->left = REGIONS;
}

/* @region asks, the other one is asked. */
static void op_ask(struct sd_region *region, struct model *model, struct notes *notes)
{
	uint32_t self = (uint32_t)(region - g_regions);

	(void)model, (void)notes;
	sd_asleep_ask(&g_regions[1 - self], self);
	g_models[1 - self].asking |= UINT64_C(1) << self;
}

static void op_may_sleep(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	fuzz_check(sd_asleep_over(region) == (model->left == 0));
	fuzz_check(sd_asleep_may(region) == (model->left != 0));
	model->asleep = true;
}

static void op_awake(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_asleep_awake(region);
	model->asleep = false;
}

static void op_take_asked(struct sd_region *region, struct model *model, struct notes *notes)
{
	notes->taken = sd_asleep_take(region);
	fuzz_check(notes->taken == model->asking);
	model->asking = 0;
}

static void op_done(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)region, (void)model;
	for (uint32_t i = 0; i < REGIONS; i++) {
		if (!(notes->taken >> i & 1))
			continue;
		fuzz_check(sd_asleep_done(&g_regions[i]) ==
			   (g_models[i].left == 1 && g_models[i].asleep));
		g_models[i].left--;
	}
	notes->taken = 0;
}

/* --- walks and grace periods ----------------------------------------------------- */

static void op_walk_begin(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_walk_begin(region);
	model->walking = true;
}

static void op_walk_end(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_walk_end(region);
	model->walking = false;
	model->passes++;
}

static void op_walk_pass(struct sd_region *region, struct model *model, struct notes *notes)
{
	(void)notes;
	sd_walk_pass(region);
	model->passes++;
}

static void op_grace_begin(struct sd_region *region, struct model *model, struct notes *notes)
{
	sd_grace_begin(region);
	model->graces++;
	notes->passes = sd_grace_note(region);
	fuzz_check(notes->passes == model->passes);
}

static void op_grace_passed(struct sd_region *region, struct model *model, struct notes *notes)
{
	fuzz_check(sd_grace_passed(region, notes->passes) ==
		   (model->passes != notes->passes || (model->preempted && !model->walking)));
}

/* --------------------------------------------------------------------------------- */

static void (*const g_ops[])(struct sd_region *, struct model *, struct notes *) = {
	op_post, op_request, op_look, op_serve_begin, op_serve_end, op_mark, op_park, op_unpark,
	op_defer, op_byte_mark, op_ask_flush, op_take,
	op_2017_post, op_2017_serve, op_2017_park, op_2017_unpark,
	op_begin, op_ask, op_may_sleep, op_awake, op_take_asked, op_done,
	op_walk_begin, op_walk_end, op_walk_pass, op_grace_begin, op_grace_passed,
};

#define OPS (sizeof(g_ops) / sizeof(g_ops[0]))
#define OP_TELL 31              /* the range of the last request: takes numbers */

static void tell(struct sd_region *region, struct model *model, const struct notes *notes,
		 struct fuzz_program *program)
{
	model->range_tag = notes->want;
	model->range_page = fuzz_take(program, 4) % (UINT64_C(1) << 26);
	model->range_pages = fuzz_below(program, SD_RANGE_MAX_PAGES + 1);
	sd_range_tell(region, sd_range_of(notes->want_word, model->range_page * SD_PAGE_BYTES,
					  (uint32_t)model->range_pages));
}

/* A region that has served all there was, at any generation. */
static void begin(uint32_t i, struct fuzz_program *program)
{
	uint64_t generation = (UINT64_C(1) << 40) + fuzz_take(program, 4);

	memset(&g_regions[i], 0, sizeof(g_regions[i]));
	g_models[i] = (struct model){ .asked = generation, .served = generation };
	g_notes[i] = (struct notes){
		.want = generation, .want_word = word_of(generation, false, false),
		.seen = generation, .seen_word = word_of(generation, false, false),
	};
	g_regions[i].request.raw = g_regions[i].served.raw = word_of(generation, false, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_program program = { data, bytes };

	for (uint32_t i = 0; i < REGIONS; i++)
		begin(i, &program);
	while (program.left != 0) {
		uint32_t byte = (uint32_t)fuzz_take(&program, 1), op = byte & 31;
		uint32_t i = byte >> 5 & 1;

		if (op == OP_TELL)
			tell(&g_regions[i], &g_models[i], &g_notes[i], &program);
		else
			g_ops[op % OPS](&g_regions[i], &g_models[i], &g_notes[i]);
		for (uint32_t j = 0; j < REGIONS; j++)
			check_region(&g_regions[j], &g_models[j]);
	}
	return 0;
}
