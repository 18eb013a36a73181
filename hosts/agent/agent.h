/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the parts of the agent, the first process of an emulated machine.
 *
 * In the order of agent.c: modules, keeper, root, command. Each returns 0 or -errno with one
 * line in @complaint, of AGENT_COMPLAINT_BYTES, which enter prints.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "request.h"

#define AGENT_COMPLAINT_BYTES 256

struct agent_command {
	pid_t pid;
	int out[3];             /* our ends of its descriptors 1 and 2; -1 closed */
};

/* modules_load - all of @request's, in order. */
__attribute__((warn_unused_result))
int modules_load(const struct request *request, char *complaint);

/**
 * keeper_hold - one virtual machine with one vCPU, from here to the end.
 *
 * The kernel patches its own code when the first VM comes and the last one goes (static keys
 * preempt_notifier_key, apic_sw_disabled), and when a tracepoint gets its first and loses its
 * last user. QEMU's TCG with a thread for each CPU may go on running the code from before,
 * where a breakpoint stands for a moment, and then that CPU never comes out of it. With a VM
 * and a user of the tracepoint that stay, nothing is patched while a run goes on.
 */
__attribute__((warn_unused_result))
int keeper_hold(char *complaint);

/* root_make - the command's root, with /proc, /sys and /dev of this machine; this process is
 * in it afterwards. *upper is the folder of what the command writes, -1 where that is outside
 * at once. */
__attribute__((warn_unused_result))
int root_make(const struct request *request, int *upper, char *complaint);

/* changes_send - all that is below the folder @upper, as an archive to @stream. -errno. */
__attribute__((warn_unused_result))
int changes_send(int upper, FILE *stream);

/* printer_open - may this process use the port? -errno. */
__attribute__((warn_unused_result))
int printer_open(void);

/* printer_write - all of @data, at once. */
void printer_write(const uint8_t *data, size_t bytes);

/* command_start - the command with its folder, environment, limits and outputs. */
__attribute__((warn_unused_result))
int command_start(const struct request *request, struct agent_command *command, char *complaint);

/* complain - format a line; returns -@error. */
__attribute__((format(printf, 3, 4)))
int complain(char *complaint, int error, const char *format, ...);

#endif
