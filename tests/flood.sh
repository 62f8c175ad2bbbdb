#!/usr/bin/env bash
#
# flood: strangers make up visitors, pages, campaigns and order ids by the hundred thousand;
# figures stay right and memory within its limits (tests/flood).

set -u
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
if ! command -v python3 >/dev/null 2>&1; then
	echo "python3 is not here"
	exit 77
fi
exec python3 -B "$abs_srcdir/tests/flood/flood.py"
