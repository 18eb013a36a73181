/* SPDX-License-Identifier: MIT */
/*
 * region.h - one page per vCPU, shared by guest, VMM and KVM.
 *
 * Included by the VMM, by payloads and by their assembly (offsets only).
 * The first 64 bytes are struct kvm_steal_time (asm/kvm_para.h), registered
 * with MSR_KVM_STEAL_TIME: they belong to KVM, but for the preempted byte,
 * whose bits 0 and 1 keep their mainline meaning. What is ours comes
 * after them, with one set of writers for each cache line. Little-endian.
 */
#ifndef SD_REGION_H
#define SD_REGION_H

#include "layout.h"

#define SD_REGION_PREEMPTED  0x010
#define SD_REGION_REQUEST    0x040
#define SD_REGION_SERVED     0x080
#define SD_REGION_PARKED     0x0c0
#define SD_REGION_RANGE      0x100
#define SD_REGION_STATE_2017 0x140
#define SD_REGION_RING_TAIL  0x180
#define SD_REGION_COUNTS     0x1c0
#define SD_REGION_PINGS      0x208
#define SD_REGION_BY_PAGE    0x220
#define SD_REGION_MAILBOX    0x240
#define SD_MAILBOX_LINE      0x244
#define SD_MAILBOX_FILE      0x248
#define SD_MAILBOX_A         0x250
#define SD_MAILBOX_B         0x258
#define SD_REGION_ASKED      0x2c0
#define SD_REGION_LEFT       0x300
#define SD_REGION_ASLEEP     0x304
#define SD_REGION_WALK       0x340
#define SD_REGION_WALKS      0x380
#define SD_REGION_STEPS_LOST 0x3c0
#define SD_REGION_LINES_END  0x400
#define SD_REGION_TRACE_HEAD 0x7c0
#define SD_REGION_TRACE      0x800

/* Entries of region.trace: as many as one byte counts. */
#define SD_TRACE_ENTRIES     256

/* Bits of the preempted byte (KVM_VCPU_PREEMPTED, KVM_VCPU_FLUSH_TLB). */
#define SD_BYTE_PREEMPTED    1
#define SD_BYTE_FLUSH_TLB    2

/* The request word: flags in bits 0 and 1, the generation above them. Adding
 * SD_WORD_GENERATION therefore never reaches a flag. */
#define SD_WORD_PREEMPTED    1
#define SD_WORD_SHOULD_FLUSH 2
#define SD_WORD_FLAGS        3
#define SD_WORD_GENERATION   4

/* What the mailbox holds. */
#define SD_MAIL_NONE         0
#define SD_MAIL_CHECK        1
#define SD_MAIL_EXCEPTION    2

#ifndef __ASSEMBLER__
#include <stddef.h>
#include "shared.h"

/* Why a payload gave up: check that failed, or unexpected exception. */
struct sd_mailbox {
	uint32_t kind;          /* SD_MAIL_ */
	uint32_t line;          /* of the check; or the vector */
	uint64_t file;          /* address of its name; or the error code */
	uint64_t a;             /* first value; or rip */
	uint64_t b;             /* second value; or cr2 */
	uint64_t zero0[4];
};

struct sd_region {
	uint8_t       steal[SD_REGION_PREEMPTED];    /* KVM */
	struct sd_u8  preempted;                     /* KVM; initiators (cmpxchg);
	                                                own vCPU thread (OR, xchg) */
	uint8_t       zero0[SD_REGION_REQUEST - SD_REGION_PREEMPTED - 1];

	struct sd_u32 request;                       /* initiators, park, unpark */
	uint8_t       zero1[SD_REGION_SERVED - SD_REGION_REQUEST - 4];

	struct sd_u32 served;                        /* handler; VMM while parked */
	uint8_t       zero2[SD_REGION_PARKED - SD_REGION_SERVED - 4];

	struct sd_u64 parked_ticks;                  /* VMM: sum of park to unpark, TSC */
	struct sd_u64 parks;                         /* VMM */
	uint8_t       zero3[SD_REGION_RANGE - SD_REGION_PARKED - 16];

	struct sd_u64 range;                         /* initiators: range.h */
	uint8_t       zero4[SD_REGION_STATE_2017 - SD_REGION_RANGE - 8];

	struct sd_u32 state_2017;                    /* initiators, handler, park, unpark:
	                                                pending_2017.h */
	uint8_t       zero9[SD_REGION_RING_TAIL - SD_REGION_STATE_2017 - 4];

	struct sd_u64 ring_tail;                     /* VMM: samples it has read */
	uint8_t       zero5[SD_REGION_COUNTS - SD_REGION_RING_TAIL - 8];

	/* Own vCPU, ring 3; all but ring_head are zeroed by the VMM before a job. */
	struct sd_u64 ring_head;                     /* samples written */
	struct sd_u64 dropped;                       /* samples not written: ring full */
	struct sd_u64 flushes;                       /* flushes returned, warm-up included */
	struct sd_u64 checks;                        /* oracle: loads compared */
	struct sd_u64 stale;                         /* oracle: loads that were too old */
	struct sd_u64 stale_saw;                     /* epoch of the last stale load */
	struct sd_u64 stale_expected;                /* what had been published */
	struct sd_u64 sample_ticks;                  /* TSC spent in recording samples */
	struct sd_u64 skipped;                       /* targets a control left alone */
	struct sd_u64 pings;                         /* empty-handler IPIs taken (handler) */
	struct sd_u64 started_ticks;                 /* TSC when an initiator took the job up */
	struct sd_u64 argument;                      /* of the doorbell being rung */
	struct sd_u64 by_page;                       /* requests served by INVLPG (handler) */
	struct sd_u64 stamp_loads;                   /* stamps read */
	struct sd_u64 stamps_wrong;                  /* of these, not what they have to be */
	struct sd_u64 ring;                          /* address of the sample ring; before the
	                                                first sample of a job */

