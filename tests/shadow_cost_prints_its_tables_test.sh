#!/bin/sh
# SPDX-License-Identifier: MIT
# The benchmark of the secondary MMU still runs, each row is there, and each claim is judged
# once a round.
# Usage: shadow_cost_prints_its_tables_test.sh VMM BUILD
set -eu
output=$("$2/shadow_cost" --quick --rounds 2)
printf '%s\n' "$output"

expect() {
	found=$(printf '%s\n' "$output" | grep -cE "$2") || :
	[ "$found" -eq "$1" ] && return
	echo "$found lines with $2, and not $1"
	exit 1
}

# Walks: 3 widths and a fill; frees: 3 widths twice; one page: 3; several: 4; retries: 4.
expect 21 '^rcu +[0-9lr]'
expect 21 '^counter +[0-9lr]'
expect 29 '^mode +[0-9lr]'              # and 8 for single moves against ranges
expect 1 "^guest's tables +1 "
expect 23 '^  (confirmed 2 of 2|open      1 of 2|refuted   0 of 2)  (Kivity|Arcangeli|own bar)'
if printf '%s\n' "$output" | grep -iE '(^|[ -])(nan|inf)( |$)'; then
	echo 'a figure is no number'
	exit 1
fi

for arguments in '--rounds' '--rounds 0' '--rounds 21' '--rounds 2x' '--slow'; do
	status=0
	# shellcheck disable=SC2086
	"$2/shadow_cost" $arguments 2>/dev/null || status=$?
	[ "$status" -eq 2 ] || { echo "status $status with $arguments, and not 2"; exit 1; }
done
