#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_clean.sh - files and messages between two hosts through a relay that does nothing but forward, beside the kernel's
# own traffic.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_relayed
tap_true "the relay starts" relay_start
tap_true "attach on both hosts" net_attach
tap_true "xdp-loader shows the program" sh -c "nsenter --net=/run/netns/$A -- xdp-loader status xl0 | grep -q xlane_demux"
tap_true "ping and TCP start" kernel_traffic_start
cross "clean link" 8388608
echo_messages "clean link" 2000 16384
cross "empty and odd" 0
cross "one byte" 1
kernel_traffic_stop >"$scratch/disturbed"
tap_silent "ping and TCP went on undisturbed ($ping_count answers, $tcp_bytes bytes)" cat "$scratch/disturbed"
relay_verdict "clean link" 0 0 0 0
tap_true "detach on both hosts" net_detach
net_end
