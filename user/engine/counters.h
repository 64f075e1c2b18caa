/* SPDX-License-Identifier: BSD-2-Clause */
/* counters.h - every named counter of the engine: one list, from which enum, names and texts come. */
#ifndef XL_COUNTERS_H
#define XL_COUNTERS_H

#define XL_ENGINE_COUNTERS(X) \
	X(PACKETS_IN, "packets_in", "packets given to the engine") \
	X(BYTES_IN, "bytes_in", "their bytes, outer header to tag") \
	X(PACKETS_OUT, "packets_out", "packets made by the engine") \
	X(BYTES_OUT, "bytes_out", "their bytes") \
	X(OUTER_SHORT, "outer_short", "dropped: shorter than the outer header") \
	X(OUTER_BAD_VERSION, "outer_bad_version", "dropped: another protocol version") \
	X(OUTER_BAD_TYPE, "outer_bad_type", "dropped: unknown packet type") \
	X(OUTER_BAD_FLAGS, "outer_bad_flags", "dropped: unknown flags") \
	X(OUTER_BAD_LENGTH, "outer_bad_length", "dropped: length field does not fit") \
	X(OUTER_BAD_EXTENSION, "outer_bad_extension", "dropped: extension missing or of another size") \
	X(BAD_CRC, "bad_crc", "dropped: checksum wrong") \
	X(NO_CRC, "no_crc", "dropped: no checksum where one is due") \
	X(BAD_RECORD, "bad_record", "dropped: a record that does not fit the packet or is malformed") \
	X(UNKNOWN_RECORD, "unknown_record", "dropped: a record type that is not known and may not be skipped") \
	X(IGNORED_RECORD, "ignored_record", "records skipped: not known, may be skipped") \
	X(TOO_MANY_RECORDS, "too_many_records", "dropped: more records than a receiver looks at") \
	X(ILLEGAL_EVENT, "illegal_event", "dropped: not allowed in the connection's state") \
	X(OWN_PACKET, "own_packet", "dropped: this very node is named as the source (reflected)") \
	X(UNKNOWN_CONNECTION, "unknown_connection", "dropped: no such connection") \
	X(REFUSE_SENT, "refuse_sent", "RESET packets sent") \
	X(REFUSE_RECEIVED, "refuse_received", "RESET packets that matched and ended a connection") \
	X(REFUSE_IGNORED, "refuse_ignored", "RESET packets that matched nothing exactly: ignored") \
	X(ABORT_RECEIVED, "abort_received", "ABORT records received") \
	X(INIT_RECEIVED, "init_received", "INIT packets received") \
	X(INIT_REPEATED, "init_repeated", "INIT packets of a connection already known") \
	X(INIT_REFUSED, "init_refused", "INIT packets refused: no listener, full queue, bad parameter") \
	X(INIT_STALE, "init_stale", "INIT packets of an older incarnation") \
	X(INIT_SMALL, "init_small", "INIT packets smaller than any reply may be: dropped") \
	X(COOKIE_SENT, "cookie_sent", "COOKIE packets sent: too many half-open connections") \
	X(COOKIE_GOOD, "cookie_good", "INIT packets with a valid cookie") \
	X(COOKIE_BAD, "cookie_bad", "INIT packets with a wrong or expired cookie") \
	X(SIMULTANEOUS_OPEN, "simultaneous_open", "crossing first packets that became one connection") \
	X(PEER_REBOOTED, "peer_rebooted", "peers seen with a newer incarnation: their connections were reset") \
	X(PEER_DEAD, "peer_dead", "peers that did not answer within the bound") \
	X(PEER_MOVED, "peer_moved", "peers whose path changed") \
	X(KEEPALIVE_SENT, "keepalive_sent", "pings sent to ask whether a peer lives") \
	X(DUPLICATE_PACKET, "duplicate_packet", "dropped: packet number already received") \
	X(OLD_PACKET, "old_packet", "dropped: packet number below what is remembered") \
	X(ACKS_IN, "acks_in", "ACK records processed") \
	X(ACKS_OUT, "acks_out", "ACK records sent") \
	X(ACK_BAD, "ack_bad", "ACK records malformed, or the second of a packet") \
	X(ACK_UNSENT, "ack_unsent", "ACK records of packets never sent: ignored") \
	X(DATA_PACKETS_OUT, "data_packets_out", "packets with program data, first time") \
	X(RETRANSMITTED, "retransmitted", "packets with program data, sent again") \
	X(ACK_SKIPPED, "ack_skipped", "reset: ACK records of packet numbers that were skipped") \
	X(ACK_STEPS, "ack_steps", "sent packets looked at for ACK records and losses") \
	X(LOST_BY_COUNT, "lost_by_count", "packets taken for lost by later ones acknowledged") \
	X(LOST_BY_TIME, "lost_by_time", "packets taken for lost by time") \
	X(SPURIOUS, "spurious", "packets taken for lost and acknowledged after all") \
	X(UNDO, "undo", "reductions of the window undone: all that was taken for lost had arrived") \
	X(FLOW_FORGOTTEN, "flow_forgotten", "windows forgotten: of who had sent nothing for longest, for want of memory for another") \
	X(PERSISTENT, "persistent", "windows collapsed: nothing sent over three probe timeouts arrived") \
	X(PTO, "pto", "probe timeouts") \
	X(TAIL_PROBES, "tail_probes", "of them the first in a row: one packet is sent") \
	X(RTOS, "rtos", "the others: the oldest packets are sent again") \
	X(PTO_PROBES, "pto_probes", "packets with data sent on them") \
	X(PACED, "paced", "times a packet waited for pacing") \
	X(STALLED, "stalled", "connections given up: nothing acknowledged for the peer-death bound") \
	X(RECOVERIES, "recoveries", "times the window was reduced for a loss") \
	X(MAX_PACKET_OUT, "max_packet_out", "MAX_PACKET records sent: the link's MTU changed") \
	X(MAX_PACKET_IN, "max_packet_in", "MAX_PACKET records that changed what is sent") \
	X(MAX_PACKET_OLD, "max_packet_old", "MAX_PACKET records overtaken by a newer one: ignored") \
	X(PMTU_LOWERED, "pmtu_lowered", "paths found to swallow large packets: smaller ones are sent") \
	X(PMTU_RAISED, "pmtu_raised", "paths found to take larger packets again") \
	X(PMTU_PROBES, "pmtu_probes", "padded packets sent to try that") \
	X(RECUT, "recut", "pieces cut off buffers that were made for larger packets") \
	X(DATA_BYTES_IN, "data_bytes_in", "program bytes stored") \
	X(DATA_DUPLICATE, "data_duplicate_bytes", "program bytes received again: first copy kept") \
	X(DATA_OVER_CREDIT, "data_over_credit", "dropped: data past the credit given") \
	X(DATA_OVERFLOW, "data_overflow", "dropped: offset and length pass the end of the sequence space") \
	X(DATA_PAST_FIN, "data_past_fin", "reset: data past the end, or a second end") \
	X(DATA_BAD_MESSAGE, "data_bad_message", "reset: message header malformed or too large") \
	X(DATA_HOLES, "data_holes", "dropped, to be sent again: too many holes") \
	X(MEMORY_WAIT, "memory_wait", "dropped, to be sent again: no receive memory for it yet") \
	X(MEMORY_STALLED, "memory_stalled", "reset: the rest of a message did not come while others waited for its memory") \
	X(NUMBERS_FORGOTTEN, "numbers_forgotten", "times that older received numbers were forgotten: no memory for them") \
	X(WINDOW_GROWN, "window_grown", "receive windows doubled: the program reads as fast as the peer sends") \
	X(WRONG_KIND, "wrong_kind", "dropped: a record that connections of this kind do not have") \
	X(EARLY_DELIVERED, "early_delivered", "messages found whole behind a hole") \
	X(EARLY_FULL, "early_full", "starts of messages behind holes not kept, table full: they wait for order") \
	X(LARGE_BYTES_IN, "large_bytes_in", "bytes of large messages stored") \
	X(LARGE_DUPLICATE, "large_duplicate_bytes", "bytes of large messages received again: first copy kept") \
	X(LARGE_NOT_GRANTED, "large_not_granted", "dropped: part of a large message without a grant") \
	X(LARGE_PAST_END, "large_past_end", "dropped: part of a large message past its end") \
	X(LARGE_HOLES, "large_holes", "dropped, to be sent again: too many holes in a large message") \
	X(LARGE_DISCARDED, "large_discarded_bytes", "bytes of large messages that nobody reads: dropped") \
	X(GRANT_WAITS, "grant_waits", "large messages that had to wait for memory") \
	X(GRANT_STALLED, "grant_stalled", "reset: a granted message did not come while others waited for its memory") \
	X(GRANT_OUT, "grant_out", "GRANT records sent") \
	X(GRANT_IN, "grant_in", "GRANT records that allowed more") \
	X(GRANT_IGNORED, "grant_ignored", "GRANT records of no message under way, or that allowed nothing new: ignored") \
	X(DATAGRAM_FRAGMENTED, "datagram_fragmented", "datagrams put together from fragments") \
	X(DATAGRAM_DUPLICATE, "datagram_duplicate", "fragments received twice: dropped") \
	X(DATAGRAM_REPEATED, "datagram_repeated", "fragments of a datagram that is over, or too old to tell: dropped") \
	X(DATAGRAM_OVERLAP, "datagram_overlap", "datagrams discarded: fragments overlap") \
	X(DATAGRAM_TWO_TOTALS, "datagram_two_totals", "datagrams discarded: fragments name different totals") \
	X(DATAGRAM_FRAGMENTS, "datagram_fragments", "datagrams discarded: too many fragments") \
	X(DATAGRAM_EVICTED, "datagram_evicted", "datagrams discarded: too many in reassembly") \
	X(DATAGRAM_TOO_OLD, "datagram_too_old", "datagrams discarded: fragments missing for too long") \
	X(DATAGRAM_NO_ROOM, "datagram_no_room", "datagrams discarded: the reader's queue is full") \
	X(DATAGRAM_LATE, "datagram_late", "datagrams dropped: they came behind the end") \
	X(DATAGRAM_LOST, "datagram_lost", "packets with datagrams taken for lost: given up") \
	X(DATAGRAM_EXPIRED, "datagram_expired", "datagrams, or fragments, dropped unsent: past their deadline") \
	X(DATAGRAM_BAD_DATA, "datagram_bad_data", "reset: bytes in the sequence of a datagram connection") \
	X(PEER_SWEPT, "peer_swept", "peers that had lost a connection: all others were asked about") \
	X(DATA_AFTER_CLOSE, "data_after_close", "bytes that arrived after the program closed: dropped") \
	X(CREDIT_OUT, "credit_out", "CREDIT records sent") \
	X(CREDIT_IN, "credit_in", "CREDIT records that raised the limit") \
	X(BLOCKED_OUT, "blocked_out", "BLOCKED records sent: out of credit") \
	X(PERSIST, "persist", "times a sender without credit or grant asked again") \
	X(BLOCKED_IN, "blocked_in", "BLOCKED records received") \
	X(CANCELLED, "cancelled", "messages and datagrams that the program took back before they were sent") \
	X(SHARE_WAITS, "share_waits", "sends put off: frames are short, and the connection has its share") \
	X(OUT_NO_FRAME, "out_no_frame", "packets put off: no free frame") \
	X(CLOCK_BACK, "clock_back", "calls with a time before the last one: clamped") \
	X(CLOCK_LEAP, "clock_leap", "calls with a time more than 5 s past the last deadline: timers run once") \
	X(CONNS_OPENED, "conns_opened", "connections established") \
	X(CONNS_CLOSED, "conns_closed", "connections ended gracefully") \
	X(CONNS_RESET, "conns_reset", "connections ended by an error")
enum xl_engine_counter {
#define XL_ENGINE_COUNTER_ENUM(name, key, text) XL_C_##name,
	XL_ENGINE_COUNTERS(XL_ENGINE_COUNTER_ENUM)
	XL_ENGINE_COUNTER_COUNT
};
const char *xl_engine_counter_name(enum xl_engine_counter c);
const char *xl_engine_counter_text(enum xl_engine_counter c);

#endif
