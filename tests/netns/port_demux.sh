#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# port_demux.sh - a port with several workers in the demultiplexer: entered, armed, the program replaced under load,
# left.
#
#   namespace $A:  pd0 (program, workers)  <======>  pd1 (sends)

. "$(dirname "$0")/xdp_common.bash"

ip -n $A link add pd0 numrxqueues 2 numtxqueues 2 type veth peer name pd1 numrxqueues 2 numtxqueues 2 || exit 1
ip -n $A link set pd0 up && ip -n $A link set pd1 up || exit 1
in_a sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null
in_a "$xlane" attach pd0 >/dev/null || exit 1
in_a "$build/tests/tools/port_demux" pd0 pd1 3 "$xlane attach --replace pd0 >/dev/null"
status=$?
in_a "$xlane" detach pd0 >/dev/null
exit $status
