#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_figures.sh - xlane ping of every type through the daemon, over a link that loses; and beside it the commands that
# show the daemon's figures, as JSON, as tables, and on a terminal, which is left as it was.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

loss=1       # percent, each way
mix=60:8-1024,35:1025-65536,5:65537-1048576

ping_start() { # PORT OPTIONS-OF-XLANE-PING...: the answering side, and wait until it listens
	local port=$1
	shift
	client_start "answer_$port" b "$bin/xlane" ping -l -d -v "$@" "$port" 2>"$scratch/answer_$port.err"
	wait_for $daemon_seconds grep -q listening "$scratch/answer_$port.err"
}
# The asking side; $scratch/ping.json is what it says. Prints what is wrong.
ping_off() { # OPTIONS...
	local status
	client a "$bin/xlane" ping -d --json "$@" >"$scratch/ping.json" 2>"$scratch/ping.err"
	status=$?
	[ $status = 0 ] || { echo "status $status: $(cat "$scratch/ping.err")"; tr -d '\n' <"$scratch/ping.json"; }
}
said() { json "$scratch/ping.json" "$@" | tr '\n' ' '; }
show() { client a "$bin/xlane" "$@" >"$scratch/shown" 2>&1; }   # COMMAND...

net_relayed 1500 2
tap_true "the relay starts" relay_start --loss $loss --seed 5
tap_true "the daemons start" daemons_start --workers 2

for type in message unordered datagram stream; do
	ping_start 2000 -t $type
	tap_silent "$type: one after the other" ping_off -t $type -c 20 -I 0 -s 1000 $mac_b 2000
	if [ $type = datagram ]; then
		tap_silent "datagrams of many sizes over a link that loses" \
			ping_off -t $type -c 1000 --mix 60:8-1024,40:1025-65536 -w 16 $mac_b 2000
		tap_true "some are lost" test "$(json "$scratch/ping.json" lost)" -gt 0
		tap_is "none is corrupted or there twice, and all are accounted for" \
			"$(said corrupted duplicated)$(json "$scratch/ping.json" answered lost | sum_lines)" "0 0 1000"
	else
		tap_silent "$type: many sizes, one of 16 MiB" \
			ping_off -t $type -c 100 --mix $mix --plus 1x16777216 -w 8 --seed 3 $mac_b 2000
		tap_is "$type: every byte verified" "$(said answered corrupted duplicated lost)" "101 0 0 0 "
		bytes="${bytes:-} $(said bytes_verified)"
	fi
	net_stop answer_2000 >/dev/null
	wait_for 10 daemon_empty b
done
tap_is "the same seed gives the same sizes" "$(tr ' ' '\n' <<<"$bytes" | grep . | sort -u | wc -l)" 1

# --- figures, while a connection is open ---------------------------------------------------------
tap_true "a client calls" ping_start 2000
client_start asks a "$bin/xlane" ping -d -I 0.02 $mac_b 2000 >"$scratch/asks.out"
tap_true "it is answered" wait_for $daemon_seconds grep -q seq=2 "$scratch/asks.out"
for command in stats workers peers conns "status -d"; do
	# shellcheck disable=SC2086 # words
	tap_true "$command for programs" show $command --json
	tap_is "$command says what it is" "$(json "$scratch/shown" what)" "${command% -d}"
	# shellcheck disable=SC2086
	tap_true "$command for people" show $command
done
daemon_ask a conns >"$scratch/conns.json"
tap_is "the connection is listed, and whose it is" \
	"$(json "$scratch/conns.json" connections/0/uid connections/0/type connections/0/peer_port connections/0/peer_mac | tr '\n' ' ')" \
	"65534 message 2000 $mac_b "
daemon_ask a peers >"$scratch/peers.json"
tap_is "so is the peer" "$(json "$scratch/peers.json" peers/0/mac)" "$mac_b"
tap_silent "the censuses add up" daemon_census_off a b
tap_true "of the daemon's interface" show workers -i xl0
tap_true "of another: refused" sh -c "! '$xlane' workers -i lo --socket '$(socket_of a)' 2>/dev/null"
tap_true "growth of counters" show stats --interval 0.1 --count 2 --json
tap_is "an object for each interval" "$(wc -l <"$scratch/shown")" 2
tap_true "they grow" grep -q '"drv.rx_packets":[1-9]' "$scratch/shown"
tap_true "top without a terminal: refused" sh -c "! '$xlane' top --socket '$(socket_of a)' </dev/null >/dev/null 2>&1"
tap_true "top --batch" show top --batch --count 2 --interval 0.1 --view conns
tap_is "two looks with the connection" "$(grep -c "$mac_b/2000" "$scratch/shown")" 2
tap_true "top --batch --json" show top --json --count 1
tap_true "an object with the workers" grep -q '"workers":{"what":"workers"' "$scratch/shown"

# --- top on a terminal -------------------------------------------------------------------------
# Begins top on a terminal of its own; what is written to descriptor 7 are its keys.
top_start() {
	rm -f "$scratch/keys" && mkfifo "$scratch/keys" && : >"$scratch/screen"
	script -qec "stty rows 12 cols 100; stty -g; TERM=xterm '$xlane' top --socket '$(socket_of a)' --interval 0.1; \
		echo status \$?; stty -g" /dev/null <"$scratch/keys" >"$scratch/screen" 2>&1 &
	pid_of[top]=$!
	exec 7>"$scratch/keys"
	wait_for $daemon_seconds grep -q 'quit' "$scratch/screen"
}
top_end() { # the status of top, and whether the terminal is as it was
	net_join top $daemon_seconds
	exec 7>&-
	tr -d '\r' <"$scratch/screen" | awk '
		/^[0-9a-f]+(:[0-9a-f]+)+$/ { mode[++n] = $0 }
		/\033\[\?1049h/ { on = 1 }
		/\033\[\?1049l/ { on = 0 }
		/status [0-9]+$/ { status = $NF }
		END { print status, n == 2 && mode[1] == mode[2] ? "same" : "changed", on ? "taken" : "given back" }'
}
if command -v script >/dev/null; then
	tap_true "top on a terminal" top_start
	printf 'cpw>r' >&7
	tap_true "its views" wait_for $daemon_seconds grep -q 'HEARD-AGO' "$scratch/screen"
	printf q >&7
	tap_is "q ends it" "$(top_end)" "0 same given back"
	top_start
	printf '\003' >&7
	tap_is "Ctrl-C ends it" "$(top_end)" "0 same given back"
	top_start
	daemon_stop a >/dev/null
	tap_is "the end of the daemon ends it" "$(top_end)" "1 same given back"
	tap_true "which it tells" grep -q 'xlane top: ' "$scratch/screen"
else
	tap_skip "top on a terminal" "no script"
	daemon_stop a >/dev/null
fi
tap_true "the client hears of it" test "$(net_join asks $daemon_seconds; echo $?)" = 1
net_stop answer_2000 >/dev/null
daemon_stop b >/dev/null
relay_stop >/dev/null
net_end
