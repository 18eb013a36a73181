/* SPDX-License-Identifier: MIT */
/*
 * request.h - what the agent is to do, as a file of its initramfs.
 *
 * Words that each end with a zero: KEY=VALUE. enter writes them, the agent reads them.
 * Tested: tests/unit/host_requests_round_trip_test.c
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/types.h>

#define REQUEST_FILE        "request"
#define REQUEST_MAX_MODULES 32

/* How the root comes about. */
#define ROOT_VIRTIOFS "virtiofs"
#define ROOT_CARRIED  "carried"

struct request {
	const char *host;               /* HOST_VARIABLE of the command */
	const char *root;               /* how the root comes about: ROOT_... */
	const char *folder;             /* the command's working directory */
	char **command;                 /* NULL at the end */
	char **environment;             /* NULL at the end */
	bool terminal[3];               /* descriptor 1, 2 is one outside; [0] is not used */
	struct winsize size;            /* of that terminal; zeros: not known */
	mode_t mask;                    /* umask */
	struct rlimit limits[RLIMIT_NLIMITS];
	const char *modules[REQUEST_MAX_MODULES + 1]; /* "NAME.ko PARAMETERS", in this order */
};

/* request_write - all of @request to @file. What fails shows in ferror(). */
void request_write(const struct request *request, FILE *file);

/**
 * request_read - take @text apart.
 *
 * Shape:   @text of @bytes ends with a zero and is overwritten; *request points into it and
 *          to memory that stays.
 * Errors:  -EINVAL for a word that is not known, -ENOMEM.
 */
__attribute__((warn_unused_result))
int request_read(char *text, size_t bytes, struct request *request);

#endif
