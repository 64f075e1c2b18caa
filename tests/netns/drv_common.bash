# SPDX-License-Identifier: BSD-2-Clause
# drv_common.bash - a namespace with one veth pair for driver tests, gone again when the script ends. Sourced.
#
#     veth_run KIND MTU QUEUES CASE...     drv_da <-> drv_db, both drivers in one process (tests/tools/drv_traffic.c)
#     veth_run port MTU QUEUES WORKERS_A WORKERS_B CASE...     several workers on each (tests/tools/port_traffic.c)

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
build=${BUILD:-build}
ns="xldrv$$"
trap 'ip netns del "$ns" 2>/dev/null' EXIT
trap 'exit 130' INT TERM

skip_all() { echo "1..0 # SKIP $1"; exit 0; }

[ "$(id -u)" = 0 ] || skip_all "needs root"

in_ns() { nsenter --net="/run/netns/$ns" -- "$@"; } # not `ip -n`, which wants a mount namespace besides

veth_run() {
	local kind=$1 mtu=$2 queues=$3
	shift 3
	ip netns del "$ns" 2>/dev/null
	ip netns add "$ns" || skip_all "no network namespaces"
	in_ns ip link add drv_da mtu "$mtu" numrxqueues "$queues" numtxqueues "$queues" type veth \
		peer name drv_db mtu "$mtu" numrxqueues "$queues" numtxqueues "$queues" || skip_all "no veth"
	in_ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null
	in_ns ip link set drv_da up && in_ns ip link set drv_db up || exit 1
	if [ "$kind" = port ]; then
		echo "# $queues queues, workers and cases: $*"
		in_ns "$build/tests/tools/port_traffic" drv_da drv_db "$@"
	else
		in_ns "$build/tests/tools/drv_traffic" "$kind" drv_da drv_db "$@"
	fi
	[ $? -le 1 ] || echo "not ok 0 - $kind $*: it ended by itself"
}

# The runs of one script print one TAP stream each; number them through.
tap_join() {
	awk '/^1\.\./ { next }
		/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n); if (/^not/) bad = 1 }
		{ print; fflush() }
		END { print "1.." n + 0; exit bad }'
}
