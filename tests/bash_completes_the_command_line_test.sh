#!/bin/sh
# SPDX-License-Identifier: MIT
# The completion of bash, sourced and called as bash calls it.
# Usage: bash_completes_the_command_line_test.sh VMM BUILD
set -eu
. "$(dirname "$0")/require.sh"
require_command bash bash
vmm=$1
file=$2/vmm.bash
failed=0
count=0

# complete WORD...: the line after the program's name, cut at = as bash does; prints
# the replies, sorted.
complete_line() {
	bash --norc -euc '
		. "$1"; vmm=$2; shift 2
		COMP_WORDS=("$vmm" "$@") COMP_CWORD=$#
		_vmm "$vmm" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"
	' bash "$file" "$vmm" "$@" | sort | tr '\n' ' '
}

expect() {
	expected=$1
	shift
	count=$((count + 1))
	found=$(complete_line "$@")
	[ "$found" = "$expected" ] && return
	echo "$*: '$found', expected '$expected'"
	failed=1
}

expect '--protocol ' --pro
expect '--pace-us --pages --ple --preempt --print --protocol ' --p
expect '' --nonsense
expect 'generation ' --protocol gen
expect 'ipi,takeover ' --protocol ipi,ta
expect 'ipi,deferred,generation ' --protocol ipi,deferred,ge
expect 'takeover ' --protocol = ta
expect 'safe skip-preempted sleep ' --protocol s
expect 'at-step ' --vcpus 8 --preempt at
expect 'read,served ' --preempt at-step = read,se
expect 'rcu ' --table-free r
expect 'sregs steal ' --entry-flush s
expect 'churn ' --workload c
expect 'mode ' --shadow-reclaim m
expect 'off on ' --confine o
expect 'hgrm,hist ' --extra hgrm,hi
expect '--realtime --reclaim --repeat --require-proof ' --re

# Whatever protocol there is can be completed, and all at once with `--protocol =`.
protocols=$("$vmm" --list-protocols | sed 's/ .*//')
# shellcheck disable=SC2086
expect "$(printf '%s\n' $protocols all safe | sort | tr '\n' ' ')" --protocol =
for protocol in $protocols; do
	case $(complete_line --protocol "$protocol") in
	*"$protocol "*) count=$((count + 1)) ;;
	*) echo "$protocol is not completed"; failed=1 ;;
	esac
done

# bash knows whom to ask.
bash --norc -euc '. "$1"; complete -p vmm' bash "$file" | grep -q -e '-F _vmm vmm' || {
	echo 'no completion is registered for vmm'
	failed=1
}
echo "$count lines completed"
exit $failed
