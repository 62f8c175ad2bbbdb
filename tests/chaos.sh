#!/usr/bin/env bash
#
# chaos: rpvd lives through whatever can happen, in any order, and is right at the end.
#
# tests/chaos/run.py says how.  RPVD_CHAOS_SECONDS: for how long (60); RPVD_CHAOS_SEED: with which
# rounds; it is printed.

set -u
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
for program in python3 redis-server; do
	if ! command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
# The small disks that are filled up are nobody else's, and gone at the end whatever happens.
own=()
if [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then
	own=(unshare --mount)
fi
exec "${own[@]}" python3 -B "$abs_srcdir/tests/chaos/run.py" "$@"
