#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# drv_af_xdp.sh - the AF_XDP driver over a veth pair: one and two queues, jumbo frames over several frames, errors, down
# and up, a lower MTU, deletion, census.
#
#     +------------ namespace -------------+
#     | drv_da ======= veth ======= drv_db |
#     | driver A    one process   driver B |
#     +------------------------------------+

. "$(dirname "$0")/drv_common.bash"

{
	veth_run af_xdp 1500 1 plain refused lost no_frame burst sleep errors down_up
	veth_run af_xdp 1500 1 delete
	veth_run af_xdp 1500 2 two_queues
	veth_run af_xdp 3400 1 mtu_lowered
	veth_run af_xdp 9000 1 jumbo
	veth_run af_xdp 65535 1 too_long
} | tap_join
