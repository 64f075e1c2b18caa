#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_misuse.sh - a client of the daemon that uses the library wrongly gets an error, not a crash, and goes on, as in
# misuse.sh; and the examples run through the daemon.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

cp "$tools/misuse" "$examples"/{echo_server,echo_client,epoll_server,large} "$bin" && chmod 755 "$bin"/* || exit 1
net_direct
tap_true "the daemons start" daemons_start --workers 2
misuse() { # PORT KIND
	client a timeout 60 "$bin/misuse" -d "$mac_b/$1" "$2" >"$scratch/said" 2>&1
	tap_is "$2: the program ends by itself, without a failure" \
		"$? $(grep -c '^1\.\.' "$scratch/said") $(grep '^not ok\|^#' "$scratch/said")" "0 1 "
}

client_start server b "$bin/echo_server" -d 7007 2>"$scratch/server.err"
listens() { client a "$bin/echo_client" -d -c 1 $mac_b/7007 >/dev/null 2>&1; }
tap_true "echo_server answers" wait_for $daemon_seconds listens
misuse 7007 message
tap_true "echo_client: 500 messages of up to 256 KiB" client a "$bin/echo_client" -d -c 500 -s 262144 $mac_b/7007
tap_true "large: 16 MiB there and back" client a timeout 120 "$bin/large" -d $mac_b
net_stop server
tap_is "the server ends on a signal" $? 0
random_file "$scratch/speech" 3000
client_start talker b "$bin/xlane" cat -l -v --daemon 7000 <"$scratch/speech" >/dev/null 2>"$scratch/talker.err"
listening() { grep -q listening "$scratch/talker.err"; }
tap_true "a talker listens" wait_for $daemon_seconds listening
misuse 7000 stream
net_stop talker
client_start server b "$bin/epoll_server" -d 7007 2>"$scratch/server.err"
answers() { client a "$bin/crowd" call --daemon --type stream --bytes 1000 $mac_b 7007 >/dev/null 2>&1; }
tap_true "epoll_server answers" wait_for $daemon_seconds answers
tap_true "epoll_server: 50 clients get their bytes back" \
	client a timeout 120 "$bin/crowd" call --daemon --type stream --conns 50 --bytes 500000 --depth 4 $mac_b 7007
net_stop server
tap_is "it ends on a signal, and had no failure" "$? $(cat "$scratch/server.err")" "0 "
tap_true "the daemons stop" daemons_stop
net_end
