#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# e2e_checks.sh - the checks that the other end-to-end tests and the demonstration rely on find what they are to find:
# each is shown what is wrong.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/transfer.bash"

net_relayed
relay_start --loss 5 --reorder 5 --duplicate 1 --corrupt 0.5 --seed 1
net_attach >/dev/null
cross "to look at" 16777216
tap_true "the relay stops well" relay_stop
tap_silent "what was asked for is found good" relay_off 50000 10000 50000 5000
tap_found "less loss than asked for is found" '^loss: asked' relay_off 65000 10000 50000 5000
tap_found "more loss than asked for is found" '^loss: asked' relay_off 40000 10000 50000 5000
tap_found "too little duplication is found" '^duplication: asked' relay_off 50000 20000 50000 5000
tap_found "too much reordering is found" '^reordering: asked' relay_off 50000 10000 40000 5000
tap_found "corruption that was not asked for is found" '^corruption: asked' relay_off 50000 10000 50000 0

tap_silent "a good census is found good" census_off "$scratch/cat-a.json"
sed 's/"census_ok": true/"census_ok": false/' "$scratch/cat-a.json" >"$scratch/bad.json"
tap_found "a bad census is found" 'does not add up' census_off "$scratch/bad.json"
tap_found "a census that is not there is found" 'does not add up' census_off "$scratch/relay.json"

head -c 1000000 "$scratch/forth" >"$scratch/one"
{ head -c 500000 "$scratch/one"; printf '\0'; tail -c +500002 "$scratch/one"; } >"$scratch/two"
printf '\1' | dd of="$scratch/one" bs=1 seek=500000 conv=notrunc status=none
tap_is "both have one size" "$(stat -c %s "$scratch/one")" "$(stat -c %s "$scratch/two")"
tap_true "one byte that differs is found" sh -c '! cmp -s "$1" "$2"' - "$scratch/one" "$scratch/two"
same_bytes "$scratch/one" "$scratch/two"
tap_is "also by its hash" $? 1

relay_start --all --loss 30 --seed 3
ping_start
ping_stop >"$scratch/disturbed"
tap_true "pings that are lost are found" grep -q 'ping: request .* answered 0 times' "$scratch/disturbed"
relay_stop
relay_start --all --duplicate 30 --seed 3
ping_start
ping_stop >"$scratch/disturbed"
tap_true "pings that come twice are found" grep -q 'ping: request .* answered 2 times' "$scratch/disturbed"
relay_stop
relay_start --all --loss 100
tcp_start
tcp_stop >"$scratch/disturbed"
tap_true "TCP that does not get through is found" grep -q 'TCP: nothing got through' "$scratch/disturbed"
relay_stop

tap_found "a namespace that stays is found" "network namespace $A" net_left
tap_found "a program that stays is found" 'XDP program [0-9]* is loaded' net_left
tap_found "a pin that stays is found" '^pin ' net_left
net_start stray $A sleep 600
tap_found "a process that stays is found" 'process [0-9]* (stray) runs' net_left
unset "pid_of[stray]"
tap_found "a process that nobody knows of is found" 'sleep 600' net_down
net_over=
net_end
