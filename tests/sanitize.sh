#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# sanitize.sh [SEEDS] - every unit test and SEEDS (500) seeds of the simulator, as built with the address and undefined behaviour
# sanitizers (build/san) and with the thread sanitizer (build/tsan). Ends with "N passed, N failed, N skipped".
cd "$(dirname "$0")/.." || exit 1

for b in build/san build/tsan; do
	[ -x $b/xlane-sim ] || { echo "sanitize: $b is not built; run: make sanitize"; exit 1; }
done
bad=0
for b in build/san build/tsan; do
	echo "${1:-500} seeds, $b"
	$b/xlane-sim --seeds "${1:-500}" --jobs "$(nproc)" 2>/dev/null | tail -2 || bad=1
	[ "${PIPESTATUS[0]}" = 0 ] || bad=1
done
tests/run build/san/tests/test_* build/tsan/tests/test_* || bad=1
[ $bad = 0 ] || echo "sanitize: something above is not clean"
exit $bad
