/* SPDX-License-Identifier: MIT */
/*
 * emulator.h - an emulated machine: how it is started, and what is held of it.
 *
 * One table of operations for each emulator: amd.c, intel.c.
 */
#ifndef EMULATOR_H
#define EMULATOR_H

#include "archive.h"
#include "child.h"
#include "host_spec.h"
#include "kernel.h"
#include "request.h"

#define COMPLAINT_BYTES 512

struct emulator {
	const struct host_spec *spec;
	struct kernel kernel;
	int initramfs;                  /* a memory file */
	struct child program;
	struct child files;             /* who serves the host's files; .pid 0 where nobody */
	int line;                       /* from the agent: frame.h; -1 before the start */
	int orders;                     /* to the agent; the same where the line goes both ways */
	int returned;                   /* a memory file: what the command wrote, as far as it
					 * has come; -1 before */
	int console;                    /* a memory file: what the kernel says */
	char complaint[COMPLAINT_BYTES]; /* why an operation has failed */
};

struct emulator_ops {
	const char *name;               /* "an emulated AMD machine" */

	/* Given up after so many seconds without a sign of life: from the start until the
	 * command begins, when it may be started again, and from there on. A machine that
	 * shares its CPUs with ten others still needs a tenth of it. */
	uint32_t boot_silence_s, silence_s;

	/* Are the emulator's programs there? -ENOENT. */
	int (*check)(struct emulator *machine);

	/* Say how the root comes about, and with which modules. */
	void (*prepare)(const struct emulator *machine, struct request *request);

	/* Optional: more files of the initramfs, which already has folders bin/ and root/. */
	int (*add_files)(struct emulator *machine, const struct request *request,
			 struct archive *archive);

	/* Start it; .line, .orders, .console, .program and .files are set. */
	int (*start)(struct emulator *machine);

	/* Optional: bytes of a FRAME_FILES; NULL when there are no more, and all are to be put
	 * in place. -errno when they could not be. */
	int (*take_files)(struct emulator *machine, const void *data, size_t bytes);
};

extern const struct emulator_ops g_emulator_amd;
extern const struct emulator_ops g_emulator_intel;

#endif
