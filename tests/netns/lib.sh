# SPDX-License-Identifier: BSD-2-Clause
# lib.sh - two hosts for a test or a demonstration, as network namespaces, joined directly or through a relay; sourced
# by bash scripts, with their arguments.
#
#      host A                     middle                     host B
#   xl0 10.77.0.1  <----->  toA   relay   toB  <----->  xl0 10.77.0.2      net_relayed [MTU [QUEUES]]
#   xl0 10.77.0.1  <--------------------------------->  xl0 10.77.0.2      net_direct [MTU [QUEUES]]
#
# Where the system allows it, the script runs in a mount namespace of its own, with an empty /run and a fresh BPF file
# system: its namespaces and pins are seen by nobody else and end with it, however it ends. What it starts and attaches
# is taken away by net_down, which also looks whether anything is left.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "$top" && realpath -m "${BUILD:-build}")
xlane=$build/bin/xlane
tools=$build/tests/tools
examples=$build/examples
PATH=$PATH:/usr/sbin:/sbin
. "$top/tests/tools/tap.sh"

# What the script says when it can not run here: a test skips, a demonstration sets this to something that fails.
: "${net_refuse:=tap_skip_all}"

if [ -z "${NET_INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || $net_refuse "needs root"
	for tool in ip xdp-loader bpftool unshare nsenter ping; do
		command -v $tool >/dev/null || $net_refuse "no $tool"
	done
	unshare --net true 2>/dev/null || $net_refuse "this kernel or container allows no network namespaces"
	# In a chroot whose root is no mount point there is no private view of mounts; then it is the common one.
	if unshare --mount --propagation private true 2>/dev/null; then
		NET_INSIDE=private exec unshare --mount --propagation private "$0" "$@"
	fi
	NET_INSIDE=common
fi
net_view=$NET_INSIDE
if [ $net_view = private ]; then
	mount -t tmpfs tmpfs /run && mkdir /run/netns || exit 1
	if [ "$(stat -f -c %t /sys/fs/bpf 2>/dev/null)" = cafe4a11 ]; then
		umount -l /sys/fs/bpf || exit 1
	fi
	mount -t bpf bpf /sys/fs/bpf 2>/dev/null   # where there is no such directory, `xlane attach` mounts its own
fi
unset LIBXDP_BPFFS XLANE_BPF_OBJECT NET_INSIDE
scratch=$(mktemp -d "${TMPDIR:-/tmp}/xlane.XXXXXX") || exit 1

A=xla-$$ M=xlm-$$ B=xlb-$$
mac_a=02:78:6c:00:00:0a mac_b=02:78:6c:00:00:0b
ip_a=10.77.0.1 ip_b=10.77.0.2
declare -A pid_of=()         # name -> process that net_start started
net_programs=                # ids of the XDP programs that were attached
net_inodes=                  # of the hosts' namespaces, by which pins are filed
net_over=
relay_json=$scratch/relay.json

in_a() { nsenter --net=/run/netns/$A -- "$@"; }
in_m() { nsenter --net=/run/netns/$M -- "$@"; }
in_b() { nsenter --net=/run/netns/$B -- "$@"; }
# `ip -n` would ask for a mount namespace besides, which a chroot may refuse.
ip_in() { nsenter --net="/run/netns/$1" -- ip "${@:2}"; } # NAMESPACE ARGUMENTS...

# Until the command succeeds, at most so many seconds.
wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# --- hosts -------------------------------------------------------------------------------------
host() { # NAMESPACE
	ip netns add "$1" || $net_refuse "no network namespaces"
	net_inodes="$net_inodes $(stat -L -c %i "/run/netns/$1")"
	ip_in "$1" link set lo up
	nsenter --net="/run/netns/$1" -- sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6' 2>/dev/null
	return 0
}
link() { # NAMESPACE DEVICE MAC NAMESPACE DEVICE MAC MTU QUEUES
	local each="mtu $7 numrxqueues $8 numtxqueues $8"
	# shellcheck disable=SC2086 # words
	ip_in "$1" link add "$2" address "$3" $each type veth peer name "$5" address "$6" netns "$4" $each ||
		$net_refuse "no veth interfaces"
	nsenter --net="/run/netns/$1" -- "$tools/offload" "$2" && nsenter --net="/run/netns/$4" -- "$tools/offload" "$5" &&
		ip_in "$1" link set "$2" up && ip_in "$4" link set "$5" up || exit 1
}
address_hosts() {
	ip_in $A addr add $ip_a/24 dev xl0 && ip_in $B addr add $ip_b/24 dev xl0 || exit 1
	# No question before the first packet: the other host does not change.
	ip_in $A neigh replace $ip_b lladdr $mac_b dev xl0 nud permanent
	ip_in $B neigh replace $ip_a lladdr $mac_a dev xl0 nud permanent
}
net_direct() { # [MTU [QUEUES]]
	host $A && host $B
	link $A xl0 $mac_a $B xl0 $mac_b "${1:-1500}" "${2:-1}"
	address_hosts
}
net_relayed() { # [MTU [QUEUES]]
	host $A && host $M && host $B
	link $A xl0 $mac_a $M toA 02:78:6c:00:01:0a "${1:-1500}" "${2:-1}"
	link $B xl0 $mac_b $M toB 02:78:6c:00:01:0b "${1:-1500}" "${2:-1}"
	address_hosts
}

# --- programs ----------------------------------------------------------------------------------
# Start a command in a host; its redirections are the caller's. $! is its process, and its name finds it again.
net_start() { # NAME NAMESPACE COMMAND...
	local name=$1 ns=$2
	shift 2
	# Without a redirection bash gives it /dev/null to read.
	(exec nsenter --net="/run/netns/$ns" -- "$@") <&0 &
	pid_of[$name]=$!
}
net_ended() { ! kill -0 "${pid_of[$1]}" 2>/dev/null; }   # NAME
# Its exit status, once it has ended by itself; 124 when it has not after so many seconds, and then it is ended.
net_join() { # NAME SECONDS
	local pid=${pid_of[$1]} late=
	wait_for "$2" net_ended "$1" || late=1
	[ -z $late ] || kill -TERM "$pid" 2>/dev/null
	wait_for 5 net_ended "$1" || kill -KILL "$pid" 2>/dev/null
	unset "pid_of[$1]"
	wait "$pid" 2>/dev/null
	set -- $?
	[ -z $late ] || return 124
	return "$1"
}
net_stop() { # NAME [SIGNAL]: its exit status
	kill -"${2:-TERM}" "${pid_of[$1]}" 2>/dev/null
	net_join "$1" 20
}

# --- the relay ---------------------------------------------------------------------------------
relay_start() { # OPTIONS...: as `relay -h`; towards A is the second direction
	rm -f "$scratch/ready" "$relay_json"
	mkfifo "$scratch/ready" || return 1
	net_start relay $M "$tools/relay" --quiet --json "$relay_json" --ready "$scratch/ready" "$@" toA toB
	local line=
	read -r -t 20 line <>"$scratch/ready"
	[ "$line" = ready ]
}
relay_stop() { net_stop relay; }   # $relay_json is there afterwards
relay_sum() { # COUNTER...: over both directions
	local counter paths=()
	for counter in "$@"; do paths+=("directions/0/$counter" "directions/1/$counter"); done
	"$tools/json_get" "$relay_json" "${paths[@]}" | awk '{ n += $1 } END { printf "%d\n", n }'
}

# What the relay did is what was asked of it: within a fifth, or four standard deviations where that is more. Prints
# a line for each that is not.
relay_off() { # PPM-LOSS PPM-DUPLICATION PPM-REORDERING PPM-CORRUPTION
	local received other lost left
	received=$(relay_sum received) other=$(relay_sum other pool_dropped burst_lost) lost=$(relay_sum lost)
	left=$((received - other - lost))
	{
		echo loss "$1" $((received - other)) "$lost"
		echo duplication "$2" $left "$(relay_sum duplicated)"
		echo reordering "$3" $left "$(relay_sum reordered)"
		echo corruption "$4" $left "$(relay_sum corrupted)"
	} | awk '{
		expected = $2 * $3 / 1000000; off = $4 - expected; if (off < 0) off = -off
		bound = expected / 5; if (bound < 4 * sqrt(expected)) bound = 4 * sqrt(expected)
		if (off > bound) printf "%s: asked for %.1f of %d frames, got %d\n", $1, expected, $3, $4
	}'
	[ "$(relay_sum lacks)" = 0 ] || echo "the relay's counters do not add up"
}

