#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# drv_af_packet.sh - the AF_PACKET driver over a veth pair: plain, in-band VLAN tags, jumbo frames, errors, down and up,
# a lower MTU, deletion, census.
#
#     +------------ namespace -------------+
#     | drv_da ======= veth ======= drv_db |
#     | driver A    one process   driver B |
#     +------------------------------------+

. "$(dirname "$0")/drv_common.bash"

{
	veth_run af_packet 1500 1 plain refused sleep vlan errors down_up
	veth_run af_packet 1500 1 delete
	veth_run af_packet 3400 1 mtu_lowered
	veth_run af_packet 9000 1 jumbo
} | tap_join
