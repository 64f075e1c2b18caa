#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_queues.sh - interfaces with two queues, joined directly and through a relay. The kernel spreads the relay's frames
# over queues by what it hashes, among it the VLAN id: several ids make for arrivals on both.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_relayed 1500 2
relay_start --loss 1 --reorder 1
tap_true "attach on both hosts" net_attach
cross "two queues" 8388608
tap_true "both queues are open" sh -c "'$tools/json_get' $scratch/cat-a.json driver | grep -q '2 queues'"
for id in 1 2 3 4 5; do
	cross "two queues, VLAN $id" 524288 --vlan $id
done
echo_messages "two queues" 1000 16384
relay_verdict "two queues" 10000 0 10000 0
tap_true "detach on both hosts" net_detach
net_end
