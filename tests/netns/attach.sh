#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attach.sh - `xlane attach`, `status` and `detach`, and the same through plain xdp-loader: what is there while it is
# attached, what is said about bad input, and that nothing is left behind. See xdp_common.bash for the two hosts.
. "$(dirname "$0")/xdp_common.bash"

object=$build/bpf/xlane_demux.bpf.o
own=/sys/fs/bpf/xlane/1/netns:$(stat -L -c %i /run/netns/$A)/v0
plain=/sys/fs/bpf/xlane/1/v0
# Alone on the interface, or in a dispatcher where the kernel takes one.
loader_shows() { # MODE
	in_a xdp-loader status v0 >$scratch/loader
	grep -Eq "xlane_demux +$1 " $scratch/loader ||
		{ grep -Eq "xdp_dispatcher +$1 " $scratch/loader && grep -q '=>.* xlane_demux ' $scratch/loader; }
}
demux_of_v0() { # its id
	in_a xdp-loader status v0 | awk '{ for (i = 1; i < NF; i++) if ($i == "xlane_demux")
		for (i++; i <= NF; i++) if ($i ~ /^[0-9]+$/) { print $i; exit } }'
}
map_ids() { # in_a|in_c
	$1 $xlane status --json v0 | sed -n 's/^ *"xl_[a-z]*": \([0-9]*\),*$/\1/p' | tr '\n' ' '
}

# --- xlane alone -------------------------------------------------------------------------------
succeeds "attach" in_a $xlane attach v0
first=$(demux_of_v0)
succeeds "xdp-loader status shows the program" loader_shows native
succeeds "status of the interface" in_a $xlane status v0
says "status tells program and mode" "program +$first \(xlane_demux\)( in a dispatcher)?, native mode"
says "status tells where the maps are pinned" "pinned +$own\$"
says "status tells that nobody is there" "armed +no"
says "status tells the ethertype" "hook +0x88b5 xlane"
succeeds "status of all interfaces" in_a $xlane status
says "which shows this one" "^v0\$"
succeeds "status for programs" in_a $xlane status --json
says "which names the interface" '^ *"interface": "v0",$'
succeeds "ping goes on" pings
succeeds "TCP goes on" tcp_flows
succeeds "what passed is counted" test "$(counter other_passed)" -gt 0
if [ -x $build/tests/tools/frames ]; then
	succeeds "xlane frames without a taker are passed and counted" frames_counted absent_passed
	succeeds "attach again with another policy" in_a $xlane attach --absent drop v0
	says "says that it is attached already" "already attached, program $first,"
	succeeds "xlane frames without a taker are dropped and counted" frames_counted absent_dropped
else
	skip "policy for frames without a taker" "no tests/tools/frames"
fi
succeeds "attach again" in_a $xlane attach v0
says "says that it is attached already" "already attached, program $first,"
succeeds "a second ethertype" in_a $xlane attach -e 0x88b6 v0
succeeds "status" in_a $xlane status v0
says "shows both ethertypes" "hook +0x88b6 xlane"
refuses "another mode" 1 "already attached to v0 in native mode; use --replace" in_a $xlane attach -m skb v0

ids=$(map_ids in_a)
succeeds "--replace" in_a $xlane attach --replace v0
succeeds "puts another program there" test "$(demux_of_v0)" != "$first" -a -n "$(demux_of_v0)"
succeeds "and keeps the maps" test "$(map_ids in_a)" = "$ids"
succeeds "--replace with another mode" in_a $xlane attach --replace -m skb v0
succeeds "is in that mode" loader_shows skb
succeeds "and keeps the maps too" test "$(map_ids in_a)" = "$ids"
succeeds "detach" in_a $xlane detach v0
clean "detach leaves nothing"
refuses "detach of nothing" 1 "nothing of xlane is attached to v0" in_a $xlane detach v0
refuses "status of an interface without it" 1 "no XDP program is attached to v0" in_a $xlane status v0
succeeds "status of all interfaces without it" in_a $xlane status
says "says how to attach" "attached to no interface"

