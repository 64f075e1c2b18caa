#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coverage.sh [SEEDS] - which branches of engine and wire the unit tests, the scripts and SEEDS (500) seeds of the simulator
# take. `make coverage` builds what it runs, then runs it. Prints the files of which something is left, with the lines, and the
# total; leaves build/coverage/{branches.txt,left.txt,coverage.json,index.html}. Ends with 1 below GOAL per cent (95).
#
# The unit tests are those that include a header of engine or wire, by what the compiler says (build/cov/obj/.../*.d).
# An assertion's failing branch is for what the engine alone could cause; it can not be taken by a test that passes, and is not
# counted. Everything else is.
cd "$(dirname "$0")/.." || exit 1

seeds=${1:-500} goal=${GOAL:-95} out=build/coverage log=build/coverage/run.log
run() { # WHAT COMMAND...: its output is in the log, a failure is said and ends the run
	local what=$1
	shift
	[ ! -t 2 ] || printf '  %-40s\r' "$what" >&2
	"$@" >>"$log" 2>&1 || { echo "coverage: $what failed; see $log"; exit 1; }
}

for program in xlane-sim xlane-script; do
	[ -x build/cov/$program ] || { echo "coverage: build/cov/$program is not there; run: make coverage"; exit 1; }
done
find build/cov -name '*.gcda' -delete
rm -rf "$out"
mkdir -p "$out"
tests=0
for test in tests/unit/test_*.c; do
	test=$(basename "$test" .c)
	grep -qE 'user/(engine|wire)/' "build/cov/obj/tests/unit/$test.d" || continue
	run "$test" "build/cov/tests/$test"
	tests=$((tests + 1))
done
[ $tests -gt 0 ] || { echo "coverage: no unit test is of engine or wire"; exit 1; }
run scripts build/cov/xlane-script
run "$seeds seeds" build/cov/xlane-sim --seeds "$seeds" --jobs "$(nproc)"

# What stands in a header and is used by several objects is counted where it is used: of all, the best.
run "gcovr" gcovr --root . --object-directory build/cov build/cov/obj/user/engine build/cov/obj/user/wire \
	--filter 'user/engine/' --filter 'user/wire/' --exclude-branches-by-pattern '.*XL_ASSERT\(.*' \
	--branches --txt "$out/branches.txt" --json "$out/coverage.json" --html-details "$out/index.html" \
	--json-summary "$out/summary.json"
python3 - "$out" "$goal" <<'EOF'
import json, os, sys
out, goal = sys.argv[1], float(sys.argv[2])
files = json.load(open(os.path.join(out, "coverage.json")))["files"]
rows, left = [], []
for f in files:
    source = open(f["file"]).read().split("\n")
    taken = total = 0
    lines = []
    for line in f["lines"]:
        branches = line.get("branches", [])
        n = sum(1 for b in branches if b["count"])
        taken, total = taken + n, total + len(branches)
        if n < len(branches):
            number = line["line_number"]
            lines.append(str(number))
            left.append("%s:%d: %d of %d: %s" % (f["file"], number, n, len(branches), source[number - 1].strip()))
    rows.append((f["file"], taken, total, lines))
for name, taken, total, lines in sorted(rows, key=lambda r: r[1] - r[2]):
    if taken < total:
        print("%-30s %4d of %4d, left in lines %s%s" % (name, taken, total, " ".join(lines[:12]), " ..." if lines[12:] else ""))
with open(os.path.join(out, "left.txt"), "w") as f:
    f.write("\n".join(left) + "\n")
taken, total = sum(r[1] for r in rows), sum(r[2] for r in rows)
if not total:
    sys.exit("coverage: nothing was counted")
share = 100 * taken / total
print("%d of %d files are whole; %d lines with a branch not taken: %s" % (
    sum(1 for r in rows if r[1] == r[2]), len(rows), len(left), os.path.join(out, "left.txt")))
print("branches of user/engine and user/wire: %d of %d, %.2f %% (goal %g %%)" % (taken, total, share, goal))
sys.exit(share < goal)
EOF
