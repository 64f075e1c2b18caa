#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_crowd.sh - fifty client programs at once through two workers, blocking and epoll, all types; then slow readers
# beside fast ones, in one program and in two: the fast ones finish while the slow ones stand still.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

programs=50
types=(stream message unordered datagram)
modes=(epoll block)
crowd_seconds=120

net_direct
tap_true "the daemons start" daemons_start --workers 2

# --- fifty at once -----------------------------------------------------------------------------
of_type() { # INDEX: the programs of that type, of two connections each
	local n=0
	for ((i = 0; i < programs; i++)); do
		[ $((i % 4)) != "$1" ] || n=$((n + 2))
	done
	echo $n
}
for t in 0 1 2 3; do
	tap_true "a server of ${types[t]} listens" \
		server_start "server_$t" b --type ${types[t]} --conns "$(of_type $t)" --slots 64 --seed 0 $((8000 + t))
done
for ((i = 0; i < programs; i++)); do
	t=$((i % 4))
	crowd_start "client_$i" a call --type ${types[t]} --mode ${modes[i / 4 % 2]} --conns 2 --count 50 \
		--bytes 2000000 --sizes 60:64-1024,35:1025-65536 --seed $((i + 1)) --slots 4 $mac_b $((8000 + t))
done
ended_badly() {
	for ((i = 0; i < programs; i++)); do crowd_off "client_$i" $crowd_seconds; done
}
tap_silent "$programs programs end well" ended_badly
for t in 0 1 2 3; do
	tap_silent "the server of ${types[t]} ends well" crowd_off "server_$t" $daemon_seconds
done
sum() { # NAME-PATTERN PATH
	for f in "$user"/$1.json; do json "$f" "$2"; done | awk '{ n += $1 } END { printf "%d", n }'
}
tap_is "every connection ended gracefully" "$(sum 'client_*' finished)" $((2 * programs))
tap_true "datagrams: most had an answer" test "$(sum 'client_*' lost)" -lt 50
tap_true "nothing is left in host A's daemon" wait_for 10 daemon_empty a
tap_true "nothing is left in host B's daemon" wait_for 10 daemon_empty b

# --- slow beside fast --------------------------------------------------------------------------
mkfifo -m 666 "$user/slow" "$user/slow2"
for type in stream message unordered; do
	name="$type, slow readers in the same program"
	server_start server b --type $type --work oneway --conns 10 --slow 3 --slow-bytes 100000 \
		--control "$user/slow" 8100
	crowd_start client a call --type $type --work oneway --conns 10 --count 300 --bytes 6000000 \
		--sizes 1:10000-30000 $mac_b 8100
	tap_true "$name: they stop reading" crowd_says server paused
	tap_true "$name: the others finish" crowd_says server 'fast done'
	tap_true "$name: the slow ones have not" test ! -s "$user/client.json" -a ! -s "$user/server.json"
	echo g >"$user/slow"
	tap_silent "$name: told to go on, all end well at the sender" crowd_off client $crowd_seconds
	tap_silent "$name: and at the reader" crowd_off server $daemon_seconds
done

name="a program that sleeps over its connection"
server_start sleeper b --type stream --mode block --work oneway --slow 1 --slow-bytes 100000 \
	--control "$user/slow2" 8200
crowd_start to_sleeper a call --type stream --mode block --work oneway --bytes 6000000 $mac_b 8200
tap_true "$name: it sleeps" crowd_says sleeper paused
crowd_pair "$name: others of the same daemon are served" --conns 4 --count 100 --sizes 1:64-65536
tap_true "$name: it still sleeps" test ! -s "$user/to_sleeper.json"
echo g >"$user/slow2"
tap_silent "$name: its peer ends well" crowd_off to_sleeper $crowd_seconds
tap_silent "$name: it ends well itself" crowd_off sleeper $daemon_seconds

tap_silent "the census adds up" daemon_census_off a b
tap_true "the daemons stop" daemons_stop
net_end
