/* SPDX-License-Identifier: BSD-2-Clause */
/* figures_json.c - the JSON objects. What is not known is null; ids of 64 bits are texts of hexadecimal digits. */
#include "figures_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA 1

/* The largest number is how the engine says "none". */
static json_t *number(u64 value)
{
	return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

static json_t *hex(u64 value)
{
	char text[24];

	snprintf(text, sizeof text, "%016" PRIx64, value);
	return json_string(text);
}

static json_t *mac_text(const u8 mac[6])
{
	char text[24];

	snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return json_string(text);
}

static void set(json_t *o, const char *name, u64 value)
{
	json_object_set_new(o, name, number(value));
}

static void set_text(json_t *o, const char *name, const char *text)
{
	json_object_set_new(o, name, text ? json_string(text) : json_null());
}

/* What every text begins with. */
static json_t *begin(const struct xl_figures *all, const char *what)
{
	json_t *o = json_object();

	set_text(o, "what", what);
	set(o, "schema", SCHEMA);
	set_text(o, "version", all->version);
	set(o, "time_ns", all->now_ns);
	return o;
}

static u64 ago(u64 now_ns, u64 then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* --- status ------------------------------------------------------------------------------- */
static json_t *daemon_counters(const struct xl_figures *all)
{
	json_t *o = json_object();

	for (u32 i = 0; i < all->counters; i++)
		set(o, all->counter[i].name, all->counter[i].value);
	return o;
}

static json_t *daemon_object(const struct xl_figures *all)
{
	json_t *o = json_object();
	u64 channels = 0;

	for (u32 i = 0; i < all->clients; i++)
		channels += all->client[i].channel_bytes;
	set(o, "pid", all->pid);
	set(o, "helper_pid", all->helper_pid);
	set(o, "uid", all->uid);
	set(o, "uptime_ns", ago(all->now_ns, all->started_ns));
	set_text(o, "socket", all->socket);
	set_text(o, "config", all->config);
	set(o, "clients", all->clients);
	set(o, "clients_max", all->clients_max);
	set(o, "channel_bytes", channels);
	json_object_set_new(o, "node", all->node ? hex(all->node) : json_null());
	set(o, "incarnation", all->incarnation ? all->incarnation : XL_NEVER);
	json_object_set_new(o, "counters", daemon_counters(all));
	return o;
}

static json_t *client_object(const struct xl_figures *all, const struct xl_figures_client *c)
{
	json_t *o = json_object();

	set(o, "client", c->client);
	set(o, "uid", c->uid);
	set(o, "pid", c->pid);
	set_text(o, "interface", c->interface);
	set(o, "slots", c->slots);
	set(o, "ring_bytes", c->ring_bytes);
	set(o, "channel_bytes", c->channel_bytes);
	set(o, "age_ns", ago(all->now_ns, c->since_ns));
	return o;
}

static json_t *interface_object(const struct xl_figures_interface *i)
{
	json_t *o = json_object(), *vlan = json_array();
	u64 conns = 0, answered = 0;

	for (u32 w = 0; w < i->workers; w++) {
		conns += i->snapshot[w] ? i->snapshot[w]->conns_held : 0;
		answered += i->snapshot[w] != NULL;
	}
	for (u32 v = 0; v < XLANE_VLAN_TAGS_MAX && i->vlan[v]; v++)
		json_array_append_new(vlan, json_integer(i->vlan[v] & 0xfff));
	set_text(o, "interface", i->interface);
	set_text(o, "driver", i->driver);
	json_object_set_new(o, "mac", mac_text(i->mac));
	set(o, "ethertype", i->ethertype);
	json_object_set_new(o, "vlan", vlan);
	set(o, "mtu_bytes", i->mtu);
	set(o, "queues", i->queues);
	json_object_set_new(o, "up", json_boolean(!i->error));
	set_text(o, "error", i->error ? strerror(-i->error) : NULL);
	set(o, "workers", i->workers);
	set(o, "workers_answered", answered);
	set(o, "connections", conns);
	return o;
}

json_t *xl_figures_status(const struct xl_figures *all, const char *only)
{
	json_t *o = begin(all, "status"), *clients = json_array(), *interfaces = json_array();

	for (u32 i = 0; i < all->clients; i++)
		if (!only || (all->client[i].interface && !strcmp(all->client[i].interface, only)))
			json_array_append_new(clients, client_object(all, &all->client[i]));
	for (u32 i = 0; i < all->interface_count; i++)
		if (xl_figures_selected(&all->interfaces[i], only))
			json_array_append_new(interfaces, interface_object(&all->interfaces[i]));
	json_object_set_new(o, "daemon", daemon_object(all));
	json_object_set_new(o, "interfaces", interfaces);
	json_object_set_new(o, "clients", clients);
	return o;
}

/* --- one object for each worker ----------------------------------------------------------- */
static json_t *worker_head(const struct xl_figures_interface *i, u32 worker)
{
	json_t *o = json_object();

	set_text(o, "interface", i->interface);
	set(o, "worker", worker);
	json_object_set_new(o, "answered", json_boolean(i->snapshot[worker] != NULL));
	return o;
}

static json_t *frames_object(const struct xl_snapshot *s)
{
	json_t *o = json_object();

	for (u32 k = 0; k < XL_FRAME_OWNER_COUNT; k++)
		set(o, xl_frame_owner_name(k), s->census[k]);
	return o;
}

static void add_loop(json_t *o, const struct xl_snapshot *s)
{
	const struct xl_worker_figures *f = &s->figures;

	json_object_set_new(o, "core", f->core < 0 ? json_null() : json_integer(f->core));
	json_object_set_new(o, "tid", f->tid ? json_integer(f->tid) : json_null());
	set(o, "uptime_ns", ago(s->now_ns, f->started_ns));
	set(o, "rounds", f->rounds);
	set(o, "sleeps", f->sleeps);
	set(o, "wakes", f->wakes);
	set(o, "busy_ns", f->busy_ns);
	set(o, "idle_ns", f->idle_ns);
}

static json_t *worker_object(const struct xl_figures_interface *i, u32 worker)
{
	const struct xl_snapshot *s = i->snapshot[worker];
	json_t *o = worker_head(i, worker), *rings;

	if (!s)
		return o;
	add_loop(o, s);
	set_text(o, "error", s->error ? strerror(-s->error) : NULL);
	json_object_set_new(o, "stalled", json_boolean(s->stalled));
	set(o, "clients", s->channels);
	set(o, "connections", s->conns_held);
	set(o, "rx_packets", s->drv[XL_DRV_RX_PACKETS]);
	set(o, "rx_bytes", s->drv[XL_DRV_RX_BYTES]);
	set(o, "tx_packets", s->drv[XL_DRV_TX_PACKETS]);
	set(o, "tx_bytes", s->drv[XL_DRV_TX_BYTES]);
	set(o, "data_packets", s->engine[XL_C_DATA_PACKETS_OUT]);
	set(o, "retransmitted", s->engine[XL_C_RETRANSMITTED]);
	set(o, "lost", s->engine[XL_C_LOST_BY_COUNT] + s->engine[XL_C_LOST_BY_TIME]);
	set(o, "probe_timeouts", s->engine[XL_C_PTO]);
	set(o, "client_bytes_in", s->channel[XL_CHANNEL_BYTES_IN]);
	set(o, "client_bytes_out", s->channel[XL_CHANNEL_BYTES_OUT]);
	rings = json_object();
	set(rings, "fill_frames", s->ring_fill);
	set(rings, "tx_frames", s->ring_tx);
	set(rings, "tx_room_packets", s->tx_room);
	json_object_set_new(o, "rings", rings);
	json_object_set_new(o, "frames", frames_object(s));
	set(o, "frames_own", s->frames_own);
	json_object_set_new(o, "census_ok", json_boolean(s->census_ok));
	return o;
}

json_t *xl_figures_workers(const struct xl_figures *all, const char *only)
{
	json_t *o = begin(all, "workers"), *list = json_array();

	for (u32 i = 0; i < all->interface_count; i++)
		for (u32 w = 0; w < all->interfaces[i].workers && xl_figures_selected(&all->interfaces[i], only); w++)
			json_array_append_new(list, worker_object(&all->interfaces[i], w));
	json_object_set_new(o, "workers", list);
	return o;
}

/* --- lists -------------------------------------------------------------------------------- */
static json_t *peer_object(const char *interface, u32 worker, const struct xl_snapshot *s, const struct xl_peer_info *p)
{
	json_t *o = json_object();

	set_text(o, "interface", interface);
	set(o, "worker", worker);
	json_object_set_new(o, "mac", mac_text(p->path.remote));
	json_object_set_new(o, "node", hex(p->node));
	set(o, "incarnation", p->incarnation);
	set(o, "heard_ago_ns", ago(s->now_ns, p->heard_ns));
	set(o, "srtt_ns", p->srtt_ns ? p->srtt_ns : XL_NEVER);
	set(o, "connections", p->conns);
	return o;
}

json_t *xl_figures_peers(const struct xl_figures *all, const char *only)
{
	json_t *o = begin(all, "peers"), *list = json_array();
	u64 unlisted = 0;

	for (u32 i = 0; i < all->interface_count; i++) {
		const struct xl_figures_interface *p = &all->interfaces[i];

		for (u32 w = 0; w < p->workers && xl_figures_selected(p, only); w++) {
			const struct xl_snapshot *s = p->snapshot[w];

			for (u32 k = 0; s && k < s->peers_count; k++)
				json_array_append_new(list, peer_object(p->interface, w, s, &s->peers[k]));
			unlisted += s ? s->peers_unlisted : 0;
		}
	}
	json_object_set_new(o, "peers", list);
	set(o, "unlisted", unlisted);
	return o;
}

static const char *kind_text(u8 kind)
{
	static const char *const texts[] = {
		[XLANE_KIND_STREAM] = "stream", [XLANE_KIND_MESSAGE] = "message",
		[XLANE_KIND_UNORDERED] = "unordered", [XLANE_KIND_DATAGRAM] = "datagram",
	};

	return kind && kind < XL_ARRAY_SIZE(texts) ? texts[kind] : "unknown";
}

static void add_ends(json_t *o, const struct xl_conn_info *n)
{
	set_text(o, "type", kind_text(n->kind));
	set_text(o, "state", xl_conn_state_name(n->state));
	set_text(o, "error", n->error ? strerror(-n->error) : NULL);
	set(o, "local_port", n->local_port);
	json_object_set_new(o, "peer_mac", mac_text(n->path.remote));
	set(o, "peer_port", n->remote_port);
	json_object_set_new(o, "peer_node", hex(n->peer_node));
	json_object_set_new(o, "local_id", hex(n->local_id));
	json_object_set_new(o, "remote_id", hex(n->remote_id));
}

static void add_traffic(json_t *o, const struct xl_conn_info *n)
{
	const struct { const char *name; u64 value; } values[] = {
		{ "srtt_ns", n->srtt_ns ? n->srtt_ns : XL_NEVER }, { "rttvar_ns", n->srtt_ns ? n->rttvar_ns : XL_NEVER },
		{ "rtt_min_ns", n->srtt_ns ? n->rtt_min_ns : XL_NEVER },
		{ "rtt_latest_ns", n->srtt_ns ? n->rtt_latest_ns : XL_NEVER }, { "pto_ns", n->pto_ns },
		{ "cwnd_bytes", n->cwnd_bytes }, { "ssthresh_bytes", n->ssthresh_bytes },
		{ "inflight_bytes", n->inflight_bytes }, { "credit_bytes", n->credit_bytes },
		{ "max_packet_bytes", n->max_packet }, { "bytes_sent", n->bytes_sent }, { "bytes_acked", n->bytes_acked },
		{ "bytes_received", n->bytes_received }, { "bytes_delivered", n->bytes_delivered },
		{ "packets_sent", n->packets_sent }, { "packets_received", n->packets_received },
		{ "packets_retransmitted", n->packets_retransmitted }, { "packets_lost", n->packets_lost },
		{ "packets_spurious", n->packets_spurious }, { "probe_timeouts", n->ptos },
		{ "messages_sent", n->messages_sent }, { "messages_received", n->messages_received },
	};

	for (u32 i = 0; i < XL_ARRAY_SIZE(values); i++)
		set(o, values[i].name, values[i].value);
	json_object_set_new(o, "congestion", json_string(xl_conn_congestion_name(n->congestion)));
}

static json_t *conn_object(const char *interface, u32 worker, const struct xl_snapshot_conn *c)
{
	json_t *o = json_object();

	set_text(o, "interface", interface);
	set(o, "worker", worker);
	set(o, "client", c->client ? c->client : XL_NEVER);
	set(o, "uid", c->client ? c->uid : XL_NEVER);
	set(o, "pid", c->client ? c->pid : XL_NEVER);
	add_ends(o, &c->info);
	add_traffic(o, &c->info);
	return o;
}

json_t *xl_figures_conns(const struct xl_figures *all, const char *only)
{
	json_t *o = begin(all, "conns"), *list = json_array();
	u64 unlisted = 0;

	for (u32 i = 0; i < all->interface_count; i++) {
		const struct xl_figures_interface *p = &all->interfaces[i];

		for (u32 w = 0; w < p->workers && xl_figures_selected(p, only); w++) {
			const struct xl_snapshot *s = p->snapshot[w];

			for (u32 k = 0; s && k < s->conns_count; k++)
				json_array_append_new(list, conn_object(p->interface, w, &s->conns[k]));
			unlisted += s ? s->conns_unlisted : 0;
		}
	}
	json_object_set_new(o, "connections", list);
	set(o, "unlisted", unlisted);
	return o;
}

/* --- stats -------------------------------------------------------------------------------- */
static json_t *table_object(const struct xl_snapshot *s, enum xl_figures_table table)
{
	json_t *o = json_object();

	for (u32 c = 0; c < xl_figures_table_count(table); c++)
		set(o, xl_figures_key(table, c), xl_figures_values(s, table)[c]);
	return o;
}

static json_t *stats_interface(const struct xl_figures_interface *i)
{
	json_t *o = json_object(), *workers = json_array(), *xdp = json_object();

	for (u32 c = 0; c < XLANE_BPF_COUNTER_COUNT && i->has_xdp; c++)
		set(xdp, xl_figures_xdp_name(c), i->xdp[c]);
	for (u32 w = 0; w < i->workers; w++) {
		json_t *worker = worker_head(i, w);

		for (u32 t = 0; t < XL_FIGURES_TABLES && i->snapshot[w]; t++)
			json_object_set_new(worker, xl_figures_table_name(t), table_object(i->snapshot[w], t));
		json_array_append_new(workers, worker);
	}
	set_text(o, "interface", i->interface);
	json_object_set_new(o, "xdp", xdp);
	json_object_set_new(o, "workers", workers);
	return o;
}

json_t *xl_figures_stats(const struct xl_figures *all, const char *only)
{
	json_t *o = begin(all, "stats"), *list = json_array();

	for (u32 i = 0; i < all->interface_count; i++)
		if (xl_figures_selected(&all->interfaces[i], only))
			json_array_append_new(list, stats_interface(&all->interfaces[i]));
	json_object_set_new(o, "interfaces", list);
	json_object_set_new(o, "daemon", daemon_counters(all));
	return o;
}
