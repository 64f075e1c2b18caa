# SPDX-License-Identifier: BSD-2-Clause
# transfer.bash - what the end-to-end tests do between the two hosts of lib.sh; sourced after it. Each function prints
# TAP for what it has seen.

cross_seconds=120   # a transfer that takes longer than this hangs

# A file of random bytes each way at once through `xlane cat`, compared by hash; then the census of both programs.
# The figures are in $scratch/cat-a.json and cat-b.json.
cross() { # NAME BYTES OPTIONS-OF-XLANE-CAT...
	local name=$1 bytes=$2 status_a status_b
	shift 2
	random_file "$scratch/forth" "$bytes"
	random_file "$scratch/back" $((bytes / 2 + 1))
	net_start listener $B "$xlane" cat -l -i xl0 --json "$scratch/cat-b.json" "$@" 7000 \
		<"$scratch/back" >"$scratch/forth.got" 2>"$scratch/cat-b.err"
	net_start caller $A "$xlane" cat -i xl0 --json "$scratch/cat-a.json" --timeout 30 "$@" $mac_b 7000 \
		<"$scratch/forth" >"$scratch/back.got" 2>"$scratch/cat-a.err"
	net_join caller $cross_seconds
	status_a=$?
	net_join listener $cross_seconds
	status_b=$?
	tap_is "$name: both ends finish well" "$status_a $status_b $(cat "$scratch/cat-a.err" "$scratch/cat-b.err")" "0 0 "
	tap_true "$name: $bytes bytes arrive as they were sent" same_bytes "$scratch/forth" "$scratch/forth.got"
	tap_true "$name: $((bytes / 2 + 1)) bytes come back as they were sent" same_bytes "$scratch/back" "$scratch/back.got"
	tap_is "$name: the figures say so" "$(json "$scratch/cat-a.json" bytes_sent bytes_received | tr '\n' ' ')" \
		"$bytes $((bytes / 2 + 1)) "
	tap_silent "$name: the census adds up on both hosts" census_off "$scratch/cat-a.json" "$scratch/cat-b.json"
}

# COUNT messages of up to MAX bytes to echo_server and back, each compared by the client.
echo_messages() { # NAME COUNT MAX OPTIONS-OF-BOTH...
	local name=$1 count=$2 max=$3
	shift 3
	net_start server $B "$examples/echo_server" -i xl0 -n 1 "$@" 7007 2>"$scratch/server.err"
	tap_true "$name: $count messages come back as they were sent" \
		in_a "$examples/echo_client" -i xl0 -c "$count" -s "$max" -t $cross_seconds --json "$scratch/echo.json" "$@" $mac_b/7007
	net_join server 30
	tap_is "$name: the server ends well" "$? $(cat "$scratch/server.err")" "0 "
	tap_is "$name: the figures say so" "$(json "$scratch/echo.json" messages census_ok | tr '\n' ' ')" "$count true "
}

# The kernel's own traffic on the same interface: pings and a TCP transfer, from before to after what is between.
ping_start() { net_start ping $A ping -n -i 0.1 $ip_b >"$scratch/ping"; }
tcp_start() {
	net_start tcp_server $B "$tools/tcp_blast" -l 5001 >"$scratch/tcp_server"
	wait_for 10 grep -q ready "$scratch/tcp_server" || return 1
	net_start tcp $A "$tools/tcp_blast" -r "${tcp_rate:-4000000}" $ip_b 5001 >"$scratch/tcp" 2>"$scratch/tcp.err"
}
kernel_traffic_start() { ping_start && tcp_start; }

# They print what was disturbed; $tcp_bytes and $ping_count are what got through.
tcp_stop() {
	local status
	net_stop tcp
	status=$?
	[ $status = 0 ] || echo "TCP: status $status: $(cat "$scratch/tcp.err")"
	net_join tcp_server 10
	status=$?
	[ $status = 0 ] || echo "TCP: the receiver ended with status $status"
	tcp_bytes=$(cat "$scratch/tcp")
	[ "${tcp_bytes:-0}" -gt 0 ] || echo "TCP: nothing got through"
}
ping_stop() {
	# Long enough for figures that mean something, however short the test was.
	wait_for 20 grep -q 'icmp_seq=1[0-9] ' "$scratch/ping" || echo "ping: not ten requests answered"
	net_stop ping INT
	ping_count=$(grep -c 'icmp_seq=' "$scratch/ping")
	# The last request may still have been on its way.
	awk 'match($0, /icmp_seq=[0-9]+/) { n = substr($0, RSTART + 9, RLENGTH - 9) + 0; seen[n]++; if (n > last) last = n }
		/packets transmitted/ { sent = $1 }
		END {
			for (i = 1; i <= last; i++) if (seen[i] != 1) { print "ping: request " i " answered " seen[i] + 0 " times" }
			if (sent > last + 1) print "ping: " sent - last " requests at the end without an answer"
		}' "$scratch/ping"
}
kernel_traffic_stop() { ping_stop; tcp_stop; }

# What the relay did, when the counters of both ends are to be explained by it.
relay_verdict() { # NAME LOSS DUPLICATION REORDERING CORRUPTION: parts per million
	local name=$1
	shift
	tap_true "$name: the relay stops well" relay_stop
	tap_silent "$name: the relay did what was asked of it" relay_off "$@"
	tap_is "$name: the relay lost nothing by itself" "$(relay_sum kernel_dropped send_refused pool_dropped unfinished)" 0
}
