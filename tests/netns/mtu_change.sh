#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mtu_change.sh - the MTU changes under running transfers through two daemons: at both hosts, lower and higher; then only
# on the way between them, where what is too large is swallowed and nobody is told. Every byte is proved by both ends.
# limit: 600
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

net_relayed 3400
relay_start --seed 1
tap_true "the daemons start" daemons_start --workers 1

hosts_mtu() { ip_in $A link set xl0 mtu "$1" && ip_in $B link set xl0 mtu "$1"; }
middle_mtu() { ip_in $M link set toA mtu "$1" && ip_in $M link set toB mtu "$1"; }
port=8000
transfer_start() { # messages larger and smaller than a packet, both ways, on several connections
	port=$((port + 1))
	server_start server b --type message --conns 4 $port &&
		crowd_start client a call --type message --conns 4 --count 8000 --sizes 1:64-20000 --depth 4 $mac_b $port &&
		crowd_says client open
}
transfer_runs() { ! net_ended client; }
transfer_ends() { # NAME
	tap_silent "$1: the client ends well" crowd_off client $cross_seconds
	tap_silent "$1: the server ends well" crowd_off server $daemon_seconds
}
counted() { # HOST COUNTER LEAST
	[ "$(daemon_counter "$1" "engine/$2")" -ge "$3" ]
}

changed() { # FROM TO
	local before
	before=$(daemon_counter a engine/max_packet_out)
	tap_true "$1 to $2: a transfer runs" transfer_start
	tap_true "$1 to $2: the MTU of both hosts changes" hosts_mtu "$2"
	tap_true "$1 to $2: it still runs then" transfer_runs
	tap_true "$1 to $2: the peers are told" wait_for $daemon_seconds counted a max_packet_out $((before + 1))
	transfer_ends "$1 to $2"
}
changed 3400 1500
changed 1500 1280
middle_mtu 3400
changed 1280 3400

tap_true "black hole: a transfer runs" transfer_start
tap_true "black hole: the way takes 1400 bytes from now on, and says nothing" middle_mtu 1400
tap_true "black hole: it still runs then" transfer_runs
transfer_ends "black hole"
tap_true "black hole: it was noticed" counted a pmtu_lowered 1
tap_true "black hole: the way takes large packets again" middle_mtu 3400
tap_true "black hole: a transfer runs again" transfer_start
raised() { # a larger packet is tried while there are connections, at the latest after 30 s
	counted a pmtu_raised 1 && return
	transfer_runs || { crowd_off client $cross_seconds && crowd_off server $daemon_seconds && transfer_start; }
	return 1
}
tap_true "black hole: that is noticed, too" wait_for $daemon_seconds raised
transfer_ends "after the black hole"

tap_silent "the census of both daemons adds up" daemon_census_off a b
daemons_stop
relay_stop
net_end
