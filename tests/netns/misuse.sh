#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# misuse.sh - a program that uses the library wrongly gets an error, not a crash, and goes on (tests/tools/misuse.c).
. "$(dirname "$0")/lib.sh"

net_direct
tap_true "attach on both hosts" net_attach

misuse() { # PORT KIND
	in_a timeout 60 "$tools/misuse" xl0 "$mac_b/$1" "$2" >"$scratch/said" 2>&1
	tap_is "$2: the program ends by itself, without a failure" $? 0
	grep -q '^1\.\.' "$scratch/said" || tap_not_ok "$2: it ran to its end"
	while read -r line; do
		case $line in
		"ok "*) tap_ok "$2: ${line#* - }" ;;
		"not ok "*) tap_not_ok "$2: ${line#* - }" ;;
		"#"*) echo "$line" ;;
		esac
	done <"$scratch/said"
}

net_start server $B "$examples/echo_server" -i xl0 7007 2>/dev/null
wait_for 10 in_a "$examples/echo_client" -i xl0 -c 1 $mac_b/7007 >/dev/null 2>&1
misuse 7007 message
net_stop server
random_file "$scratch/speech" 3000
net_start talker $B "$xlane" cat -l -i xl0 7000 <"$scratch/speech" >/dev/null 2>&1
misuse 7000 stream
net_stop talker
tap_true "detach on both hosts" net_detach
net_end
