#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_start.sh - the daemon's life: starting, serving, bad configurations, reload, clean end, kill -9 of its worker
# process, of its helper and of both, an interface that goes and comes back, two interfaces, two daemons.
. "$(dirname "$0")/lib.sh"

xlaned=$build/bin/xlaned
[ -x "$xlaned" ] || $net_refuse "no bin/xlaned"
net_direct 1500 2
sock=$scratch/xlaned.sock
conf=$scratch/xlaned.conf

daemon() { # NAME HOST ARGUMENTS...: started and serving
	local name=$1 host=$2
	shift 2
	: >"$scratch/$name.out"
	net_start "$name" "$host" "$xlaned" "$@" >"$scratch/$name.out" 2>"$scratch/$name.err"
	wait_for 20 ready_or_ended "$name"
	is_ready "$name" || { cat "$scratch/$name.err"; return 1; }
}
is_ready() { grep -q '^xlaned: ready$' "$scratch/$1.out"; }
ready_or_ended() { is_ready "$1" || net_ended "$1"; }
worker_of() { pgrep -P "${pid_of[$1]}"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
attached() { [ -n "$(program_of $A)" ]; }
not_attached() { [ -z "$(program_of $A)" ]; }
armed() { in_a "$xlane" status --json xl0 | grep -q '"armed": true'; }
not_armed() { in_a "$xlane" status --json xl0 | grep -q '"armed": false'; }
pings() { in_a ping -q -c 2 -i 0.05 -W 5 $ip_b; }
# What the daemon says of itself, over its socket.
query() { "$tools/daemon_query" "$sock" "$@"; }
refused() { # NAME STATUS PATTERN ARGUMENTS...: it ends so, and says so
	local name=$1 status=$2 pattern=$3
	shift 3
	timeout 20 nsenter --net=/run/netns/$A -- "$xlaned" "$@" >"$scratch/refused" 2>&1
	tap_is "$name: status" $? "$status"
	tap_found "$name: says why" "$pattern" cat "$scratch/refused"
}
nothing_of_it() { # prints what a daemon has left
	find "$scratch" -name 'xlaned.sock*'
	attached && echo "the program is attached"
	find /sys/fs/bpf /run/xlane -name xl0 2>/dev/null
	return 0
}

# --- it starts, serves, ends ---------------------------------------------------------------------
tap_true "it starts" daemon one $A --interface xl0 --workers 2 --socket "$sock"
net_programs="$net_programs $(program_of $A)"
tap_true "it has attached the program" attached
tap_true "the program is armed" armed
tap_is "its socket's mode" "$(stat -c %a "$sock")" 660
worker=$(worker_of one)
tap_is "its worker process is nobody of importance" "$(stat -c %U /proc/"$worker")" \
	"$(id -nu xlane 2>/dev/null || echo nobody)"
tap_is "which has no capabilities, nor can get any" \
	"$(sed -n 's/^\(CapPrm\|CapEff\|CapBnd\|CapAmb\|NoNewPrivs\):\t//p' /proc/"$worker"/status | sort -u | tr '\n' ' ')" \
	"0000000000000000 1 "
tap_is "the helper keeps no AF_XDP socket" "$(in_a ss -H --xdp -p 2>/dev/null | grep -c "pid=${pid_of[one]},")" 0
tap_true "it answers: status" query status
tap_found "with its interface" '"xl0"' query status
tap_found "and two workers" '"workers"' query workers
tap_true "a client attaches" query attach
tap_found "figures that are not there are refused" 'no such figures' query nonsense
tap_found "an interface that is not served is refused" 'does not serve .eth9' query attach eth9
tap_true "ordinary traffic flows" pings

# --- two daemons ---------------------------------------------------------------------------------
refused "a second daemon on the socket" 1 'another xlaned serves' --interface xl0 --socket "$sock"
refused "a second daemon on the interface" 1 'xl0' --interface xl0 --socket "$scratch/other.sock"
tap_true "the first is not disturbed" query status
tap_true "and is armed" armed

net_stop one
tap_is "it ends as told" $? 0
tap_silent "a clean end leaves nothing" nothing_of_it

# --- bad configurations --------------------------------------------------------------------------
refused "an unknown interface" 1 'eth9' --interface eth9 --socket "$sock"
refused "no interface" 2 'no interface' --socket "$sock"
refused "a bad value" 2 "workers: '99' is not allowed; allowed: 1..16" --interface xl0 --workers 99
refused "an unknown group" 1 'no group' --interface xl0 --socket "$sock" --group no-such-group
refused "an unknown user" 1 'no user' --interface xl0 --socket "$sock" --user no-such-user
refused "root for the worker process" 1 'not to run as root' --interface xl0 --socket "$sock" --user root
refused "a file that is no socket" 1 'is no socket' --interface xl0 --socket "$scratch/refused"
refused "never attach, and nothing there" 1 'no XDP program' --interface xl0 --socket "$sock" --attach never
printf '[interface xl0]\nworkers = 2\nspin = 4\n' >"$conf"
refused "a bad key in a file" 2 "$conf:3: no key spin" --config "$conf"
refused "no such file" 2 'can not read /nonexistent' --config /nonexistent
tap_silent "a start that fails leaves nothing" nothing_of_it

# --- reload --------------------------------------------------------------------------------------
printf '[daemon]\nsocket = %s\n[interface xl0]\nworkers = 2\n' "$sock" >"$conf"
tap_true "it starts from a file" daemon two $A --config "$conf"
net_programs="$net_programs $(program_of $A)"
said() { grep -q "$1" "$scratch/two.err"; }
printf '[daemon]\nsocket = %s\nlog_level = loud\n[interface xl0]\nworkers = 2\n' "$sock" >"$conf"
kill -HUP "${pid_of[two]}"
tap_true "a reload that fails says why" wait_for 10 said "$conf:3: log_level: 'loud' is not allowed"
tap_true "and that the old one stays" said 'the old configuration stays in force'
printf '[daemon]\nsocket = %s\nclients_per_uid = 1\n[interface xl0]\nworkers = 3\n' "$sock" >"$conf"
kill -HUP "${pid_of[two]}"
tap_true "a reload that needs a restart says so" wait_for 10 said 'next start on: xl0/workers'
quota_holds() { query attach 2>&1 | grep -q 'clients_per_uid = 1'; }
mkfifo "$scratch/hold"
net_start holder $A "$tools/daemon_query" "$sock" hold <>"$scratch/hold" >"$scratch/holder" 2>&1
tap_true "one client is there" wait_for 10 grep -q attached "$scratch/holder"
tap_true "the quota that was reloaded holds" wait_for 10 quota_holds
net_stop holder KILL
tap_true "a client that was killed gives its quota back" wait_for 10 query attach

# --- deaths --------------------------------------------------------------------------------------
worker=$(worker_of two)
kill -KILL "$worker"
tap_true "with its worker process killed the daemon ends" wait_for 10 net_ended two
net_join two 10
tap_is "with a status that says so" $? 1
tap_true "and says what happened" said 'killed by signal 9'
tap_silent "and leaves nothing" nothing_of_it
tap_true "ordinary traffic flows" pings

tap_true "it starts again" daemon three $A --interface xl0 --workers 2 --socket "$sock"
net_programs="$net_programs $(program_of $A)"
worker=$(worker_of three)
net_stop three KILL
tap_true "with its helper killed the worker process ends" wait_for 10 ended "$worker"
tap_true "ordinary traffic flows" pings
tap_true "the next start has its socket and the program that was left" \
	daemon four $A --interface xl0 --workers 1 --socket "$sock"
tap_true "it serves" query attach
worker=$(worker_of four)
kill -KILL "$worker" "${pid_of[four]}"
net_join four 10
tap_true "both killed: ordinary traffic flows" pings
tap_true "the next start" daemon five $A --interface xl0 --workers 4 --socket "$sock"
tap_true "serves" query attach
net_stop five
tap_is "ends as told" $? 0
tap_true "what it has not attached stays" attached
tap_true "and is not armed" not_armed
tap_true "detach" in_a "$xlane" detach xl0

# --- an interface that goes and comes back ---------------------------------------------------------
tap_true "it starts" daemon six $A --interface xl0 --workers 2 --socket "$sock"
net_programs="$net_programs $(program_of $A)"
ip_in $A link del xl0
away() { query attach 2>&1 | grep -q 'xl0 is away'; }
tap_true "its interface is deleted: clients are told" wait_for 10 away
tap_true "figures still come" query status
link $A xl0 $mac_a $B xl0 $mac_b 1500 2
address_hosts
tap_true "it is back: it serves again" wait_for 20 query attach
net_programs="$net_programs $(program_of $A)"
tap_true "and is armed" armed
net_stop six
tap_is "it ends as told" $? 0
tap_silent "and leaves nothing" nothing_of_it

# --- two interfaces --------------------------------------------------------------------------------
ip_in $A link add xl1 type veth peer name xl2
nsenter --net=/run/netns/$A -- sh -c "'$tools/offload' xl1 && ip link set xl1 up && ip link set xl2 up"
printf '[daemon]\nsocket = %s\n[interface xl0]\nworkers = 2\n[interface xl1]\nqueues = 1\n' "$sock" >"$conf"
tap_true "it starts with two interfaces" daemon seven $A --config "$conf"
net_programs="$net_programs $(program_of $A)"
tap_found "a client has the first" 'xl0, 2 workers' query attach
tap_found "a client has the second" 'xl1, 1 workers' query attach xl1
ip_in $A link del xl1
gone() { query attach xl1 2>&1 | grep -q 'xl1 is away'; }
tap_true "the second is deleted" wait_for 10 gone
tap_found "the first goes on" 'xl0, 2 workers' query attach
net_stop seven
tap_is "it ends as told" $? 0
tap_silent "and leaves nothing" nothing_of_it
net_end
