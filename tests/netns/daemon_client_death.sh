#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_client_death.sh - clients are killed in the middle of what they do: their connections are reset, their peers
# are told, and all they had comes back, as the daemon's own figures say; twenty times, and nothing has grown.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

rounds=20 conns=10
net_direct
tap_true "the daemons start" daemons_start --workers 2

# What the worker process has of the kernel: descriptors and mappings.
holdings() { # HOST
	local pid
	pid=$(worker_process_of "$1")
	echo "$(find "/proc/$pid/fd" -mindepth 1 | wc -l) descriptors," \
		"$(grep -c 'memfd:' "/proc/$pid/maps") mappings of memfds"
}
no_conns() { [ "$(daemon_conns "$1")" = 0 ]; }   # HOST
settled() { [ "$(holdings a) $(holdings b)" = "$1" ]; }
busy_client() { # NAME HOST TYPE: connections with much to do
	crowd_start "$1" "$2" call --type "$3" --conns $conns --count 1000000 --bytes 100000000000 --sizes 1:64-60000 \
		--depth 4 "$(mac_of "$(other_of "$2")")" 8000
	crowd_says "$1" open
}

serve_all() { # TYPE: a server that lives through all of it
	server_start server b --type "$1" --conns 4000 --slots 256 8000
}
before=
worst_a=0 worst_b=0
for type in stream message; do
	tap_true "$type: a server listens" serve_all $type
	for ((round = 1; round <= rounds / 2; round++)); do
		busy_client victim a $type || break
		net_stop victim KILL
		since=$(now_us)
		wait_for 20 daemon_empty a || break
		took=$(ms_since "$since")
		[ "$took" -le $worst_a ] || worst_a=$took
		wait_for 20 no_conns b || break
		took=$(ms_since "$since")
		[ "$took" -le $worst_b ] || worst_b=$took
		[ -n "$before" ] || before="$(holdings a) $(holdings b)"
	done
	tap_is "$type: $((rounds / 2)) clients killed, and all given back each time" "$round" $((rounds / 2 + 1))
	tap_is "$type: the server is told of each" "$(cat "$user/server.out")" "ready
error ECONNRESET"
	tap_true "$type: what the daemons have of the kernel is as after the first" wait_for 10 settled "$before"
	net_stop server >/dev/null
	tap_is "$type: it saw the end of each connection" "$(crowd_value server errors/ECONNRESET)" \
		$((rounds / 2 * conns))
done
echo "# figure: a client killed, $rounds times: its daemon has all back after $worst_a ms, its peer's $worst_b ms"

# The other way round: the client is told when the server is killed, and its daemon refuses the port from then on.
tap_true "a server listens" serve_all message
tap_true "a client is busy" busy_client client a message
net_stop server KILL
net_join client 30
tap_is "a client whose server is killed ends with an error" "$?" 1
tap_is "each of its connections was reset" "$(crowd_value client errors/ECONNRESET)" $conns
tap_is "the port of the dead is refused" "$(client a "$bin/crowd" call --daemon $mac_b 8000)" 'error ECONNREFUSED'
tap_true "and free again" serve_all message
crowd_start client a call --conns 4 $mac_b 8000
tap_silent "a new server on it is reached" crowd_off client $daemon_seconds
net_stop server >/dev/null

# Stopped, not dead: it keeps what it has, and nobody else is held up.
tap_true "a server listens again" serve_all message
tap_true "a client is busy again" busy_client victim a message
kill -STOP "${pid_of[victim]}"
crowd_start client a call --conns 4 $mac_b 8000
tap_silent "beside a client that is stopped another is served" crowd_off client $daemon_seconds
kill -KILL "${pid_of[victim]}"
net_join victim 10
tap_true "killed while stopped: all given back" wait_for 20 daemon_empty a
net_stop server >/dev/null

tap_true "nothing is left in host B's daemon" wait_for 20 daemon_empty b
tap_silent "the census adds up" daemon_census_off a b
tap_true "the daemons stop" daemons_stop
net_end
