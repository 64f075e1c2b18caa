#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cat_signal.sh - SIGTERM ends `xlane cat` while it waits, however it waits: for a connection, and for an answer that
# will not come for an hour.
. "$(dirname "$0")/lib.sh"

net_direct
opened() { [ -s "$scratch/err" ]; }
begin() { # OPERANDS of xlane cat...: -v says a line when the interface is open, and signals are caught from there on
	: >"$scratch/err"
	net_start cat $A "$xlane" cat -v -i xl0 --driver af_packet "$@" </dev/null >/dev/null 2>"$scratch/err"
	wait_for 10 opened
}
received() { in_b awk '$1 == "xl0:" { print $3 }' /proc/net/dev; }
# A signal before the wait has begun would be lost: it waits when it has asked again.
asks() { [ "$(received)" -gt $((seen + 1)) ]; }
for wait in spin adaptive sleep; do
	tap_true "$wait: it listens" begin --wait $wait -l 7000
	net_stop cat
	tap_is "$wait: ended by SIGTERM" "$? $(grep -c 'interrupted: nobody has connected' "$scratch/err")" "1 1"
	seen=$(received)
	tap_true "$wait: it connects" begin --wait $wait --timeout 3600 $mac_b 7000
	tap_true "$wait: it asks" wait_for 10 asks
	net_stop cat
	tap_is "$wait: ended by SIGTERM" "$? $(grep -c 'interrupted by a signal' "$scratch/err")" "1 1"
done
net_end
