#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# demo.sh - `sudo make demo`: two hosts, joined by one in the middle that loses, reorders, duplicates and corrupts what
# passes; files both ways, messages and datagrams with their echoes, every byte proved, beside the kernel's own traffic.
# First by programs with privileges that are their own workers (embedded), then by unprivileged ones through daemons
# with two workers each: all at the same time, over a clean link and over a lossy one.
#
# In the environment, empty or unset for the default:
#   FILE=     what host A sends (a tar of files of this machine, 64 MiB); host B sends such a tar at the same time
#   LOSS=5 REORDER=5 DUP=1 CORRUPT=0.5   percent of frames, for the last pass; the others are over a clean link
#   MTU=1500  SEED=1

net_refuse=demo_refuse
demo_refuse() { echo "demo: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || demo_refuse "needs root; run: sudo make demo"
. "$(dirname "$0")/../netns/lib.sh"
. "$top/tests/netns/transfer.bash"
. "$top/tests/netns/daemon.bash"
. "$(dirname "$0")/demo_table.bash"

tar_bytes=67108864
messages=3000 message_bytes=16384       # of the embedded pass
# Of the passes through daemons: so many connections with so many messages each, one of them of 16 MiB.
mix_conns=10 mix_count=1000 mix_sizes=60:64-1024,35:1025-65536,5:65537-1048576 mix_plus=1x16777216
datagrams=2000 datagram_sizes=1:64-65536
pass_seconds=850     # a transfer that takes longer hangs
failures=0

fault() { failures=$((failures + 1)); echo "demo: FAILED: $*"; }
faults() { # TEXT: a fault for each line of standard input
	local line
	while read -r line; do fault "$1: $line"; done
}
demo_interrupted() {
	trap '' INT TERM HUP
	net_is_script || exit
	echo
	echo "demo: interrupted; taking everything away"
	net_down && echo "demo: nothing is left"
	exit 130
}
trap demo_interrupted INT TERM HUP

# --- what is asked for -------------------------------------------------------------------------
percent() { # NAME VALUE
	[[ $2 =~ ^[0-9]*\.?[0-9]+$ ]] && awk -v v="$2" 'BEGIN { exit !(v <= 90) }' ||
		demo_refuse "$1=$2 is no percentage from 0 to 90"
}
whole() { # NAME VALUE LOW HIGH
	[[ $2 =~ ^[0-9]{1,18}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] ||
		demo_refuse "$1=$2 is no number from $3 to $4"
}
ppm() { awk -v v="$1" 'BEGIN { printf "%d", v * 10000 + 0.5 }'; }

loss=${LOSS:-5} reorder=${REORDER:-5} dup=${DUP:-1} corrupt=${CORRUPT:-0.5} mtu=${MTU:-1500} seed=${SEED:-1}
percent LOSS "$loss" && percent REORDER "$reorder" && percent DUP "$dup" && percent CORRUPT "$corrupt"
whole MTU "$mtu" 576 9216 && whole SEED "$seed" 0 999999999999999999
[ -z "${FILE:-}" ] || { [ -f "$FILE" ] && [ -r "$FILE" ]; } || demo_refuse "FILE=$FILE is no file that can be read"
for program in "$xlane" "$examples/echo_server" "$examples/echo_client" "$tools/relay" "$tools/tcp_blast" \
	"$tools/crowd"; do
	[ -x "$program" ] || demo_refuse "$program is not built; run: make demo"
done

# --- files -------------------------------------------------------------------------------------
# A tar of at least so many bytes of what the machine has, in the order that sort gives.
tar_of_machine() { # FILE BYTES SORT-OPTION
	find /usr/bin /usr/sbin /usr/lib /usr/share -xdev -type f -readable -printf '%p\t%s\n' 2>/dev/null | sort "$3" |
		awk -F '\t' -v want="$2" '{ if (sum > want) exit; sum += $2; print $1 }' |
		tar -cf "$1" --ignore-failed-read -P -T - 2>/dev/null
	[ "$(stat -c %s "$1")" -ge "$2" ] ||
		demo_refuse "this machine has no files for a tar of $2 bytes; name one: FILE=..."
}
prepare_files() {
	forth=${FILE:-$scratch/forth.tar} back=$scratch/back.tar
	[ -n "${FILE:-}" ] || tar_of_machine "$forth" $tar_bytes -s
	tar_of_machine "$back" $tar_bytes -r
	forth_bytes=$(stat -L -c %s "$forth") back_bytes=$(stat -c %s "$back")
	echo "A sends ${FILE:-a tar of files of this machine}, $(mib "$forth_bytes") MiB;" \
		"B sends another tar, $(mib "$back_bytes") MiB, at the same time"
}
mib() { awk -v n="$1" 'BEGIN { printf "%.1f", n / 1048576 }'; }
mbit() { awk -v n="$1" -v s="$2" 'BEGIN { printf "%.0f", (s > 0) ? n * 8 / s / 1e6 : 0 }'; }   # BYTES SECONDS
size() { stat -c %s "$1" 2>/dev/null || echo 0; }

# --- one pass ----------------------------------------------------------------------------------
# Bytes so far and the rate, on one line of a terminal, or on a line of its own each second.
progress() { # NAME
	local begun=$EPOCHREALTIME told=-1 a b seconds start
	start=${begun/[.,]/}
	while ! net_ended caller || ! net_ended listener; do
		sleep 0.2
		seconds=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
		a=$(size "$scratch/forth.got") b=$(size "$scratch/back.got")
		if [ -t 1 ]; then
			printf '\r'
		elif [ $((seconds / 1000)) = $told ]; then
			continue
		fi
		told=$((seconds / 1000))
		printf '%s: A > B %s of %s MiB, B > A %s of %s MiB, %s Mbit/s together   ' "$1" "$(mib "$a")" \
			"$(mib "$forth_bytes")" "$(mib "$b")" "$(mib "$back_bytes")" \
			"$(awk -v n=$((a + b)) -v t=$seconds 'BEGIN { printf "%.0f", n * 8 / t / 1e3 }')"
		[ -t 1 ] || echo
		[ $seconds -lt $((pass_seconds * 1000)) ] || break
	done
	[ ! -t 1 ] || echo
}

move_files() { # NAME DIRECTORY: by the processes `caller` and `listener`, which run
	local status
	progress "$1"
	net_join caller 5
	status=$?
	[ $status = 0 ] || fault "$1: xlane cat on host A ended with status $status: $(cat "$2/a.err")"
	net_join listener 5
	status=$?
	[ $status = 0 ] || fault "$1: xlane cat on host B ended with status $status: $(cat "$2/b.err")"
	same_bytes "$forth" "$scratch/forth.got" || fault "$1: what B has got has another SHA-256 than what A sent"
	same_bytes "$back" "$scratch/back.got" || fault "$1: what A has got has another SHA-256 than what B sent"
	rm -f "$scratch/forth.got" "$scratch/back.got"
}

move_embedded() { # NAME DIRECTORY
	local status
	net_start listener $B "$xlane" cat -l -i xl0 --json "$2/b.json" 7000 <"$back" >"$scratch/forth.got" 2>"$2/b.err"
	net_start caller $A "$xlane" cat -i xl0 --json "$2/a.json" --timeout 60 $mac_b 7000 \
		<"$forth" >"$scratch/back.got" 2>"$2/a.err"
	move_files "$1" "$2"
	net_start server $B "$examples/echo_server" -i xl0 -n 1 7007 2>"$2/server.err"
	net_start client $A "$examples/echo_client" -i xl0 -c $messages -s $message_bytes -w 1 -t $pass_seconds \
		--json "$2/echo.json" $mac_b/7007 >"$2/client.out" 2>&1
	net_join client $pass_seconds
	status=$?
	[ $status = 0 ] || fault "$1: echo_client ended with status $status: $(cat "$2/client.out")"
	net_join server 60
	status=$?
	[ $status = 0 ] || fault "$1: echo_server ended with status $status: $(cat "$2/server.err")"
	echo "$1: $(head -1 "$2/client.out")"
	faults "$1" < <(census_off "$2/a.json" "$2/b.json" "$2/echo.json" 2>&1)
}

# All at the same time, by user nobody.
move_through_daemons() { # NAME DIRECTORY
	local what
	server_start mix_server b --conns $mix_conns 7001 || fault "$1: the echo server of messages does not start"
	server_start datagram_server b --type datagram 7002 || fault "$1: the echo server of datagrams does not start"
	client_start listener b "$bin/xlane" cat -l --daemon --json "$2/b.json" 7000 \
		<"$back" >"$scratch/forth.got" 2>"$2/b.err"
	client_start caller a "$bin/call" "$2/a.err" "$bin/xlane" cat --daemon --json "$2/a.json" --timeout 60 \
		$mac_b 7000 <"$forth" >"$scratch/back.got"
	crowd_start mix a call --conns $mix_conns --count $mix_count --sizes $mix_sizes --plus $mix_plus \
		--seed "$seed" --quiet 120 $mac_b 7001
	crowd_start datagrams a call --type datagram --count $datagrams --depth 32 --sizes $datagram_sizes \
		--seed "$seed" $mac_b 7002
	move_files "$1" "$2"
	for what in mix datagrams; do
		faults "$1" < <(crowd_off $what $pass_seconds)
		faults "$1" < <(crowd_off ${what%s}_server 60)
		cp "$user/$what.json" "$2/" || fault "$1: no figures of $what"
	done
	echo "$1: $(crowd_value mix items_received) messages, $(crowd_value mix bytes_received) bytes each way in" \
		"$(message_seconds "$2") s, every byte as sent"
	echo "$1: $(crowd_value datagrams items_sent) datagrams," \
		"$(crowd_value datagrams items_received) came back, as they were sent"
	faults "$1" < <(daemon_census_off a b)
	daemon_ask a stats >"$2/stats-a.json" && daemon_ask b stats >"$2/stats-b.json" ||
		fault "$1: no figures of the daemons"
	wait_for 20 daemon_empty a && wait_for 20 daemon_empty b || fault "$1: something is left in a daemon"
}

pass() { # NAME DIRECTORY WAY LOSS REORDER DUP CORRUPT
	local name=$1 dir=$user/$2 way=$3
	shift 3
	mkdir -m 777 "$dir" && chmod 777 "$dir"
	echo
	echo "$name: $1 % loss, $2 % reordering, $3 % duplication, $4 % corruption"
	relay_start --loss "$1" --reorder "$2" --duplicate "$3" --corrupt "$4" --seed "$seed" ||
		{ fault "the relay does not start"; return; }
	[ $way = embedded ] || daemons_start --workers 2 || { fault "$name: the daemons do not start"; return; }
	kernel_traffic_start || fault "$name: ping and TCP do not start"
	if [ $way = embedded ]; then move_embedded "$name" "$dir"; else move_through_daemons "$name" "$dir"; fi
	kernel_traffic_stop >"$dir/disturbed"
	faults "$name: the kernel's traffic" <"$dir/disturbed"
	echo "$name: beside it, ping had $ping_count answers, TCP moved $(mib "$tcp_bytes") MiB"
	echo "$ping_count $tcp_bytes" >"$dir/kernel"
	[ $way = embedded ] || daemons_stop || fault "$name: the daemons end badly"
	relay_stop || fault "$name: the relay ended badly"
	cp "$relay_json" "$dir/relay.json"
	faults "$name: the relay" < <(relay_off "$(ppm "$1")" "$(ppm "$3")" "$(ppm "$2")" "$(ppm "$4")")
	[ "$(relay_sum kernel_dropped send_refused pool_dropped unfinished)" = 0 ] ||
		fault "$name: the relay itself lost frames, or got unfinished ones"
}

# --- the demonstration -------------------------------------------------------------------------
prepare_files
echo "two hosts (network namespaces $A, $B) and a relay between them, MTU $mtu, seed $seed"
net_relayed "$mtu"
net_attach || { fault "attach"; exit 1; }
in_a xdp-loader status xl0 | sed 's/^/  /'
pass "embedded, clean link" embedded embedded 0 0 0 0
pass "daemons, clean link" clean daemon 0 0 0 0
pass "daemons, lossy link" lossy daemon "$loss" "$reorder" "$dup" "$corrupt"
if [ $failures = 0 ]; then
	table || fault "the table"
fi
net_detach >/dev/null || fault "detach"
trap '' INT TERM HUP
faults "left behind" < <(net_down)
net_over=1
trap - EXIT
echo
if [ $failures != 0 ]; then
	echo "demo: FAILED, $failures times; see above"
	exit 1
fi
echo "demo: every byte is proved (SHA-256 of the files, message by message), the frame census adds up on both hosts,"
echo "demo: no namespace, pin, program, socket or process is left"
