#!/bin/sh
# SPDX-License-Identifier: MIT
# Counts the prototypes in the VMM's headers, and those right behind a comment or
# another documented prototype. An aim, not a rule: never fails.
set -eu
cd "$(dirname "$0")/.."

find vmm -name '*.h' | sort | xargs awk '
	FNR == 1 { covered = 0 }
	/^ \*\/$/ || /\*\/$/ { covered = 1; next }
	/^$/ { covered = 0; next }
	/^__attribute__/ || /^[ \t]/ { next }
	/^(static inline )?[A-Za-z_][A-Za-z0-9_ *]*\(.*(;|,)$/ && !/^#/ {
		total++
		if (covered) good++
		else print FILENAME ":" FNR ": " $0
	}
	END { print good + 0 " of " total + 0 " prototypes documented" }'
