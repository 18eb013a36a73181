// SPDX-License-Identifier: MIT
/*
 * requests_lie.c - guests of requests_fuzz.c that lie: they write what they like where
 * they may write, their page tables too, ring any doorbell, and leave by other exits.
 *
 * Threads: one.
 */
#include "requests.h"

#include <string.h>

#include "pte.h"

/* Near the places that the guest's page tables begin with. */
static uint64_t take_pointer(uint32_t choice)
{
	static const uint64_t starts[] = {
		0, SD_PAYLOAD_GPA, SD_STAMPS_GPA, SD_STAMPS_GPA + SD_STAMP_PAGES * SD_PAGE_BYTES,
		SD_TABLES_GPA, SD_OWN_REGION_VA, SD_APIC_VA, SD_PROBE_VA, SD_WINDOW_VA,
		SD_WINDOW_VA + SD_PAGE_BYTES, SD_TREE_VA, UINT64_C(1) << 39,
		UINT64_MAX << 47, UINT64_MAX << 39, UINT64_MAX << 30, UINT64_MAX << 12,
	};
	uint64_t offset = choice & 1 ? fuzz_take(&g_program, 2) % SD_PAGE_BYTES : 0;

	return starts[choice >> 1] + offset;
}

/* Anything at the edges of what the VMM looks at. */
uint64_t take_number(void)
{
	static const uint64_t ends[] = {
		0, 1, FAKE_VCPUS - 1, FAKE_VCPUS, SD_MAX_VCPUS, NS_PER_MS, 86400 * NS_PER_S,
		MEMORY_BYTES - sizeof(struct sd_flush_request), MEMORY_BYTES - 64, MEMORY_BYTES,
		UINT64_C(1) << 47, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_MAX,
	};
	uint32_t choice = fuzz_below(&g_program, 64);

	if (choice >= 32)
		return take_pointer(choice - 32);
	if (choice < 15)
		return ends[choice];
	if (choice < 20)
		return FLUSH_REQUEST_GPA(choice - 15);
	if (choice < 28)
		return ends[7 + choice % 8] + 1 - 2 * (uint64_t)(choice & 1);
	return fuzz_take(&g_program, 8);
}

/* What of it lies in memory. */
void poke(uint64_t gpa, const void *from, size_t bytes)
{
	if (gpa < MEMORY_BYTES)
		memcpy(g_session.machine.memory.hva + gpa, from,
		       bytes < MEMORY_BYTES - gpa ? bytes : MEMORY_BYTES - gpa);
}

static void write_anything(void)
{
	static const uint16_t places[] = {
		SD_REGION_PREEMPTED, SD_REGION_REQUEST, SD_REGION_SERVED, SD_REGION_PARKED,
		SD_REGION_RANGE, SD_REGION_RING_TAIL, SD_REGION_MAILBOX, SD_MAILBOX_LINE,
		SD_MAILBOX_FILE, SD_MAILBOX_A, SD_MAILBOX_B, SD_REGION_ASKED, SD_REGION_LEFT,
		SD_REGION_ASLEEP, SD_REGION_WALK, offsetof(struct sd_region, argument),
	};
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	uint64_t value = take_number();

	memcpy((char *)region_of(byte & 3) + places[byte >> 4], &value,
	       byte & 4 ? sizeof(value) : sizeof(uint32_t));
}

static void write_request(void)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);
	uint64_t gpa = byte & 4 ? MEMORY_BYTES - sizeof(struct sd_flush_request)
				: FLUSH_REQUEST_GPA(byte & 3);
	struct sd_flush_request request = { .start = take_number(), .pages = take_number() };

	request.targets[byte >> 4] = take_number();
	poke(gpa, &request, sizeof(request));
}

/* Of an entry: one that the tables have from the start, the ends, or any. */
static uint32_t take_index(void)
{
	static const uint16_t indices[] = { 0, 1, 2, 3, 255, 256, 511 };
	uint32_t choice = fuzz_below(&g_program, 8);

	return choice < 7 ? indices[choice] : (uint32_t)fuzz_take(&g_program, 2) % 512;
}

/* What an entry leads to: where the program writes, tables, stamps, and memory's end. */
static uint64_t take_page(void)
{
	static const uint64_t pages[] = {
		SD_PAYLOAD_GPA, SD_PAYLOAD_GPA + SD_PAGE_BYTES, SD_STAMPS_GPA,
		SD_STAMPS_GPA + SD_PAGE_BYTES, SD_IDENTITY_PD_GPA, SD_REGION_GPA,
		MEMORY_BYTES - SD_PAGE_BYTES, MEMORY_BYTES,
	};
	uint32_t choice = fuzz_below(&g_program, 32);

	if (choice < 8)
		return pages[choice];
	if (choice < 24)
		return sd_table_gpa(choice & 3, (choice - 8) >> 2);
	return (fuzz_take(&g_program, 2) << 12) & ~(choice & 1 ? UINT64_C(0x1fffff) : 0);
}

/* A whole entry, of any table that the VMM has made. */
void write_entry(void)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1), table = byte >> 2 & 7;
	uint64_t place = table < SD_TABLE_WINDOW + 1 ? sd_table_gpa(byte & 3, table)
						     : SD_IDENTITY_PD_GPA;
	uint64_t entry;

	place += take_index() * sizeof(entry);
	switch (byte >> 5) {
	case 0: entry = 0; break;
	case 1: entry = fuzz_take(&g_program, 8); break;
	case 2: entry = sd_pte_large(take_page()); break;
	case 3: entry = take_page() | fuzz_take(&g_program, 1); break;
	default: entry = sd_pte(take_page()); break;
	}
	poke(place, &entry, sizeof(entry));
}

/* Exits that are no doorbell. */
static enum guest_step leave_badly(struct guest *guest, struct kvm_run *run)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1);

	(void)leave_by_port(run, SD_REQ_NOTHING);
	switch (byte & 7) {
	case 0: run->io.direction = KVM_EXIT_IO_IN; break;
	case 1: run->io.size = (uint8_t)(byte >> 6); break;
	case 2: run->io.count = byte; break;            /* 2: never 1 */
	case 3: run->io.port = (uint16_t)fuzz_take(&g_program, 2); break;
	default: run->exit_reason = byte >> 3; break;
	}
	guest->must_fail = run->exit_reason != KVM_EXIT_IO || run->io.size != 4 ||
		run->io.direction != KVM_EXIT_IO_OUT || run->io.count != 1 || run->io.port != 0x10;
	return GUEST_LEAVES;
}

enum guest_step lie(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	uint32_t request;

	switch (g_choice >> 3 & 7) {
	case 0:
	case 1:
		write_request();
		return ring_with(vcpu, run, SD_REQ_FLUSH_OTHERS, take_number());
	case 2:
		write_request();
		return GUEST_RUNS;
	case 3:
		return leave_badly(guest, run);
	case 4:
		request = (uint32_t)fuzz_take(&g_program, 4);
		return ring_with(vcpu, run, request, take_number());
	case 5:
		request = fuzz_below(&g_program, SD_REQ_STEP + SD_STEPS + 1);
		return ring_with(vcpu, run, request, take_number());
	default:
		write_anything();
		return GUEST_RUNS;
	}
}
