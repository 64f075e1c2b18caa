#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# helped.sh - an embedded program computes for longer than its peer's patience. With a helper thread its peer notices
# nothing: a large message arrives as a whole meanwhile, the connection lives on. Without one it is taken for dead.
. "$(dirname "$0")/lib.sh"

net_direct
tap_true "attach on both hosts" net_attach

start() { # OPTIONS-OF-THE-ONE-THAT-GOES-AWAY... -- OPTIONS-OF-THE-CALLER...
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	rm -f "$scratch/back" && mkfifo "$scratch/back" && exec {back}<>"$scratch/back" || return 1
	net_start away $B "$tools/away" "${options[@]}" xl0 <"$scratch/back" >"$scratch/away" 2>"$scratch/away.err"
	wait_for 20 grep -q listening "$scratch/away" || return 1
	net_start caller $A "$tools/away" "$@" xl0 $mac_b </dev/null >"$scratch/caller" 2>"$scratch/caller.err"
	wait_for 20 grep -q away "$scratch/away"
}
said() { tr '\n' ' ' <"$scratch/$1"; }   # FILE
come_back() { echo >&"$back"; exec {back}>&-; }

with_helper() { # NAME OPTIONS-OF-BOTH...
	local name=$1
	shift
	tap_true "$name: the program goes away" start -h "$@" -- "$@"
	tap_true "$name: a large message arrives while it computes" wait_for 60 grep -q acknowledged "$scratch/caller"
	tap_true "$name: the connection outlives the peer's patience" wait_for 60 grep -q connected "$scratch/caller"
	tap_is "$name: it still computes" "$(said away)" "listening away "
	come_back
	net_join caller 60
	tap_is "$name: the caller ends well" "$? $(cat "$scratch/caller.err")" "0 "
	net_join away 60
	tap_is "$name: so does the program" "$? $(cat "$scratch/away.err")" "0 "
	tap_is "$name: what was lent is intact, and everything arrived" "$(said away)" "listening away back 16783216 "
}

with_helper "helped"
with_helper "helped, AF_PACKET" -p

tap_true "alone: the program goes away" start --
net_join caller 60
tap_is "alone: its peer takes it for dead" "$? $(sed 's/^away: [a-z]*: //' "$scratch/caller.err")" \
	"1 the peer is dead: it does not answer any more"
come_back
net_join away 60
tap_is "alone: the program hears of it when it comes back" $? 1
tap_true "detach on both hosts" net_detach
net_end
