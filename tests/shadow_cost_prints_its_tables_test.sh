#!/bin/sh
# SPDX-License-Identifier: MIT
# The benchmark of the secondary MMU still runs, and judges every claim by figures.
# Usage: shadow_cost_prints_its_tables_test.sh VMM BUILD
set -eu
output=$("$2/shadow_cost" --quick)
printf '%s\n' "$output"

expect() {
	found=$(printf '%s\n' "$output" | grep -cE "$2") || :
	[ "$found" -eq "$1" ] && return
	echo "$found lines with $2, and not $1"
	exit 1
}

# Walks: 3 widths and a fill; frees: 3 widths twice; invalidations: 3; retries: 4.
expect 17 '^rcu +'
expect 17 '^counter +'
expect 25 '^mode +'             # and 8 for single moves against ranges
expect 9 ' (confirmed|refuted) +'
if printf '%s\n' "$output" | grep -iE '(^|[ -])(nan|inf)( |$)'; then
	echo 'a figure is no number'
	exit 1
fi