# --- plain xdp-loader --------------------------------------------------------------------------
mkdir -p $plain
succeeds "xdp-loader load -p" in_a xdp-loader load -p $plain v0 $object
succeeds "xdp-loader status" loader_shows native
succeeds "is found by status" in_a $xlane status v0
says "with its pins" "pinned +$plain\$"
succeeds "attach onto it" in_a $xlane attach v0
says "says that it is attached already, and where" "already attached, .*pinned in $plain\$"
succeeds "attach --replace onto it" in_a $xlane attach --replace v0
succeeds "detach" in_a $xlane detach v0
clean "detach leaves nothing of it"

succeeds "xdp-loader load without pins" in_a xdp-loader load v0 $object
succeeds "is found by status" in_a $xlane status v0
says "which says so" "pinned +no\$"
succeeds "attach pins its maps" in_a $xlane attach v0
says "in the interface's directory" "pinned in $own\$"
succeeds "detach" in_a $xlane detach v0
clean "detach leaves nothing of it"

mkdir -p /sys/fs/bpf/elsewhere
succeeds "xdp-loader load -p elsewhere" in_a xdp-loader load -p /sys/fs/bpf/elsewhere v0 $object
succeeds "is found by status" in_a $xlane status v0
succeeds "and detached" in_a $xlane detach v0
succeeds "pins elsewhere are their owner's" test -e /sys/fs/bpf/elsewhere/xl_hooks
rm -r /sys/fs/bpf/elsewhere
clean "and nothing else is left"

# --- half-broken -------------------------------------------------------------------------------
succeeds "attach" in_a $xlane attach v0
rm $own/xl_hooks $own/xl_counters
succeeds "attach with pins lost" in_a $xlane attach v0
succeeds "makes them again" test -e $own/xl_hooks -a -e $own/xl_counters
in_a xdp-loader unload --all v0
succeeds "attach onto the pins of an unloaded program" in_a $xlane attach v0
in_a xdp-loader unload --all v0
rm $own/xl_config
succeeds "attach onto broken pins" in_a $xlane attach v0
in_a xdp-loader unload --all v0
succeeds "detach without program" in_a $xlane detach v0
says "says so" "no program was attached, pins removed"
clean "and leaves nothing"
mkdir -p $own
succeeds "detach with an empty directory only" in_a $xlane detach v0
clean "and leaves nothing"
succeeds "attach" in_a $xlane attach v0
rm -r /sys/fs/bpf/xlane
succeeds "detach without pins" in_a $xlane detach v0
clean "and leaves nothing"
succeeds "attach" in_a $xlane attach v0
ip -n $A link set v0 down
succeeds "detach from an interface that is down" in_a $xlane detach v0
clean "and leaves nothing"
ip -n $A link set v0 up
succeeds "attach" in_a $xlane attach v0
ip -n $A link del v0
succeeds "detach from an interface that is gone" in_a $xlane detach v0
make_link 4
clean "and leaves nothing"

# --- two namespaces with interfaces of one name -------------------------------------------------
more=xdc-$$
ip netns add $more
ip -n $more link add v0 type veth peer name v9
ip -n $more link set v0 up
in_c() { nsenter --net=/run/netns/$more -- "$@"; }
succeeds "attach to v0 here" in_a $xlane attach v0
succeeds "attach to v0 there" in_c $xlane attach v0
succeeds "two sets of maps" test "$(map_ids in_a)" != "$(map_ids in_c)"
succeeds "detach here" in_a $xlane detach v0
succeeds "status there" in_c $xlane status v0
says "pins there are untouched" "pinned +/sys/fs/bpf/xlane/1/netns:[0-9]+/v0\$"
there=$(dirname /sys/fs/bpf/xlane/1/netns:*/v0)
ip netns del $more
more=
gone() { in_a $xlane attach v0 && in_a $xlane detach v0 && [ ! -e "$there" ]; }
succeeds "pins of a namespace that is gone are swept away" wait_for gone
clean "and nothing is left"

