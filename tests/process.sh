#!/usr/bin/env bash
#
# process: rpvd as a process among others: its service manager, its host, its twin.
#
# Each case of tests/process.py says what it proves.

set -u
export LC_ALL=C
for program in python3 redis-server; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
# A preloaded library comes before the sanitizers', which would complain.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
exec python3 -B "$abs_srcdir/tests/process.py" "$@"
