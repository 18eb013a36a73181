/* SPDX-License-Identifier: MIT */
/*
 * filter.h - a table of system calls, and the seccomp filter that it makes.
 *
 * Private to confine/ and its tests.
 */
#ifndef FILTER_H
#define FILTER_H

#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "confine_kind.h"
#include "why.h"

#define CONFINE_COMPARED_MAX 2

/* Descriptors that a row may name: their numbers are known when a run has opened them. */
enum confine_fd {
	CONFINE_ANY_FD,
	CONFINE_WAKE_FD,                /* the eventfd that main waits on */
	CONFINE_MEMORY_FD,              /* the guest's memory */
	CONFINE_VCPU_FD,                /* the thread's own vCPU: filter_for_vcpu() */
	CONFINE_FDS,
};

/* In place of a vCPU's descriptor, in a program that is for all of them: no descriptor has
 * this number. */
#define FILTER_ANY_VCPU 0x7fffff01

/* A call is allowed when one of its rows has all its comparisons hold. */
struct confine_row {
	int call;                       /* __NR_ number */
	bool to_self;                   /* argument 0 has to be this process's id */
	enum confine_fd fd;             /* argument @fd_argument has to be this one */
	uint8_t fd_argument;
	uint8_t compared;               /* of compare[], the rest is not used */
	struct scmp_arg_cmp compare[CONFINE_COMPARED_MAX];
	const char *why;                /* what the thread needs it for */
};

struct confine_table {
	const char *thread;             /* "vCPU thread": in messages */
	const struct confine_row *rows;
	size_t count;
};

/* tables.c: one for each kind of thread. */
extern const struct confine_table g_confine_tables[CONFINE_KINDS];

/* Calls made from the instruction before this address are let through by every filter of
 * CONFINE_LOG: confine.c makes them. */
extern const char confine_passed[];

/**
 * filter_build - the BPF program of @table, in memory that is never freed.
 *
 * @fds: by enum confine_fd; -1 has no row let anything through.
 * @pass: what returns to confine_passed is let through.
 * Errors:  EXIT_HOST.
 */
__attribute__((warn_unused_result))
int filter_build(const struct confine_table *table, const int fds[CONFINE_FDS], bool pass,
		 struct sock_fprog *program, struct why *why);

/**
 * filter_for_vcpu - @program with @fd where FILTER_ANY_VCPU stands.
 *
 * Returns: program.filter is the caller's to free; NULL: no memory.
 */
__attribute__((warn_unused_result))
struct sock_fprog filter_for_vcpu(const struct sock_fprog *program, int fd);

#endif
