#!/usr/bin/env bash
#
# inputs: where lines come from, and what rpvd says where they cannot be read.
#
# Each case of tests/inputs.py says what it proves.

set -u
export LC_ALL=C
for program in python3 redis-server; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
exec python3 -B "$abs_srcdir/tests/inputs.py" "$@"
