#!/bin/sh
# SPDX-License-Identifier: MIT
# The built-in payload stands alone: nothing undefined, no segment that is both
# writable and executable, no vector or x87 instruction, and the ring-0 stubs are
# as short as the hosts that emulate ring 0 need them.
# Usage: payload_is_freestanding_test.sh VMM BUILD
set -eu
. "$(dirname "$0")/require.sh"
require_command objdump binutils
payload=$2/guest-payload/payload
status=0

wrong() { echo "$*"; status=1; }

[ -r "$payload" ] || { echo "$payload: not there"; exit 99; }
code=$(objdump -d --no-show-raw-insn "$payload")

undefined=$(readelf -sW "$payload" | awk '$7 == "UND" && $8 != ""')
[ -z "$undefined" ] || wrong "undefined: $undefined"

readelf -lW "$payload" | grep -q '^  LOAD.* R E ' || wrong 'no segment R E'
readelf -lW "$payload" | grep -E '^  (LOAD|GNU_STACK).*WE' && wrong 'writable and executable'

vector=$(printf '%s\n' "$code" |
	awk -F'\t' '$2 ~ /^(f|emms|ldmxcsr|stmxcsr)/ || /%[xyz]mm|%mm|%st/')
[ -z "$vector" ] || wrong "vector or x87 instructions: $vector"

# instructions FUNCTION: up to and with its iretq
instructions() {
	printf '%s\n' "$code" | awk -v name="<$1>:" '
		index($0, name) { inside = 1; next }
		inside && /^ / { count++ }
		inside && /iretq/ { print count; found = 1; exit }
		inside && /^$/ { exit }
		END { if (!found) print 0 }'
}

for stub in g_isr_flush g_isr_ping g_gate_entry_shootdown g_gate_entry_empty; do
	count=$(instructions "$stub")
	echo "$stub: $count instructions"
	[ "$count" -ge 1 ] && [ "$count" -le 10 ] || wrong "$stub: not 1 to 10 instructions"
done
exit $status
