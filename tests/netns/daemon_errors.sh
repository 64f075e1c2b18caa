#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_errors.sh - what can be wrong between a client and the daemon: each is said to the client in one clear line.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"
. "$(dirname "$0")/daemon.bash"

# One line on standard error that matches, and a bad status that is no signal's.
says() { # NAME PATTERN COMMAND...
	local name=$1 pattern=$2 status
	shift 2
	"$@" >/dev/null 2>"$scratch/said" </dev/null
	status=$?
	if [ $status -gt 0 ] && [ $status -lt 124 ] && [ "$(wc -l <"$scratch/said")" = 1 ] &&
		grep -Eqi -- "$pattern" "$scratch/said"; then
		tap_ok "$name"
		tap_show "$scratch/said"
	else
		tap_not_ok "$name"
		{ echo "status $status, wanted one line with: $pattern"; cat "$scratch/said"; } | tap_show
	fi
}
call() { client a "$bin/crowd" call --daemon "$@" $mac_b 8000; }
ping_by() { client a "$bin/xlane" ping --daemon "$@" -c 1 $mac_b 8000; }   # OPTIONS
stats() { client a "$bin/xlane" stats "$@"; }

net_direct
for command in call ping_by stats; do
	says "$command: no daemon there" 'no such|not running|no daemon' $command
	: >"$scratch/run-a/file"
	chmod 666 "$scratch/run-a/file"
	says "$command: a file in the place of the socket" "$scratch/run-a/file" $command --socket "$scratch/run-a/file"
	says "$command: a path that can be none" '107 (characters|bytes)' $command --socket "/$(printf 'x%.0s' {1..200})"
done

tap_true "the daemons start" daemons_start --workers 2
tap_true "a server listens" server_start server b --conns 100 8000
says "a wrong interface" 'nosuch0' call -i nosuch0
says "an interface that is there, and not the daemon's" "'?lo'?" call -i lo
says "more slots than are allowed" 'slot|conn' call --slots 1000000
says "a ring that is too large" 'ring|channel' call --channel-kib 1048576
server_start twice a --conns 1 9000
says "a port in use by another client" 'in use' client a "$bin/crowd" serve --daemon 9000
net_stop twice >/dev/null
says "nobody listens there" 'nobody listens there' client a "$bin/crowd" call --daemon --mode block $mac_b 8009
says "the port has another type" 'type' client a "$bin/crowd" call --daemon --type stream --mode block $mac_b 8000

chmod 600 "$(socket_of a)"
says "a socket without permission" 'permission' call
says "a socket without permission, for figures" 'permission' stats
chmod 666 "$(socket_of a)"
crowd_start client a call $mac_b 8000
tap_silent "with it, the same client is served" crowd_off client $daemon_seconds
net_stop server >/dev/null
tap_true "the daemons stop" daemons_stop
says "the daemon has gone" 'no such|not running|no daemon|refused' call

# A socket with nobody behind it, as a killed daemon leaves it.
daemon_start a
daemon_ready a
kill -KILL "$(worker_process_of a)" "$(helper_of a)"
net_join daemon_a 10
says "the daemon was killed" 'refused|not running|no daemon' call

# --- quotas ------------------------------------------------------------------------------------
quota() { # OPTION VALUE: a daemon with it
	daemon_start a "$@"
	daemon_ready a || { cat "$scratch/xlaned-a.err"; return 1; }
}
holder() { # NAME ARGUMENTS
	local name=$1
	shift
	crowd_start "$name" a serve --work hold "$@"
	crowd_says "$name" ready
}
tap_true "a daemon with a quota of clients starts" quota --clients-per-uid 2
tap_true "a first client" holder one 9001
tap_true "a second client" holder two 9002
says "a third client is one too many" 'quota|client' call
net_stop one >/dev/null
tap_true "one gone, another may come" wait_for 10 holder three 9003
net_stop two >/dev/null
net_stop three >/dev/null
daemon_stop a

tap_true "a daemon with a quota of ports starts" quota --ports-per-uid 1
tap_true "a first port" holder one 9001
says "a second port is one too many" 'quota|port' client a "$bin/crowd" serve --daemon 9002
net_stop one >/dev/null
daemon_stop a

# --- something else at the socket --------------------------------------------------------------
for how in version magic short garbage hangup silent; do
	: >"$scratch/fake.out"
	net_start fake $A "$tools/fake_daemon" "$(socket_of a)" $how >"$scratch/fake.out"
	wait_for 10 grep -q ready "$scratch/fake.out"
	case $how in
	version) pattern='version' ;;
	silent) pattern='answer|time' ;;
	*) pattern='version|not.*daemon|protocol|answer|xlaned' ;;
	esac
	says "what is at the socket: $how" "$pattern" call
	says "what is at the socket: $how, asked for figures" "$pattern" stats
	net_stop fake
done
net_end
