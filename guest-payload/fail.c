// SPDX-License-Identifier: MIT
/*
 * fail.c - giving up: the reason goes to the mailbox, the VMM prints it.
 *
 * Threads: any vCPU, ring 3. An exception does the same from entry.S.
 */
#include "guest.h"

void g_fail(const char *file, uint32_t line, uint64_t a, uint64_t b)
{
	struct sd_mailbox *mailbox =
		&((struct sd_region *)(uintptr_t)SD_OWN_REGION_VA)->mailbox;

	mailbox->line = line;
	mailbox->file = (uint64_t)(uintptr_t)file;
	mailbox->a = a;
	mailbox->b = b;
	mailbox->kind = SD_MAIL_CHECK;
	for (;;)
		g_doorbell(SD_REQ_FAIL);
}
