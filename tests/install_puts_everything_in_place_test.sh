#!/bin/sh
# SPDX-License-Identifier: MIT
# `meson install` into a folder of its own: program, manual, completion, the headers of the
# payload ABI, all of them, and nothing of the tests. The headers are enough to build the
# example payload.
# Usage: install_puts_everything_in_place_test.sh VMM BUILD
set -eu
. "$(dirname "$0")/require.sh"
require_command meson meson
cd "$(dirname "$0")/.."
build=$2
destination=$(mktemp -d)
trap 'rm -rf -- "$destination"' EXIT

said=$(meson install -C "$build" --no-rebuild --quiet --destdir "$destination" 2>&1) || {
	printf '%s\n' "$said"
	exit 1
}

failed=0
# Whatever the prefix is.
present() {
	find "$destination" -path "*/$1" | grep -q . && return
	echo "$1 is not installed"
	failed=1
}

expected=0
for file in bin/vmm libexec/shootdown/enter libexec/shootdown/agent \
	libexec/shootdown/qemu_mend.so share/man/man1/vmm.1 \
	share/bash-completion/completions/vmm.bash include/*; do
	case $file in include/*) file=include/shootdown/${file#include/} ;; esac
	present "$file"
	expected=$((expected + 1))
done
files=$(find "$destination" -type f | wc -l)
[ "$files" -eq "$expected" ] || {
	echo "$files files are installed, $expected expected:"
	find "$destination" -type f
	failed=1
}
[ "$failed" -eq 0 ] || exit 1

"$(find "$destination" -path '*/bin/vmm')" --version
cc -c -ffreestanding -fno-pic -mgeneral-regs-only -o "$destination/exit_cost.o" \
	-I "$(find "$destination" -path '*/include/shootdown')" guest-payload/example/exit_cost.c
echo "$files files"
