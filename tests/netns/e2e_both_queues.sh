#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_both_queues.sh - two hosts joined directly, two queues each: on veth a frame arrives on the queue it was sent on,
# and a connection's id chooses that. While the receiver serves both queues every connection works; while it serves only
# the first, some do not, and their frames are counted as having no worker: so both queues are really used.
. "$(dirname "$0")/lib.sh"

calls=24   # that all ids choose the same queue has a chance of 1 in 8 million
net_direct 1500 2
tap_true "attach on both hosts" net_attach

absent() {
	in_b "$xlane" status --json xl0 | grep -oE '"absent_passed": *[0-9]+' | grep -oE '[0-9]+$'
}
answered() { # SECONDS: how many of the calls are, each within that time
	local n=0
	for ((i = 0; i < calls; i++)); do
		! echo "line $i" | in_a timeout 60 "$xlane" cat -i xl0 --timeout "$1" $mac_b 7000 >/dev/null 2>&1 || n=$((n + 1))
	done
	echo $n
}
listens() { echo | in_a timeout 20 "$xlane" cat -i xl0 --timeout 1 $mac_b 7000 >/dev/null 2>&1; }

net_start both $B "$xlane" cat -l -k -i xl0 7000 </dev/null >"$scratch/got" 2>/dev/null
tap_true "a listener on both queues answers" wait_for 20 listens
before=$(absent)
tap_is "every call is answered" "$(answered 30)" $calls
tap_is "no frame missed its worker" "$(absent)" "$before"
net_stop both

net_start one $B "$xlane" cat -l -k -i xl0 --queues 1 7000 </dev/null >"$scratch/got" 2>/dev/null
tap_true "a listener on the first queue alone answers some call" wait_for 60 listens
before=$(absent)
some=$(answered 1)
tap_true "of $calls calls it answers some and not all: $some" test "$some" -gt 0 -a "$some" -lt $calls
tap_true "frames on the other queue found no worker" test "$(absent)" -gt "$before"
net_stop one
tap_true "detach on both hosts" net_detach
net_end
