#!/usr/bin/env bash
#
# sources: other programs' cases of referrers and channels through rpvctl explain source, each as
# they say or as docs/sources.md says with a reason.  They lie outside of the tree, in
# $RPVD_SHARED/data/sources; without them this is skipped.

set -u
cases=${RPVD_SHARED:-}/data/sources
if [ -z "${RPVD_SHARED:-}" ] || [ ! -f "$cases/referer-cases.tsv" ]; then
	echo "sources: RPVD_SHARED names no directory with data/sources: skipped"
	exit 77
fi
command -v python3 >/dev/null || { echo "sources: python3 is missing: skipped"; exit 77; }
exec python3 -B "${abs_srcdir:?}/tests/sources.py" "${abs_builddir:?}/src/rpvctl" "$cases" "$abs_srcdir/docs/sources.md"
