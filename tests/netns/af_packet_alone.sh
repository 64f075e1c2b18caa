#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# af_packet_alone.sh - one program at a time has an interface by AF_PACKET, as every such program gets every frame and
# would refuse the others' connections; a program that is killed leaves nothing that keeps the next one out.
. "$(dirname "$0")/lib.sh"

net_direct
listening() { [ -s "$scratch/ready" ]; }
listen() { # PORT
	: >"$scratch/ready"
	net_start listener $B "$xlane" cat -v -l -k -i xl0 --driver af_packet "$1" </dev/null >"$scratch/got" 2>"$scratch/ready"
	wait_for 10 listening
}
call() { sh -c "echo line | nsenter --net=/run/netns/$A -- $xlane cat -i xl0 --driver af_packet $mac_b $1"; } # PORT

tap_true "a listener" listen 7000
in_b timeout 60 "$xlane" cat -l -i xl0 --driver af_packet 7001 </dev/null >"$scratch/out" 2>"$scratch/err"
tap_is "a second program is refused" "$? $(wc -l <"$scratch/err") $(grep -c 'another program uses it.*stop it' "$scratch/err")" "1 1 1"
tap_true "the first is reached" call 7000
net_stop listener KILL
tap_true "killed, it leaves the interface to the next" listen 7002
tap_true "which is reached" call 7002
net_stop listener
tap_is "and ends well at SIGTERM" $? 0
net_end
