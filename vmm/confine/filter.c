// SPDX-License-Identifier: MIT
/*
 * filter.c - from a table of system calls to a BPF program (filter.h).
 *
 * libseccomp writes the program once; seccomp_load() would write it anew for each of
 * up to 1024 threads, and from a structure that is not theirs to share.
 *
 * Threads: main, before any other.
 * Follows: seccomp(2), seccomp_rule_add(3), seccomp_export_bpf(3).
 * Tested:  tests/unit/confine_tables_are_tight_test.c,
 *          tests/unit/forbidden_calls_are_named_test.c
 */
#include "filter.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Ahead of libseccomp's program: nothing but jumps forward, relative to themselves. */
#define PASS_INSTRUCTIONS 5

static struct scmp_arg_cmp equals(unsigned argument, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){ .arg = argument, .op = SCMP_CMP_EQ, .datum_a = value };
}

/* The lower half: what the kernel takes a descriptor from. A caller may leave anything in the
 * upper one. */
static struct scmp_arg_cmp is_fd(unsigned argument, int fd)
{
	return (struct scmp_arg_cmp){
		.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX,
		.datum_b = (uint32_t)fd,
	};
}

static int add_row(scmp_filter_ctx filter, const struct confine_row *row,
		   const int fds[CONFINE_FDS])
{
	struct scmp_arg_cmp compare[CONFINE_COMPARED_MAX + 2];
	unsigned compared = row->compared;

	memcpy(compare, row->compare, compared * sizeof(compare[0]));
	if (row->to_self)
		compare[compared++] = equals(0, (scmp_datum_t)getpid());
	if (row->fd != CONFINE_ANY_FD)
		compare[compared++] = is_fd(row->fd_argument, fds[row->fd]);
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, row->call, compared, compare);
}

static int add_rows(scmp_filter_ctx filter, const struct confine_table *table,
		    const int fds[CONFINE_FDS])
{
	/* Calls of other architectures are trapped like any that is not in the table. */
	int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);

	for (size_t i = 0; error == 0 && i < table->count; i++)
		if (table->rows[i].fd == CONFINE_ANY_FD || fds[table->rows[i].fd] >= 0)
			error = add_row(filter, &table->rows[i], fds);
	return error;
}

/* seccomp_data has the address after the instruction that made the call. */
static void put_pass(struct sock_filter *at)
{
	const uint32_t low = offsetof(struct seccomp_data, instruction_pointer);
	const uint64_t address = (uintptr_t)confine_passed;
	const struct sock_filter pass[PASS_INSTRUCTIONS] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)address, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(address >> 32), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	memcpy(at, pass, sizeof(pass));
}

/* libseccomp writes to a file only. */
static int export_to(int file, scmp_filter_ctx filter, bool pass, struct sock_fprog *program)
{
	size_t ahead = pass ? PASS_INSTRUCTIONS : 0;
	int error = seccomp_export_bpf(filter, file);
	off_t bytes = error == 0 ? lseek(file, 0, SEEK_END) : 0;
	size_t count = (size_t)bytes / sizeof(*program->filter);

	if (error != 0)
		return error;
	if (bytes <= 0 || ahead + count > BPF_MAXINSNS)
		return -EIO;
	program->filter = malloc((ahead + count) * sizeof(*program->filter));
	if (program->filter == NULL)
		return -ENOMEM;
	if (pass)
		put_pass(program->filter);
	program->len = (unsigned short)(ahead + count);
	return pread(file, program->filter + ahead, (size_t)bytes, 0) == bytes ? 0 : -EIO;
}

static int export(scmp_filter_ctx filter, bool pass, struct sock_fprog *program)
{
	int file = memfd_create("seccomp-filter", MFD_CLOEXEC);
	int error = file < 0 ? -errno : export_to(file, filter, pass, program);

	if (file >= 0)
		close(file);
	return error;
}

int filter_build(const struct confine_table *table, const int fds[CONFINE_FDS], bool pass,
		 struct sock_fprog *program, struct why *why)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int error = filter == NULL ? -ENOMEM : add_rows(filter, table, fds);

	if (error == 0)
		error = export(filter, pass, program);
	seccomp_release(filter);
	if (error == 0)
		return 0;
	return why_set(why, EXIT_HOST, -error, "seccomp filter of the %s: %s", table->thread,
		       strerror(-error));
}

/* is_fd() of FILTER_ANY_VCPU. */
static bool compares_any_vcpu(const struct sock_filter *instruction)
{
	return instruction->code == (BPF_JMP | BPF_JEQ | BPF_K) && instruction->k == FILTER_ANY_VCPU;
}

struct sock_fprog filter_for_vcpu(const struct sock_fprog *program, int fd)
{
	struct sock_fprog own = { .len = program->len };

	own.filter = malloc(own.len * sizeof(*own.filter));
	for (unsigned i = 0; own.filter != NULL && i < own.len; i++) {
		own.filter[i] = program->filter[i];
		if (compares_any_vcpu(&own.filter[i]))
			own.filter[i].k = (uint32_t)fd;
	}
	return own;
}
