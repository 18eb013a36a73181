#!/bin/sh
# SPDX-License-Identifier: MIT
# Every prototype in the VMM's headers stands directly after a comment, or in a row of
# prototypes that does.
# Usage: prototypes_are_documented_test.sh VMM BUILD
set -eu
cd "$(dirname "$0")/.."

find vmm -name '*.h' | sort | xargs awk '
	FNR == 1 { covered = 0 }
	/\*\/$/ { covered = 1; next }
	/^$/ { covered = 0; next }
	/^(__attribute__|typedef|TAILQ_HEAD|_Static_assert)/ || /^[ \t]/ { next }
	/^(static inline )?[A-Za-z_][A-Za-z0-9_ *]*\(.*(;|,)$/ {
		total++
		if (covered) good++
		else print FILENAME ":" FNR ": " $0
	}
	END {
		print good + 0 " of " total + 0 " prototypes documented"
		exit good < total || total < 300
	}'
