#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_lossy.sh - the same over links that lose, reorder, duplicate and corrupt; in bursts; with delay and a small queue.
# limit: 600
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_relayed
tap_true "attach on both hosts" net_attach

relay_start --loss 5 --reorder 5 --duplicate 1 --corrupt 0.5 --seed 1
tap_true "ping and TCP start" kernel_traffic_start
cross "5 % loss" 16777216
echo_messages "5 % loss" 2000 16384
kernel_traffic_stop >"$scratch/disturbed"
tap_silent "ping and TCP went on undisturbed ($ping_count answers, $tcp_bytes bytes)" cat "$scratch/disturbed"
tap_true "bad checksums were found" test "$(json "$scratch/cat-a.json" counters/engine.bad_crc)" -gt 0
tap_true "copies were found" test "$(json "$scratch/cat-a.json" counters/engine.duplicate_packet)" -gt 0
tap_true "what was lost was sent again" test "$(json "$scratch/cat-a.json" retransmitted)" -gt 0
relay_verdict "5 % loss" 50000 10000 50000 5000

relay_start --loss 20 --reorder 10 --duplicate 5 --corrupt 2 --seed 2
cross "20 % loss" 2097152
echo_messages "20 % loss" 200 16384
relay_verdict "20 % loss" 200000 50000 100000 20000

relay_start --burst 0.5 --burst-frames 20 --seed 3
cross "bursts of loss" 2097152
tap_true "bursts: the relay stops well" relay_stop
tap_true "bursts: there were some" test "$(relay_sum burst_lost)" -gt 20

relay_start --rate 100M --queue 64k --delay-us 2000 --jitter-us 500 --seed 4
cross "100 Mbit/s, 2 ms, a queue of 64 kB" 4194304
tap_true "narrow link: the relay stops well" relay_stop
tap_true "narrow link: its queue was full at times" test "$(relay_sum queue_dropped)" -gt 0

relay_start --loss 10,0 --seed 5
cross "loss one way only" 2097152
tap_true "one way: the relay stops well" relay_stop
tap_is "one way: nothing was lost on the other" "$(json "$relay_json" directions/1/lost)" 0

tap_true "detach on both hosts" net_detach
net_end
