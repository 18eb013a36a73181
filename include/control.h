/* SPDX-License-Identifier: MIT */
/*
 * control.h - the control block: what the VMM tells the payload.
 *
 * Included by guest and VMM; one page at SD_CONTROL_GPA. The VMM writes all of
 * it. The first two lines change only while no vCPU is in the guest with a job
 * (every vCPU has rung SD_REQ_READY or SD_REQ_DONE and is parked); the stop
 * lines change at any time. Before each job the VMM also zeroes the published
 * epochs and the counts in the region pages, and flushes every vCPU's TLB.
 *
 * A vCPU's life: it starts at the ELF entry in 64-bit ring 3 with rdi = its
 * number and rsp = its stack, rings SD_REQ_READY, and runs one job each time
 * that doorbell returns. vCPU 0 to initiators - 1 are the initiators.
 */
#ifndef SD_CONTROL_H
#define SD_CONTROL_H

#include "layout.h"

#define SD_ABI_VERSION 6

/* Doorbells: 32-bit out to SD_PORT_REQUEST. The code is in bits 0 to 15; the others
 * are 0 but for SD_REQ_WAKE. */
#define SD_REQ_READY       1    /* done with booting or with a job; give me the next */
#define SD_REQ_FAIL        2    /* the mailbox says why */
#define SD_REQ_FLUSH_ME    3    /* flush this vCPU's TLB on entry, as after a park */
#define SD_REQ_NOTHING     4    /* return at once: the cost of an exit */
#define SD_REQ_STOPPED     5    /* this initiator flushes no more in this job; it
                                 * runs on, and serves, until stop_observers */

#define SD_REQ_YIELD_TO    6    /* region.argument: a vCPU that should run first; this
                                 * one gives its slot up if they share it */

#define SD_REQ_FLUSH_OTHERS 7   /* region.argument: address of a struct sd_flush_request;
                                 * returns when none of its targets uses a translation
                                 * of the range that is older than the call */
#define SD_REQ_FINISH      8    /* SD_REQ_FLUSH_ME without the flush */
#define SD_REQ_SLEEP       9    /* off the slot for region.argument TSC ticks, 0: until
                                 * woken. A pending interrupt ends it too */
#define SD_REQ_WAKE        10   /* bits 16 to 31: a vCPU; its sleep ends, or its next one */
#define SD_REQ_SPUN        11   /* has spun long for an acknowledgement: ends the slice
                                 * where somebody waits for the slot */
#define SD_REQ_LOG         12   /* region.argument: address of a line for the user: printable
                                 * ASCII, up to the first byte that is not, 95 at most */
#define SD_REQ_CHECK_STAMPS 13  /* region.argument: address of a struct sd_stamp_batch; the
                                 * VMM reads and compares every word of it */
#define SD_REQ_BREAK       14   /* the flush just recorded was held up longer than break_ticks */
#define SD_REQ_STEP        32   /* and SD_STEP_: take this vCPU off its slot here */

/* Steps of the handshake at which a vCPU can be taken off its slot. */
#define SD_STEP_POSTED     0    /* initiator: all targets asked, no IPI sent */
#define SD_STEP_READ       1    /* handler: request read, nothing flushed */
#define SD_STEP_FLUSHED    2    /* handler: flushed, not acknowledged */
#define SD_STEP_SERVED     3    /* handler: acknowledged */
#define SD_STEP_PUBLISH    4    /* initiator: the flush has returned, epoch not published */
#define SD_STEP_WALK       5    /* in a page-table walk with interrupts off, now and then */
#define SD_STEPS           6

/* And of SD_JOB_LITMUS alone, where the VMM holds a vCPU instead. */
#define SD_STEP_IDLE       6    /* initiator: no flush in hand */
#define SD_STEP_WAITS      7    /* initiator: has looked, and a target has not served */
#define SD_STEP_LOOKED     8    /* initiator: has looked at a target and not asked it yet */
#define SD_STEP_LOADED     9    /* handler: has loaded through the windows since FLUSHED */
#define SD_STEP_WATCHED    10   /* target: has looked through every window once more */
#define SD_STEP_BUILT      11   /* initiator: page tables are linked, not yet torn down */
#define SD_LITMUS_STEPS    12
#define SD_STEP_DEVICE     12   /* rung by nobody: the target has left in the middle of an
                                 * instruction, which has read SD_DEVICE_GPA */
#define SD_CONTROL_STEPS   0x18 /* offset of steps, for handlers */

/* Jobs. */
#define SD_JOB_TOGGLE      1    /* initiators remap and flush, all others watch */
#define SD_JOB_ENTRY_FLUSH 2    /* vCPU 0: does the flush on entry work? */
#define SD_JOB_COST_GATE   3    /* vCPU 0: int3 there and back */
#define SD_JOB_COST_EXIT   4    /* vCPU 0: SD_REQ_NOTHING */
#define SD_JOB_COST_ENTRY  5    /* vCPU 0: what SD_REQ_FLUSH_ME adds to SD_REQ_FINISH */
#define SD_JOB_COST_PING   6    /* vCPU 0 to the last vCPU: empty handler */
#define SD_JOB_COST_FLOOR  7    /* vCPU 0 to the last vCPU: flush and acknowledge */
#define SD_JOB_CHURN       8    /* initiators map, touch, work, unmap and flush */
#define SD_JOB_TEARDOWN    9    /* initiators build page tables, tear them down and free
                                 * them; everyone walks them without a lock */
