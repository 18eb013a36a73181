#!/bin/sh
# SPDX-License-Identifier: MIT
# mandoc has nothing to say about vmm(1).
set -eu
. "$(dirname "$0")/require.sh"
require_command mandoc mandoc
cd "$(dirname "$0")/.."

# Without the base system's manual pages at hand it cannot look references up.
said=$(mandoc -T lint -W style vmm/vmm.1 2>&1) || :
[ -z "$said" ] && [ "$(mandoc -T ascii vmm/vmm.1 | wc -l)" -gt 100 ] && exit 0
printf '%s\n' "$said"
exit 1
