/* SPDX-License-Identifier: MIT */
/*
 * host_facts.h - what this host is, as far as numbers from it need to know.
 */
#ifndef HOST_FACTS_H
#define HOST_FACTS_H

#include "results.h"
#include "session.h"

/**
 * host_facts_read - kernel, CPU, kind of KVM and limits, of a @session that was created. It
 * opens files, so main calls it before it confines itself. What cannot be found out is
 * "unknown".
 */
void host_facts_read(struct host_facts *facts, const struct session *session);

/**
 * host_survey - the facts that can wait until a guest has booted, into @results: the TSC, PV
 * features, and the way of flushing on entry that @wanted leads to. No vCPU runs.
 *
 * Errors:  EXIT_HOST; as entry_flush_choose().
 */
__attribute__((warn_unused_result))
int host_survey(struct session *session, enum entry_flush wanted, struct run_results *results,
		struct why *why);

/* host_kvm_kind - "vmx", "svm", "pvm" (neither: shadow paging alone) or "unknown". */
const char *host_kvm_kind(void);

/* host_emulates_ring0 - kvm-pvm's guests run ring 0 one instruction at a time. */
bool host_emulates_ring0(void);

/* host_kvm_marks - may KVM itself write the preempted byte? kvm-pvm never does;
 * a kind that is not known may. */
bool host_kvm_marks(void);

/**
 * host_check_realtime - may vCPU threads run as SCHED_FIFO here?
 *
 * Errors:  EXIT_HOST: no CAP_SYS_NICE, as many slots as CPUs (two spinning FIFO
 *          threads starve everything else on their CPUs), or the kernel's
 *          throttling of real-time threads is off.
 */
__attribute__((warn_unused_result))
int host_check_realtime(uint32_t slots, struct why *why);

#endif
