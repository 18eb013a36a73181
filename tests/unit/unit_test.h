/* SPDX-License-Identifier: MIT */
/*
 * unit_test.h - cmocka with what it wants included before it.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#ifdef NDEBUG
#error "tests need assertions: build without NDEBUG"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
