// SPDX-License-Identifier: BSD-2-Clause
/* attach.c - `xlane attach`: put the demultiplexer on an interface. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <xlane/limits.h>
#include "cli.h"
#include "xdp/attach.h"

static const struct xl_option options[] = {
	{ 'm', "mode", "MODE", "auto (default: native, and skb where that is refused), native or skb" },
	{ 'e', "ethertype", "TYPE", "ethertype that is xlane's (default 0x88b5)" },
	{ 0, "absent", "POLICY", "xlane frames that no program takes: pass (default, to the kernel) or drop" },
	{ 0, "replace", NULL, "exchange a program of xlane that is attached already; sockets stay" },
	{ 'j', "json", NULL, "print a JSON object" },
	{ 0 },
};
enum { OPTION_ABSENT = XL_OPTION_LONG + 2, OPTION_REPLACE };

static const struct { const char *name; enum xl_xdp_mode mode; } modes[] = {
	{ "auto", XL_XDP_NONE }, { "native", XL_XDP_NATIVE }, { "skb", XL_XDP_SKB },
};

static bool take_mode(const char *text, struct xl_attach_options *o)
{
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (!strcmp(text, modes[i].name)) {
			o->mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

static bool take_ethertype(const char *text, struct xl_attach_options *o)
{
	unsigned long long value;

	if (!xl_cli_number(text, 0, 0xffff, &value) || !xl_ethertype_usable(value))
		return false;
	o->ethertype = value;
	return true;
}

/* Returns -1 to go on, or the exit status. */
static int take_options(int argc, char **argv, struct xl_attach_options *o, bool *json)
{
	const struct xl_command *c = &xl_command_attach;
	int option;

	while ((option = xl_cli_option(c, options, argc, argv)) != XL_OPTION_END) {
		switch (option) {
		case XL_OPTION_HELP:
			return XL_EXIT_OK;
		case XL_OPTION_BAD:
			return XL_EXIT_USAGE;
		case 'm':
			if (!take_mode(optarg, o))
				return xl_cli_usage(c, "mode '%s' is none of auto, native, skb", optarg);
			break;
		case 'e':
			if (!take_ethertype(optarg, o))
				return xl_cli_usage(c, "'%s' is no ethertype that xlane can have (0x600 to 0xffff, "
						       "not IP, ARP or VLAN)", optarg);
			break;
		case OPTION_ABSENT:
			if (strcmp(optarg, "pass") && strcmp(optarg, "drop"))
				return xl_cli_usage(c, "policy '%s' is none of pass, drop", optarg);
			o->absent_drop = !strcmp(optarg, "drop");
			break;
		case OPTION_REPLACE:
			o->replace = true;
			break;
		case 'j':
			*json = true;
			break;
		}
	}
	return -1;
}

static void print_result(const char *ifname, const struct xl_attach_options *o, const struct xl_attach_result *r,
			 bool json)
{
	static const char *const verbs[] = {
		[XL_ATTACH_NEW] = "attached",
		[XL_ATTACH_ALREADY] = "already attached",
		[XL_ATTACH_REPLACED] = "replaced",
	};
	const u32 id = r->program.demux_id ? r->program.demux_id : r->program.top_id;
	const char *mode = xl_xdp_mode_name(r->program.mode);
	json_t *out;

	if (!json) {
		printf("%s: %s, program %u, %s mode, ethertype 0x%04x, maps pinned in %s\n", ifname, verbs[r->done], id,
		       mode, o->ethertype, r->pins);
		if (r->note[0])
			printf("%s: note: %s\n", ifname, r->note);
		return;
	}
	out = json_pack("{s:s, s:s, s:i, s:s, s:i, s:s, s:s?}", "interface", ifname, "result", verbs[r->done], "program",
			(int)id, "mode", mode, "ethertype", (int)o->ethertype, "pinned", r->pins, "note",
			r->note[0] ? r->note : NULL);
	if (!json_dumpf(out, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
		putchar('\n');
	json_decref(out);
}

static int run(int argc, char **argv)
{
	struct xl_attach_options o = { .ethertype = XLANE_ETHERTYPE_DEFAULT };
	struct xl_attach_result result;
	char why[512] = "";
	bool json = false;
	int status = take_options(argc, argv, &o, &json);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return xl_cli_usage(&xl_command_attach,
				    argc == optind ? "no interface named" : "more than one interface named");
	if (xl_xdp_attach(argv[optind], &o, &result, why, sizeof why)) {
		xl_cli_error(&xl_command_attach, "%s", why);
		return XL_EXIT_FAILURE;
	}
	print_result(argv[optind], &o, &result, json);
	return XL_EXIT_OK;
}

const struct xl_command xl_command_attach = {
	.name = "attach", .args = "[options] IFACE", .run = run,
	.summary = "Attach the XDP program that hands xlane's frames to its sockets; other traffic is not touched.",
};
