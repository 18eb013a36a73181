// SPDX-License-Identifier: MIT
/*
 * requests_tlb.c - the reference of requests_fuzz.c: what each TLB may hold.
 *
 * Owns:    for each vCPU and page the oldest version that its TLB may hold, and for each
 *          page the newest one that a flush which has returned was about. A vCPU that
 *          runs guest code holds nothing older, unless the guest lies.
 * Threads: one.
 */
#include "requests.h"

#include <string.h>

static uint64_t g_tlb[FAKE_VCPUS][PAGES];       /* oldest version that it may hold */
static uint64_t g_page_version[PAGES];
static uint64_t g_flushed_version[PAGES];
static uint32_t g_entered;      /* vCPUs that have, since the last tlb_forget_entries() */

void tlb_begin(void)
{
	memset(g_tlb, 0, sizeof(g_tlb));
	memset(g_page_version, 0, sizeof(g_page_version));
	memset(g_flushed_version, 0, sizeof(g_flushed_version));
}

void tlb_forget_entries(void)
{
	g_entered = 0;
}

bool tlb_all_have_entered(void)
{
	return g_entered == (1u << FAKE_VCPUS) - 1;
}

uint64_t tlb_store_pte(uint32_t page)
{
	return ++g_page_version[page];
}

static void check_fresh(uint32_t vcpu)
{
	for (uint32_t page = 0; !g_lies && page < PAGES; page++)
		fuzz_check(g_tlb[vcpu][page] >= g_flushed_version[page]);
}

/* The worst that may be: each page is looked up again at once. */
void flush_page(uint32_t vcpu, uint32_t page)
{
	g_tlb[vcpu][page] = g_page_version[page];
}

void guest_flushed(uint32_t vcpu)
{
	for (uint32_t page = 0; page < PAGES; page++)
		flush_page(vcpu, page);
}

void guest_entered(uint32_t vcpu)
{
	fuzz_check(!g_guests[vcpu].must_fail);
	fuzz_check(g_threads[vcpu].slot->holder == &g_threads[vcpu].member);
	check_fresh(vcpu);
	g_entered |= UINT32_C(1) << vcpu;
}

void flush_returned(struct guest *guest)
{
	for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
		if (g_flushed_version[page] < guest->version[page])
			g_flushed_version[page] = guest->version[page];
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (fake_is_in_guest(i))
			check_fresh(i);
	guest->phase = PHASE_IDLE;
}
