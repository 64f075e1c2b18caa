#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# deps.sh [vm|coverage] - install what building and testing need and what is missing, and nothing else; with `vm` also what
# tests in virtual machines need, with `coverage` what tells which branches were taken. Debian 12 or later, as root; anywhere else it says what is missing. Ends 0 when everything that is
# needed is there.

# package  what shows that it is there: a command, or a file the C compiler finds
needs='
gcc              command gcc
make             command make
libc6-dev        header stdio.h
pkg-config       command pkg-config
clang            command clang
llvm             command llvm-strip
libbpf-dev       library libbpf
libxdp-dev       library libxdp
libelf-dev       library libelf
zlib1g-dev       library zlib
libmnl-dev       library libmnl
libjansson-dev   library jansson
libinih-dev      library inih
libcmocka-dev    library cmocka
scdoc            command scdoc
gnuplot-nox      command gnuplot
xdp-tools        command xdp-loader
bpftool          command bpftool
iproute2         command ip
procps           command pgrep
iputils-ping     command ping
'
[ "$1" != vm ] || needs="$needs
qemu-system-x86  command qemu-system-x86_64
kmod             command depmod
cpio             command cpio
"
[ "$1" != coverage ] || needs="$needs
gcovr            command gcovr
"
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

present() { # KIND NAME
	case $1 in
	command) command -v "$2" >/dev/null ;;
	header) printf '#include <%s>\n' "$2" | gcc -E -x c - >/dev/null 2>&1 ;;
	library) pkg-config --exists "$2" 2>/dev/null ;;
	esac
}

missing_packages() {
	echo "$needs" | while read -r package kind name; do
		[ -z "$package" ] || present "$kind" "$name" || printf '%s ' "$package"
	done
}

install_packages() {
	export DEBIAN_FRONTEND=noninteractive
	echo "deps: apt-get update"
	apt-get update -qq || echo "deps: apt-get update failed; going on with the package lists that are there" >&2
	echo "deps: apt-get install -y --no-install-recommends $*"
	apt-get install -y -qq --no-install-recommends "$@" >/dev/null || {
		echo "deps: apt-get could not install: $*" >&2
		return 1
	}
}

missing=$(missing_packages)
if [ -z "$missing" ]; then
	echo "deps: everything needed is installed"
	exit 0
fi
echo "deps: missing: $missing"
if ! command -v apt-get >/dev/null; then
	echo "deps: this is not a Debian system; install what these packages hold by its own package manager" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "deps: installing needs root; run: apt-get install -y --no-install-recommends $missing" >&2
	exit 1
fi
# shellcheck disable=SC2086 # a list of words
install_packages $missing || exit 1
missing=$(missing_packages)
if [ -n "$missing" ]; then
	echo "deps: installed, but still not usable: $missing" >&2
	exit 1
fi
