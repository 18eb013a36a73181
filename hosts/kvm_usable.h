/* SPDX-License-Identifier: MIT */
/*
 * kvm_usable.h - can this user use this machine's /dev/kvm?
 *
 * Tested: tests/kvm/missing_kvm_is_named_test.py
 */
#ifndef KVM_USABLE_H
#define KVM_USABLE_H

#include <stddef.h>

/**
 * kvm_usable - open /dev/kvm and ask for its version.
 *
 * Returns: the descriptor, the caller's.
 * Errors:  -errno, and in @reason, of @bytes, a line without an end: what is wrong, and the
 *          remedy.
 */
__attribute__((warn_unused_result))
int kvm_usable(char *reason, size_t bytes);

#endif
