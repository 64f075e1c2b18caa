// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_demux.c - the XDP program against its twin in user space, verdict for verdict and counter for counter, by
 * BPF_PROG_TEST_RUN. usage: test_demux [SEED [FRAMES [DIRECTORY]]]; the objects are looked for in DIRECTORY, else
 * beside the directory of this program, in bpf/.
 *
 * Hand-made frames also say which counter they must raise, so that an error made in both places is seen.
 * The kernel runs no frame shorter than an Ethernet header: what is shorter is the twin's own unit test.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "base/endian.h"
#include "rig.h"

#define X XLANE_ETHERTYPE_DEFAULT
#define OWN 0x9abc   /* hooks of other kinds: steer, drop, unknown action, worker past the last */
#define DROP 0x9abd
#define BAD 0x9abe
#define FAR 0x9abf
#define FRAMES_DEFAULT 100000

static u32 tests, failed;
static u64 random_state;

static void report(bool ok, const char *object, const char *name)
{
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", ++tests, object, name);
	failed += !ok;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static u64 next_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static u32 below(u32 n)
{
	return next_random() % n;
}

/* --- frames ------------------------------------------------------------------------------------ */
struct shape {
	u32 tags;        /* VLAN tags in front of the ethertype, 0x88a8 outside */
	u16 ethertype;
	u8 first, flags; /* version and type; flags */
	u32 body;        /* bytes behind outer header and extension, the tag included */
	u32 padding;     /* bytes behind the packet */
	u8 bucket;
};

static const struct shape plain = { .ethertype = XLANE_ETHERTYPE_DEFAULT, .first = XLANE_VERSION << 4, .body = 30 };

static u32 link_bytes(const struct shape *s)
{
	return 14 + 4 * s->tags;
}

static u32 build(u8 *frame, const struct shape *s)
{
	bool ext = s->flags & XLANE_FLAG_EXT;
	u32 at = 12, outer, length = XLANE_OUTER_BYTES + (ext ? XLANE_EXT_BYTES : 0) + s->body;

	memset(frame, 0x5a, RIG_FRAME_MAX);
	for (u32 tag = 0; tag < s->tags; tag++, at += 4) {
		xl_put16(frame + at, tag + 1 < s->tags ? 0x88a8 : 0x8100);
		xl_put16(frame + at + 2, 100 + tag);
	}
	xl_put16(frame + at, s->ethertype);
	outer = at + 2;
	frame[outer] = s->first;
	frame[outer + 1] = s->flags;
	xl_put16(frame + outer + 2, length);
	frame[outer + XLANE_OUTER_BUCKET] = s->bucket;
	if (ext) {
		frame[outer + XLANE_OUTER_BYTES] = XLANE_EXT_BYTES;
		xl_put16(frame + outer + XLANE_OUTER_BYTES + 2, 0);
	}
	return outer + length + s->padding;
}

/* --- one comparison ------------------------------------------------------------------------------ */
static void explain(const struct rig_outcome *o, const u8 *frame, u32 bytes, u32 queue)
{
	printf("# frame of %u bytes on queue %u: twin verdict %d counter %s, kernel %d, counters %s\n#  ", bytes, queue,
	       o->twin.verdict, rig_counter_name(o->twin.counter), o->kernel, o->one_counter ? "agree" : "differ");
	for (u32 i = 0; i < bytes && i < 80; i++)
		printf("%02x", frame[i]);
	printf("\n");
}

static bool agree(struct rig *r, const u8 *frame, u32 bytes, u32 queue)
{
	struct rig_outcome o = rig_check(r, frame, bytes, queue);

	if (!o.same)
		explain(&o, frame, bytes, queue);
	return o.same;
}

/* As agree, and the counter must be this one. */
static bool gives(struct rig *r, const u8 *frame, u32 bytes, u32 queue, enum xlane_bpf_counter wanted)
{
	struct rig_outcome o = rig_check(r, frame, bytes, queue);

	if (o.same && o.twin.counter == wanted)
		return true;
	printf("# wanted %s\n", rig_counter_name(wanted));
	explain(&o, frame, bytes, queue);
	return false;
}

/* Hooks of every kind; worker 0 on queues 0 and 1, worker 3 on queue 1 only; buckets to all workers and past them. */
static void furnish(struct rig *r)
{
	rig_set_hook(r, XLANE_ETHERTYPE_DEFAULT, XLANE_HOOK(XLANE_HOOK_XLANE, 0));
	rig_set_hook(r, OWN, XLANE_HOOK(XLANE_HOOK_STEER, 3));
	rig_set_hook(r, DROP, XLANE_HOOK(XLANE_HOOK_DROP, 0));
	rig_set_hook(r, BAD, XLANE_HOOK(XLANE_HOOK_ACTIONS, 0));
	rig_set_hook(r, FAR, XLANE_HOOK(XLANE_HOOK_STEER, XLANE_WORKERS_MAX));
	for (u32 bucket = 0; bucket < XLANE_BUCKETS; bucket++)
		rig_set_bucket(r, bucket, bucket < 200 ? bucket % 4 : bucket == 255 ? UINT32_MAX : bucket - 190);
	rig_set_socket(r, 0, 0, true);
	rig_set_socket(r, 1, 0, true);
	rig_set_socket(r, 1, 3, true);
	rig_set_config(r, true, false);
}

/* --- the tests ----------------------------------------------------------------------------------- */
static const struct {
	const char *name;
	struct shape shape;  /* tags, ethertype, version and type, flags, body, padding, bucket */
	int cut;             /* bytes taken off the end */
	u32 at;              /* if not 0: the byte at this offset behind the link header ... */
	u8 value;            /* ... is set to this */
	enum xlane_bpf_counter counter;
} reasons[] = {
	{ "data packet",
	  { 0, X, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_REDIRECTED },
	{ "data packet behind one tag",
	  { 1, X, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_REDIRECTED },
	{ "data packet behind two tags",
	  { 2, X, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_REDIRECTED },
	{ "three tags",
	  { 3, X, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_DEEP_VLAN },
	{ "init packet",
	  { 0, X, 0x11, 3, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_REDIRECTED },
	{ "smallest packet",
	  { 0, X, 0x10, 0, 0, 0, 0 }, 0, 0, 0, XLANE_BPF_REDIRECTED },
	{ "smallest packet with checksum",
	  { 0, X, 0x10, 2, 4, 0, 0 }, 0, 0, 0, XLANE_BPF_REDIRECTED },
	{ "padding behind the packet",
	  { 0, X, 0x10, 0, 30, 40, 0 }, 0, 0, 0, XLANE_BPF_REDIRECTED },
	{ "another ethertype",
	  { 0, 0x0800, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_OTHER_PASSED },
	{ "a length in place of an ethertype",
	  { 0, 0x0040, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_OTHER_PASSED },
	{ "ethertype steered to its worker",
	  { 0, OWN, 0x10, 0, 0, 0, 0 }, 20, 0, 0, XLANE_BPF_ABSENT_PASSED },
	{ "ethertype that is dropped",
	  { 0, DROP, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_HOOK_DROPPED },
	{ "hook with an unknown action",
	  { 0, BAD, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_HOOK },
	{ "hook with a worker past the last",
	  { 0, FAR, 0x10, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_HOOK },
	{ "tag cut off",
	  { 1, X, 0x10, 0, 0, 0, 0 }, 21, 0, 0, XLANE_BPF_SHORT_ETHER },
	{ "outer header one byte short",
	  { 0, X, 0x10, 0, 0, 0, 0 }, 1, 0, 0, XLANE_BPF_SHORT_OUTER },
	{ "no outer header at all",
	  { 0, X, 0x10, 0, 0, 0, 0 }, 20, 0, 0, XLANE_BPF_SHORT_OUTER },
	{ "version 0",
	  { 0, X, 0x00, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_VERSION },
	{ "version 2",
	  { 0, X, 0x20, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_VERSION },
	{ "type past the last",
	  { 0, X, 0x15, 1, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_TYPE },
	{ "unknown flag",
	  { 0, X, 0x10, 4, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_FLAGS },
	{ "highest flag",
	  { 0, X, 0x10, 0x80, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_FLAGS },
	{ "length one more than the frame",
	  { 0, X, 0x10, 0, 30, 0, 0 }, 1, 0, 0, XLANE_BPF_BAD_LENGTH },
	{ "length less than the outer header",
	  { 0, X, 0x10, 0, 0, 0, 0 }, 0, 3, 19, XLANE_BPF_BAD_LENGTH },
	{ "length without room for the checksum",
	  { 0, X, 0x10, 2, 3, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_LENGTH },
	{ "length less than the extension",
	  { 0, X, 0x10, 1, 0, 0, 0 }, 0, 3, 47, XLANE_BPF_BAD_LENGTH },
	{ "length zero",
	  { 0, X, 0x10, 0, 30, 0, 0 }, 0, 3, 0, XLANE_BPF_BAD_LENGTH },
	{ "init without extension",
	  { 0, X, 0x11, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_EXTENSION },
	{ "reset without extension",
	  { 0, X, 0x14, 0, 30, 0, 0 }, 0, 0, 0, XLANE_BPF_BAD_EXTENSION },
	{ "extension of another size",
	  { 0, X, 0x10, 1, 30, 0, 0 }, 0, 20, 29, XLANE_BPF_BAD_EXTENSION },
	{ "first reserved byte set",
	  { 0, X, 0x10, 1, 30, 0, 0 }, 0, 22, 1, XLANE_BPF_BAD_EXTENSION },
	{ "second reserved byte set",
	  { 0, X, 0x10, 1, 30, 0, 0 }, 0, 23, 1, XLANE_BPF_BAD_EXTENSION },
	{ "hop limit zero is not looked at",
	  { 0, X, 0x10, 1, 30, 0, 0 }, 0, 21, 0, XLANE_BPF_REDIRECTED },
	{ "bucket of a worker that is not there",
	  { 0, X, 0x10, 0, 30, 0, 1 }, 0, 0, 0, XLANE_BPF_ABSENT_PASSED },
	{ "bucket of a worker past the last",
	  { 0, X, 0x10, 0, 30, 0, 206 }, 0, 0, 0, XLANE_BPF_ABSENT_PASSED },
	{ "bucket of the largest worker number",
	  { 0, X, 0x10, 0, 30, 0, 255 }, 0, 0, 0, XLANE_BPF_ABSENT_PASSED },
};

static void test_reasons(struct rig *r, const char *object)
{
	u8 frame[RIG_FRAME_MAX];

	for (size_t i = 0; i < XL_ARRAY_SIZE(reasons); i++) {
		u32 bytes = build(frame, &reasons[i].shape) - reasons[i].cut;

		if (reasons[i].at)
			frame[link_bytes(&reasons[i].shape) + reasons[i].at] = reasons[i].value;
		report(gives(r, frame, bytes, 0, reasons[i].counter), object, reasons[i].name);
	}
}

static void test_truncations(struct rig *r, const char *object)
{
	static const struct { u8 first, flags; } kinds[] = { { 0x10, 0 }, { 0x10, 2 }, { 0x10, 3 }, { 0x11, 1 } };
	char name[64];
	u8 frame[RIG_FRAME_MAX];

	for (u32 tags = 0; tags <= 3; tags++) {
		bool ok = true;

		for (size_t kind = 0; kind < XL_ARRAY_SIZE(kinds); kind++) {
			struct shape s = plain;
			u32 whole;

			s.tags = tags;
			s.first = kinds[kind].first;
			s.flags = kinds[kind].flags;
			whole = build(frame, &s);
			for (u32 bytes = RIG_FRAME_MIN; bytes <= whole; bytes++)
				ok &= agree(r, frame, bytes, 0);
		}
		snprintf(name, sizeof name, "every truncation behind %u tags", tags);
		report(ok, object, name);
	}
}

/* Every combination of armed, policy, queue and a filled or empty slot, for xlane's ethertype and for a steered one. */
static void test_absence(struct rig *r, const char *object)
{
	static const struct { u32 queue; bool worker0, worker3; } queues[] = {
		{ 0, true, false }, { 1, true, true }, { 2, false, false }, { XLANE_QUEUES_MAX, false, false },
		{ RIG_QUEUES - 1, false, false },
	};
	char name[80];
	u8 frame[RIG_FRAME_MAX];

	for (u32 mix = 0; mix < 4; mix++) {
		bool armed = mix & 1, drop = mix & 2, ok = true;
		enum xlane_bpf_counter absent = drop ? XLANE_BPF_ABSENT_DROPPED : XLANE_BPF_ABSENT_PASSED;

		rig_set_config(r, armed, drop);
		for (size_t i = 0; i < XL_ARRAY_SIZE(queues); i++) {
			struct shape s = plain;
			u32 bytes = build(frame, &s);

			ok &= gives(r, frame, bytes, queues[i].queue,
				    armed && queues[i].worker0 ? XLANE_BPF_REDIRECTED : absent);
			s.ethertype = OWN;
			bytes = build(frame, &s);
			ok &= gives(r, frame, bytes, queues[i].queue,
				    armed && queues[i].worker3 ? XLANE_BPF_STEERED : absent);
		}
		snprintf(name, sizeof name, "slots by queue, %sarmed, absent %s", armed ? "" : "un",
			 drop ? "drop" : "pass");
		report(ok, object, name);
	}
	rig_set_config(r, true, false);
}

/* A slot that is emptied and filled again; the last slot of the map. */
static void test_slots(struct rig *r, const char *object)
{
	struct shape s = plain;
	u8 frame[RIG_FRAME_MAX];
	u32 bytes;
	bool ok;

	s.bucket = 205;   /* worker 15, the last */
	bytes = build(frame, &s);
	ok = gives(r, frame, bytes, XLANE_QUEUES_MAX - 1, XLANE_BPF_ABSENT_PASSED);
	rig_set_socket(r, XLANE_QUEUES_MAX - 1, XLANE_WORKERS_MAX - 1, true);
	ok &= gives(r, frame, bytes, XLANE_QUEUES_MAX - 1, XLANE_BPF_REDIRECTED);
	ok &= gives(r, frame, bytes, XLANE_QUEUES_MAX, XLANE_BPF_ABSENT_PASSED);
	rig_set_socket(r, XLANE_QUEUES_MAX - 1, XLANE_WORKERS_MAX - 1, false);
	ok &= gives(r, frame, bytes, XLANE_QUEUES_MAX - 1, XLANE_BPF_ABSENT_PASSED);
	report(ok, object, "the last slot, empty, filled and empty again");
}

/* Frames of several buffers: the length is held against the whole frame, and against the largest packet. */
static void test_large(struct rig *r, const char *object)
{
	static const struct { u32 body; int cut; enum xlane_bpf_counter counter; } cases[] = {
		{ 8980, 0, XLANE_BPF_REDIRECTED },
		{ 8980, 1, XLANE_BPF_BAD_LENGTH },
		{ 8980, 6000, XLANE_BPF_BAD_LENGTH },
		{ XLANE_MTU_MAX - XLANE_OUTER_BYTES, 0, XLANE_BPF_REDIRECTED },
		{ XLANE_MTU_MAX - XLANE_OUTER_BYTES + 1, 0, XLANE_BPF_BAD_LENGTH },
	};
	u8 frame[RIG_FRAME_MAX];
	bool ok = true;

	for (size_t i = 0; i < XL_ARRAY_SIZE(cases); i++) {
		struct shape s = plain;

		s.body = cases[i].body;
		ok &= gives(r, frame, build(frame, &s) - cases[i].cut, 0, cases[i].counter);
	}
	report(ok, object, "frames of several buffers");
}

/* --- random frames ------------------------------------------------------------------------------- */
static u32 random_frame(u8 *frame, u32 most)
{
	static const u16 types[] = {
		X, X, X, X, OWN, DROP, BAD, FAR, 0x0800, 0x8100,
	};
	struct shape s = {
		.tags = below(4) ? below(3) : below(5),
		.ethertype = types[below(XL_ARRAY_SIZE(types))],
		.first = XLANE_VERSION << 4 | below(XLANE_PACKET_TYPES),
		.flags = below(4),
		.body = below(8) ? below(200) : below(9000),
		.padding = below(3) ? 0 : below(60),
		.bucket = next_random(),
	};
	u32 bytes;

	if ((s.first & 0xf) && below(8))
		s.flags |= XLANE_FLAG_EXT;
	bytes = build(frame, &s);
	for (u32 flips = below(3) ? 0 : below(4); flips; flips--)
		frame[12 + below(xl_min(bytes - 12, 80))] ^= 1 << below(8);
	if (!below(6))
		frame[12 + below(xl_min(bytes - 12, 80))] = next_random();
	if (!below(6))
		bytes = below(bytes + 1);
	if (!below(200))
		for (u32 i = 0; i < bytes; i++)
			frame[i] = next_random();
	return xl_min(xl_max(bytes, RIG_FRAME_MIN), most);
}

static void random_furniture(struct rig *r)
{
	rig_set_config(r, below(4), below(2));
	rig_set_bucket(r, below(XLANE_BUCKETS), below(XLANE_WORKERS_MAX + 2));
	rig_set_socket(r, below(8), below(4), below(3));
}

static void test_random(struct rig *r, const char *object, u32 frames, u32 most, u64 seed)
{
	u64 before[XLANE_BPF_COUNTER_COUNT];
	char name[96];
	u8 frame[RIG_FRAME_MAX];
	u32 differ = 0;
	bool all = true;

	memcpy(before, r->counters, sizeof before);
	random_state = seed;
	for (u32 i = 0; i < frames && differ < 10; i++) {
		u32 bytes = random_frame(frame, most);

		if (!below(20))
			random_furniture(r);
		differ += !agree(r, frame, bytes, below(8) ? below(4) : below(RIG_QUEUES));
	}
	snprintf(name, sizeof name, "%u random and mutated frames, seed %llu", frames, (unsigned long long)seed);
	report(!differ, object, name);
	for (u32 i = 0; i < XLANE_BPF_COUNTER_COUNT; i++) {
		if (r->counters[i] == before[i]) {
			printf("# never reached: %s\n", rig_counter_name(i));
			all = false;
		}
	}
	report(all, object, "the random frames reached every counter");
}

static void test_object(struct rig *r, const char *path, bool frags, u64 seed, u32 frames)
{
	const char *object = frags ? "frags" : "linear";
	int err = rig_load(r, path);

	report(!err, object, "the kernel takes the object");
	if (err) {
		printf("# %s: %s\n", path, strerror(-err));
		return;
	}
	furnish(r);
	test_reasons(r, object);
	test_truncations(r, object);
	test_absence(r, object);
	test_slots(r, object);
	if (frags)
		test_large(r, object);
	test_random(r, object, frames, frags ? RIG_FRAME_MAX : RIG_LINEAR_MAX, seed);
	rig_unload(r);
}

/* The directory of the built objects: ../bpf from here, or one further up when this is a build of another kind. */
static void find_objects(char *dir, size_t bytes)
{
	char exe[512], object[600];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	exe[n > 0 ? n : 0] = '\0';
	*(n > 0 ? strrchr(exe, '/') : exe) = '\0';
	snprintf(dir, bytes, "%s/../bpf", exe);
	snprintf(object, sizeof object, "%s/xlane_demux.bpf.o", dir);
	if (access(object, R_OK))
		snprintf(dir, bytes, "%s/../../bpf", exe);
}

int main(int argc, char **argv)
{
	static struct rig r;
	char dir[560], path[600];
	const char *missing;
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u32 frames = argc > 2 ? strtoul(argv[2], NULL, 0) : FRAMES_DEFAULT;

	if (argc > 3)
		snprintf(dir, sizeof dir, "%s", argv[3]);
	else
		find_objects(dir, sizeof dir);
	setvbuf(stdout, NULL, _IOLBF, 0);
	missing = rig_namespace(&r);
	if (missing) {
		printf("1..0 # SKIP %s\n", missing);
		return 0;
	}
	snprintf(path, sizeof path, "%s/xlane_demux.bpf.o", dir);
	test_object(&r, path, true, seed, frames);
	snprintf(path, sizeof path, "%s/xlane_demux_linear.bpf.o", dir);
	test_object(&r, path, false, seed + 1, frames / 2);
	printf("1..%u\n", tests);
	return failed ? 1 : 0;
}
