#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_direct.sh - hosts joined directly, with two queues and every way of waiting.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_direct 1500 2
tap_true "attach on both hosts" net_attach
for how in adaptive sleep spin; do
	cross "waiting: $how" 4194304 --wait $how
done
cross "one queue of two" 4194304 --queues 1
tap_true "one queue is open" sh -c "'$tools/json_get' $scratch/cat-a.json driver | grep -q '1 queue[^s]'"
cross "few frames" 4194304 --frames 256
cross "without checksums" 4194304 --no-crc
echo_messages "direct" 2000 65536
tap_true "detach on both hosts" net_detach
net_end
