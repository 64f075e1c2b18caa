#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_bad_input.sh - what a user gets wrong: one line that says what and what to do, a status that is not 0, nothing left.
. "$(dirname "$0")/lib.sh"

net_direct
refuses() { # NAME PATTERN COMMAND...: standard input is the caller's
	local name=$1 pattern=$2 status
	shift 2
	timeout 60 "$@" >"$scratch/out" 2>"$scratch/err"
	status=$?
	if [ $status != 0 ] && [ $status != 124 ] && [ $status -lt 128 ] && [ ! -s "$scratch/out" ] &&
	   [ "$(wc -l <"$scratch/err")" = 1 ] && grep -qiE -- "$pattern" "$scratch/err"; then
		tap_ok "$name"
	else
		tap_not_ok "$name"
		echo "status $status, wanted one line like: $pattern" | tap_show
		tap_show "$scratch/out" "$scratch/err"
	fi
}
in_ns_a="nsenter --net=/run/netns/$A --"
cat_a="$in_ns_a $xlane cat"

# shellcheck disable=SC2086 # words
{
	refuses "unknown command" "nonsense" "$xlane" nonsense </dev/null
	refuses "unknown option" "nonsense" $cat_a --nonsense </dev/null
	refuses "no interface" "interface" $cat_a $mac_b 7000 </dev/null
	refuses "no operands" "MAC and PORT" $cat_a -i xl0 </dev/null
	refuses "a port that is none" "port" $cat_a -i xl0 $mac_b 70000 </dev/null
	refuses "a MAC that is none" "00:11|MAC|address" $cat_a -i xl0 00:11 7000 </dev/null
	refuses "a VLAN that is none" "vlan" $cat_a -i xl0 --vlan 5000 $mac_b 7000 </dev/null
	refuses "a driver that is none" "driver" $cat_a -i xl0 --driver dpdk $mac_b 7000 </dev/null
	refuses "an interface that is not there" "nowhere0" $cat_a -i nowhere0 $mac_b 7000 </dev/null
	refuses "no program attached" "attach" $cat_a -i xl0 --driver af_xdp $mac_b 7000 </dev/null
	refuses "figures that can not be written" "/nowhere/f" $cat_a -i xl0 --json /nowhere/f $mac_b 7000 </dev/null
	in_a ip link set xl0 down
	refuses "an interface that is down" "down" $cat_a -i xl0 --driver af_packet $mac_b 7000 </dev/null
	refuses "attach to an interface that is down" "down" $in_ns_a "$xlane" attach xl0 </dev/null
	in_a ip link set xl0 up
}
tap_true "attach on both hosts" net_attach
# shellcheck disable=SC2086
{
	refuses "nobody answers" "no answer" $cat_a -i xl0 --timeout 1 02:00:00:00:00:99 7000 </dev/null
	refuses "no privileges" "privilege|CAP_|root" $in_ns_a setpriv --reuid 65534 --regid 65534 --clear-groups "$xlane" cat -i xl0 $mac_b 7000 </dev/null
}

# A port, or rather an interface's queue, that another program has.
net_start holder $A "$tools/hold" xl0 >"$scratch/holder"
wait_for 10 grep -q ready "$scratch/holder"
# shellcheck disable=SC2086
refuses "an interface that another program has" "another program|in use|busy" $cat_a -i xl0 $mac_b 7000 </dev/null
net_stop holder KILL

# Input that can not be read ends the connection, perhaps before the other end has accepted it, which then waits for the
# next one. Output that can not be written ends a transfer that runs, on both sides.
net_start listener $B "$xlane" cat -l -i xl0 7000 </dev/null >"$scratch/got" 2>/dev/null
# shellcheck disable=SC2086
refuses "input that can not be read" "standard input: Is a directory" $cat_a -i xl0 $mac_b 7000 <"$scratch"
net_stop listener
net_start listener $B "$xlane" cat -l -i xl0 7000 </dev/zero >/dev/null 2>"$scratch/listener.err"
in_a timeout 60 "$xlane" cat -i xl0 $mac_b 7000 </dev/null >/dev/full 2>"$scratch/err"
tap_is "output that can not be written" "$? $(grep -c 'standard output: No space' "$scratch/err")" "1 1"
net_join listener 60
tap_is "and the other end fails too" $? 1
tap_true "detach on both hosts" net_detach
net_end
