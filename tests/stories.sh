#!/usr/bin/env bash
#
# stories: what happens to a shop, told line by line, through the real programs.
#
# tests/stories/run.py says what a line may be.

set -u
export LC_ALL=C
for program in python3 redis-server; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
exec python3 -B "$abs_srcdir/tests/stories/run.py" "$@"
