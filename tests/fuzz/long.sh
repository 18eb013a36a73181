#!/bin/sh
# SPDX-License-Identifier: MIT
# long.sh - build one fuzz target with libFuzzer and run it, from the seeds on. In the
# working folder it leaves fuzz-TARGET, what it has found (found-TARGET/) and, when it
# fails, the input that did it. An input may take ten minutes: libFuzzer reads the wall
# clock, and a shared host has stood still for one.
#
# Usage: long.sh TARGET RUNS MAX-BYTES SOURCE-OR-COMPILER-OPTION...
# Exit status: 0 all runs went well, 1 not, 77 no clang that has libFuzzer.
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
root=$here/../..
# shellcheck source=tests/require.sh
. "$here/../require.sh"

target=$1 runs=$2 max_bytes=$3
shift 3

clang=
require_libfuzzer
for folder in "$root/include" "$here" $(find "$root/vmm" -type d); do
	set -- "$@" "-I$folder"
done
"$clang" -g -O1 -std=c17 -Wno-gnu-variable-sized-type-not-at-end -D_GNU_SOURCE \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all "$@" \
	"$here/${target}_fuzz.c" -o "fuzz-$target"

set -- -runs="$runs" -seed=1 -max_len="$max_bytes" -timeout=600 -print_final_stats=1
[ ! -e "$here/$target.dict" ] || set -- "$@" "-dict=$here/$target.dict"
rm -rf "found-$target"
mkdir "found-$target"
status=0
"./fuzz-$target" "$@" "found-$target" "$here/corpus/$target" 2>"fuzz-$target.log" || status=1
grep -E '^(Done|stat::|INFO: seed|SUMMARY|.*\.c:[0-9]+: |==|artifact_prefix)' "fuzz-$target.log"
exit $status
