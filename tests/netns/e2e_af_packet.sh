#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_af_packet.sh - the fallback that needs no XDP: alone, chosen by itself, and against a host with AF_XDP.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_relayed
relay_start
cross "AF_PACKET" 4194304 --driver af_packet
tap_true "it is AF_PACKET" sh -c "'$tools/json_get' $scratch/cat-a.json driver | grep -q '^af_packet'"
echo_messages "AF_PACKET" 500 16384 -D af_packet
cross "AF_PACKET, tagged" 1048576 --driver af_packet --vlan 100
relay_verdict "AF_PACKET" 0 0 0 0

relay_start --loss 5 --reorder 5 --duplicate 1 --corrupt 0.5
cross "AF_PACKET, 5 % loss" 4194304 --driver af_packet
relay_verdict "AF_PACKET, 5 % loss" 50000 10000 50000 5000

relay_start
tap_true "attach on one host" in_b "$xlane" attach xl0
net_programs="$net_programs $(program_of $B)"
random_file "$scratch/forth" 2097152
net_start listener $B "$xlane" cat -l -i xl0 --driver af_xdp 7000 </dev/null >"$scratch/got"
tap_true "AF_PACKET to AF_XDP" sh -c "nsenter --net=/run/netns/$A -- $xlane cat -i xl0 --driver af_packet $mac_b 7000 <$scratch/forth"
net_join listener 30
tap_true "AF_PACKET to AF_XDP: the same bytes" same_bytes "$scratch/forth" "$scratch/got"
tap_true "detach" in_b "$xlane" detach xl0
net_end
