#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# image.sh FILE VERSION KERNEL-TREE TEST... - an initramfs, in FILE, that runs these tests: this machine's commands and
# their libraries, the tests and what is built for them, the modules of the kernel, and tests/vm/init.
#
# All is in memory, so a kernel needs no driver to come up. The tree has the path in there that it has here.

set -eu -o pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."
top=$PWD
PATH=$PATH:/usr/sbin:/sbin
file=$(realpath -m "$1") version=$2 kernel=$(realpath "$3")
shift 3

# What tests call. What this machine does not have is left out; the tests say so.
commands='[ awk basename bash bpftool cat chgrp chmod chown cmp comm cp cut date dd df diff dirname dmesg du echo env expr
	false find flock free getent grep head hostname id ip kill ln ls lsmod mkdir mkfifo mknod mktemp modprobe mount mv nice nl
	nproc nsenter od paste perl pgrep ping pkill printf ps pwd readlink realpath rm rmdir script sed seq setpriv setsid sh
	sha256sum sleep sort ss stat stdbuf stty sync sysctl tail tar taskset tc tee test timeout top touch tr true truncate
	umount uname uniq unshare wc xargs xdp-loader yes'
# A compiler is large: only for tests that call it.
if grep -qw clang "$@"; then commands="$commands clang llvm-strip"; fi
# Found at run time by name.
data='/usr/lib/*/perl-base /usr/lib/*/bpf /usr/lib/*/libgcc_s.so.1 /usr/lib/*/libnss_files.so.2 /etc/passwd /etc/group
	/etc/nsswitch.conf /etc/protocols /etc/services /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d'
modules='veth 8021q dummy sch_ingress sch_netem xsk_diag virtio_net virtio_pci'

# Paths in, paths out: each by its real directory, and what it links to, and so on.
with_targets() {
	local path
	while read -r path; do
		while [ -e "$path" ]; do
			path=$(realpath "$(dirname "$path")")/$(basename "$path")
			echo "$path"
			[ -L "$path" ] || break
			path=$(cd "$(dirname "$path")" && readlink "$path" | sed "s|^[^/]|$PWD/&|")
		done
	done
}
# What a program needs, by the loader's word.
with_libraries() {
	tee >(xargs -d '\n' ldd 2>/dev/null | sed -n -e 's/.* => \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
		sort -u)
}
with_parents() {
	awk '{ n = split($0, part, "/"); path = ""
		for (i = 2; i < n; i++) { path = path "/" part[i]; print path } print }' | sort -u
}
programs() {
	local name
	for name in $commands; do type -P -- "$name" || true; done
	[ ! -d build/san/bin ] || find "$top/build/san/bin" -type f
	find "$top/build/bin" "$top/build/tests" "$top/build/examples" -type f ! -name '*.log'
}
links() { local l; for l in /bin /sbin /lib /lib32 /lib64 /libx32; do [ ! -L $l ] || echo $l; done; }
system() {
	programs | with_libraries | cat
	for name in $data; do [ ! -e "$name" ] || find "$name" ! -type d; done
	find "$top/tests" "$top/build/bpf" "$top/Makefile" "$top/user/daemon" -type f ! -name '*.o.d'
}
pack() { cpio -o -H newc --quiet --owner=+0:+0; }

{
	{ system | with_targets; links; } | with_parents | sed 's|^/||' | (cd / && pack)

	depmod -b "$kernel" "$version"
	# shellcheck disable=SC2086 # words
	{
		printf '%s\n' lib/modules "lib/modules/$version" "lib/modules/$version/kernel"
		cd "$kernel"
		find lib/modules/"$version" -maxdepth 1 -name 'modules.*'
		for module in $modules; do
			modprobe -d "$kernel" -S "$version" --show-depends $module 2>/dev/null || true
		done | sed -n "s|^insmod $kernel/\([^ ]*\).*|\1|p" | sed 's|^|/|' | with_parents | sed -n 's|^/\(lib/modules/.\)|\1|p'
	} | sort -u | (cd "$kernel" && pack)

	made=$(mktemp -d)
	trap 'rm -rf "$made"' EXIT
	mkdir -p "$made/usr/lib/modules" "$made/dev" "$made/proc" "$made/sys" "$made/run" "$made/tmp" "$made/root"
	cp "$top/tests/vm/init" "$made/init"
	(cd "$made" && printf '%s\n' dev proc sys run tmp root init | pack)
} >"$file.new"
mv "$file.new" "$file"
