/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks.h - what a run may reach beyond the counters of engine, driver and link: faults done, and situations met.
 * The report counts in how many seeds each was reached; one that never is fails the run.
 */
#ifndef SIM_MARKS_H
#define SIM_MARKS_H

#define SIM_MARKS(X) \
	X(LOST, "fault: a packet was lost") \
	X(BURST, "fault: a packet was lost in a burst") \
	X(DUPLICATED, "fault: a packet was duplicated") \
	X(REORDERED, "fault: a packet was held back for later ones") \
	X(CORRUPTED, "fault: a packet was corrupted") \
	X(FORGED, "fault: a corrupted packet got a right checksum") \
	X(REFLECTED, "fault: a packet was copied back to its sender") \
	X(QUEUE_FULL, "fault: the queue of a slow link was full") \
	X(PARTITIONED, "fault: a packet was lost to a partition") \
	X(BLACK_HOLED, "fault: a packet was lost to a one-way black hole") \
	X(PAUSED, "fault: a host stood still") \
	X(CRASHED, "fault: a host lost its state") \
	X(CRASHED_OPEN, "fault: a host lost its state while it had connections") \
	X(HOST_MOVED, "fault: a host came back with another address") \
	X(HELD, "fault: completions were held back") \
	X(SHUFFLED, "fault: completions came out of order") \
	X(STARVED, "fault: the frame pool was emptied") \
	X(CLOCK_BACK, "fault: a clock went back") \
	X(CLOCK_LEAP, "fault: a clock leapt ahead") \
	X(FLOODED, "fault: a station that does not exist called very often") \
	X(CUT, "fault: a packet was cut short") \
	X(EMPTY_SENTS, "fault: no entry for a sent packet was left") \
	X(EMPTY_CONNS, "fault: no connection was left") \
	X(EMPTY_PEERS, "fault: no peer was left") \
	X(EMPTY_BLOCKS, "fault: all receive memory was promised") \
	X(MTU_CHANGED, "fault: the MTU of a link changed") \
	X(MTU_REFUSED, "an MTU outside the limits was refused") \
	X(SWALLOWED, "fault: a packet was too large for the network, which said nothing") \
	X(HOSTILE, "hostile: a station with a valid connection sent something") \
	X(HOSTILE_ACCEPTED, "hostile: a program accepted its connection") \
	X(MISUSED, "program: an illegal call got its error") \
	X(UNLISTENED, "program: stopped listening") \
	X(EXPORTED, "a connection was exported and imported") \
	X(EXPORTED_BUSY, "an export was refused while frames were in the ring") \
	X(EXPORT_SMALL, "an export was refused for a buffer too small") \
	X(WRAPPED_32, "packet numbers passed 2^32") \
	X(SLOW_READER, "program: a slow reader") \
	X(DEAD_READER, "program: a reader that stopped") \
	X(SEND_FULL, "program: a send found no room") \
	X(EMPTY_MESSAGE, "program: a message of no bytes was received") \
	X(LOAN, "program: bytes were read by loan") \
	X(LARGE, "program: a large message was received") \
	X(LARGE_OVERTAKEN, "program: a small message was sent while a large one was being given") \
	X(OUT_OF_ORDER, "program: messages were received in another order than sent") \
	X(HOARDED, "program: kept what it was granted for a large message") \
	X(FRAMES_SHORT, "frames were short in a pool that is shared, while a reader stood still") \
	X(DATAGRAM_LOST, "program: a datagram never arrived") \
	X(STREAM_END, "program: the end of a stream was read") \
	X(MESSAGE_END, "program: the end of messages was read") \
	X(HALF_CLOSED, "program: received after it had shut down") \
	X(CLOSED_EARLY, "program: closed with the other end still sending") \
	X(ABORTED, "program: aborted a connection") \
	X(GRACEFUL, "a connection ended gracefully, and the program was told") \
	X(ERROR_REFUSED, "a connection ended with ECONNREFUSED") \
	X(ERROR_RESET, "a connection ended with ECONNRESET") \
	X(ERROR_TIMEOUT, "a connection ended because the peer did not answer") \
	X(ERROR_OTHER, "a connection ended with another error") \
	X(DATA_BEFORE_ERROR, "program: read what had come before an error") \
	X(MULTI_FRAME, "a packet of several frames was sent") \
	X(STALLED, "a worker had packets to send and no room or no frame for them") \
	X(CROSSED, "two calls became one connection") \
	X(BUCKET_MOVED, "a bucket with connections moved to another worker") \
	X(BUCKET_MOVED_EMPTY, "a bucket without connections moved to another worker") \
	X(BUCKET_BUSY, "a bucket waited, frozen: its old worker's ring was not read, or frames of its connections were in the ring") \
	X(BUCKET_GIVEN_UP, "a bucket stayed: it had waited for too long") \
	X(BUCKET_NO_ROOM, "a bucket stayed: its new worker had no room for a connection") \
	X(BUCKET_FORWARDED, "a packet for a bucket that moves was in the old worker's ring, and was forwarded") \
	X(BUCKET_HELD, "a packet for a bucket that moves was held") \
	X(HALF_OPEN_MOVED, "a connection moved to another worker before it was open") \
	X(GREW, "sizes below what the engine accepts were raised")
enum sim_mark {
#define SIM_MARK_ENUM(name, text) SIM_MARK_##name,
	SIM_MARKS(SIM_MARK_ENUM)
	SIM_MARK_COUNT
};

static inline const char *sim_mark_name(enum sim_mark m)
{
	static const char *const names[] = {
#define SIM_MARK_NAME(name, text) [SIM_MARK_##name] = #name,
		SIM_MARKS(SIM_MARK_NAME)
	};
	return m < SIM_MARK_COUNT ? names[m] : "?";
}

#endif
