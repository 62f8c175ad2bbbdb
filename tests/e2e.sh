#!/usr/bin/env bash
#
# e2e: the whole as its owner has it: real programs, real sockets, real signatures.
#
# Each script of tests/e2e tells its own story; rig.py is what they share.

set -u
export LC_ALL=C
if ! command -v python3 >/dev/null 2>&1; then
	echo "python3 is not here"
	exit 77
fi
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
failures=0
ran=0
for story in bad canary doctor formats gate hooks hostile shop nginxlog; do
	echo "== $story"
	python3 -B "$abs_srcdir/tests/e2e/$story.py"
	case $? in
	0)	ran=$((ran + 1)) ;;
	77)	;;		# it said why
	*)	failures=$((failures + 1)) ;;
	esac
done
[ "$failures" -eq 0 ] || exit 1
[ "$ran" -gt 0 ] || exit 77
