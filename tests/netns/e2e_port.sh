#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_port.sh - ports: nobody there, another kind of connection there, and one connection after another on the same.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_direct
tap_true "attach on both hosts" net_attach
call() { in_a timeout 30 "$xlane" cat -i xl0 --timeout 5 $mac_b "$1" </dev/null >/dev/null 2>"$scratch/err"; } # PORT

net_start server $B "$examples/echo_server" -i xl0 7007 2>/dev/null
wait_for 10 in_a "$examples/echo_client" -i xl0 -c 1 $mac_b/7007 >/dev/null 2>&1
call 8
tap_is "a port where nobody listens refuses" "$? $(grep -ciE 'refused|nobody' "$scratch/err")" "1 1"
call 7007
tap_is "a port of another kind refuses" "$? $(grep -ciE 'kind|type' "$scratch/err")" "1 1"
for i in 1 2 3; do
	tap_true "client $i of one server" in_a "$examples/echo_client" -i xl0 -c 100 $mac_b/7007
done
tap_true "the server stops at SIGTERM" net_stop server

net_start keeper $B "$xlane" cat -l -k -i xl0 7000 </dev/null >"$scratch/got"
for i in 1 2 3; do
	tap_true "connection $i of a listener that stays" \
		sh -c "echo line $i | nsenter --net=/run/netns/$A -- $xlane cat -i xl0 $mac_b 7000"
done
tap_is "all lines are there" "$(tr '\n' ' ' <"$scratch/got")" "line 1 line 2 line 3 "
net_stop keeper
tap_true "detach on both hosts" net_detach
net_end
