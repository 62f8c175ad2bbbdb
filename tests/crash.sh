#!/usr/bin/env bash
#
# crash: whatever happens at any one call by which rpvd changes the world, the figures are the same.
#
# tests/crash.py says what happens.  All of it takes a while: the build with sanitizers, which is there
# for what a crash leaves in memory, has a part.  CRASH_ALL=1: each n of all that is otherwise a
# sample ("after", "fail", "short", "hup", "badhup", "term", "memory"), which takes hours; --series NAME,NAME takes those.

set -u
export LC_ALL=C
for program in python3 redis-server; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
# The preloaded library comes before the sanitizers', which would complain.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
if [ -n "${RPVD_SANITIZED:-}" ]; then
	export CRASH_EVERY=${CRASH_EVERY:-8}
fi
exec python3 -B "$abs_srcdir/tests/crash.py" "$@"
