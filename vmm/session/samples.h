/* SPDX-License-Identifier: MIT */
/*
 * samples.h - reading the initiators' sample rings.
 *
 * Each sample is read once: copied out of guest memory through main's reader of the
 * secondary MMU, then looked at.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "sample.h"
#include "session.h"

typedef void (*sample_sink)(void *context, const struct sd_sample *sample);

/**
 * samples_drain - hand every new sample to @sink, oldest first by initiator.
 *
 * Threads: main; the guest may go on writing.
 * Errors:  EXIT_GUEST when a ring's head is out of reach of its tail, or its address
 *          cannot be followed. What was read before has been handed on.
 */
__attribute__((warn_unused_result))
int samples_drain(struct session *session, sample_sink sink, void *context, struct why *why);

/* samples_origin - TSC at which the first initiator took the job up; 0 none yet. */
uint64_t samples_origin(const struct session *session);

#endif
