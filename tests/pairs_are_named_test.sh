#!/bin/sh
# SPDX-License-Identifier: MIT
# Every PAIR(tag) of an ordered access stands at both of its ends: a tag that is
# written on one line only has lost its partner, or is misspelt.
set -eu
cd "$(dirname "$0")/.."

lines=$(grep -rno 'PAIR([a-z0-9-]*)' include vmm guest-payload) || {
	echo "no PAIR() found: is this the source folder?" >&2
	exit 99
}
single=$(printf '%s\n' "$lines" | sort -u | sed 's/.*PAIR/PAIR/' | sort | uniq -u)
[ -z "$single" ] && exit 0

for tag in $single; do
	printf '%s\n' "$lines" | grep -F "$tag" | sed 's/$/ stands alone/'
done
exit 1