# --- bad input ---------------------------------------------------------------------------------
refuses "no interface named" 2 "no interface named" in_a $xlane attach
refuses "two interfaces named" 2 "more than one interface" in_a $xlane attach v0 lo
refuses "unknown option" 2 "unknown option '-q'" in_a $xlane attach -q v0
refuses "unknown long option" 2 "unknown option '--quiet'" in_a $xlane attach --quiet v0
refuses "option without its argument" 2 "option '-m' needs an argument" in_a $xlane attach v0 -m
refuses "unknown mode" 2 "mode 'fast' is none of" in_a $xlane attach -m fast v0
refuses "unknown policy" 2 "policy 'maybe' is none of" in_a $xlane attach --absent maybe v0
for type in 0x800 0x0806 0x86dd 0x8100 0x5ff 0x10000 x -1 ""; do
	refuses "ethertype '$type'" 2 "no ethertype that xlane can have" in_a $xlane attach -e "$type" v0
done
refuses "detach: unknown option" 2 "unknown option '-f'" in_a $xlane detach -f v0
refuses "status: unknown option" 2 "unknown option '-f'" in_a $xlane status -f
long=$(printf 'x%.0s' {1..300})
for command in attach detach status; do
	refuses "$command: wrong interface" 1 "there is no interface nope0; " in_a $xlane $command nope0
	refuses "$command: a path for an interface" 1 "there is no interface \.\./x; " in_a $xlane $command ../x
	refuses "$command: a name that is too long" 1 "there is no interface $long" in_a $xlane $command $long
	succeeds "$command -h" in_a $xlane $command -h
done
ip -n $A link set v0 down
refuses "interface down" 1 "v0 is down; run .ip link set v0 up" in_a $xlane attach v0
ip -n $A link set v0 up
refuses "no object file" 1 "object file /nonesuch can not be read" in_a env XLANE_BPF_OBJECT=/nonesuch $xlane attach v0
refuses "an object file that is none" 1 "v0 can not take the program" \
	in_a env XLANE_BPF_OBJECT=/etc/passwd $xlane attach v0
refuses "LIBXDP_BPFFS that is no bpffs" 1 "LIBXDP_BPFFS names /run" in_a env LIBXDP_BPFFS=/run $xlane attach v0
clean "bad input leaves nothing"

if [ -x $build/tests/tools/hold ]; then
	opens_not() { ! "$@" $build/tests/tools/hold v0 2>&1; }
	succeeds "a program that opens an interface without it is refused" opens_not in_a
	says "and told what to do" "no XDP program is attached to v0; run .xlane attach v0"
else
	skip "a program that opens an interface without it" "no tests/tools/hold"
fi

# --- what the device refuses -------------------------------------------------------------------
ip -n $A link del v0
make_link 1
refuses "native mode with too few receive queues" 1 "v0 can not take the program in native mode: .*receive queues" \
	in_a $xlane attach -m native v0
clean "which leaves nothing"
succeeds "attach goes on in skb mode" in_a $xlane attach v0
says "and says why" "note: v0 can not take the program in native mode: .*; it runs in skb mode"
succeeds "detach" in_a $xlane detach v0
clean "and leaves nothing"
ip -n $A link del v0
make_link 4

