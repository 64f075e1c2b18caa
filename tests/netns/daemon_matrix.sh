#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_matrix.sh - daemons with 1, 2 and 4 workers, all frames on one queue and spread over four: files, messages of
# every type, every worker at work, beside the kernel's own traffic.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

relink() { # QUEUES
	ip_in $A link del xl0
	link $A xl0 $mac_a $B xl0 $mac_b 1500 "$1"
	address_hosts
}
idle_workers() { # HOST: a line for each worker that has received nothing
	daemon_each "$1" rx_packets | awk '$1 < 1 { print "worker " NR - 1 " has received nothing" }
		END { if (!NR) print "no figures of workers" }'
}
one() { # WORKERS QUEUES
	local name="$1 workers, $2 queues"
	tap_true "$name: the daemons start" daemons_start --workers "$1" || return
	tap_is "$name: so many workers are there" "$(daemon_each a worker | wc -l)" "$1"
	kernel_traffic_start
	cross_daemon "$name" 8388608
	crowd_pair "$name: messages and their echoes" --conns 32 --count 40 \
		--sizes 60:64-1024,35:1025-65536,5:65537-262144
	crowd_pair "$name: unordered messages" --conns 8 --count 40 --type unordered \
		--sizes 9:64-16384,1:65537-200000 -- --depth 8
	crowd_pair "$name: streams" --conns 8 --type stream --bytes 1000000 -- --depth 4
	crowd_pair "$name: datagrams" --conns 8 --count 40 --type datagram --sizes 1:64-65536
	tap_silent "$name: each worker of A had traffic" idle_workers a
	tap_silent "$name: each worker of B had traffic" idle_workers b
	tap_silent "$name: the census adds up" daemon_census_off a b
	kernel_traffic_stop >"$scratch/disturbed"
	tap_silent "$name: ping and TCP beside it are not disturbed" cat "$scratch/disturbed"
	tap_true "$name: the daemons stop" daemons_stop
}

net_direct 1500 1
for queues in 1 4; do
	[ $queues = 1 ] || relink $queues
	for workers in 1 2 4; do
		one $workers $queues
	done
done
net_end
