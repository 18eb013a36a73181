#!/bin/sh
# SPDX-License-Identifier: MIT
# run_svm.sh - the main job inside an emulated AMD machine, for hosts without
# /dev/kvm and to test on kvm-amd: QEMU's TCG emulates SVM, Debian's cloud kernel
# boots with an initramfs of busybox, kvm-amd and a static vmm.
#
#   run_svm.sh WORK [--npt 0|1] [--kernel-args TEXT] [vmm options]
#
# svm_wakes_us=US among TEXT is for init: two processes that wake up so often, and
# preempt.
# WORK keeps the static build, the kernel and the archive of results. --out DIR
# of vmm is honoured here. Everything there is emulated: slices of 20 ms unless
# --slice-us says otherwise. Exit status: that of vmm; 125 when it did not run.
set -eu

here=$(dirname -- "$(readlink -f -- "$0")")
root=$(readlink -f -- "$here/../..")
work=$1
shift

say() { printf 'run: %s\n' "$*" >&2; }
die() { say "$*"; exit 125; }

npt=1
kernel_args=
out=./out
slice='--slice-us
20000
'
arguments=
while [ $# -gt 0 ]; do
	case $1 in
	--npt) npt=$2; shift 2 ;;
	--kernel-args) kernel_args=$2; shift 2 ;;
	--out) out=$2; shift 2 ;;
	--out=*) out=${1#--out=}; shift ;;
	*)
		case $1 in --slice-us*) slice= ;; esac
		arguments="$arguments$1
"
		shift ;;
	esac
done

mkdir -p "$work"
work=$(readlink -f -- "$work")

build_vmm() {
	[ -e "$work/static/build.ninja" ] ||
		meson setup "$work/static" "$root" -Dc_link_args=-static -Dprefer_static=true \
			>"$work/setup.log" 2>&1 || die "could not configure: $work/setup.log"
	ninja -C "$work/static" --quiet vmm >"$work/build.log" 2>&1 ||
		die "could not build: $work/build.log"
}

# The package is unpacked, not installed: the host's boot loader is not touched.
fetch_kernel() {
	[ -e "$work/kernel/done" ] && return
	rm -rf "$work/kernel"
	mkdir -p "$work/kernel"
	package=$(apt-cache depends linux-image-cloud-amd64 |
		sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$package" ] || die 'no linux-image-cloud-amd64 in the package lists (apt-get update)'
	(cd "$work/kernel" && apt-get download "$package") >"$work/kernel.log" 2>&1 ||
		die "could not fetch $package: $work/kernel.log"
	dpkg -x "$work"/kernel/linux-image-*.deb "$work/kernel"
	touch "$work/kernel/done"
}

make_initramfs() {
	tree=$work/initramfs
	rm -rf "$tree"
	mkdir -p "$tree/bin" "$tree/proc" "$tree/sys" "$tree/dev"
	cp /bin/busybox "$tree/bin/busybox"
	cp "$work/static/vmm" "$here/init" "$tree/"
	for module in irqbypass kvm kvm-amd; do
		find "$work/kernel" -name "$module.ko" -exec cp {} "$tree/" \;
	done
	printf '%s%s' "$slice" "$arguments" >"$tree/arguments"
	chmod 755 "$tree/init" "$tree/vmm"
	(cd "$tree" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initramfs.gz"
}

boot() {
	rm -f "$work/results.tar"
	qemu-system-x86_64 -accel tcg,thread=multi -cpu EPYC,+svm,+npt -m 1024 -smp 2 \
		-display none -no-reboot -nodefaults -serial stdio \
		-serial "file:$work/results.tar" \
		-kernel "$work"/kernel/boot/vmlinuz-* -initrd "$work/initramfs.gz" \
		-append "console=ttyS0 panic=-1 quiet mitigations=off svm_npt=$npt $kernel_args" \
		</dev/null 2>"$work/qemu.log" | tr -d '\r' | tee "$work/console" |
		sed -u -n '/^SVM-BEGIN/,/^SVM-STATUS/{/^SVM-/!p}'
}

build_vmm
fetch_kernel
make_initramfs
boot
status=$(sed -n 's/^SVM-STATUS \([0-9]*\)$/\1/p' "$work/console")
[ -n "$status" ] || die "the emulated machine did not finish: $work/console"
if [ -s "$work/results.tar" ]; then
	mkdir -p "$out"
	tar -xf "$work/results.tar" -C "$out"
fi
exit "$status"