#define SD_JOB_LITMUS      10   /* initiators flush one step at a time, the last vCPU is
                                 * their target */
#define SD_JOB_COST_KICK   11   /* vCPU 0 to the last vCPU: what SD_REQ_FLUSH_OTHERS adds to
                                 * SD_REQ_NOTHING when it takes one out of the guest */
#define SD_JOB_COST_KICK_FLUSH 12 /* and that uses a mapping that has changed */
#define SD_JOB_COST_CLOCK  13   /* vCPU 0: one reading of the TSC after another */

/* Results of SD_JOB_ENTRY_FLUSH, in region 0: checks = times a stale
 * translation was there, SD_ENTRY_FLUSH_ROUNDS at most, skipped = of these, times it was
 * still there after a plain exit, stale = of these, still there after the flush on entry. */
#define SD_ENTRY_FLUSH_ROUNDS 16

/* Samples of a job that measures a primitive, in the ring of initiator 0. Fewer of
 * SD_JOB_COST_KICK and SD_JOB_COST_KICK_FLUSH: each may have to wait for its target's CPU. */
#define SD_COST_SAMPLES       2000
#define SD_COST_KICKS         200

#ifndef __ASSEMBLER__
#include <stddef.h>
#include "shared.h"

struct sd_control {
	uint32_t abi_version;           /* SD_ABI_VERSION; a payload refuses another */
	uint32_t vcpus;
	uint32_t initiators;
	uint32_t x2apic;                /* 0: xAPIC page, 1: x2APIC MSRs */
	uint64_t tsc_hz;                /* 0 until the first job */
	struct sd_u32 steps;            /* bit 1 << SD_STEP_: ring SD_REQ_STEP there;
	                                 * SD_JOB_LITMUS: changes at any time */
	uint32_t by_page;               /* 1: flush page by page, INVLPG (range.h) */
	uint32_t sleepers;              /* the last vCPUs sleep most of the time */
	uint32_t free_after_grace;      /* tables are freed after a grace period, not at once */
	uint64_t ple_ticks;             /* SD_REQ_SPUN after so long; 0 never */
	uint64_t sleep_ticks;           /* of a sleeper, each time */
	uint64_t stamp_ticks;           /* SD_REQ_CHECK_STAMPS so often; 0 never */

	uint32_t job;                   /* SD_JOB_ */
	uint32_t protocol;              /* index into protocols.def */
	uint32_t pages;                 /* of one flush */
	uint32_t floor_interval;        /* one flush in this many is a floor sample; 0 none */
	uint64_t pace_ticks;            /* pause between flushes of an initiator */
	uint64_t flush_quota;           /* recorded flushes of all initiators; 0 no limit */
	uint64_t seed;
	uint32_t litmus;                /* SD_JOB_LITMUS: index into litmus.def */
	uint32_t trace;                 /* 1: record handlers (region.trace) and the steps of
	                                 * recorded flushes (sample.h) */
	uint64_t break_ticks;           /* SD_REQ_BREAK after a flush held up longer; 0 never */
	uint64_t zero1;

	struct sd_u32 stop_initiators;  /* finish the flush in hand, then SD_REQ_STOPPED */
	uint8_t       zero2[SD_CACHE_LINE - 4];
	struct sd_u32 stop_observers;   /* every initiator has stopped: SD_REQ_READY */
	uint8_t       zero3[SD_CACHE_LINE - 4];
	struct sd_u32 recording;        /* warm-up is over: write samples */
	uint8_t       zero4[SD_CACHE_LINE - 4];
};

_Static_assert(offsetof(struct sd_control, steps) == SD_CONTROL_STEPS, "steps moved");
_Static_assert(offsetof(struct sd_control, job) == SD_CACHE_LINE, "job moved");
_Static_assert(offsetof(struct sd_control, stop_initiators) == 2 * SD_CACHE_LINE, "stop moved");
_Static_assert(offsetof(struct sd_control, stop_observers) == 3 * SD_CACHE_LINE, "stop moved");
_Static_assert(offsetof(struct sd_control, recording) == 4 * SD_CACHE_LINE, "recording moved");
_Static_assert(sizeof(struct sd_control) <= SD_PAGE_BYTES, "control block is one page");

/*
 * What SD_REQ_FLUSH_OTHERS asks for. Targets beyond the last vCPU are an error, the
 * caller's own bit is ignored.
 */
struct sd_flush_request {
	uint64_t start;                 /* virtual address, a whole page */
	uint64_t pages;                 /* 0: everything */
	uint64_t targets[SD_MAX_VCPUS / 64]; /* a bit each vCPU */
};

/*
 * The oracle's word: one line for each initiator and each group of
 * SD_GROUP_VCPUS observers, written by that initiator alone.
 * PAIR(published-epoch): release when the flush has returned, acquire in the
 * observer. Orders: the flush before any load that is compared with it.
 */
struct sd_published {
	struct sd_u64 epoch;
	uint8_t       zero0[SD_CACHE_LINE - 8];
};

_Static_assert(sizeof(struct sd_published) == SD_CACHE_LINE, "one line");
_Static_assert(SD_PUBLISHED_GPA + SD_MAX_INITIATORS * SD_MAX_GROUPS * SD_CACHE_LINE
	       <= SD_PAYLOAD_GPA, "published words run into the payload");

/* Epochs start at 1; a retired page holds 0, and the page that the windows show until a
 * payload maps others holds the largest value. */
#define SD_EPOCH_RETIRED UINT64_C(0)
#define SD_EPOCH_RESTING UINT64_MAX
#endif

#endif
