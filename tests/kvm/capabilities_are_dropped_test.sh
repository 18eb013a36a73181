#!/bin/sh
# SPDX-License-Identifier: MIT
# While a guest runs, no thread of vmm holds a capability or can get one; with
# --realtime, none but CAP_SYS_NICE. Every thread has one seccomp filter.
# Usage: capabilities_are_dropped_test.sh VMM BUILD
set -eu
. "$(dirname "$0")/../require.sh"
require_kvm
vmm=$1
vcpus=4
folder=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# Rows are in the CSV: every vCPU is in its job.
wait_for_rows() {
	tries=0 limit=400
	[ -z "${SHOOTDOWN_HOST-}" ] || limit=2000
	until [ "$(wc -c 2>/dev/null <"$folder/flush-latency.csv" || echo 0)" -gt 1000 ]; do
		tries=$((tries + 1))
		[ "$tries" -lt $limit ] || fail "no row after $tries tries"
		kill -0 "$pid" || fail 'over before its first row'
		sleep 0.05
	done
}

# check_field STATUS_FILE NAME VALUE
check_field() {
	value=$(sed -n "s/^$2:[[:space:]]*//p" "$1")
	[ "$value" = "$3" ] || fail "$1: $2 is $value, not $3"
}

# check_threads CAPABILITIES [OPTION]...
check_threads() {
	held=$1
	shift
	rm -f "$folder/flush-latency.csv"
	"$vmm" --out "$folder" --vcpus $vcpus --overcommit $vcpus --protocol generation \
		--confine on --duration 60 "$@" >"$folder/said" 2>&1 &
	pid=$!
	wait_for_rows
	threads=0
	for status in /proc/"$pid"/task/*/status; do
		check_field "$status" CapPrm "$held"
		check_field "$status" CapEff "$held"
		check_field "$status" CapInh 0000000000000000
		check_field "$status" NoNewPrivs 1
		check_field "$status" Seccomp 2
		check_field "$status" Seccomp_filters 1
		threads=$((threads + 1))
	done
	[ $threads -gt $vcpus ] || fail "$threads threads for $vcpus vCPUs"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	pid=
	[ $status -eq 0 ] || fail "status $status: $(cat "$folder/said")"
	echo "$threads threads hold $held"
}

check_threads 0000000000000000
require_sys_nice
require_cpus 2
check_threads 0000000000800000 --realtime 1
