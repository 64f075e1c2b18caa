#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill9.sh - a program that holds the interface's AF_XDP sockets is killed, also while a child of it lives on: ordinary
# traffic goes on, xlane frames are treated by the stated policy, and the next program can have the interface.
# See xdp_common.bash for the two hosts.
. "$(dirname "$0")/xdp_common.bash"

for tool in hold frames; do
	[ -x $build/tests/tools/$tool ] || skip_all "no tests/tools/$tool"
done
[ -x $xlane ] || skip_all "no bin/xlane"

exited() { ! kill -0 $1 2>/dev/null; }
# $holder is the program itself, since nsenter executes it; a function put into the background would be a shell.
hold() { # [child|fork]
	: >$scratch/hold   # or the last one's "ready" is taken for this one's
	nsenter --net=/run/netns/$A $build/tests/tools/hold v0 "$@" >$scratch/hold 2>&1 &
	holder=$!
	background="$background $holder"
	wait_for grep -q '^ready$\|^hold:' $scratch/hold
	child=$(sed -n 's/^child //p' $scratch/hold)
	background="$background $child"
	grep -q '^ready$' $scratch/hold || { show $scratch/hold; return 1; }
}
armed() { in_a $xlane status --json v0 | grep -q '"armed": true'; }
kill_holder() {
	kill -9 $holder
	wait $holder 2>/dev/null
	exited $holder
}
ordinary_traffic() { # WHEN
	succeeds "$1: ping goes on" pings
	succeeds "$1: TCP goes on" tcp_flows
}
by_policy() { # WHEN
	succeeds "$1: policy pass" in_a $xlane attach --absent pass v0
	succeeds "$1: xlane frames are passed and counted" frames_counted absent_passed
	succeeds "$1: policy drop" in_a $xlane attach --absent drop v0
	succeeds "$1: xlane frames are dropped and counted" frames_counted absent_dropped
}

for mode in native skb; do
	succeeds "$mode: attach" in_a $xlane attach -m $mode v0

	succeeds "$mode: a program takes the interface" hold
	succeeds "$mode: xlane frames go to it" frames_counted redirected
	ordinary_traffic "$mode, program alive"
	succeeds "$mode: kill -9" kill_holder
	ordinary_traffic "$mode, program killed"
	by_policy "$mode, program killed"

	succeeds "$mode: another program takes the interface, and has a child" hold child
	succeeds "$mode: xlane frames go to it" frames_counted redirected
	succeeds "$mode: kill -9" kill_holder
	outlived=$child
	succeeds "$mode: its child lives on" kill -0 "$outlived"
	ordinary_traffic "$mode, child alive"
	by_policy "$mode, child alive"

	succeeds "$mode: a third one takes the interface while the child lives" hold
	succeeds "$mode: xlane frames go to it" frames_counted redirected
	succeeds "$mode: kill -9" kill_holder
	kill -9 $outlived
	by_policy "$mode, nobody left"

	succeeds "$mode: a program takes the interface, and has a child that holds its sockets" hold fork
	succeeds "$mode: kill -9" kill_holder
	succeeds "$mode: its child lives on" kill -0 "$child"
	ordinary_traffic "$mode, child with sockets alive"
	kill -9 "$child"
	succeeds "$mode: policy pass" in_a $xlane attach --absent pass v0
	succeeds "$mode: with the child's end the policy holds" wait_for frames_counted absent_passed

	succeeds "$mode: detach" in_a $xlane detach v0
	succeeds "$mode: attach, not armed" in_a $xlane attach -m $mode v0
	nsenter --net=/run/netns/$A $xlane cat -l -i v0 --driver af_xdp 7 </dev/null >$scratch/cat 2>&1 &
	holder=$!
	background="$background $holder"
	succeeds "$mode: xlane cat takes the interface" wait_for armed
	succeeds "$mode: xlane frames go to it" frames_counted redirected
	succeeds "$mode: kill -9 of xlane cat" kill_holder
	ordinary_traffic "$mode, xlane cat killed"
	by_policy "$mode, xlane cat killed"

	succeeds "$mode: detach" in_a $xlane detach v0
	clean "$mode: nothing is left"
done
finish
