#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# examples.sh - the examples that no other test uses do what they say: hello, large (16 MiB), epoll_server.
. "$(dirname "$0")/lib.sh"

net_direct
tap_true "attach on both hosts" net_attach

net_start listener $B "$xlane" cat -l -i xl0 7000 </dev/null >"$scratch/heard" 2>/dev/null
tap_is "hello says hello" "$(in_a "$examples/hello" xl0 $mac_b 2>&1)" "hello: no error"
net_join listener 10
tap_is "and is heard" "$? $(cat "$scratch/heard")" "0 hello, world"

net_start server $B "$examples/echo_server" -i xl0 -n 1 7007 2>"$scratch/server.err"
in_a timeout 120 "$examples/large" -i xl0 $mac_b >"$scratch/large" 2>&1
tap_is "large: its message comes back as it was" "$? $(sed 's/ in [0-9.]* ms//' "$scratch/large")" \
	"0 16 MiB there and back, every byte as sent"
net_join server 30
tap_is "the server ends well" "$? $(cat "$scratch/server.err")" "0 "

net_start server $B "$examples/epoll_server" -i xl0 7007 2>"$scratch/server.err"
for conns in 1 50; do
	in_a timeout 120 "$tools/crowd" call -i xl0 --type stream --conns $conns --bytes 500000 --depth 4 $mac_b 7007 \
		>"$scratch/crowd" 2>&1
	tap_is "epoll_server: $conns clients get their bytes back" $? 0 || sed 's/^/# /' "$scratch/crowd"
done
net_stop server
tap_is "it ends on a signal, and had no failure" "$? $(cat "$scratch/server.err")" "0 "
tap_true "detach on both hosts" net_detach
net_end
