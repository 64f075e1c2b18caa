# SPDX-License-Identifier: BSD-2-Clause
# tap.sh - printing TAP from a shell script; sourced. The plan comes last, by tap_end.

tap_count=0 tap_failed=0
# What a command says, kept in a file without a name: the command runs in this shell and may change its variables.
tap_said=$(mktemp "${TMPDIR:-/tmp}/tap.XXXXXX") && exec {tap_fd}<>"$tap_said" && rm -f "$tap_said" || exit 1
tap_said=/proc/$$/fd/$tap_fd

tap_show() { sed 's/^/#   /' "$@"; }   # files, or standard input, as comments
tap_ok() { tap_count=$((tap_count + 1)); echo "ok $tap_count - $*"; }
tap_not_ok() { tap_count=$((tap_count + 1)) tap_failed=$((tap_failed + 1)); echo "not ok $tap_count - $*"; }
tap_skip() { tap_count=$((tap_count + 1)); echo "ok $tap_count - $1 # SKIP $2"; }   # NAME REASON
tap_skip_all() { echo "1..0 # SKIP $*"; exit 0; }
tap_is() { # NAME GOT WANTED
	if [ "$2" = "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1"
		printf 'got:    %s\nwanted: %s\n' "$2" "$3" | tap_show
	fi
}
tap_true() { # NAME COMMAND...: its output is shown when it fails
	local name=$1
	shift
	if "$@" >"$tap_said" 2>&1; then
		tap_ok "$name"
	else
		tap_not_ok "$name"
		tap_show "$tap_said"
		return 1
	fi
}
# The command prints nothing: each line is a finding.
tap_silent() { # NAME COMMAND...
	local name=$1
	shift
	"$@" >"$tap_said" 2>&1
	if [ ! -s "$tap_said" ]; then
		tap_ok "$name"
	else
		tap_not_ok "$name"
		tap_show "$tap_said"
	fi
}
# The other way round: the check is worth something only if it finds what is there.
tap_found() { # NAME PATTERN COMMAND...
	local name=$1 pattern=$2 said
	shift 2
	said=$("$@" 2>&1)
	if printf '%s\n' "$said" | grep -q -- "$pattern"; then
		tap_ok "$name"
	else
		tap_not_ok "$name"
		printf 'wanted: %s\ngot:    %s\n' "$pattern" "$said" | tap_show
	fi
}
tap_end() { echo "1..$tap_count"; [ $tap_failed = 0 ]; exit; }
