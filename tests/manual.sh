#!/usr/bin/env bash
#
# manual: the manual pages are well-formed.

set -u
cd "${abs_srcdir:?}" || exit 1
if ! command -v mandoc >/dev/null 2>&1; then
	echo "mandoc is not here"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-manual-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

# What reads wrong though it is well-formed: an optional argument that has swallowed what
# stands behind it, a quotation inside of another.
reads_wrong() {
	mandoc -T utf8 -O width=200 "$@" | sed $'s/.\b//g' | tr -s ' \t\n' ' ' | LC_ALL=C.UTF-8 grep -oE '\[=[a-z]+ \|.{0,40}|‘[^’]{0,80}‘'
}

for page in man/*.[1-8]; do
	# Style hints are not about the page being right.
	if ! mandoc -Tlint -Wwarning "$page"; then
		failures=$((failures + 1))
	fi
	if reads_wrong "$page"; then
		echo "$page: reads wrong, see above"
		failures=$((failures + 1))
	fi
done
# A test that cannot fail proves nothing.
if printf '.Dd x\n.Dt X 8\n.Bl\n' | mandoc -Tlint -Wwarning >/dev/null 2>&1; then
	echo "mandoc accepts a broken page"
	failures=$((failures + 1))
fi
printf '.Dd March 1, 2026\n.Dt X 8\n.Os\n.Sh SYNOPSIS\n.Op Fl a Ns Op = Ns Ar site | Fl b\n' >"$work/swallowed"
printf '.Dd March 1, 2026\n.Dt X 8\n.Os\n.Sh FILES\n.Ql \\(dqdir/ Ns Ar NAME Ns Ql \\(dq\n' >"$work/quoted"
for page in swallowed quoted; do
	if ! reads_wrong "$work/$page" >/dev/null; then
		echo "a page that reads wrong is not found: $page"
		failures=$((failures + 1))
	fi
done
echo "$failures findings"
[ "$failures" -eq 0 ]