# --- attaching ---------------------------------------------------------------------------------
program_of() { # NAMESPACE: id of the XDP program on its xl0
	ip_in "$1" -d link show xl0 2>/dev/null | sed -n 's/.*prog\/xdp[a-z]* id \([0-9]*\).*/\1/p'
}
net_attach() { # OPTIONS of xlane attach
	in_a "$xlane" attach "$@" xl0 && in_b "$xlane" attach "$@" xl0 || return 1
	net_programs="$net_programs $(program_of $A) $(program_of $B)"
}
net_detach() { in_a "$xlane" detach xl0 && in_b "$xlane" detach xl0; }

# --- figures -----------------------------------------------------------------------------------
json() { "$tools/json_get" "$@"; }   # FILE PATH...
# Every frame is accounted for, and none is lost to an owner that no finished program has. Prints what is wrong.
census_off() { # FILE...
	local file owned
	for file in "$@"; do
		owned=$(json "$file" census | awk -F'[:,]' '/"/ { n += $2 } END { print n + 0 }')
		[ "$(json "$file" census_ok)" = true ] && [ "$owned" -gt 0 ] || echo "$file: the census does not add up"
	done
}
same_bytes() { # FILE FILE: by SHA-256
	[ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]
}
random_file() { head -c "$2" /dev/urandom >"$1"; }   # FILE BYTES

