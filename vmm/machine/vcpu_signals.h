/* SPDX-License-Identifier: MIT */
/*
 * vcpu_signals.h - the signals that vCPU threads get.
 */
#ifndef VCPU_SIGNALS_H
#define VCPU_SIGNALS_H

#include <signal.h>

/* Takes a thread out of KVM_RUN: slot.h. */
#define VCPU_KICK_SIGNAL SIGUSR1

/* Blocked in vCPU threads but let through inside KVM_RUN: park.c. */
#define VCPU_SETTLE_SIGNAL SIGUSR2

#endif
