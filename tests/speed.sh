#!/usr/bin/env bash
#
# speed: what a line and a visit may cost at most, of memory, of Redis, of the processor.
#
# Guards against gross mistakes alone: a buffer that is zeroed for each line, a record that is written
# at each hit.  How fast it is, `make bench` tells.

set -u
if [ -n "${RPVD_SANITIZED:-}" ]; then
	echo "a sanitized build has its own costs"
	exit 77
fi
for program in python3 redis-server redis-cli; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_builddir=${abs_builddir:?}
exec python3 -B "${abs_srcdir:?}/tests/bench/bench.py" --guard