# --- the end -----------------------------------------------------------------------------------
# A line for everything that should be gone.
net_left() {
	local name id
	for name in "${!pid_of[@]}"; do
		kill -0 "${pid_of[$name]}" 2>/dev/null && echo "process ${pid_of[$name]} ($name) runs"
	done
	for id in $net_programs; do
		bpftool prog show id "$id" >/dev/null 2>&1 && echo "XDP program $id is loaded"
	done
	for id in $A $M $B; do
		[ ! -e "/run/netns/$id" ] || echo "network namespace $id"
	done
	for id in $net_inodes; do
		find /sys/fs/bpf /run/xlane -name "netns:$id" 2>/dev/null | sed 's/^/pin /'
	done
	# Nobody else is here. libxdp keeps an empty directory of its own.
	[ $net_view = common ] || find /sys/fs/bpf /run/xlane -mindepth 1 ! -name '*.debug' ! -path /sys/fs/bpf/xdp 2>/dev/null |
		sed 's/^/pin /'
}
nothing_left() { [ -z "$(net_left)" ]; }
# What runs in a host and was not started by net_start, or has not ended though told to: named, then ended.
net_strays() {
	local ns pid
	for ns in $A $M $B; do
		[ -e /run/netns/$ns ] || continue
		for pid in $(ip netns pids $ns); do
			echo "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline")) runs in host $ns"
			kill -KILL "$pid"
		done
	done
}

# Take everything away; what is left after ten seconds is printed, and makes the status 1.
net_down() {
	local name ns strays
	[ -z "$net_over" ] || return 0
	net_over=1
	for name in "${!pid_of[@]}"; do
		kill -TERM "${pid_of[$name]}" 2>/dev/null
	done
	for name in "${!pid_of[@]}"; do
		net_join "$name" 15
	done
	for ns in $A $B; do
		[ -z "$(program_of $ns)" ] || nsenter --net=/run/netns/$ns -- "$xlane" detach xl0 >/dev/null
	done
	strays=$(net_strays 2>/dev/null)
	for ns in $A $M $B; do
		[ ! -e /run/netns/$ns ] || ip netns del $ns
	done
	rm -rf "$scratch"
	[ -z "$strays" ] || echo "$strays"
	# A program is gone when the kernel has let go of it, a moment after its interface.
	wait_for 10 nothing_left || net_left
	[ -z "$strays" ] && nothing_left
}
# A process that was just forked, and has not yet become what it is to be, may run these in the place of the script.
net_is_script() { [ $BASHPID = $$ ]; }
net_interrupted() { # SIGNAL-NUMBER
	trap '' INT TERM HUP
	exit $((128 + $1))
}
net_exit() { ! net_is_script || net_down; }
trap net_exit EXIT
trap 'net_interrupted 2' INT
trap 'net_interrupted 15' TERM
trap 'net_interrupted 1' HUP

# The last thing of a test: clean up, which is a test of its own, and print the plan.
net_end() {
	tap_silent "nothing is left behind" net_down
	trap - EXIT
	tap_end
}
