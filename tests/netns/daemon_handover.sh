#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_handover.sh - a connection goes from process to process in the middle of a stream, by token, and no byte is
# lost or doubled; a token works once, and only a right one; after a fork the child's handles are dead, the parent's alive.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

total=4000000 step=700000
net_direct
tap_true "the daemons start" daemons_start --workers 2

part() { client a "$bin/handover" -n $total -s $step "$@"; }   # OPERANDS...
chain() { # one process after the other, until the last says that it is done
	local said used=
	said=$(part $mac_b 8000) || return 1
	while [ "$said" != done ]; do
		used=${said%% *}
		# shellcheck disable=SC2086 # three words
		said=$(part $said) || return 1
		processes=$((processes + 1))
	done
	token=$used
}
for try in 1 2 3; do
	processes=1 token=
	tap_true "a server of streams listens ($try)" server_start server b --type stream 8000
	tap_true "a stream goes through several processes, every byte in its place ($try)" chain
	tap_is "  six of them" $processes 6
	tap_silent "  and the server has seen one connection with a good end ($try)" crowd_off server $daemon_seconds
done

refused() { ! part "$1" 100 50 2>&1; }   # TOKEN: what it says
tap_found "a token works once" 'take: ' refused "$token"
tap_found "a token of zeros is none" 'take: ' refused "$(printf '0%.0s' {1..64})"

# Given and never taken: reset after its time, and the peer is told.
tap_true "a server of streams listens once more" server_start server b --type stream 8000
tap_true "a connection is given, and nobody takes it" part $mac_b 8000
tap_true "its peer is told in the end" crowd_says server 'error ECONNRESET'
net_join server 30
tap_is "it is counted" "$(daemon_counter a channel/untaken)" 1

client_start echo b "$bin/xlane" ping -l --daemon 8003 >"$scratch/echo.out" 2>&1
listens() { client a "$bin/xlane" ping --daemon -c 1 $mac_b 8003 >/dev/null 2>&1; }
tap_true "xlane ping answers" wait_for $daemon_seconds listens
client a "$bin/forked" "$(socket_of a)" $mac_b/8003 >"$scratch/forked" 2>&1
tap_is "a client that forks: its own tests pass" "$? $(grep -v '^ok\|^1\.\.' "$scratch/forked")" "0 "
net_stop echo >/dev/null

tap_true "nothing is left in host A's daemon" wait_for 20 daemon_empty a
tap_true "nothing is left in host B's daemon" wait_for 20 daemon_empty b
tap_silent "the census adds up" daemon_census_off a b
tap_true "the daemons stop" daemons_stop
net_end
