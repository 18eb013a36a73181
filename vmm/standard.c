// SPDX-License-Identifier: MIT
/*
 * standard.c - standard input, output and error (standard.h).
 *
 * Threads: main.
 * Tested:  tests/standard_output_is_written_or_told_test.py,
 *          tests/kvm/closed_descriptors_stay_closed_test.py
 */
#include "standard.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void standard_open(void)
{
	/* Each takes the lowest number that is free. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			(void)!open("/", O_RDONLY);
}

enum exit_status standard_flush(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	/* An earlier write may have failed, and nobody has kept its reason. */
	fprintf(stderr, "vmm: standard output: %s\n", strerror(errno != 0 ? errno : EIO));
	return EXIT_RESULTS;
}
