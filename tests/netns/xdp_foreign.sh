#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# xdp_foreign.sh - an XDP program of somebody else is on the interface: xlane refuses, names it, and leaves it alone.
# See xdp_common.bash for the two hosts.
. "$(dirname "$0")/xdp_common.bash"

command -v clang >/dev/null || skip_all "no clang"
cat >$scratch/foreign.c <<'C'
__attribute__((section("xdp"), used)) int somebody(void *ctx) { return 2; /* XDP_PASS */ }
char _license[] __attribute__((section("license"), used)) = "GPL";
C
clang -target bpf -O2 -c $scratch/foreign.c -o $scratch/foreign.o || exit 1
own=/sys/fs/bpf/xlane/1/netns:$(stat -L -c %i /run/netns/$A)/v0

foreign_on() { # xdpdrv|xdpgeneric
	ip -n $A link set dev v0 $1 obj $scratch/foreign.o sec xdp 2>$scratch/err || return 1
	foreign=$(program_of $A v0)
}
stays() { [ -n "$foreign" ] && [ "$(program_of $A v0)" = "$foreign" ]; }
nothing_of_xlane() { ! leftovers | grep -v '^program'; }
# The tool ends with an error line, kept where `says` looks.
opens_not() { ! in_a $build/tests/tools/hold v0 2>&1; }

for mode in xdpdrv xdpgeneric; do
	if ! foreign_on $mode; then
		skip "$mode" "ip can not attach an object"
		continue
	fi
	refuses "$mode: attach" 1 "another XDP program is on v0 \(id $foreign, somebody\).*; take it off with" \
		in_a $xlane attach v0
	for other in native skb; do
		refuses "$mode: attach in $other mode" 1 "id $foreign, somebody" in_a $xlane attach -m $other v0
	done
	refuses "$mode: attach --replace" 1 "id $foreign, somebody" in_a $xlane attach --replace v0
	refuses "$mode: status" 1 "the XDP program on v0 \(id $foreign, somebody\) is not xlane's" in_a $xlane status v0
	succeeds "$mode: status of all" in_a $xlane status
	says "$mode: which does not list it" "attached to no interface"
	refuses "$mode: detach" 1 "id $foreign, somebody\) is not xlane's and stays; " in_a $xlane detach v0
	succeeds "$mode: the program is still there" stays
	succeeds "$mode: and nothing of xlane's" nothing_of_xlane
	succeeds "$mode: ping goes on" pings
	if [ -x $build/tests/tools/hold ]; then
		succeeds "$mode: a program that opens the interface is refused" opens_not
		says "$mode: and told why" "id $foreign, somebody"
	fi

	umount /sys/fs/bpf
	refuses "$mode: attach without bpffs" 1 "id $foreign, somebody" in_a $xlane attach v0
	succeeds "$mode: and nothing of xlane's" nothing_of_xlane
	mount -t bpf bpf /sys/fs/bpf

	mkdir -p $own
	refuses "$mode: detach with pins left over" 1 "is not xlane's and stays" in_a $xlane detach v0
	succeeds "$mode: takes the pins away" nothing_of_xlane
	succeeds "$mode: the program is still there" stays
	ip -n $A link set dev v0 $mode off
	clean "$mode: without it nothing is left"
	succeeds "$mode: attach after it" in_a $xlane attach v0
	if foreign_on $mode; then
		not_ok "$mode: somebody else's program does not push ours out"
	else
		ok "$mode: somebody else's program does not push ours out"
	fi
	succeeds "$mode: detach" in_a $xlane detach v0
	clean "$mode: nothing is left"
done

# A demux of another version: it bears xlane's name, and its maps are not those of this one.
sed 's/somebody/xlane_demux/' $scratch/foreign.c >$scratch/other.c
clang -target bpf -O2 -c $scratch/other.c -o $scratch/foreign.o || exit 1
if foreign_on xdpdrv; then
	refuses "another version: attach" 1 "is of another version; detach it first with" in_a $xlane attach v0
	refuses "another version: attach --replace" 1 "is of another version; detach it first with" \
		in_a $xlane attach --replace v0
	refuses "another version: status" 1 "another version; detach and attach it again" in_a $xlane status v0
	succeeds "another version: detach" in_a $xlane detach v0
	clean "another version: nothing is left"
else
	skip "another version" "ip can not attach an object"
fi
finish
