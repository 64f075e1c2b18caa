#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_death.sh - the daemon is killed, whole and in part: ordinary traffic goes on, its clients get an error and do
# not hang, a new one serves at once, and the peers learn that it is a new one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

net_direct
tap_true "the daemons start" daemons_start --workers 2
kernel_traffic_start

busy_pair() { # connections of the client on A with the server on B, with more to do than there is time
	server_start server b --type message --conns 8 8000 &&
		crowd_start client a call --type message --conns 8 --count 1000000 --sizes 1:64-20000 --depth 4 \
			--quiet 100 $mac_b 8000 &&
		crowd_says client open
}
client_ended_by() { # NAME ERROR
	net_join "$1" 30
	tap_is "a client of it ends with an error" $? 1
	tap_true "  and is told $2" grep -q "^error $2" "$user/$1.out"
}
reachable() { client a "$bin/crowd" call --daemon --count 1 $mac_b 8001 >/dev/null 2>&1; }
served_again() { # WHEN: start the daemon of host B and a server; prints the time to the first new connection
	local since
	since=$(now_us)
	daemon_start b --workers 2
	tap_true "$1: the daemon starts again" daemon_ready b
	tap_true "$1: a new server listens" server_start second b --conns 100 8001
	tap_true "$1: it is reached" reachable
	echo "# figure: $1: from the start of the daemon to the first message echoed: $(ms_since "$since") ms"
	net_stop second >/dev/null
}

# --- both processes of one host ----------------------------------------------------------------
tap_true "a client is busy" busy_pair
worker=$(worker_process_of b)
kill -KILL "$worker" "$(helper_of b)"
net_join daemon_b 10
client_ended_by server ENETDOWN
tap_true "a new client is refused" sh -c "! '$xlane' workers --json --socket '$(socket_of b)' >/dev/null 2>&1"
tap_true "ping goes on" in_a ping -q -c 3 -i 0.05 -W 5 $ip_b
served_again "killed"
net_join client 60
tap_is "the client of the peer has an error" $? 1
tap_true "  one that says the connection is gone" grep -Eq '^error (ECONNRESET|EHOSTDOWN)' "$user/client.out"
cross_daemon "after the death" 2097152

# --- the worker process alone ------------------------------------------------------------------
tap_true "a client is busy again" busy_pair
kill -KILL "$(worker_process_of b)"
net_join daemon_b 30
tap_true "the helper ends with an error when the worker process dies" test $? -ne 0 -a $? -ne 124
client_ended_by server ENETDOWN
served_again "worker process killed"
net_join client 60

# --- the helper alone --------------------------------------------------------------------------
tap_true "a client is busy a third time" busy_pair
worker=$(worker_process_of b)
kill -KILL "$(helper_of b)"
net_join daemon_b 10
worker_gone() { ! kill -0 "$worker" 2>/dev/null; }
tap_true "the worker process ends when the helper dies" wait_for 30 worker_gone
client_ended_by server ENETDOWN
served_again "helper killed"
net_join client 60

# --- asked to end ------------------------------------------------------------------------------
tap_true "a client is busy a fourth time" busy_pair
daemon_stop b
tap_is "told to end it ends well" $? 0
client_ended_by server ENETDOWN
net_join client 60
tap_true "the peer's client is told at once" grep -q '^error ECONNRESET' "$user/client.out"

kernel_traffic_stop >"$scratch/disturbed"
tap_silent "ping and TCP were not disturbed by any of it" cat "$scratch/disturbed"
tap_silent "the census of the other host adds up" daemon_census_off a
daemon_stop a
tap_is "the other daemon ends well" $? 0
net_end
