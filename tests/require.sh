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

# For the interpreter that the script names.
require_libclang() {
	/usr/bin/python3 -c 'import clang.cindex' 2>/dev/null && return
	echo 'SKIP: libclang for python3 is not installed (Debian package python3-clang)'
	exit 77
}

# A mount namespace of one's own: root, or a kernel that lets users have one.
require_private_mounts() {
	require_command unshare util-linux
	[ "$(id -u)" -ne 0 ] || map=
	unshare "-${map-r}m" mount -t tmpfs -o size=64k none /mnt 2>/dev/null && return
	echo 'SKIP: this user may not mount in a namespace of its own'
	exit 77
}

# require_cpus COUNT
require_cpus() {
	[ "$(nproc)" -ge "$1" ] && return
	echo "SKIP: $(nproc) CPUs, and $1 are needed"
	exit 77
}

require_sys_nice() {
	held=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
	[ $((0x$held >> 23 & 1)) -eq 1 ] && return
	echo 'SKIP: this user has no CAP_SYS_NICE'
	exit 77
}

# ptrace(2) of a child of one's own: seccomp filters of containers may forbid it.
require_ptrace() {
	python3 - <<-'EOF' && return
	import ctypes, os, subprocess, sys
	child = subprocess.Popen(["sleep", "60"])
	libc = ctypes.CDLL(None)
	bad = libc.ptrace(ctypes.c_long(0x4206), ctypes.c_long(child.pid), None, None)
	child.kill()
	child.wait()
	sys.exit(bad != 0)
	EOF
	echo 'SKIP: this user may not use ptrace'
	exit 77
}

# require_confined VMM
require_confined() {
	"$1" --help | grep -q '^  --confine .*(on)$' && return
	echo 'SKIP: this build is instrumented: what it calls, no filter knows'
	exit 77
}

# Sets $clang to a clang that can link libFuzzer and AddressSanitizer.
require_libfuzzer() {
	for clang in clang clang-14; do
		printf 'int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n; }\n' |
			"$clang" -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null && return
	done
	echo 'SKIP: no clang with libFuzzer (Debian packages clang-14, libclang-rt-14-dev)'
	exit 77
}

# require_emulated_amd BUILD: what hosts/enter needs for it.
require_emulated_amd() {
	require_command qemu-system-x86_64 qemu-system-x86
	[ -x /usr/lib/qemu/virtiofsd ] || {
		echo 'SKIP: no virtiofsd (Debian package qemu-system-common)'
		exit 77
	}
	require_emulated_kernel "$1"
}

# require_emulated_intel BUILD
require_emulated_intel() {
	require_command bochs-bin bochs
	for file in /usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so:bochs-term \
		    /usr/lib/ISOLINUX/isolinux.bin:isolinux \
		    /usr/lib/syslinux/modules/bios/ldlinux.c32:syslinux-common; do
		[ ! -r "${file%:*}" ] || continue
		echo "SKIP: no ${file%:*} (Debian package ${file#*:})"
		exit 77
	done
	require_emulated_kernel "$1"
}

# require_emulated_kernel BUILD
require_emulated_kernel() {
	for kernel in "$1"/hosts/kernel/boot/vmlinuz-* /boot/vmlinuz-*-cloud-amd64; do
		[ ! -r "$kernel" ] || return 0
	done
	echo 'SKIP: no kernel for an emulated machine (./run --on amd enter true fetches it)'
	exit 77
}
