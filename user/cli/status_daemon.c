// SPDX-License-Identifier: BSD-2-Clause
/* status_daemon.c - the daemon's status for people. */
#include <stdio.h>

#include "status_daemon.h"
#include "units.h"
#include "view.h"

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : otherwise;
}

static void print_interface(const json_t *i)
{
	printf("%s\n  driver       %s\n  address      %s, ethertype 0x%04x, MTU %.0f\n", text_of(i, "interface", "?"),
	       text_of(i, "driver", "?"), text_of(i, "mac", "?"), (unsigned)xl_view_number(i, "ethertype"),
	       xl_view_number(i, "mtu_bytes"));
	printf("  workers      %.0f on %.0f queues, %.0f connections\n", xl_view_number(i, "workers"),
	       xl_view_number(i, "queues"), xl_view_number(i, "connections"));
	if (!json_is_true(json_object_get(i, "up")))
		printf("  down         %s\n", text_of(i, "error", "it does not serve now"));
	if (xl_view_number(i, "workers_answered") < xl_view_number(i, "workers"))
		printf("  silent       %.0f workers have not answered in time\n",
		       xl_view_number(i, "workers") - xl_view_number(i, "workers_answered"));
}

static void print_status(const json_t *all)
{
	const json_t *d = json_object_get(all, "daemon");
	char a[XL_UNIT_BYTES], b[XL_UNIT_BYTES];
	const json_t *one;
	size_t i;

	printf("xlaned %s\n  process      %.0f, uid %.0f (helper %.0f)\n  up           %s\n  socket       %s\n",
	       text_of(all, "version", "?"), xl_view_number(d, "pid"), xl_view_number(d, "uid"),
	       xl_view_number(d, "helper_pid"), xl_unit_uptime(xl_view_number(d, "uptime_ns"), a), text_of(d, "socket", "?"));
	printf("  config       %s\n  clients      %.0f of %.0f, %sB of channel memory\n", text_of(d, "config", "no file"),
	       xl_view_number(d, "clients"), xl_view_number(d, "clients_max"),
	       xl_unit_bytes(xl_view_number(d, "channel_bytes"), b));
	json_array_foreach(json_object_get(all, "interfaces"), i, one)
		print_interface(one);
	json_array_foreach(json_object_get(all, "clients"), i, one)
		printf("client %.0f: uid %.0f, pid %.0f, on %s, %sB, for %s\n", xl_view_number(one, "client"),
		       xl_view_number(one, "uid"), xl_view_number(one, "pid"), text_of(one, "interface", "?"),
		       xl_unit_bytes(xl_view_number(one, "channel_bytes"), a),
		       xl_unit_uptime(xl_view_number(one, "age_ns"), b));
}

int xl_status_daemon(struct xl_query *q)
{
	json_t *answer = xl_query_open(q) ? xl_query_ask(q, "status") : NULL;
	int status = answer ? XL_EXIT_OK : XL_EXIT_FAILURE;

	if (answer && q->json)
		xl_query_dump(answer);
	else if (answer)
		print_status(answer);
	xl_query_close(q);
	json_decref(answer);
	return status;
}
