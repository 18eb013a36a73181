/* SPDX-License-Identifier: MIT */
/*
 * lapic.h - what a copy of a vCPU's local APIC says about pending interrupts.
 *
 * Pure functions over what KVM_GET_LAPIC gave out: a copy, which the next IPI makes
 * old. Vectors below 16 are reserved and count for nothing.
 * Follows: Intel SDM volume 3, 11.8.4 (IRR and ISR: 256 bits each, 32 in every 16
 *          bytes).
 */
#ifndef LAPIC_H
#define LAPIC_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/* lapic_has_pending - is any interrupt pending that the vCPU has not taken yet? */
bool lapic_has_pending(const struct kvm_lapic_state *lapic);

/* lapic_is_pending - is @vector, accepted and not yet taken? */
bool lapic_is_pending(const struct kvm_lapic_state *lapic, uint8_t vector);

/* lapic_highest_pending, lapic_highest_in_service - the vector that is next, or whose
 * handler has not acknowledged it; 0: none. */
uint8_t lapic_highest_pending(const struct kvm_lapic_state *lapic);
uint8_t lapic_highest_in_service(const struct kvm_lapic_state *lapic);

/**
 * lapic_clear_pending - take @vector out of the copy, where that can do no harm:
 * it is pending; none of its handlers is in flight, because that one may need this very
 * IPI to bring served up to date (word.h); and no other vector is pending, because
 * KVM_SET_LAPIC writes over what is posted meanwhile.
 *
 * Returns: true when the copy has changed and is to be written back; else it is as
 *          it was.
 */
bool lapic_clear_pending(struct kvm_lapic_state *lapic, uint8_t vector);

#endif
