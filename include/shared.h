/* SPDX-License-Identifier: MIT */
/*
 * shared.h - the only way to touch a word that both sides write.
 *
 * Included by guest and VMM. A one-field struct keeps plain access from
 * compiling by accident; only the accessors here open .raw. The order belongs
 * to the access: no fence stands beside it. Every read-modify-write is one
 * locked instruction on x86 and so a full barrier there: it also drains the
 * store buffer, which the protocols rely on (word.h says where).
 */
#ifndef SD_SHARED_H
#define SD_SHARED_H

#include <stdbool.h>
#include <stdint.h>

struct sd_u8  { uint8_t  raw; };
struct sd_u32 { uint32_t raw; };
struct sd_u64 { uint64_t raw; };

/* Relaxed: for counters with one writer, and where a later locked operation
 * re-checks what was read. */
static inline uint8_t sd_u8_load(const struct sd_u8 *p)
{
	return __atomic_load_n(&p->raw, __ATOMIC_RELAXED);
}

static inline uint32_t sd_u32_load(const struct sd_u32 *p)
{
	return __atomic_load_n(&p->raw, __ATOMIC_RELAXED);
}

static inline uint64_t sd_u64_load(const struct sd_u64 *p)
{
	return __atomic_load_n(&p->raw, __ATOMIC_RELAXED);
}

static inline void sd_u32_store(struct sd_u32 *p, uint32_t v)
{
	__atomic_store_n(&p->raw, v, __ATOMIC_RELAXED);
}

static inline void sd_u64_store(struct sd_u64 *p, uint64_t v)
{
	__atomic_store_n(&p->raw, v, __ATOMIC_RELAXED);
}

static inline uint32_t sd_u32_load_acquire(const struct sd_u32 *p)
{
	return __atomic_load_n(&p->raw, __ATOMIC_ACQUIRE);
}

static inline uint64_t sd_u64_load_acquire(const struct sd_u64 *p)
{
	return __atomic_load_n(&p->raw, __ATOMIC_ACQUIRE);
}

static inline void sd_u32_store_release(struct sd_u32 *p, uint32_t v)
{
	__atomic_store_n(&p->raw, v, __ATOMIC_RELEASE);
}

static inline void sd_u64_store_release(struct sd_u64 *p, uint64_t v)
{
	__atomic_store_n(&p->raw, v, __ATOMIC_RELEASE);
}

/* Locked operations: sequentially consistent, return the old value. */
static inline uint8_t sd_u8_exchange(struct sd_u8 *p, uint8_t v)
{
	return __atomic_exchange_n(&p->raw, v, __ATOMIC_SEQ_CST);
}

static inline bool sd_u8_cas(struct sd_u8 *p, uint8_t old, uint8_t new_value)
{
	return __atomic_compare_exchange_n(&p->raw, &old, new_value, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline uint32_t sd_u32_fetch_add(struct sd_u32 *p, uint32_t v)
{
	return __atomic_fetch_add(&p->raw, v, __ATOMIC_SEQ_CST);
}

static inline uint32_t sd_u32_exchange(struct sd_u32 *p, uint32_t v)
{
	return __atomic_exchange_n(&p->raw, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t sd_u64_fetch_add(struct sd_u64 *p, uint64_t v)
{
	return __atomic_fetch_add(&p->raw, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t sd_u64_exchange(struct sd_u64 *p, uint64_t v)
{
	return __atomic_exchange_n(&p->raw, v, __ATOMIC_SEQ_CST);
}

/*
 * Locked as well, but without the old value. x86 has no OR and no AND that returns it: a
 * compiler would make a compare-and-swap loop, and whoever writes the same word all the time
 * could keep that loop going. The __sync form, because from the __atomic one clang makes the
 * loop at -O0 even where the value is not used.
 */
static inline void sd_u8_or(struct sd_u8 *p, uint8_t v)
{
	(void)__sync_fetch_and_or(&p->raw, v);
}

static inline void sd_u32_or(struct sd_u32 *p, uint32_t v)
{
	(void)__sync_fetch_and_or(&p->raw, v);
}

static inline void sd_u32_and(struct sd_u32 *p, uint32_t v)
{
	(void)__sync_fetch_and_and(&p->raw, v);
}

static inline void sd_u64_or(struct sd_u64 *p, uint64_t v)
{
	(void)__sync_fetch_and_or(&p->raw, v);
}

/* On failure *old is what was found. */
static inline bool sd_u32_cas(struct sd_u32 *p, uint32_t *old, uint32_t new_value)
{
	return __atomic_compare_exchange_n(&p->raw, old, new_value, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#endif
