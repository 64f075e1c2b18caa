#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_idle.sh - what a daemon with two workers and 1,000 idle connections costs: time on a core of both its processes
# over 30 seconds, as the kernel counts it, at most half a percent of one core.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

programs=20 conns=50 seconds=30 percent=0.5
many_conns=(--recv-memory-mib 1024 --connections 2048)   # memory is promised, and touched only when used
net_direct
tap_true "the daemons start" daemons_start --workers 2 "${many_conns[@]}"
servers=4
for ((i = 0; i < servers; i++)); do
	tap_true "server $i listens" server_start "server_$i" b --work hold --conns $((programs / servers * conns)) \
		--slots 256 --channel-kib 16 $((8000 + i))
done
for ((i = 0; i < programs; i++)); do
	crowd_start "client_$i" a call --work hold --conns $conns --slots $conns --channel-kib 16 \
		$mac_b $((8000 + i % servers))
done
not_open() {
	for ((i = 0; i < programs; i++)); do
		crowd_says "client_$i" open || echo "client $i: $(cat "$user/client_$i.err")"
	done
}
tap_silent "$((programs * conns)) connections are open" not_open
tap_is "the daemon of host A has them" "$(daemon_conns a)" $((programs * conns))
tap_is "the daemon of host B has them" "$(daemon_conns b)" $((programs * conns))

# Nanoseconds on a core of all threads of both processes.
spent_ns() { # HOST
	cat /proc/"$(helper_of "$1")"/task/*/schedstat /proc/"$(worker_process_of "$1")"/task/*/schedstat |
		awk '{ n += $1 } END { printf "%.0f", n }'
}
begun=$(now_us) a=$(spent_ns a) b=$(spent_ns b)
sleep $seconds   # this is what is measured: nothing happens
a=$(($(spent_ns a) - a)) b=$(($(spent_ns b) - b)) took=$(($(now_us) - begun))
of_core() { awk -v ns="$1" -v us=$took 'BEGIN { printf "%.3f", ns / us / 10 }'; }
echo "# figure: idle daemon, two workers, $((programs * conns)) connections, $seconds s:" \
	"$(of_core $a) % and $(of_core $b) % of one core (A, B)"
cheap() { awk -v is="$(of_core "$1")" -v at_most=$percent 'BEGIN { exit !(is <= at_most) }'; }
tap_true "the daemon of host A takes at most $percent % of one core" cheap $a
tap_true "the daemon of host B takes at most $percent % of one core" cheap $b
tap_is "all connections are still there" "$(daemon_conns a) $(daemon_conns b)" \
	"$((programs * conns)) $((programs * conns))"

for ((i = 0; i < programs; i++)); do kill -TERM "${pid_of[client_$i]}"; done
ended_badly() {
	for ((i = 0; i < programs; i++)); do crowd_off "client_$i" $daemon_seconds; done
	for ((i = 0; i < servers; i++)); do crowd_off "server_$i" $daemon_seconds; done
}
tap_silent "all end well" ended_badly
tap_true "nothing is left in host A's daemon" wait_for 20 daemon_empty a
tap_silent "the census adds up" daemon_census_off a b
tap_true "the daemons stop" daemons_stop
net_end
