#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# port_workers.sh - several workers on one interface over a veth pair: one queue and four, 1, 2 and 4 workers, traffic
# both ways; a home worker that sleeps and one that is stuck; frames that go home, wakes, census.
#
#     +-------------- namespace ---------------+
#     |   drv_da ======== veth ======== drv_db |
#     | worker 0..n    one process  worker 0..m|
#     +----------------------------------------+

. "$(dirname "$0")/drv_common.bash"

{
	for queues in 1 4; do
		for workers in 1 2 4; do
			veth_run port 1500 $queues $workers $workers all
		done
		veth_run port 1500 $queues 1 2 one_queue others stalled
		veth_run port 1500 $queues 1 4 all others_one_queue stalled_one_queue
		veth_run port 1500 $queues 4 2 all others stalled
	done
} | tap_join
