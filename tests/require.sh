# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# require.sh - sourced by script tests: the only way to a SKIP, with its reason.

require_kvm() {
	[ -r /dev/kvm ] && [ -w /dev/kvm ] && return
	if [ -e /dev/kvm ]; then
		echo 'SKIP: /dev/kvm is not open to this user'
	else
		echo 'SKIP: no /dev/kvm'
	fi
	exit 77
}

# require_command COMMAND PACKAGE
require_command() {
	command -v "$1" >/dev/null && return
	echo "SKIP: $1 is not installed (Debian package $2)"
	exit 77
}
