#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_upgrade.sh - the demux program is replaced several times under load, on both hosts, without a lost connection.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

net_direct 1500 2
tap_true "attach on both hosts" net_attach
tap_true "the daemons start" daemons_start --workers 2
kernel_traffic_start
for type in stream message; do
	port=$([ $type = stream ] && echo 8001 || echo 8002)
	tap_true "a server of $type listens" server_start server_$type b --type $type --conns 8 "$port"
done
crowd_start client_stream a call --type stream --conns 8 --bytes 40000000 --depth 4 $mac_b 8001
crowd_start client_message a call --type message --conns 8 --count 3000 --sizes 1:64-20000 --depth 4 $mac_b 8002
tap_true "streams run" crowd_says client_stream open
tap_true "messages run" crowd_says client_message open

bytes() { daemon_counter b "$1"; }
more_than() { [ "$(bytes channel/bytes_in)" -gt "$1" ]; }
replaced() { # HOST: another program than before, and data flows through it
	local before after seen
	before=$(program_of "$(ns_of "$1")")
	nsenter --net="/run/netns/$(ns_of "$1")" -- "$xlane" attach --replace xl0 || return 1
	after=$(program_of "$(ns_of "$1")")
	net_programs="$net_programs $after"
	[ "$before" != "$after" ] || { echo "program $before is still there"; return 1; }
	seen=$(bytes channel/bytes_in)
	wait_for 20 more_than "$seen"
}
for round in 1 2 3; do
	tap_true "replaced on host A, and data flows ($round)" replaced a
	tap_true "replaced on host B, and data flows ($round)" replaced b
done
tap_true "all this time there was load" test ! -s "$user/client_stream.json" -o ! -s "$user/client_message.json"
for type in stream message; do
	tap_silent "the client of $type ends well, nothing lost" crowd_off client_$type $cross_seconds
	tap_silent "the server of $type ends well" crowd_off server_$type $daemon_seconds
done
kernel_traffic_stop >"$scratch/disturbed"
tap_silent "ping and TCP were not disturbed" cat "$scratch/disturbed"
tap_silent "the census adds up" daemon_census_off a b
tap_true "the daemons stop" daemons_stop
net_end
