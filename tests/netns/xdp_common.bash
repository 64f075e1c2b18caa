# SPDX-License-Identifier: BSD-2-Clause
# xdp_common.bash - what the tests of attaching share; sourced, with the script's arguments.
#
# A test runs in a mount namespace of its own, where /run is empty and /sys/fs/bpf is a fresh bpffs: its network
# namespaces, pins and mounts are seen by nobody else, and are gone when the script is, however it ends.
#
#   namespace $A            namespace $B
#   v0  10.77.0.1  <======>  v1  10.77.0.2        veth, 4 queues
#
# Programs are taken from $BUILD, else build/ of this tree.

set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$top" && realpath -m "${BUILD:-build}")
xlane=$build/bin/xlane
PATH=$PATH:/usr/sbin:/sbin

tests=0 failed=0
skip_all() { echo "1..0 # SKIP $*"; exit 0; }

if [ -z "${XDP_TEST_INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	for tool in ip xdp-loader bpftool unshare nsenter setpriv; do
		command -v $tool >/dev/null || skip_all "no $tool"
	done
	unshare --mount --net true 2>/dev/null || skip_all "no namespaces"
	XDP_TEST_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi

umount -l /run/xlane/bpf 2>/dev/null   # of an xlane that is in use on this machine; here only
mount -t tmpfs tmpfs /run && mkdir /run/netns || exit 1
if [ "$(stat -f -c %t /sys/fs/bpf)" = cafe4a11 ]; then
	umount -l /sys/fs/bpf || exit 1
fi
plain_sysfs=$(stat -f -c %t /sys/fs/bpf)   # what is there when no bpffs is mounted
mount -t bpf bpf /sys/fs/bpf || exit 1
unset LIBXDP_BPFFS XLANE_BPF_OBJECT
scratch=$(mktemp -d /run/scratch.XXXXXX)

A=xda-$$ B=xdb-$$
background=
cleanup() {
	for pid in $background; do kill -9 "$pid" 2>/dev/null; done
	for ns in $A $B ${more:-}; do ip netns del "$ns" 2>/dev/null; done
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

in_a() { nsenter --net=/run/netns/$A -- "$@"; }
in_b() { nsenter --net=/run/netns/$B -- "$@"; }

ip netns add $A && ip netns add $B || exit 1
make_link() { # RX-QUEUES-OF-V0
	ip -n $A link add v0 numrxqueues "$1" numtxqueues 4 type veth peer name v1 numrxqueues 4 numtxqueues 4 || exit 1
	ip -n $A link set v1 netns $B
	ip -n $A addr add 10.77.0.1/24 dev v0
	ip -n $B addr add 10.77.0.2/24 dev v1
	ip -n $A link set lo up
	ip -n $A link set v0 up
	ip -n $B link set v1 up
}
make_link 4

# --- TAP ---------------------------------------------------------------------------------------
ok() { tests=$((tests + 1)); echo "ok $tests - $*"; }
not_ok() { tests=$((tests + 1)); failed=$((failed + 1)); echo "not ok $tests - $*"; }
skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }
show() { sed 's/^/#   /' "$@"; }
finish() { echo "1..$tests"; [ $failed = 0 ]; exit; }

# The command succeeds; its output is kept in $scratch/out and $scratch/err.
succeeds() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >$scratch/out 2>$scratch/err; then
		ok "$name"
	else
		not_ok "$name"
		show $scratch/out $scratch/err
		return 1
	fi
}

# The output of the last `succeeds` has a line like this.
says() { # NAME PATTERN
	if grep -Eq -- "$2" $scratch/out; then
		ok "$1"
	else
		not_ok "$1"
		echo "# wanted: $2"
		show $scratch/out
	fi
}

# The command ends with this status, says nothing on stdout and one line on stderr: what is wrong; what to do.
refuses() { # NAME STATUS PATTERN COMMAND...
	local name=$1 status=$2 pattern=$3 got
	shift 3
	"$@" >$scratch/out 2>$scratch/err
	got=$?
	if [ $got = "$status" ] && [ ! -s $scratch/out ] && [ "$(wc -l <$scratch/err)" = 1 ] &&
	   grep -Eq "^xlane [a-z]+: .*; " $scratch/err && grep -Eq -- "$pattern" $scratch/err; then
		ok "$name"
	else
		not_ok "$name"
		echo "# status $got, wanted $status and: $pattern"
		show $scratch/out $scratch/err
	fi
}

# --- what is left ------------------------------------------------------------------------------
program_of() { # NAMESPACE DEVICE: id of the XDP program, empty when there is none
	ip -n "$1" -d link show "$2" | sed -n 's/.*prog\/xdp[a-z]* id \([0-9]*\).*/\1/p'
}

# Everything that an attach can leave, by name.
leftovers() {
	for ns in $A ${more:-}; do
		[ -n "$(program_of "$ns" v0)" ] && echo "program $(program_of "$ns" v0) on v0 in $ns"
	done
	find /sys/fs/bpf -path '*xlane*' 2>/dev/null
	[ -e /run/xlane ] && find /run/xlane
	grep ' /run/xlane' /proc/self/mountinfo
}

# xlane says so itself too: it finds nothing.
clean() { # NAME
	local left
	left=$(leftovers)
	if [ -z "$left" ]; then
		ok "$1"
	else
		not_ok "$1"
		echo "$left" | show
	fi
}

# --- traffic -----------------------------------------------------------------------------------
pings() { in_b ping -q -c 3 -i 0.05 -W 5 10.77.0.1 >/dev/null; }

# A megabyte over TCP from B to A, counted at the end.
tcp_flows() {
	local got port=7${RANDOM:0:3}
	: >$scratch/tcp   # or the last one's "up" is taken for this one's
	nsenter --net=/run/netns/$A perl -MIO::Socket::INET -e '
		my $l = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 1, ReuseAddr => 1) or die;
		$| = 1;
		print "up\n";
		my ($c, $n) = ($l->accept, 0);
		while (my $r = sysread $c, my $b, 65536) { $n += $r }
		print "$n\n"' $port >$scratch/tcp &
	background="$background $!"
	local server=$!
	wait_for grep -q up $scratch/tcp || return 1
	in_b perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(PeerAddr => "10.77.0.1", PeerPort => $ARGV[0], Timeout => 10) or die;
		print $s "x" x 1048576; close $s' $port || return 1
	wait $server
	got=$(tail -1 $scratch/tcp)
	[ "$got" = 1048576 ]
}

# Until the command succeeds, at most ten seconds.
wait_for() {
	local i
	for i in $(seq 200); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}

counter() { # KEY
	in_a $xlane status --json v0 | sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p"
}

# Ten well-formed xlane frames from B raise this counter by ten, and pass or drop is what the policy says.
frames_counted() { # KEY
	local before
	before=$(counter "$1")
	in_b $build/tests/tools/frames v1 "$(mac_of_v0)" 10 || return 1
	wait_for counted "$1" $((before + 10))
}
mac_of_v0() { ip -n $A link show v0 | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p'; }
counted() { [ "$(counter "$1")" = "$2" ]; }
