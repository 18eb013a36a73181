#!/bin/sh
# SPDX-License-Identifier: MIT
# `ctest --test-dir BUILD` knows as many tests as meson does.
# Usage: ctest_lists_every_test_test.sh VMM BUILD
set -eu
. "$(dirname "$0")/require.sh"
require_command ctest cmake
build=$2

meson_tests=$(grep -o '"is_parallel"' "$build/meson-info/intro-tests.json" | wc -l)
ctest_tests=$(ctest --test-dir "$build" -C long --show-only | sed -n 's/^Total Tests: //p')
echo "meson: $meson_tests, ctest: $ctest_tests"
[ "$meson_tests" -gt 0 ] && [ "$meson_tests" = "$ctest_tests" ]
