#!/usr/bin/env bash
#
# golden: state that a release left is read by the next one, or refused without a change.
#
# tests/golden.py says how; tests/golden/ holds the states.

set -u
export LC_ALL=C
for program in python3 redis-server; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
exec python3 -B "$abs_srcdir/tests/golden.py" "$@"
