#!/usr/bin/env bash
#
# formats: what rpvctl says of lines that real servers wrote is what they were asked, but for what
# docs/formats.md says.  The logs are not part of the tree: RPVD_SHARED=DIR says where they are.

set -u
export LC_ALL=C.UTF-8
data=${RPVD_SHARED:-}/data/formats

if [ -z "${RPVD_SHARED:-}" ] || [ ! -d "$data" ]; then
	echo "formats: RPVD_SHARED is not set, or has no logs of other servers: skipped"
	exit 77
fi
exec python3 "${abs_srcdir:?}/tests/formats.py" "${abs_builddir:?}/src/rpvctl" "$data" "$abs_srcdir/docs/formats.md" \
    "$abs_srcdir/tests/formats/expected.jsonl"
