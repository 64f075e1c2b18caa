/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

static void begin(struct xl_flow *f, u32 conn, const struct xl_conn *c)
{
	*f = (struct xl_flow){ .conn = conn, .run_start_ns = XL_NEVER };
	xl_cc_algorithms[c->congestion]->init(&f->cc, c->max_packet);
}

/* One for c, on no list. */
static struct xl_flow *take(struct xl_engine *e, struct xl_conn *c)
{
	u32 i = xl_list_pop(&e->l_flow, &e->flow_free);

	if (i == XL_NONE) {
		i = xl_list_pop(&e->l_flow, &e->flow_rest);
		XL_ASSERT(i != XL_NONE);
		e->conns[e->flows[i].conn].flow = XL_NONE;
		xl_count(e, XL_C_FLOW_FORGOTTEN);
	}
	c->flow = i;
	begin(&e->flows[i], xl_conn_index(e, c), c);
	return &e->flows[i];
}

struct xl_flow *xl_flow_need(struct xl_engine *e, struct xl_conn *c)
{
	if (c->flow == XL_NONE) {
		XL_ASSERT(!c->buffered);
		take(e, c);
		xl_list_append(&e->l_flow, &e->flow_rest, c->flow);
	}
	return &e->flows[c->flow];
}

void xl_flow_hold(struct xl_engine *e, struct xl_conn *c)
{
	if (c->flow == XL_NONE)
		take(e, c);
	else
		xl_list_remove(&e->l_flow, &e->flow_rest, c->flow);
}

void xl_flow_rest(struct xl_engine *e, struct xl_conn *c)
{
	xl_list_append(&e->l_flow, &e->flow_rest, c->flow);
}

void xl_flow_leave(struct xl_engine *e, struct xl_conn *c)
{
	if (c->flow == XL_NONE)
		return;
	if (!c->buffered)
		xl_list_remove(&e->l_flow, &e->flow_rest, c->flow);
	e->flows[c->flow].conn = XL_NONE;
	xl_list_prepend(&e->l_flow, &e->flow_free, c->flow);
	c->flow = XL_NONE;
}

struct xl_cc xl_flow_cc(const struct xl_engine *e, const struct xl_conn *c)
{
	struct xl_flow first;

	if (c->flow != XL_NONE)
		return e->flows[c->flow].cc;
	begin(&first, XL_NONE, c);
	return first.cc;
}
