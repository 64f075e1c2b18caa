# SPDX-License-Identifier: BSD-2-Clause
# daemon.bash - xlaned on the two hosts of lib.sh, and unprivileged clients; sourced after lib.sh and transfer.bash.
#
#      host A                                     host B                  HOST is `a` or `b`
#   clients (nobody) -- run-a/xlaned.sock      clients (nobody) -- run-b/xlaned.sock
#   xlaned: helper (root), worker process      xlaned: helper (root), worker process
#   xl0  <------------------------------------>  xl0

xlaned=$build/bin/xlaned
[ -x "$xlaned" ] || $net_refuse "$xlaned is not built"
command -v setpriv >/dev/null || $net_refuse "no setpriv"
as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --"
daemon_seconds=60     # whatever the daemon is asked for that takes longer hangs

# Nobody may not be able to look into the directory of the build: what clients run is copied.
chmod 711 "$scratch"
bin=$scratch/bin user=$scratch/user
mkdir -m 755 "$bin" "$scratch/run-a" "$scratch/run-b" && mkdir -m 777 "$user" || exit 1
chmod 777 "$user"
cp "$xlane" "$tools/crowd" "$tools/handover" "$tools/forked" "$bin" && chmod 755 "$bin"/* || exit 1

# FILE COMMAND...: the command, again as long as nobody listens yet at the other end; what it says at last is in FILE.
cat >"$bin/call" <<'EOT'
#!/bin/sh
said=$1 tries=400
shift
while "$@" 2>"$said"; status=$?; [ $status != 0 ] && grep -Eq 'nobody listens|refused' "$said"; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || break
	sleep 0.05
done
exit $status
EOT
chmod 755 "$bin/call"

ns_of() { [ "$1" = a ] && echo "$A" || echo "$B"; }
socket_of() { echo "$scratch/run-$1/xlaned.sock"; }
mac_of() { [ "$1" = a ] && echo $mac_a || echo $mac_b; }
other_of() { [ "$1" = a ] && echo b || echo a; }

# --- the daemon --------------------------------------------------------------------------------
daemon_start() { # HOST OPTIONS-OF-XLANED...
	local host=$1
	shift
	net_start "daemon_$host" "$(ns_of "$host")" "$xlaned" --interface xl0 --socket "$(socket_of "$host")" \
		--mode 0666 "$@" \
		</dev/null >"$scratch/xlaned-$host.out" 2>>"$scratch/xlaned-$host.err"
}
daemon_answers() { XLANE_SOCKET=$(socket_of "$1") "$xlane" workers --json >/dev/null 2>&1; }   # HOST
daemon_ready() { # HOST
	wait_for $daemon_seconds daemon_ready_or_ended "$1" && ! net_ended "daemon_$1" &&
		net_programs="$net_programs $(program_of "$(ns_of "$1")")"
}
daemon_ready_or_ended() { net_ended "daemon_$1" || daemon_answers "$1"; }
daemons_start() { # OPTIONS-OF-XLANED...: on both hosts; shows what they say when they do not start
	daemon_start a "$@"
	daemon_start b "$@"
	daemon_ready a && daemon_ready b && return 0
	cat "$scratch/xlaned-a.err" "$scratch/xlaned-b.err"
	return 1
}
daemon_stop() { net_stop "daemon_$1" "${2:-TERM}"; }   # HOST [SIGNAL]: its exit status
daemons_stop() {
	local status
	daemon_stop a
	status=$?
	daemon_stop b && [ $status = 0 ]
}
helper_of() { echo "${pid_of[daemon_$1]}"; }
worker_process_of() { ps -o pid= --ppid "$(helper_of "$1")" | awk '{ print $1; exit }'; }   # HOST
program_gone() { [ -z "$(program_of "$(ns_of "$1")")" ]; }   # HOST

# --- its figures -------------------------------------------------------------------------------
daemon_ask() { # HOST SUBCOMMAND-OF-XLANE...
	local host=$1
	shift
	"$xlane" "$@" --json --socket "$(socket_of "$host")"
}
# A member of each worker's object, one a line; fails when a worker has not answered.
daemon_each() { # HOST MEMBER
	local i=0 all=()
	daemon_ask "$1" workers >"$scratch/workers.json" || return 1
	while json "$scratch/workers.json" "workers/$i/worker" >/dev/null 2>&1; do
		all+=("workers/$i/$2")
		i=$((i + 1))
	done
	[ $i -gt 0 ] && json "$scratch/workers.json" "${all[@]}"
}
sum_lines() { awk '{ n += $1 } END { if (NR) printf "%d\n", n }'; }
daemon_conns() { daemon_each "$1" connections | sum_lines; }   # HOST: that are not through
daemon_clients() { daemon_each "$1" clients | sort -n | tail -1; } # HOST: each has a channel to every worker
daemon_empty() { [ "$(daemon_conns "$1")" = 0 ] && [ "$(daemon_clients "$1")" = 0 ]; }   # HOST
daemon_counter() { # HOST TABLE/KEY: summed over the workers
	local i paths=()
	daemon_ask "$1" stats >"$scratch/stats.json" || return 1
	for ((i = 0; ; i++)); do
		json "$scratch/stats.json" "interfaces/0/workers/$i/worker" >/dev/null 2>&1 || break
		paths+=("interfaces/0/workers/$i/$2")
	done
	json "$scratch/stats.json" "${paths[@]}" | sum_lines
}
daemon_census_off() { # HOST...: a line for each whose frames do not add up
	local host
	for host in "$@"; do
		[ "$(daemon_each "$host" census_ok | sort -u)" = true ] ||
			echo "host $host: the census of the daemon does not add up"
	done
}

# --- clients -----------------------------------------------------------------------------------
# Both hosts' clients are user nobody, and find the daemon by the environment, unless they are told otherwise.
client_start() { # NAME HOST COMMAND...
	local name=$1 host=$2
	shift 2
	# shellcheck disable=SC2086 # words
	net_start "$name" "$(ns_of "$host")" env XLANE_SOCKET="$(socket_of "$host")" $as_nobody "$@"
}
client() { # HOST COMMAND...
	local host=$1
	shift
	# shellcheck disable=SC2086 # words
	nsenter --net="/run/netns/$(ns_of "$host")" -- env XLANE_SOCKET="$(socket_of "$host")" $as_nobody "$@"
}
# A crowd in the background; $user/NAME.out, .err and .json are what it says.
crowd_start() { # NAME HOST serve|call ARGUMENTS...
	local name=$1 host=$2 role=$3
	shift 3
	rm -f "$user/$name.json"
	: >"$user/$name.out"
	client_start "$name" "$host" "$bin/crowd" "$role" --daemon --json "$user/$name.json" "$@" \
		>"$user/$name.out" 2>"$user/$name.err"
}
crowd_said() { grep -q "^$2" "$user/$1.out"; }   # NAME PATTERN
crowd_says() { wait_for $daemon_seconds crowd_said_or_ended "$1" "$2" && crowd_said "$1" "$2"; }   # NAME PATTERN
crowd_said_or_ended() { crowd_said "$1" "$2" || net_ended "$1"; }
server_start() { # NAME HOST ARGUMENTS-OF-CROWD-SERVE...
	local name=$1 host=$2
	shift 2
	crowd_start "$name" "$host" serve "$@"
	crowd_says "$name" ready
}
crowd_value() { json "$user/$1.json" "$2"; }   # NAME PATH
# What is wrong with how it ended, in lines. Its own word counts, in the file that it writes last: the shell may have
# forgotten the status of a process that ended long ago.
crowd_off() { # NAME SECONDS
	local status
	net_join "$1" "$2"
	status=$?
	[ $status != 124 ] && [ ! -s "$user/$1.err" ] && [ "$(crowd_value "$1" well 2>/dev/null)" = true ] && return 0
	echo "$1: status $status: $(head -5 "$user/$1.err")"
	[ ! -s "$user/$1.json" ] || echo "$(tr -d '\n' <"$user/$1.json")"
	return 1
}

# Connections of a client on host A to a server on host B, every byte proved by both.
crowd_pair() { # NAME ARGUMENTS-OF-BOTH... [-- ARGUMENTS-OF-THE-CLIENT...]
	local name=$1 both=() port=$((7100 + crowd_pairs++))
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do both+=("$1"); shift; done
	[ $# = 0 ] || shift
	server_start server b "${both[@]}" $port
	crowd_start client a call "${both[@]}" "$@" $mac_b $port
	tap_silent "$name: the client ends well" crowd_off client $cross_seconds
	tap_silent "$name: the server ends well" crowd_off server $daemon_seconds
}
crowd_pairs=0

# As `cross` of transfer.bash, through the daemons.
cross_daemon() { # NAME BYTES OPTIONS-OF-XLANE-CAT...
	local name=$1 bytes=$2 status_a status_b
	shift 2
	random_file "$scratch/forth" "$bytes"
	random_file "$scratch/back" $((bytes / 2 + 1))
	client_start listener b "$bin/xlane" cat -l --daemon "$@" 7000 \
		<"$scratch/back" >"$scratch/forth.got" 2>"$scratch/cat-b.err"
	client_start caller a "$bin/call" "$user/cat-a.err" "$bin/xlane" cat --daemon --timeout 30 "$@" $mac_b 7000 \
		<"$scratch/forth" >"$scratch/back.got"
	net_join caller $cross_seconds
	status_a=$?
	net_join listener $cross_seconds
	status_b=$?
	tap_is "$name: both ends finish well" \
		"$status_a $status_b $(cat "$user/cat-a.err" "$scratch/cat-b.err")" "0 0 "
	tap_true "$name: $bytes bytes arrive as they were sent" same_bytes "$scratch/forth" "$scratch/forth.got"
	tap_true "$name: $((bytes / 2 + 1)) bytes come back as they were sent" \
		same_bytes "$scratch/back" "$scratch/back.got"
}

# --- time --------------------------------------------------------------------------------------
now_us() { echo "${EPOCHREALTIME/[.,]/}"; }
ms_since() { echo $((($(now_us) - $1) / 1000)); }   # US: milliseconds since then
