// SPDX-License-Identifier: MIT
/*
 * requests_ask.c - what a guest of requests_fuzz.c asks for beside its flushes: lines for
 * the user, words to be read, sleep, and the job's end.
 *
 * Threads: one.
 */
#include "requests.h"

#include "stamp.h"

/* Of what the guest shows the VMM: in one page, or across two. */
static uint64_t take_place(void)
{
	static const uint16_t offsets[] = {
		0, 1, SD_PAGE_BYTES - 512, SD_PAGE_BYTES - 504, SD_PAGE_BYTES - 96,
		SD_PAGE_BYTES - 95, SD_PAGE_BYTES - 8, SD_PAGE_BYTES - 1,
	};
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	uint64_t page = byte & 32 ? MEMORY_BYTES - SD_PAGE_BYTES : FLUSH_REQUEST_GPA(byte & 3);

	return page + offsets[byte >> 2 & 7];
}

/* Letters, and one byte that may be none. */
static void write_line(uint64_t gpa)
{
	char text[256];
	uint32_t length = fuzz_below(&g_program, 128), at = fuzz_below(&g_program, 128);

	for (uint32_t i = 0; i < length; i++)
		text[i] = (char)('a' + i % 26);
	text[at] = (char)fuzz_take(&g_program, 1);
	text[length] = '\0';
	poke(gpa, text, length + 1);
}

static void write_batch(uint64_t gpa)
{
	uint64_t first = fuzz_take(&g_program, 3), stride = fuzz_take(&g_program, 1);
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	struct sd_stamp_batch batch = { .count = 1 + byte % SD_STAMP_BATCH };

	for (uint64_t i = 0; i < SD_STAMP_BATCH; i++)
		batch.address[i] = SD_STAMPS_GPA + (first + i * stride) % STAMPS * 8;
	if (g_lies && byte & 64)
		batch.address[fuzz_below(&g_program, SD_STAMP_BATCH)] = take_number();
	if (g_lies && byte & 128)
		batch.count = take_number();
	poke(gpa, &batch, sizeof(batch));
}

/* A batch that memory ends in is no honest one; of a line, the rest is missing. */
enum guest_step ring_with_pointer(uint32_t vcpu, struct kvm_run *run)
{
	uint32_t what = g_choice >> 3 & 3;
	uint64_t place = what != 1 ? take_place() : take_number();

	if (what == 0)
		write_line(place);
	if (what < 2)
		return ring_with(vcpu, run, SD_REQ_LOG, place);
	write_batch(place);
	return ring_with(vcpu, run, SD_REQ_CHECK_STAMPS, place);
}

/* An idle vCPU does not serve: initiators stop first. */
enum guest_step end_job(uint32_t vcpu, struct kvm_run *run)
{
	if (!is_all_quiet())
		return GUEST_RUNS;
	g_job_over = true;
	return ring(vcpu, run, SD_REQ_READY);
}

/* One of an honest guest. */
enum guest_step ring_something(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1), other = byte >> 4 & 3;

	switch (byte % 10) {
	case 0:
		return ring(vcpu, run, SD_REQ_NOTHING);
	case 1:
		return ring(vcpu, run, SD_REQ_FINISH);
	case 2:
		return ring(vcpu, run, SD_REQ_FLUSH_ME);
	case 3:
		other = other != vcpu ? other : (vcpu + 1) % FAKE_VCPUS;
		return ring_with(vcpu, run, SD_REQ_YIELD_TO, other);
	case 4:
		return ring(vcpu, run, SD_REQ_WAKE | other << 16);
	case 5:
		return ring_with(vcpu, run, SD_REQ_SLEEP, 1 + other * SLICE_NS);
	case 6:
		return ring(vcpu, run, SD_REQ_SPUN);
	case 7:
		return ring(vcpu, run, SD_REQ_STEP + (byte >> 4) % SD_STEPS);
	case 8:
		return ring(vcpu, run, SD_REQ_STOPPED);
	default:
		return guest->handler == HANDLER_NONE ? end_job(vcpu, run) : GUEST_RUNS;
	}
}
