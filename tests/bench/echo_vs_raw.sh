#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# echo_vs_raw.sh - 64 byte round trips through xlane beside the same over bare AF_XDP rings, in turns, in one run.
#
#     +---- A ----+              +---- B ----+
#     |   xlecho  |==== veth ====|   xlecho  |      both ends spin
#     +-----------+              +-----------+
#
#     echo_vs_raw.sh [-r ROUNDS] [-n ROUND_TRIPS]
#
# Prints each round's figures, then the median of the rounds' medians of each, and their ratio. Asserts nothing about
# time. Needs root and two idle cores.

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
bin=$build/tests/bench
count=50000 rounds=3
while getopts n:r: c; do
	case $c in
	n) count=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) echo "usage: echo_vs_raw.sh [-r ROUNDS] [-n ROUND_TRIPS]" >&2; exit 2 ;;
	esac
done
[ "$(id -u)" = 0 ] || { echo "echo_vs_raw.sh: needs root" >&2; exit 1; }
for xlane in "$build/xlane" "$build/bin/xlane" ""; do [ -x "$xlane" ] && break; done
for program in "$xlane" "$bin/raw_pingpong" "$bin/xlane_pingpong"; do
	[ -x "$program" ] && continue
	echo "echo_vs_raw.sh: ${program:-xlane} is not built (BUILD= names the directory)" >&2
	exit 1
done

a=xlecho-a$$ b=xlecho-b$$ mac=02:00:00:00:be:0b peer= attached= lines=$(mktemp -d)
# Only the network namespace is entered: `ip netns exec` would hide the BPF file system.
within() { nsenter --net="/run/netns/$1" "${@:2}"; }
detach() {
	[ -n "$attached" ] || return 0
	within "$a" "$xlane" detach xlecho >/dev/null
	within "$b" "$xlane" detach xlecho >/dev/null
	attached=
}
clean_up() {
	[ -n "$peer" ] && kill "$peer" 2>/dev/null && wait "$peer" 2>/dev/null
	detach
	ip netns del "$a" 2>/dev/null
	ip netns del "$b" 2>/dev/null
	rm -rf "$lines"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

ip netns add "$a" && ip netns add "$b" || exit 1
ip -n "$a" link add xlecho type veth peer name xlecho address $mac netns "$b" || exit 1
for ns in "$a" "$b"; do
	within "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null
	ip -n "$ns" link set xlecho up || exit 1
done

# round PROGRAM [OPERAND]: the far end in B; when it is ready, the near end in A.
round() {
	local line
	exec {out}< <(exec nsenter --net="/run/netns/$b" "$bin/$1" -i xlecho -l)
	peer=$!
	read -r line <&"$out" && [ "$line" = ready ] || { echo "echo_vs_raw.sh: $1 -l did not start" >&2; exit 1; }
	line=$(within "$a" "$bin/$1" -i xlecho -j -n "$count" -b 64 "${@:2}") || exit 1
	kill "$peer" 2>/dev/null
	wait "$peer" 2>/dev/null
	peer=
	exec {out}<&-
	echo "$1 $line"
	sed 's/.*"p50_ns": \([0-9]*\).*/\1/' <<<"$line" >>"$lines/$1"
}
median() { sort -n "$lines/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for ((i = 0; i < rounds; i++)); do
	round raw_pingpong
	within "$a" "$xlane" attach xlecho >/dev/null && within "$b" "$xlane" attach xlecho >/dev/null || exit 1
	attached=yes
	round xlane_pingpong $mac
	detach
done
raw=$(median raw_pingpong) ours=$(median xlane_pingpong)
awk "BEGIN { printf \"64 byte round trip, p50 of $rounds rounds: raw %.2f us, xlane %.2f us, ratio %.2f\\n\", \
	$raw / 1000, $ours / 1000, $ours / $raw }"
