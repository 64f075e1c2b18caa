// SPDX-License-Identifier: BSD-2-Clause
/* view_tables.c - the columns of each view: title, alignment, importance; kind and field. */
#include "view.h"

#define LEFT true
#define RIGHT false

/* One list for the columns and their fields. */
#define COLUMN(title, side, importance, kind, name, other) { title, side, importance },
#define FIELD(title, side, importance, kind, name, other) { XL_VIEW_##kind, name, other },

#define WORKERS(X) \
	X("INTERFACE", LEFT, 9, TEXT, "interface", 0) \
	X("WORKER", RIGHT, 9, NUMBER, "worker", 0) \
	X("CORE", RIGHT, 6, NUMBER, "core", 0) \
	X("TID", RIGHT, 2, NUMBER, "tid", 0) \
	X("UPTIME", RIGHT, 5, UPTIME, "uptime_ns", 0) \
	X("CLIENTS", RIGHT, 7, NUMBER, "clients", 0) \
	X("CONNS", RIGHT, 8, NUMBER, "connections", 0) \
	X("RX-PACKETS", RIGHT, 7, COUNT_OF, "rx_packets", 0) \
	X("RX-BYTES", RIGHT, 6, BYTES_OF, "rx_bytes", 0) \
	X("TX-PACKETS", RIGHT, 7, COUNT_OF, "tx_packets", 0) \
	X("TX-BYTES", RIGHT, 6, BYTES_OF, "tx_bytes", 0) \
	X("RESENT", RIGHT, 6, COUNT_OF, "retransmitted", 0) \
	X("BUSY%", RIGHT, 6, RATIO, "busy_ns", "uptime_ns") \
	X("SLEEPS", RIGHT, 4, COUNT_OF, "sleeps", 0) \
	X("FREE", RIGHT, 5, NUMBER, "frames.free", 0) \
	X("FILL", RIGHT, 4, NUMBER, "rings.fill_frames", 0) \
	X("TX-RING", RIGHT, 4, NUMBER, "rings.tx_frames", 0) \
	X("FRAMES-OK", RIGHT, 3, TEXT, "census_ok", 0) \
	X("ERROR", LEFT, 8, TEXT, "error", 0)

#define WORKERS_TOP(X) \
	X("INTERFACE", LEFT, 9, TEXT, "interface", 0) \
	X("WORKER", RIGHT, 9, NUMBER, "worker", 0) \
	X("CORE", RIGHT, 5, NUMBER, "core", 0) \
	X("BUSY%", RIGHT, 8, SHARE, "busy_ns", 0) \
	X("RX-BIT/S", RIGHT, 8, BITS, "rx_bytes", 0) \
	X("RX/S", RIGHT, 7, RATE, "rx_packets", 0) \
	X("TX-BIT/S", RIGHT, 8, BITS, "tx_bytes", 0) \
	X("TX/S", RIGHT, 7, RATE, "tx_packets", 0) \
	X("RESENT/S", RIGHT, 6, RATE, "retransmitted", 0) \
	X("ROUNDS/S", RIGHT, 3, RATE, "rounds", 0) \
	X("SLEEPS/S", RIGHT, 4, RATE, "sleeps", 0) \
	X("CLIENTS", RIGHT, 5, NUMBER, "clients", 0) \
	X("CONNS", RIGHT, 7, NUMBER, "connections", 0) \
	X("FREE", RIGHT, 6, NUMBER, "frames.free", 0) \
	X("FILL", RIGHT, 5, NUMBER, "rings.fill_frames", 0) \
	X("TX-RING", RIGHT, 5, NUMBER, "rings.tx_frames", 0) \
	X("TX-ROOM", RIGHT, 4, NUMBER, "rings.tx_room_packets", 0) \
	X("UNACKED", RIGHT, 5, NUMBER, "frames.inflight", 0) \
	X("STALLED", RIGHT, 3, TEXT, "stalled", 0)

#define CONNS(X) \
	X("INTERFACE", LEFT, 6, TEXT, "interface", 0) \
	X("WORKER", RIGHT, 6, NUMBER, "worker", 0) \
	X("CLIENT", RIGHT, 7, NUMBER, "client", 0) \
	X("UID", RIGHT, 4, NUMBER, "uid", 0) \
	X("PID", RIGHT, 5, NUMBER, "pid", 0) \
	X("TYPE", LEFT, 7, TEXT, "type", 0) \
	X("STATE", LEFT, 8, TEXT, "state", 0) \
	X("PORT", RIGHT, 9, NUMBER, "local_port", 0) \
	X("PEER", LEFT, 9, ADDRESS, "peer_mac", "peer_port") \
	X("RTT", RIGHT, 8, TIME, "srtt_ns", 0) \
	X("SENT", RIGHT, 8, BYTES_OF, "bytes_sent", 0) \
	X("RECEIVED", RIGHT, 8, BYTES_OF, "bytes_received", 0) \
	X("RESENT", RIGHT, 7, COUNT_OF, "packets_retransmitted", 0) \
	X("LOST", RIGHT, 5, COUNT_OF, "packets_lost", 0) \
	X("CWND", RIGHT, 4, BYTES_OF, "cwnd_bytes", 0) \
	X("CONGESTION", LEFT, 2, TEXT, "congestion", 0) \
	X("INFLIGHT", RIGHT, 4, BYTES_OF, "inflight_bytes", 0) \
	X("CREDIT", RIGHT, 3, BYTES_OF, "credit_bytes", 0)

