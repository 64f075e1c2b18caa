#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_jumbo.sh - an MTU of 9000: packets of several frames, where the kernel can (6.6 and later).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_relayed 9000
relay_start --loss 2 --reorder 2 --duplicate 1 --corrupt 1
tap_true "attach on both hosts" net_attach
cross "MTU 9000" 16777216
if "$tools/json_get" "$scratch/cat-a.json" driver | grep -q multi-buffer; then
	tap_is "the MTU is used" "$(json "$scratch/cat-a.json" mtu)" 9000
	tap_true "packets are larger than one frame" sh -c "'$tools/json_get' $scratch/cat-a.json counters/drv.tx_bytes \
		counters/drv.tx_packets | tr '\n' ' ' | awk '{ exit !(\$1 / \$2 > 4096) }'"
else
	tap_skip "the MTU is used" "this kernel has no multi-buffer AF_XDP"
	tap_skip "packets are larger than one frame" "this kernel has no multi-buffer AF_XDP"
fi
echo_messages "MTU 9000" 1000 65536
cross "MTU 9000, both agree on less" 2097152 --mtu 4000
relay_verdict "MTU 9000" 20000 10000 20000 10000
tap_true "detach on both hosts" net_detach
net_end