	struct sd_mailbox mailbox;                   /* own vCPU; read once by the VMM */
	uint8_t       zero7[SD_REGION_ASKED - SD_REGION_MAILBOX -
	                    sizeof(struct sd_mailbox)];

	struct sd_u64 asked;                         /* initiators, handler: asleep.h */
	uint8_t       zero10[SD_REGION_LEFT - SD_REGION_ASKED - 8];

	struct sd_u32 left;                          /* own vCPU; other vCPUs' handlers */
	struct sd_u32 asleep;                        /* own vCPU */
	uint8_t       zero11[SD_REGION_WALK - SD_REGION_LEFT - 8];

	struct sd_u32 in_walk;                       /* own vCPU: grace.h */
	struct sd_u32 pass;                          /* own vCPU */
	uint8_t       zero12[SD_REGION_WALKS - SD_REGION_WALK - 8];

	/* Own vCPU, ring 3: page-table walks, and tables that it has freed. */
	struct sd_u64 walks;
	struct sd_u64 walks_poisoned;                /* met a table that had been freed */
	struct sd_u64 walks_reused;                  /* met one that was another's by then */
	struct sd_u64 tables_freed;
	struct sd_u64 tables_held;                   /* unlinked, not yet freed */
	struct sd_u64 tables_held_max;
	struct sd_u64 graces;                        /* grace periods begun: grace.h */
	struct sd_u64 grace_ticks;                   /* of these, TSC */

	/* Own vCPU, ring 3, with control.trace. */
	struct sd_u64 trace_dropped;                 /* steps not recorded: ring half full */
	struct sd_u64 watched;                       /* oracle: flushes that it has looked before
	                                                and after, as often as it could */
	uint8_t       zero6[SD_REGION_LINES_END - SD_REGION_STEPS_LOST - 16];

	uint8_t       zero8[SD_REGION_TRACE_HEAD - SD_REGION_LINES_END];

	/* Handler, with control.trace: TSC at the begin (even entries) and the end (odd ones)
	 * of each run of a flush handler. The head only grows; what the VMM has not read in
	 * time is written over. PAIR(trace-head): the entry is stored first. */
	struct sd_u64 trace_head;
	uint8_t       zero13[SD_REGION_TRACE - SD_REGION_TRACE_HEAD - 8];
	struct sd_u64 trace[SD_TRACE_ENTRIES];
};

_Static_assert(offsetof(struct sd_region, preempted) == SD_REGION_PREEMPTED, "preempted moved");
_Static_assert(offsetof(struct sd_region, request) == SD_REGION_REQUEST, "request moved");
_Static_assert(offsetof(struct sd_region, served) == SD_REGION_SERVED, "served moved");
_Static_assert(offsetof(struct sd_region, parked_ticks) == SD_REGION_PARKED, "parked moved");
_Static_assert(offsetof(struct sd_region, range) == SD_REGION_RANGE, "range moved");
_Static_assert(offsetof(struct sd_region, by_page) == SD_REGION_BY_PAGE, "by_page moved");
_Static_assert(offsetof(struct sd_region, asked) == SD_REGION_ASKED, "asked moved");
_Static_assert(offsetof(struct sd_region, in_walk) == SD_REGION_WALK, "in_walk moved");
_Static_assert(offsetof(struct sd_region, walks) == SD_REGION_WALKS, "walks moved");
_Static_assert(offsetof(struct sd_region, grace_ticks) + 8 == SD_REGION_STEPS_LOST, "walks are not one line");
_Static_assert(offsetof(struct sd_region, trace_dropped) == SD_REGION_STEPS_LOST, "trace_dropped moved");
_Static_assert(offsetof(struct sd_region, left) == SD_REGION_LEFT, "left moved");
_Static_assert(offsetof(struct sd_region, asleep) == SD_REGION_ASLEEP, "asleep moved");
_Static_assert(offsetof(struct sd_region, state_2017) == SD_REGION_STATE_2017, "state_2017 moved");
_Static_assert(offsetof(struct sd_region, ring_tail) == SD_REGION_RING_TAIL, "ring_tail moved");
_Static_assert(offsetof(struct sd_region, ring_head) == SD_REGION_COUNTS, "counts moved");
_Static_assert(offsetof(struct sd_region, pings) == SD_REGION_PINGS, "pings moved");
_Static_assert(offsetof(struct sd_region, mailbox.line) == SD_MAILBOX_LINE, "mailbox moved");
_Static_assert(offsetof(struct sd_region, mailbox.file) == SD_MAILBOX_FILE, "mailbox moved");
_Static_assert(offsetof(struct sd_region, mailbox.a) == SD_MAILBOX_A, "mailbox moved");
_Static_assert(offsetof(struct sd_region, mailbox.b) == SD_MAILBOX_B, "mailbox moved");
_Static_assert(offsetof(struct sd_region, mailbox) == SD_REGION_MAILBOX, "mailbox moved");
_Static_assert(offsetof(struct sd_region, trace_head) == SD_REGION_TRACE_HEAD, "trace moved");
_Static_assert(offsetof(struct sd_region, trace) == SD_REGION_TRACE, "trace moved");
_Static_assert(SD_REGION_TRACE + SD_TRACE_ENTRIES * 8 == SD_REGION_STRIDE, "trace ends early");
_Static_assert(sizeof(struct sd_mailbox) == 64, "mailbox is not one line");
_Static_assert(sizeof(struct sd_region) == SD_REGION_STRIDE, "region is not one page");
#endif

#endif