#define CONNS_TOP(X) \
	X("INTERFACE", LEFT, 4, TEXT, "interface", 0) \
	X("WORKER", RIGHT, 5, NUMBER, "worker", 0) \
	X("PID", RIGHT, 6, NUMBER, "pid", 0) \
	X("UID", RIGHT, 3, NUMBER, "uid", 0) \
	X("TYPE", LEFT, 6, TEXT, "type", 0) \
	X("STATE", LEFT, 5, TEXT, "state", 0) \
	X("PORT", RIGHT, 8, NUMBER, "local_port", 0) \
	X("PEER", LEFT, 9, ADDRESS, "peer_mac", "peer_port") \
	X("RX-BIT/S", RIGHT, 8, BITS, "bytes_received", 0) \
	X("TX-BIT/S", RIGHT, 8, BITS, "bytes_sent", 0) \
	X("RX/S", RIGHT, 4, RATE, "packets_received", 0) \
	X("TX/S", RIGHT, 4, RATE, "packets_sent", 0) \
	X("RTT", RIGHT, 8, TIME, "srtt_ns", 0) \
	X("RTT-MIN", RIGHT, 3, TIME, "rtt_min_ns", 0) \
	X("RESENT/S", RIGHT, 7, RATE, "packets_retransmitted", 0) \
	X("RESENT", RIGHT, 5, COUNT_OF, "packets_retransmitted", 0) \
	X("CWND", RIGHT, 4, BYTES_OF, "cwnd_bytes", 0) \
	X("INFLIGHT", RIGHT, 4, BYTES_OF, "inflight_bytes", 0) \
	X("CREDIT", RIGHT, 3, BYTES_OF, "credit_bytes", 0)

#define PEERS(X) \
	X("INTERFACE", LEFT, 7, TEXT, "interface", 0) \
	X("WORKER", RIGHT, 7, NUMBER, "worker", 0) \
	X("MAC", LEFT, 9, TEXT, "mac", 0) \
	X("NODE", LEFT, 6, TEXT, "node", 0) \
	X("CONNS", RIGHT, 8, NUMBER, "connections", 0) \
	X("RTT", RIGHT, 8, TIME, "srtt_ns", 0) \
	X("HEARD-AGO", RIGHT, 7, TIME, "heard_ago_ns", 0)

#define TABLE(name, LIST) \
	static const struct xl_table_column name##_columns[] = { LIST(COLUMN) }; \
	static const struct xl_view_field name##_fields[] = { LIST(FIELD) }; \
	_Static_assert(sizeof name##_columns / sizeof *name##_columns <= XL_TABLE_COLUMNS_MAX, "they fit a table");
#define USE(name) .column = name##_columns, .field = name##_fields, \
	.columns = sizeof name##_fields / sizeof *name##_fields

TABLE(workers, WORKERS)
TABLE(workers_top, WORKERS_TOP)
TABLE(conns, CONNS)
TABLE(conns_top, CONNS_TOP)
TABLE(peers, PEERS)

#define WORKER_KEY { "interface", "worker", NULL }
#define CONN_KEY { "interface", "worker", "local_id" }
#define PEER_KEY { "interface", "worker", "node" }

/* The column that a view of top begins with: BUSY%, RX-BIT/S, CONNS. */
static const struct xl_view views[XL_VIEW_COUNT][2] = {
	[XL_VIEW_WORKERS] = {
		{ .what = "workers", .list = "workers", .title = "workers", .key = WORKER_KEY, USE(workers) },
		{ .what = "workers", .list = "workers", .title = "workers", .key = WORKER_KEY, USE(workers_top) },
	},
	[XL_VIEW_CONNS] = {
		{ .what = "conns", .list = "connections", .title = "connections", .key = CONN_KEY, USE(conns) },
		{ .what = "conns", .list = "connections", .title = "connections", .key = CONN_KEY, .sort = 8,
		  .sort_down = true, USE(conns_top) },
	},
	[XL_VIEW_PEERS] = {
		{ .what = "peers", .list = "peers", .title = "peers", .key = PEER_KEY, USE(peers) },
		{ .what = "peers", .list = "peers", .title = "peers", .key = PEER_KEY, .sort = 4, .sort_down = true,
		  USE(peers) },
	},
};

const struct xl_view *xl_view_get(enum xl_view_id id, bool rates)
{
	return &views[id][rates];
}
