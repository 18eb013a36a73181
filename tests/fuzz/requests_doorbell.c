// SPDX-License-Identifier: MIT
/*
 * requests_doorbell.c - doorbells of the guests of requests_fuzz.c, and what each has to
 * lead to: those that make no sense end the run, addresses are checked in 128 bits,
 * counters are what was asked for, and lines for the user are those that the reference
 * reads (reference_pointer.h).
 *
 * Owns:    the lines that the user has to see.
 * Threads: one.
 */
#include "requests.h"

#include <string.h>

#include "reference_pointer.h"
#include "stamp.h"
#include "stamps.h"

typedef unsigned __int128 u128;

static struct {
	char text[GUEST_LOG_LINES * (GUEST_LOG_BYTES + 16)];
	uint32_t count;                 /* since the last look */
	uint64_t taken, dropped;
} g_log;

void log_begin(void)
{
	memset(&g_log, 0, sizeof(g_log));
}

enum guest_step leave_by_port(struct kvm_run *run, uint32_t request)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = sizeof(request);
	run->io.port = SD_PORT_REQUEST;
	run->io.count = 1;
	run->io.data_offset = SD_PAGE_BYTES / 2;
	memcpy((char *)run + run->io.data_offset, &request, sizeof(request));
	return GUEST_LEAVES;
}

static bool copy_from_guest(uint32_t vcpu, uint64_t gva, void *to, size_t bytes)
{
	return reference_copy(&g_session.machine.memory, vcpu, gva, to, bytes);
}

static bool flush_request_is_sound(uint32_t vcpu, uint64_t gva)
{
	struct sd_flush_request request;
	bool sound = true;

	if (!copy_from_guest(vcpu, gva, &request, sizeof(request)))
		return false;
	for (uint32_t i = FAKE_VCPUS; i < SD_MAX_VCPUS; i++)
		sound &= !(request.targets[i / 64] >> i % 64 & 1);
	return sound && request.start % SD_PAGE_BYTES == 0 && request.pages >> 32 == 0 &&
		(u128)request.start + (u128)request.pages * SD_PAGE_BYTES <= (u128)1 << 47;
}

static bool stamps_are_sound(uint32_t vcpu, uint64_t gva, struct vcpu_counts *counts)
{
	struct sd_stamp_batch batch;

	if (!copy_from_guest(vcpu, gva, &batch, sizeof(batch)))
		return false;
	for (uint64_t i = 0; batch.count <= SD_STAMP_BATCH && i < batch.count; i++) {
		uint64_t address = batch.address[i], word;

		if (address < SD_STAMPS_GPA || (address - SD_STAMPS_GPA) / 8 >= STAMPS ||
		    address % 8 != 0 || !copy_from_guest(vcpu, address, &word, sizeof(word)))
			return false;
		counts->stamp_checks++;
		counts->stamps_wrong += word != sd_stamp(address);
	}
	return batch.count >= 1 && batch.count <= SD_STAMP_BATCH;
}

static void expect_line(uint32_t vcpu, uint64_t gva)
{
	size_t length = strlen(g_log.text);
	char text[GUEST_LOG_BYTES];

	if (g_log.count == GUEST_LOG_LINES || g_log.taken == GUEST_LOG_MOST) {
		g_log.dropped++;
		return;
	}
	reference_text(&g_session.machine.memory, vcpu, gva, text, sizeof(text));
	snprintf(g_log.text + length, sizeof(g_log.text) - length, "vCPU %u: %s\n", vcpu, text);
	g_log.count++;
	g_log.taken++;
}

/* The user is told which check it was, or which exception. */
static void expect_end(uint32_t vcpu)
{
	const struct sd_mailbox *mail = &region_of(vcpu)->mailbox;
	struct guest *guest = &g_guests[vcpu];
	char name[64];

	reference_text(&g_session.machine.memory, vcpu, mail->file, name, sizeof(name));
	if (mail->kind != SD_MAIL_EXCEPTION)
		snprintf(guest->gave_up, sizeof(guest->gave_up), " at %s:%u (", name, mail->line);
}

/* What the doorbell has to lead to, by control.h. */
static bool makes_sense(uint32_t vcpu, uint32_t request, struct vcpu_counts *counts)
{
	uint64_t argument = region_of(vcpu)->argument.raw;

	if (request % 65536 == SD_REQ_WAKE) {
		counts->wakes += request / 65536 < FAKE_VCPUS;
		return request / 65536 < FAKE_VCPUS;
	}
	if (request >= SD_REQ_STEP && request <= SD_REQ_STEP + SD_STEP_WALK) {
		counts->steps++;
		return true;
	}
	switch (request) {
	case SD_REQ_READY:
	case SD_REQ_FLUSH_ME:
	case SD_REQ_NOTHING:
	case SD_REQ_STOPPED:
	case SD_REQ_FINISH:
	case SD_REQ_SPUN:
	case SD_REQ_BREAK:
		return true;
	case SD_REQ_SLEEP:
		counts->sleeps++;
		return true;
	case SD_REQ_YIELD_TO:
		counts->yields += argument < FAKE_VCPUS && argument != vcpu;
		return argument < FAKE_VCPUS && argument != vcpu;
	case SD_REQ_FLUSH_OTHERS:
		return flush_request_is_sound(vcpu, argument);
	case SD_REQ_LOG:
		expect_line(vcpu, argument);
		return true;
	case SD_REQ_CHECK_STAMPS:
		return stamps_are_sound(vcpu, argument, counts);
	case SD_REQ_FAIL:
		expect_end(vcpu);
		return false;
	default:
		return false;
	}
}

enum guest_step ring(uint32_t vcpu, struct kvm_run *run, uint32_t request)
{
	struct guest *guest = &g_guests[vcpu];

	guest->must_fail = !makes_sense(vcpu, request, &guest->counts);
	return leave_by_port(run, request);
}

enum guest_step ring_with(uint32_t vcpu, struct kvm_run *run, uint32_t request,
				 uint64_t argument)
{
	sd_u64_store(&region_of(vcpu)->argument, argument);
	return ring(vcpu, run, request);
}

/* Main prints what the guest has had to say: now and then, and at the end. */
void check_log(void)
{
	char *text;
	size_t bytes;
	FILE *out;

	fuzz_check(g_session.log.count == g_log.count && g_session.log.dropped == g_log.dropped);
	if (g_log.count == 0)
		return;
	out = open_memstream(&text, &bytes);
	fuzz_check(out != NULL);
	guest_log_print(&g_session.log, out);
	fclose(out);
	fuzz_check(strcmp(text, g_log.text) == 0);
	free(text);
	g_log.count = 0;
	g_log.text[0] = '\0';
}
