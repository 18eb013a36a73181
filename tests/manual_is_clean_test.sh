#!/bin/sh
# SPDX-License-Identifier: MIT
# mandoc has nothing to say about vmm(1).
# Usage: manual_is_clean_test.sh VMM BUILD
set -eu
. "$(dirname "$0")/require.sh"
require_command mandoc mandoc
manual=$2/vmm.1

# Without the base system's manual pages at hand it cannot look references up.
said=$(mandoc -T lint -W style "$manual" 2>&1) || :
[ -z "$said" ] && [ "$(mandoc -T ascii "$manual" | wc -l)" -gt 100 ] && exit 0
printf '%s\n' "$said"
exit 1
