#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_vlan.sh - hosts that tag their frames themselves, with one tag and with two, and hosts in different VLANs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_relayed
relay_start --loss 2 --reorder 2
tap_true "attach on both hosts" net_attach

# Bytes 12.. of the first frame in a pcap file: behind the file's and the record's header.
tags_of() { od -An -v -tx1 -j $((24 + 16 + 12)) -N "$2" "$1" | tr -d ' \n'; } # FILE BYTES

cross "one tag" 2097152 --vlan 100
net_start listener $B "$xlane" cat -l -i xl0 --vlan 100 7000 </dev/null >"$scratch/got"
tap_true "one tag: a line crosses" sh -c "echo tagged | nsenter --net=/run/netns/$A -- $xlane cat -i xl0 --vlan 100 \
	--pcap $scratch/one.pcap $mac_b 7000"
net_join listener 30
tap_is "one tag: it is 802.1Q with id 100" "$(tags_of "$scratch/one.pcap" 6)" 8100006488b5

cross "two tags" 2097152 --vlan ad200,q100
net_start listener $B "$xlane" cat -l -i xl0 --vlan ad200,q100 7000 </dev/null >"$scratch/got"
tap_true "two tags: a line crosses" sh -c "echo tagged | nsenter --net=/run/netns/$A -- $xlane cat -i xl0 --vlan ad200,q100 \
	--pcap $scratch/two.pcap $mac_b 7000"
net_join listener 30
tap_is "two tags: they are 802.1ad with id 200, then 802.1Q with id 100" "$(tags_of "$scratch/two.pcap" 10)" 88a800c88100006488b5
echo_messages "one tag" 500 16384 -V 100

net_start listener $B "$xlane" cat -l -i xl0 --json "$scratch/other.json" --vlan 101 7000 </dev/null >"$scratch/got"
in_a "$xlane" cat -i xl0 --vlan 100 --timeout 2 $mac_b 7000 </dev/null 2>"$scratch/err"
tap_is "another VLAN: no connection" "$? $(grep -c 'no answer' "$scratch/err")" "1 1"
net_stop listener
tap_true "another VLAN: counted" test "$(json "$scratch/other.json" counters/link.rx_other_vlan)" -gt 0

relay_verdict "tagged" 20000 0 20000 0
tap_true "detach on both hosts" net_detach
net_end
