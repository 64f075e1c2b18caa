# SPDX-License-Identifier: BSD-2-Clause
# demo_table.bash - the table at the end of the demonstration, of what the passes left in $user; sourced by demo.sh.

# From paths of JSON files, added up.
add() { # FILE... -- PATH...: sum of the paths over the files
	local files=() file
	while [ "$1" != -- ]; do files+=("$1"); shift; done
	shift
	for file in "${files[@]}"; do json "$file" "$@"; done | awk '{ n += $1 } END { printf "%d", n }'
}
row() { printf '  %-40s %16s %16s %16s\n' "$@"; } # TEXT EMBEDDED CLEAN LOSSY
all() { # TEXT FUNCTION ARGUMENTS...: the function gets a pass's directory first
	local text=$1 function=$2
	shift 2
	row "$text" "$($function "$user/embedded" "$@")" "$($function "$user/clean" "$@")" \
		"$($function "$user/lossy" "$@")"
}
through_daemons() { # TEXT FUNCTION ARGUMENTS...: what the embedded pass has not
	local text=$1 function=$2
	shift 2
	row "$text" "" "$($function "$user/clean" "$@")" "$($function "$user/lossy" "$@")"
}
goodput() { mbit "$(json "$1/$2.json" bytes_received)" "$(json "$1/$2.json" seconds)"; }
# A counter of both hosts: of the programs, or of the daemons' workers.
counted() { # DIRECTORY TABLE KEY...
	local dir=$1 table=$2 key
	shift 2
	if [ -e "$dir/stats-a.json" ]; then
		local paths=()
		for key in "$@"; do
			paths+=("interfaces/0/workers/0/$table/$key" "interfaces/0/workers/1/$table/$key")
		done
		add "$dir/stats-a.json" "$dir/stats-b.json" -- "${paths[@]}"
	else
		add "$dir/a.json" "$dir/b.json" -- "${@/#/counters/$table.}"
	fi
}
rtt() { json "$1/echo.json" "rtt/$2" | awk '{ printf "%.1f", $1 / 1000 }'; }
relayed() { # DIRECTORY COUNTER [SUBTRACTED]...: over both directions
	local counter paths=()
	for counter in "${@:2}"; do paths+=("directions/0/$counter" "directions/1/$counter"); done
	json "$1/relay.json" "${paths[@]}" | awk 'NR <= 2 { n += $1 } NR > 2 { n -= $1 } END { printf "%d", n }'
}
share() { # DIRECTORY COUNTER [SUBTRACTED-FROM-ALL]...: with its share of xlane's frames, or of those that are left
	local n all
	n=$(relayed "$1" "$2") all=$(relayed "$1" received other "${@:3}")
	awk -v n="$n" -v all="$all" 'BEGIN { printf "%d (%.2f %%)", n, all ? 100 * n / all : 0 }'
}
kernel_word() { cut -d ' ' -f "$2" "$1/kernel"; }
messages_of() {
	if [ -e "$1/mix.json" ]; then json "$1/mix.json" items_received; else json "$1/echo.json" messages; fi
}
message_mbit() { mbit "$(json "$1/mix.json" bytes_received)" "$(json "$1/mix.json" seconds)"; }
message_seconds() { json "$1/mix.json" seconds | awk '{ printf "%.1f", $1 }'; }
datagrams_of() { json "$1/datagrams.json" items_sent items_received lost | tr '\n' ' ' | sed 's/ $//; s/ / \/ /g'; }
table() {
	local files
	files="$(mib "$forth_bytes") / $(mib "$back_bytes")"
	echo
	row "" "embedded, clean" "daemons, clean" "daemons, lossy"
	row "file, A > B / B > A, MiB" "$files" "$files" "$files"
	all "goodput A > B, Mbit/s" goodput b
	all "goodput B > A, Mbit/s" goodput a
	all "messages echoed" messages_of
	through_daemons "  goodput each way, Mbit/s" message_mbit
	through_daemons "  seconds, beside the files" message_seconds
	row "  round trip p50 / p99, us" "$(rtt "$user/embedded" p50_ns) / $(rtt "$user/embedded" p99_ns)" "" ""
	through_daemons "datagrams: sent / echoed / lost" datagrams_of
	all "packets sent" counted drv tx_packets
	all "packets retransmitted" counted engine retransmitted
	all "  found lost by later ones" counted engine lost_by_count
	all "  found lost by time" counted engine lost_by_time
	all "  found not to have been lost" counted engine spurious
	all "  probe timeouts" counted engine pto
	all "packets dropped for a bad checksum" counted engine bad_crc
	all "packets dropped as copies" counted engine duplicate_packet
	all "packets the kernel had no room for" counted drv rx_no_frame rx_ring_full rx_dropped
	all "ping: answered, none lost" kernel_word 1
	all "TCP: bytes, hash equal" kernel_word 2
	all "relay: frames of xlane" relayed received other
	all "  lost" share lost
	all "  overtaken by later ones" share reordered lost
	all "  duplicated" share duplicated lost
	all "  corrupted" share corrupted lost
	all "relay: frames of the kernel, left alone" relayed other
}
