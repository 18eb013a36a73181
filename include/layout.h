/* SPDX-License-Identifier: MIT */
/*
 * layout.h - where things are: guest-physical addresses, virtual addresses,
 * selectors, vectors, ports.
 *
 * Included by the VMM, by payloads and by their assembly: constants only.
 * A change of any of them changes SD_ABI_VERSION (control.h).
 *
 * All guest memory is mapped 1:1, user and writable, below 1 GiB and shared by
 * all vCPUs. The second GiB is private: every vCPU has its own tables for it,
 * so the same address shows each vCPU its own region page and its own window.
 */
#ifndef SD_LAYOUT_H
#define SD_LAYOUT_H

#define SD_PAGE_BYTES        0x1000
#define SD_CACHE_LINE        64

#define SD_MAX_VCPUS         1024
#define SD_MAX_INITIATORS    64
#define SD_MAX_PAGES         64          /* pages of one flush, at most */
#define SD_GROUP_VCPUS       256         /* observers that watch at a time */
#define SD_MAX_GROUPS        (SD_MAX_VCPUS / SD_GROUP_VCPUS)

/* --- guest-physical, and the same virtual --------------------------------- */

#define SD_GDT_GPA           0x00001000
#define SD_IDT_GPA           0x00002000  /* written by the payload */
#define SD_IDENTITY_PD_GPA   0x00003000
#define SD_CONTROL_GPA       0x00004000
#define SD_PROBE_FRAMES_GPA  0x00006000  /* two, for the functional tests */
#define SD_TSS_GPA           0x00008000
#define SD_TSS_STRIDE        0x80
#define SD_TSS_BYTES         0x6c        /* with the I/O bitmap of ports 0 to 0x1f */
#define SD_PUBLISHED_GPA     0x00030000  /* [initiator][group], a line each */

#define SD_PAYLOAD_GPA       0x00100000  /* PT_LOAD segments lie in here */
#define SD_PAYLOAD_END       0x00400000

#define SD_REGION_GPA        0x00400000  /* one page a vCPU */
#define SD_REGION_STRIDE     0x1000

#define SD_STACK_GPA         0x00800000  /* ring 3 below, ring 0 in the last page */
#define SD_STACK_STRIDE      0x8000

#define SD_TABLES_GPA        0x03000000  /* page tables, below */
#define SD_TABLES_STRIDE     0xc000

#define SD_POOL_GPA          0x06000000  /* [initiator][SD_POOL_TABLES]: page tables that
                                          * initiators build and free */
#define SD_POOL_TABLES       64

#define SD_STAMPS_GPA        0x07000000  /* nobody writes to them: stamp.h */
#define SD_STAMP_PAGES       256

#define SD_RING_GPA          0x08000000  /* one sample ring an initiator */
#define SD_RING_STRIDE       0x100000

#define SD_FRAMES_GPA        0x0c000000  /* [initiator][set][page] */
#define SD_FRAME_SETS        64          /* sets that rotate through a window */
#define SD_MAX_FRAMES        0x20000     /* 512 MiB: initiators * sets * pages */

/* Tables of one vCPU, by page. */
#define SD_TABLE_PML4        0
#define SD_TABLE_PDPT        1
#define SD_TABLE_PD          2           /* of the private GiB */
#define SD_TABLE_OWN         3           /* leaf: region, APIC, probe page */
#define SD_TABLE_WINDOW      4           /* first leaf of the windows, up to 8 */
#define SD_WINDOW_LEAVES     8
#define SD_WINDOWS_A_LEAF    (512 / SD_MAX_PAGES)

/* --- virtual only: the private GiB ---------------------------------------- */

#define SD_OWN_REGION_VA     0x40000000
#define SD_APIC_VA           0x40001000
#define SD_PROBE_VA          0x40002000  /* remapped by the functional tests */
#define SD_WINDOW_VA         0x40200000
#define SD_WINDOW_STRIDE     (SD_MAX_PAGES * SD_PAGE_BYTES)

/* --- virtual only: a GiB each initiator, from the third on: its tree of tables --- */

#define SD_TREE_PDPT         2           /* first entry of theirs in a vCPU's PDPT */
#define SD_TREE_VA           0x80000000
#define SD_TREE_STRIDE       0x40000000
#define SD_TREE_LEAVES       8           /* leaf tables that are used in turn */

/* --- selectors, vectors, ports -------------------------------------------- */

#define SD_KERNEL_CS         0x08
#define SD_KERNEL_DS         0x10
#define SD_USER_CS           0x1b
#define SD_USER_DS           0x23
#define SD_TSS_SELECTOR      0x30

#define SD_VECTOR_GATE       3           /* int3: the one way down on every host */
#define SD_VECTOR_UNDEFINED  6           /* ud2: the way back from a litmus handler */
#define SD_VECTOR_FLUSH      0xe1        /* flush, by page where it may be (range.h), and serve */
#define SD_VECTOR_PING       0xe2        /* do nothing: the cost of an IPI */
#define SD_VECTOR_FLUSH_2017 0xe3        /* flush if IPI_PENDING is set (pending_2017.h) */
#define SD_VECTOR_FLUSH_WAKE 0xe4        /* flush, and the last one wakes who sleeps (asleep.h) */

#define SD_APIC_GPA          0xfee00000
#define SD_APIC_EOI          0x0b0
#define SD_APIC_ICR_LOW      0x300
#define SD_APIC_ICR_HIGH     0x310
#define SD_X2APIC_MSR_EOI    0x80b
#define SD_X2APIC_MSR_ICR    0x830

#define SD_DEVICE_GPA        0xd0000000  /* outside memory: a register, SD_JOB_LITMUS */

#define SD_PORT_REQUEST      0x10        /* 32-bit out of an SD_REQ_ code */

#endif
