#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_interrupt.sh - the demonstration is interrupted in the middle of a transfer, as by Ctrl-C in a terminal (SIGINT to
# all of its processes) and by SIGTERM to it alone: it ends soon, with a bad status, and leaves nothing.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh

[ "$(id -u)" = 0 ] || tap_skip_all "needs root"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/interrupt.XXXXXX") || exit 1
session=
trap '[ -z "$session" ] || kill -TERM -- "$session" 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$scratch/tmp"
# Far more than can be moved before the signal comes; it takes no room.
truncate -s 16G "$scratch/file" || exit 1

until_true() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
# No process of the session is left: its number is the fourth field behind the name.
ended() { ! cat /proc/[0-9]*/stat 2>/dev/null | sed 's/.*) //' | awk -v s="$session" '$4 == s { found = 1 } END { exit !found }'; }
bytes_moved() { grep -Eq 'A > B [1-9][0-9]*\.[0-9] of' "$scratch/log"; }
programs_gone() {
	local id
	for id in $programs; do ! bpftool prog show id "$id" >/dev/null 2>&1 || return 1; done
}

interrupted_by() { # NAME SIGNAL KILL-TARGET-PREFIX
	TMPDIR=$scratch/tmp FILE=$scratch/file MTU= SEED= LOSS= REORDER= DUP= CORRUPT= \
		setsid env --default-signal=INT,TERM tests/tools/demo.sh >"$scratch/log" 2>&1 &
	session=$!   # a process in the background leads no group, so setsid stays the same process
	until_true 120 bytes_moved || { tap_not_ok "$1: a transfer runs"; tap_show "$scratch/log"; return; }
	tap_ok "$1: a transfer runs"
	programs=$(sed -n 's/.*attached, program \([0-9]*\).*/\1/p' "$scratch/log")
	kill -"$2" -- "$3$session"
	tap_true "$1: everything has ended within a minute" until_true 60 ended
	wait $session
	tap_is "$1: its status" $? 130
	tap_true "$1: it says that nothing is left" grep -q '^demo: nothing is left' "$scratch/log" || tap_show "$scratch/log"
	tap_is "$1: two programs were attached" "$(echo "$programs" | wc -w)" 2
	tap_true "$1: and are gone" until_true 10 programs_gone
	tap_is "$1: no file stays" "$(ls -A "$scratch/tmp")" ""
}
interrupted_by "Ctrl-C" INT -
interrupted_by "SIGTERM" TERM ""
tap_end
