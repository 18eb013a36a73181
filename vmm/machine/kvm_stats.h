/* SPDX-License-Identifier: MIT */
/*
 * kvm_stats.h - numbers out of KVM's binary statistics of a vCPU.
 *
 * Follows: Linux Documentation/virt/kvm/api.rst 4.133, KVM_GET_STATS_FD: a file of a
 *          header, descriptors with names, and the values.
 */
#ifndef KVM_STATS_H
#define KVM_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm.h"

/* One statistic that is looked for. */
struct kvm_stat {
	const char *name;               /* as KVM calls it */
	bool found;
	uint64_t value;                 /* 0 when it was not found */
};

/**
 * kvm_stats_find_by_name - look @stats up in a file as KVM_GET_STATS_FD gives out.
 *
 * Shape:   @stats[@count]; @name is read, @found and @value are written. A name that
 *          does not stand for a single number counts as not found.
 * Errors:  EXIT_HOST: it cannot be read, or says impossible things of itself.
 */
__attribute__((warn_unused_result))
int kvm_stats_find_by_name(int file, struct kvm_stat *stats, size_t count, struct why *why);

/* How often this vCPU's thread was scheduled out inside one of its ioctls, since the
 * vCPU was created. */
struct kvm_marks {
	bool known;                     /* this KVM counts them; else both are 0 */
	uint64_t reported;              /* at an instruction boundary, where KVM marks it
	                                   preempted: preemption_reported */
	uint64_t other;                 /* elsewhere, where it must not: preemption_other */
};

/**
 * kvm_stats_read_marks - @marks of @vcpu.
 *
 * Errors:  EXIT_HOST. A KVM without these statistics is none: known is false.
 * Threads: the vCPU's own, outside KVM_RUN; or any while that one is not in it: the
 *          ioctl waits for KVM_RUN to end. It does not load the vCPU, so it cannot
 *          itself be where KVM marks it.
 */
__attribute__((warn_unused_result))
int kvm_stats_read_marks(struct kvm_vcpu_fd vcpu, struct kvm_marks *marks, struct why *why);

#endif
