#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_death.sh - one end is killed in the middle of a transfer: the other is told within a bounded time, the kernel's
# traffic flows, and a new program on the same interface is served at once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_direct
tap_true "attach on both hosts" net_attach
growing() { [ "$(stat -c %s "$scratch/got" 2>/dev/null || echo 0)" -gt 100000 ]; }

net_start listener $B "$xlane" cat -l -i xl0 7000 </dev/null >"$scratch/got" 2>/dev/null
net_start caller $A "$xlane" cat -i xl0 $mac_b 7000 </dev/zero >/dev/null 2>"$scratch/err"
tap_true "a transfer runs" wait_for 20 growing
net_stop listener KILL
tap_true "ping goes on" in_a ping -q -c 3 -i 0.05 -W 5 $ip_b
net_join caller 60
tap_is "the other end is told" "$? $(wc -l <"$scratch/err")" "1 1"
cross "after the death" 1048576

: >"$scratch/got"
net_start listener $B "$xlane" cat -l -i xl0 7000 </dev/null >"$scratch/got" 2>"$scratch/err"
net_start caller $A "$xlane" cat -i xl0 $mac_b 7000 </dev/zero >/dev/null 2>/dev/null
tap_true "a second transfer runs" wait_for 20 growing
net_stop caller INT
tap_is "the interrupted end has a bad status" $? 1
net_join listener 60
tap_is "the other end hears of it" "$? $(wc -l <"$scratch/err")" "1 1"
tap_true "detach on both hosts" net_detach
net_end