# --- privileges --------------------------------------------------------------------------------
succeeds "attach" in_a $xlane attach v0
as_nobody() { in_a setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
for command in attach detach; do
	refuses "$command without privileges" 1 "need the capabilities.*; run it as root" as_nobody $xlane $command v0
done
refuses "status without privileges" 1 "not permitted to look at the XDP program of v0.*; run it as root" \
	as_nobody $xlane status v0
succeeds "which changes nothing" loader_shows native
succeeds "detach" in_a $xlane detach v0
refuses "attach without privileges" 1 "; run it as root" as_nobody $xlane attach v0
clean "no privileges, and nothing left"
without_admin() { in_a setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$@"; }
succeeds "attach without CAP_SYS_ADMIN" without_admin $xlane attach v0
succeeds "status" in_a $xlane status v0
says "has the hook set" "hook +0x88b5 xlane"
refuses "detach without CAP_SYS_ADMIN" 1 "not permitted to look at the XDP program" without_admin $xlane detach v0
succeeds "detach" in_a $xlane detach v0
clean "and leaves nothing"

# --- no bpffs, and a hidden one ----------------------------------------------------------------
own_mounts() { grep -c ' /run/xlane/bpf ' /proc/self/mountinfo; }
without_bpffs() { # NAME
	local where=$1
	refuses "$where: a failing attach" 1 "; " in_a $xlane attach nope0
	refuses "$where: an attach that the loader refuses" 1 "; " \
		in_a env XLANE_BPF_OBJECT=/etc/passwd $xlane attach v0
	refuses "$where: no right to mount" 1 "no BPF file system is mounted.*; run" without_admin $xlane attach v0
	clean "$where: which leaves nothing"
	succeeds "$where: attach" in_a $xlane attach v0
	says "$where: pins below /run/xlane" "pinned in /run/xlane/bpf/xlane/1/netns:[0-9]+/v0\$"
	succeeds "$where: xdp-loader status" loader_shows native
	succeeds "$where: attach again" in_a $xlane attach v0
	succeeds "$where: which mounts no second one" test "$(own_mounts)" = 1
	succeeds "$where: --replace" in_a $xlane attach --replace v0
	succeeds "$where: status" in_a $xlane status v0
	says "$where: which finds the pins" "pinned +/run/xlane/bpf"
	succeeds "$where: detach" in_a $xlane detach v0
	clean "$where: detach leaves nothing"
}
# Several at once: every attach succeeds, with one program; attaches and detaches mixed end clean.
at_once() {
	local pids= pid bad=0
	for i in 1 2 3 4 5; do
		nsenter --net=/run/netns/$A $xlane attach v0 >$scratch/once.$i 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do wait $pid || bad=1; done
	cat $scratch/once.*
	[ $bad = 0 ] && [ "$(cat $scratch/once.* | grep -c ': attached, program')" = 1 ]
}
mixed() {
	local pids= pid
	for i in 1 2 3 4 5 6; do
		nsenter --net=/run/netns/$A $xlane attach v0 >/dev/null 2>&1 &
		pids="$pids $!"
		nsenter --net=/run/netns/$A $xlane detach v0 >/dev/null 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do wait $pid; done
	in_a $xlane attach v0 && in_a $xlane detach v0
}
concurrent() { # WHERE
	succeeds "$1: five attaches at once" at_once
	succeeds "$1: one detach" in_a $xlane detach v0
	clean "$1: which leaves nothing"
	succeeds "$1: attaches and detaches mixed" mixed
	clean "$1: which leave nothing"
}
concurrent "bpffs"
# `ip netns exec` runs a command in a mount namespace of its own, with a /sys of its own: what is mounted there is gone
# with the command, and its pins too.
in_exec() { ip netns exec $A "$@"; }
succeeds "ip netns exec: attach" in_exec $xlane attach v0
succeeds "ip netns exec: status" in_exec $xlane status v0
says "ip netns exec: pins are gone" "pinned +no\$"
succeeds "ip netns exec: attach again" in_exec $xlane attach v0
succeeds "ip netns exec: detach" in_exec $xlane detach v0
clean "ip netns exec: which leaves nothing"

umount /sys/fs/bpf
without_bpffs "no bpffs"
concurrent "no bpffs"
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /sys/fs/bpf
without_bpffs "bpffs hidden"
succeeds "bpffs hidden: attach" in_a $xlane attach v0
umount /sys/fs/bpf
succeeds "bpffs back: status" in_a $xlane status v0
succeeds "bpffs back: attach" in_a $xlane attach v0
succeeds "bpffs back: detach" in_a $xlane detach v0
clean "bpffs back: detach leaves nothing in either"
finish
