#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coverage.sh [SEEDS] - which branches of engine and wire the unit tests, the scripts and SEEDS (500) seeds of the simulator
# take. Needs `make COV=1 unit`. Prints a table, the lines with branches that were not taken, and the total; leaves
# build/coverage/{branches.txt,left.txt,coverage.json,index.html}. Ends with 1 below GOAL per cent (95).
#
# An assertion's failing branch is for what the engine alone could cause; it can not be taken by a test that passes, and is not
# counted. Everything else is.
cd "$(dirname "$0")/.." || exit 1

seeds=${1:-500} goal=${GOAL:-95} out=build/coverage log=build/coverage/run.log
run() { # WHAT COMMAND...: its output is in the log, a failure is said and ends the run
	local what=$1
	shift
	printf '  %-40s\r' "$what" >&2
	"$@" >>"$log" 2>&1 || { echo "coverage: $what failed; see $log"; exit 1; }
}

[ -x build/cov/xlane-sim ] || { echo "coverage: run: make coverage"; exit 1; }
find build/cov -name '*.gcda' -delete
rm -rf "$out"
mkdir -p "$out"
for test in $(grep -lE '"(engine|wire)/|engine_pair|engine_large|engine_feed' tests/unit/test_*.c); do
	test=build/cov/tests/$(basename "$test" .c)
	run "${test##*/}" "$test"
done
[ ! -x build/cov/xlane-script ] || run scripts build/cov/xlane-script
run "$seeds seeds" build/cov/xlane-sim --seeds "$seeds" --jobs "$(nproc)"
printf '%-44s\r' '' >&2

# What stands in a header and is used by several objects is counted where it is used: of all, the best.
gcovr --root . --object-directory build/cov build/cov/obj/user/engine build/cov/obj/user/wire \
	--filter 'user/engine/' --filter 'user/wire/' --exclude-branches-by-pattern '.*XL_ASSERT\(.*' \
	--branches --txt "$out/branches.txt" --json "$out/coverage.json" --html-details "$out/index.html" \
	--json-summary "$out/summary.json" >>"$log" 2>&1 || { echo "coverage: gcovr failed; see $log"; exit 1; }
python3 - "$out" "$goal" <<'EOF'
import json, os, sys
out, goal = sys.argv[1], float(sys.argv[2])
files = json.load(open(os.path.join(out, "coverage.json")))["files"]
rows, left = [], []
for f in files:
    source = open(f["file"]).read().split("\n")
    taken = total = 0
    for line in f["lines"]:
        branches = line.get("branches", [])
        n = sum(1 for b in branches if b["count"])
        taken, total = taken + n, total + len(branches)
        if n < len(branches):
            number = line["line_number"]
            left.append("%s:%d: %d of %d: %s" % (f["file"], number, n, len(branches), source[number - 1].strip()))
    rows.append((f["file"], taken, total))
for name, taken, total in sorted(rows, key=lambda r: r[1] - r[2]):
    if total:
        print("%-36s %5d of %5d  %5.1f %%" % (name, taken, total, 100 * taken / total))
with open(os.path.join(out, "left.txt"), "w") as f:
    f.write("\n".join(left) + "\n")
taken, total = sum(r[1] for r in rows), sum(r[2] for r in rows)
share = 100 * taken / total
print("\n%d lines with a branch not taken: %s" % (len(left), os.path.join(out, "left.txt")))
print("branches of user/engine and user/wire: %d of %d, %.2f %% (goal %.0f %%)" % (taken, total, share, goal))
sys.exit(share < goal)
EOF
