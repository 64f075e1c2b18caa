#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# raw.sh - the limit of this machine: bare AF_XDP rings over a veth pair between two namespaces.
#
#     +---- A ----+              +---- B ----+
#     |   xlraw   |==== veth ====|   xlraw   |      MTU 9000
#     +-----------+              +-----------+
#
#     raw.sh [-n ROUND_TRIPS] [-t SECONDS] [-j]
#
# Ping-pong of 64 bytes with both ends spinning, then with both sleeping in poll; then frames of 64, 1514 and 9014 bytes
# one way. Needs root and two idle cores.

cd "$(dirname "$0")/../.." || exit 1
bin=${BUILD:-build}/tests/bench
count=100000 seconds=3 json=
while getopts n:t:j c; do
	case $c in
	n) count=$OPTARG ;;
	t) seconds=$OPTARG ;;
	j) json=-j ;;
	*) echo "usage: raw.sh [-n ROUND_TRIPS] [-t SECONDS] [-j]" >&2; exit 2 ;;
	esac
done
[ "$(id -u)" = 0 ] || { echo "raw.sh: needs root" >&2; exit 1; }

a=xlraw-a$$ b=xlraw-b$$ peer=
clean_up() {
	[ -n "$peer" ] && kill "$peer" 2>/dev/null && wait "$peer" 2>/dev/null
	ip netns del "$a" 2>/dev/null
	ip netns del "$b" 2>/dev/null
}
trap clean_up EXIT
trap 'exit 130' INT TERM

ip netns add "$a" && ip netns add "$b" || exit 1
ip -n "$a" link add xlraw mtu 9000 type veth peer name xlraw mtu 9000 netns "$b" || exit 1
for ns in "$a" "$b"; do
	ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null
	ip -n "$ns" link set xlraw up || exit 1
done

# start PROGRAM OPTION...: the far end, in B; returns when it is ready.
start() {
	local line
	exec {out}< <(exec nsenter --net="/run/netns/$b" "$bin/$1" -i xlraw -l "${@:2}")
	peer=$!
	read -r line <&"$out" && [ "$line" = ready ] && return
	echo "raw.sh: $1 -l did not start" >&2
	exit 1
}

# near PROGRAM OPTION...: the near end, in A, in the foreground.
near() { nsenter --net="/run/netns/$a" "$bin/$1" -i xlraw "${@:2}" || exit 1; }

for how in spin sleep; do
	mode=()
	[ $how = sleep ] && mode=(-s)
	start raw_pingpong "${mode[@]}"
	echo "# ping-pong, both ends $how"
	near raw_pingpong "${mode[@]}" $json -n "$count" -b 64
	kill "$peer" && wait "$peer"
	peer=
	exec {out}<&-
done
for bytes in 64 1514 9014; do
	start raw_oneway $json
	echo "# one way, frames of $bytes bytes"
	near raw_oneway $json -b "$bytes" -t "$seconds"
	cat <&"$out"
	wait "$peer"
	peer=
	exec {out}<&-
done
