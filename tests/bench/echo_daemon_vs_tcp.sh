#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# echo_daemon_vs_tcp.sh - 64 byte round trips through two daemons, both client programs asleep in recv, beside the
# kernel's TCP in blocking calls over the same interfaces, in turns (A B A B), in one run.
#
#     +------ A ------+                   +------ B ------+
#     | nobody: recv  |                   | nobody: recv  |
#     | xlaned | TCP  |====== veth =======| xlaned | TCP  |
#     +---------------+                   +---------------+
#
#     echo_daemon_vs_tcp.sh [-r ROUNDS] [-n ROUND_TRIPS]
#
# Prints each round's figures, then the medians of the rounds' p50 and p99 of both. Asserts nothing about time. Needs
# root; four processes take turns, so two idle cores are enough for figures that mean something.
net_refuse=refuse
refuse() { echo "echo_daemon_vs_tcp.sh: $*" >&2; exit 1; }
. "$(dirname "$0")/../netns/lib.sh"
. "$top/tests/netns/transfer.bash"
. "$top/tests/netns/daemon.bash"

count=20000 rounds=3
while getopts n:r: c; do
	case $c in
	n) count=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) refuse "usage: echo_daemon_vs_tcp.sh [-r ROUNDS] [-n ROUND_TRIPS]" ;;
	esac
done
bench=$build/tests/bench
for program in xlane_pingpong tcp_pingpong; do
	[ -x "$bench/$program" ] || refuse "$bench/$program is not built"
	cp "$bench/$program" "$bin" && chmod 755 "$bin/$program"
done

# round PROGRAM OPERAND [OPTIONS-OF-B OPTIONS-OF-A]: the far end on B; when it is ready, the near end on A.
round() {
	local program=$1 operand=$2 line
	: >"$scratch/far"
	client_start far b "$bin/$program" ${3:-} -l >"$scratch/far"
	wait_for 20 grep -q ready "$scratch/far" || refuse "$program -l does not start"
	# shellcheck disable=SC2086 # words
	line=$(client a "$bin/$program" ${4:-} -j -n "$count" -b 64 "$operand") || refuse "$program failed"
	net_join far 20 || refuse "$program -l ended badly"
	echo "$program $line"
	sed 's/.*"p50_ns": \([0-9]*\), "p99_ns": \([0-9]*\).*/\1 \2/' <<<"$line" >>"$scratch/$program"
}
median() { # PROGRAM COLUMN
	cut -d ' ' -f "$2" "$scratch/$1" | sort -n |
		awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] / 1000 }'
}

net_direct
daemons_start --workers 1 || refuse "the daemons do not start"
for ((i = 0; i < rounds; i++)); do
	round xlane_pingpong $mac_b "-D $(socket_of b)" "-D $(socket_of a)"
	round tcp_pingpong $ip_b
done
daemons_stop || refuse "the daemons end badly"
echo "64 byte echo, clients asleep in recv: xlane through daemons p50 $(median xlane_pingpong 1) us" \
	"p99 $(median xlane_pingpong 2) us, kernel TCP p50 $(median tcp_pingpong 1) us p99 $(median tcp_pingpong 2) us"
net_down
