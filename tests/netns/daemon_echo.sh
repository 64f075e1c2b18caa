#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# daemon_echo.sh - the benchmark of round trips through two daemons beside the kernel's TCP runs, and prints both
# figures; nothing is asked of the figures.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/tap.sh

[ "$(id -u)" = 0 ] || tap_skip_all "needs root"
unshare --net --mount --propagation private true 2>/dev/null || tap_skip_all "no namespaces"
tests/bench/echo_daemon_vs_tcp.sh -r 2 -n 5000 >"$tap_said" 2>&1
tap_is "64 byte echoes through two daemons and over TCP, in turns" "$?" 0
tap_show "$tap_said"
measured() { grep -c "^$1 {" "$tap_said"; }
tap_is "both were measured twice" "$(measured xlane_pingpong) $(measured tcp_pingpong)" "2 2"
us='p50 [0-9.]+ us p99 [0-9.]+ us'
tap_is "both figures are printed" "$(grep -Ec "daemons $us, kernel TCP $us" "$tap_said")" 1
sed -n 's/^64 byte echo/# figure: &/p' "$tap_said"
tap_end
