/* SPDX-License-Identifier: MIT */
/*
 * acts.h - what a script has a held vCPU's own thread do to it.
 */
#ifndef ACTS_H
#define ACTS_H

#include "stage.h"

/* act_park, act_unpark - as at the end of a slice and at the beginning of the next. */
int act_park(struct vcpu_thread *thread);
int act_unpark(struct vcpu_thread *thread);

#endif
