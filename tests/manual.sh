#!/usr/bin/env bash
#
# manual: the manual pages are well-formed.

set -u
cd "${abs_srcdir:?}" || exit 1
if ! command -v mandoc >/dev/null 2>&1; then
	echo "mandoc is not here"
	exit 77
fi
failures=0
for page in man/*.[1-8]; do
	# Style hints are not about the page being right.
	if ! mandoc -Tlint -Wwarning "$page"; then
		failures=$((failures + 1))
	fi
done
# A test that cannot fail proves nothing.
if printf '.Dd x\n.Dt X 8\n.Bl\n' | mandoc -Tlint -Wwarning >/dev/null 2>&1; then
	echo "mandoc accepts a broken page"
	failures=$((failures + 1))
fi
echo "$failures findings"
[ "$failures" -eq 0 ]
