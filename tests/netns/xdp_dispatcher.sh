#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# xdp_dispatcher.sh - the demux in libxdp's dispatcher: beside a program of somebody else, whoever was first; and what the
# dispatcher leaves when its interface or its BPF file system goes away. See xdp_common.bash for the two hosts.
. "$(dirname "$0")/xdp_common.bash"

command -v clang >/dev/null || skip_all "no clang"
cat >$scratch/somebody.c <<'C'
struct xdp_md { unsigned int data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex; };
__attribute__((section("xdp"), used)) int somebody(struct xdp_md *ctx) { return 2; /* XDP_PASS */ }
char _license[] __attribute__((section("license"), used)) = "GPL";
C
clang -target bpf -O2 -g -Wno-unused-parameter -c $scratch/somebody.c -o $scratch/somebody.o || exit 1

in_a $xlane attach v0 >/dev/null || exit 1
top_name() { bpftool prog show id "$(program_of $A v0)" | sed -n 's/.* name \([^ ]*\) .*/\1/p'; }
name=$(top_name)
in_a $xlane detach v0 >/dev/null || exit 1
[ "$name" = xdp_dispatcher ] || skip_all "this kernel takes no dispatcher (BPF_PROG_TYPE_EXT)"

loader_shows() { in_a xdp-loader status v0 | grep -Eq " $1 "; }
alone() { ! loader_shows "$1"; }
somebody_on() { in_a xdp-loader load -m native v0 $scratch/somebody.o; }
# Everything that libxdp has pinned here.
dispatchers() { find /sys/fs/bpf/xdp -mindepth 1 2>/dev/null; }
no_dispatchers() { [ -z "$(dispatchers)" ]; }

both_work() { # NAME
	succeeds "$1: both are there" loader_shows somebody
	succeeds "$1: xlane's too" loader_shows xlane_demux
	succeeds "$1: status" in_a $xlane status v0
	says "$1: says which program is xlane's" "program +[0-9]+ \(xlane_demux\) in a dispatcher, native mode"
	succeeds "$1: ping goes on" pings
	succeeds "$1: frames reach xlane's" frames_counted absent_passed
}

succeeds "somebody is first" somebody_on
refuses "status" 1 "is not xlane's" in_a $xlane status v0
refuses "a program that opens the interface" 1 "xlane ping: no program of xlane is in the dispatcher on v0; run" \
	in_a $xlane ping -c 1 -i v0 02:00:00:00:00:01
succeeds "attach" in_a $xlane attach v0
both_work "somebody first"
succeeds "somebody first: --replace" in_a $xlane attach --replace v0
both_work "somebody first, replaced"
succeeds "somebody first: detach" in_a $xlane detach v0
succeeds "somebody first: somebody stays" loader_shows somebody
succeeds "somebody first: xlane's is gone" alone xlane_demux
refuses "detach again" 1 "is not xlane's and stays" in_a $xlane detach v0
succeeds "somebody goes" in_a xdp-loader unload --all v0
clean "nothing is left"

succeeds "xlane is first" in_a $xlane attach v0
succeeds "somebody comes" somebody_on
both_work "xlane first"
succeeds "xlane first: attach again" in_a $xlane attach v0
says "xlane first: says that it is attached already" "already attached"
succeeds "xlane first: detach" in_a $xlane detach v0
succeeds "xlane first: somebody stays" loader_shows somebody
succeeds "somebody goes" in_a xdp-loader unload --all v0
clean "nothing is left"
succeeds "and no dispatcher" no_dispatchers

# --- the interface goes ------------------------------------------------------------------------
more=xdc-$$
ip netns add $more
ip -n $more link add v0 type veth peer name v9
ip -n $more link set v0 up
in_c() { nsenter --net=/run/netns/$more -- "$@"; }
succeeds "attach" in_a $xlane attach v0
succeeds "attach to an interface of that name elsewhere" in_c $xlane attach v0
ip -n $A link del v0
succeeds "detach from an interface that is gone" in_a $xlane detach v0
make_link 4
succeeds "attach to its successor" in_a $xlane attach v0
ip -n $A link del v0
make_link 4
succeeds "attach to the successor of an interface that went attached" in_a $xlane attach v0
says "it is new" "attached, program"
succeeds "the one elsewhere is as it was" in_c $xlane status v0
succeeds "detach elsewhere" in_c $xlane detach v0
succeeds "detach" in_a $xlane detach v0
clean "nothing is left"
succeeds "and no dispatcher" no_dispatchers

succeeds "attach in a namespace" in_c $xlane attach v0
there=/sys/fs/bpf/xlane/1/netns:$(stat -L -c %i /run/netns/$more)
succeeds "its pins are there" test -e $there
ip netns del $more
more=
gone() { in_a $xlane attach v0 >/dev/null && in_a $xlane detach v0 >/dev/null && [ ! -e "$there" ]; }
succeeds "pins of a namespace that is gone are swept away" wait_for gone
clean "nothing is left"
succeeds "and no dispatcher" no_dispatchers

# --- the BPF file system goes ------------------------------------------------------------------
lose_pins() { umount /sys/fs/bpf && mount -t bpf bpf /sys/fs/bpf && wait_for lost; }
lost() { in_a $xlane status v0 2>&1 | grep -q "has lost its programs"; }
succeeds "attach" in_a $xlane attach v0
succeeds "its pins are gone: status says so" lose_pins
succeeds "ping goes on" pings
succeeds "attach" in_a $xlane attach v0
succeeds "xlane's is there" loader_shows xlane_demux
succeeds "its pins are gone" lose_pins
succeeds "detach" in_a $xlane detach v0
clean "nothing is left"
refuses "detach of nothing" 1 "nothing of xlane is attached to v0" in_a $xlane detach v0
finish
