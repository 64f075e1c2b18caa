#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_sanitized.sh - daemons built with the sanitizers of addresses and of threads, and a plain one: many clients at
# once, clients killed in the middle, a daemon killed under its clients. Nothing is lost, nothing leaks, and the
# sanitizers have nothing to say.
. "$(dirname "$0")/lib.sh"

crowd=$tools/crowd
[ -x "$build/bin/xlaned" ] && [ -x "$crowd" ] || $net_refuse "no bin/xlaned, or no tests/tools/crowd"
net_direct 1500 2
export XLANE_BPF_OBJECT=$build/bpf/xlane_demux.bpf.o
clients=12

daemon() { # NAME HOST: on a socket of its name
	: >"$scratch/$1.out"
	net_start "$1" "$2" "$xlaned" --interface xl0 --workers 2 --privileged-ports 0 --socket "$scratch/$1.sock" \
		>"$scratch/$1.out" 2>>"$scratch/$1.err"
	wait_for 30 grep -q '^xlaned: ready$' "$scratch/$1.out"
}
call() { # NAME CONNECTIONS COUNT
	net_start "$1" $A "$crowd" call --daemon --socket "$scratch/da.sock" --conns "$2" --count "$3" $mac_b 7 \
		>"$scratch/$1.out" 2>&1
}
serve() { # NAME CONNECTIONS COUNT
	: >"$scratch/$1.out"
	net_start "$1" $B "$crowd" serve --daemon --socket "$scratch/db.sock" --conns "$2" --count "$3" 7 >"$scratch/$1.out" 2>&1
	wait_for 20 grep -q '^ready$' "$scratch/$1.out"
}
counter() { "$tools/daemon_query" "$scratch/$1.sock" counters | awk -F'\t' -v name="$2" '$1 == name { print $2 }'; }
all_left() { [ "$(counter da daemon.attached)" = "$(counter da daemon.left)" ]; }
sent_some() { [ "$(counter da engine.bytes_out)" -gt $(($1 + 100000)) ]; }
unquiet() { grep -E 'Sanitizer|runtime error|WARNING|census|did not come home' "$scratch"/d?.err; }
# A line for each census that is not whole: all frames are free, or with the driver to receive into.
frames_off() {
	"$tools/daemon_query" "$scratch/$1.sock" census |
		awk -F'\t' '$1 !~ /^(free|fill)$/ && $2 > 0 { print $1 ": " $2 } { all += $2 } END { if (all != 8192) print "in all " all }'
}

for kind in bin san/bin tsan/bin; do
	xlaned=$build/$kind/xlaned
	[ -x "$xlaned" ] || { tap_skip "$kind" "not built"; continue; }
	rm -f "$scratch"/d?.err
	tap_true "$kind: two daemons" eval 'daemon da $A && daemon db $B'
	net_programs="$net_programs $(program_of $A) $(program_of $B)"

	tap_true "$kind: a server" serve many $clients 40
	for i in $(seq $clients); do call "c$i" 1 40; done
	failed=0
	for i in $(seq $clients); do net_join "c$i" 60 || failed=$((failed + 1)); done
	tap_is "$kind: of $clients clients at once none fails" $failed 0
	net_join many 60
	tap_is "$kind: nor their server" $? 0

	tap_true "$kind: a server for those to be killed" serve some 100 100000
	before=$(counter da engine.bytes_out)
	for i in 1 2 3 4; do call "k$i" 3 100000; done
	tap_true "$kind: they send" wait_for 30 sent_some "$before"
	for i in 1 2 3 4; do net_stop "k$i" KILL 2>/dev/null; done
	tap_true "$kind: killed clients give all back" wait_for 10 all_left
	tap_true "$kind: and their frames" wait_for 10 eval '[ -z "$(frames_off da)" ]'

	call orphan 3 100000
	before=$(counter da engine.bytes_out)
	tap_true "$kind: a client sends" wait_for 30 sent_some "$before"
	kill -KILL "$(pgrep -P "${pid_of[da]}")"
	net_join orphan 20
	tap_is "$kind: the daemon is killed, its client is told" "$? $(grep -c ENETDOWN "$scratch/orphan.out")" "1 1"
	net_join da 20
	tap_true "$kind: the next daemon" daemon da $A
	net_programs="$net_programs $(program_of $A)"
	net_stop some KILL 2>/dev/null
	for name in da db; do
		net_stop $name
		tap_is "$kind: $name ends as told" $? 0
	done
	tap_silent "$kind: nothing to complain of" unquiet
done
net_end
