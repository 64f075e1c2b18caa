#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh [TEST...] - tests on other kernels than this machine's: each kernel of KERNELS is booted in a virtual machine, with
# this machine's programs in its memory, and runs the tests. Ends with "N passed, N failed, N skipped", over all kernels.
#
#   KERNELS   packages of kernels, as apt names them (linux-image-cloud-amd64), or files *.deb; they are unpacked under
#             build/vm, not installed
#   CPUS=2 MEMORY=3072 (MiB)   of a virtual machine
#   ACCEL=tcg kvm, where that works, is ten to thirty times as fast as emulation
#   VM_LIMIT=3600   seconds for the tests of one kernel;   LIMIT=1200   for one test
#
# One machine runs at a time.

set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
kernels=${KERNELS:-linux-image-cloud-amd64 linux-image-6.12-cloud-amd64}
accel=${ACCEL:-tcg} cpus=${CPUS:-2} memory=${MEMORY:-3072} vm_limit=${VM_LIMIT:-3600} limit=${LIMIT:-1200}
boot_seconds=180
kept=build/vm
passed=0 failed=0 skipped=0
machine= tree=

die() { echo "vm: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "not root, and tests run with what root can read; run: sudo make vm"
[ "$(uname -m)" = x86_64 ] || die "this machine is not x86_64, and what is built here runs on no kernel for it"
case $top in *[\ ,\"]*) die "the path of the tree has a blank or a comma in it; move it" ;; esac
for tool in qemu-system-x86_64 depmod cpio dpkg-deb; do
	PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || die "no $tool; run: tests/tools/deps.sh vm"
done
tests=("$@")
[ ${#tests[@]} -gt 0 ] || mapfile -t tests <tests/vm/default
for test in "${tests[@]}"; do
	[ -f "$test" ] && [ -x "$test" ] || die "no test $test; name them as tests/run does, from the top of the tree"
done
free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
[ "$free" -gt "$memory" ] || die "$free MiB of memory are free and a machine takes $memory; set MEMORY to less, at least 1024"

stop() {
	trap '' INT TERM HUP
	[ -z "$machine" ] || { kill "$machine"; wait "$machine"; } 2>/dev/null
	[ -z "$tree" ] || rm -f "$tree"/initramfs*
	echo
	echo "vm: interrupted" >&2
	exit 130
}
trap stop INT TERM HUP

# --- kernels -----------------------------------------------------------------------------------
# The package that a name without a version stands for.
package_of() { # NAME
	local next
	next=$(apt-cache depends "$1" 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
	echo "${next:-$1}"
}
# KERNEL: sets tree, where it is unpacked, and version.
get_kernel() {
	local name=$1 deb=
	case $name in
	*.deb) deb=$(realpath "$name"); name=$(basename "$name" .deb) ;;
	*) name=$(package_of "$name") ;;
	esac
	tree=$top/$kept/$name
	if [ ! -e "$tree/unpacked" ]; then
		rm -rf "$tree"
		mkdir -p "$tree"
		if [ -z "$deb" ]; then
			echo "vm: fetching $name"
			(cd "$tree" && apt-get -qq download "$name" 2>"$tree/apt.err") || {
				sed 's/^/  | /' "$tree/apt.err"
				echo "vm: apt can not fetch $name; run: apt-get update && apt-cache search ^linux-image-"
				return 1
			}
			deb=$(echo "$tree"/*.deb)
		fi
		dpkg-deb -x "$deb" "$tree" && rm -f "$tree"/*.deb && touch "$tree/unpacked" || return 1
	fi
	version=$(cd "$tree/lib/modules" && echo *)
	[ -f "$tree/boot/vmlinuz-$version" ] || { echo "vm: $name holds no kernel"; return 1; }
}

# --- a machine ---------------------------------------------------------------------------------
boot() { # LOGS
	nice -n 10 qemu-system-x86_64 -M q35 -accel "$accel" -cpu max,la57=off -smp "$cpus" -m "$memory" -nodefaults -no-user-config \
		-display none -no-reboot -net none -kernel "$tree/boot/vmlinuz-$version" -initrd "$tree/initramfs" \
		-append "console=ttyS0 panic=-1 oops=panic quiet xlane.top=$top xlane.limit=$limit xlane.tests=$(IFS=,; echo "${tests[*]}")" \
		-serial "file:$1/console" -serial "file:$1/output" -serial "file:$1/logs.tar" </dev/null 2>"$1/qemu.err" &
	machine=$!
}
ended() { ! kill -0 $machine 2>/dev/null; }

# Shows the output as it comes, until the machine is off or its time is over; sets problem.
watch() { # LOGS
	local since=$SECONDS shown
	problem=
	tail -n +1 -f --pid=$machine "$1/output" 2>/dev/null &
	shown=$!
	until ended; do
		if [ $((SECONDS - since)) -ge "$vm_limit" ]; then
			problem="it took longer than $vm_limit s; give it more with VM_LIMIT=, or fewer tests with TESTS="
		elif [ ! -s "$1/output" ] && [ $((SECONDS - since)) -ge $boot_seconds ]; then
			problem="it has not come up after $boot_seconds s; see $1/console"
		fi
		[ -z "$problem" ] || kill $machine
		[ -z "$problem" ] || break
		sleep 0.2
	done
	wait $machine 2>/dev/null
	machine=
	wait $shown 2>/dev/null
	[ -n "$problem" ] || grep -q '^vm: end [01]' "$1/output" || problem="it ended before its tests did; see $1/console"
}

run_kernel() { # KERNEL
	local logs pass fail skip
	get_kernel "$1" || { failed=$((failed + 1)); return; }
	logs=$kept/log/$version
	rm -rf "$logs"
	mkdir -p "$logs"
	echo "vm: $version: making its image"
	tests/vm/image.sh "$tree/initramfs" "$version" "$tree" "${tests[@]}" || die "the image can not be made"
	echo "vm: $version: booting"
	: >"$logs/output"
	boot "$logs"
	watch "$logs"
	rm -f "$tree/initramfs"
	[ ! -s "$logs/logs.tar" ] || { tar -C "$logs" -xf "$logs/logs.tar" && rm -f "$logs/logs.tar"; }
	read -r pass fail skip < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped.*/\1 \2 \3/p' "$logs/output" | tail -1)
	if [ -n "$problem" ]; then
		echo "vm: $version: $problem"
		sed 's/^/  | /' "$logs/qemu.err"
		tail -n 20 "$logs/console" | sed 's/^/  | /'
		fail=$((${fail:-0} + 1))
	fi
	passed=$((passed + ${pass:-0})) failed=$((failed + fail)) skipped=$((skipped + ${skip:-0}))
	echo "vm: $version: ${pass:-0} passed, $fail failed, ${skip:-0} skipped; logs in $logs"
}

for kernel in $kernels; do
	run_kernel "$kernel"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
