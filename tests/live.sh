#!/usr/bin/env bash
#
# live: rpvd at work while everything around it goes wrong, and how soon it shows what it reads.
#
# Each script of tests/live says at its head what it proves.

set -u
export LC_ALL=C
if ! command -v python3 >/dev/null 2>&1; then
	echo "python3 is not here"
	exit 77
fi
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
failures=0 ran=0
for script in equality replay logs keys rebuild latency; do
	echo "== $script"
	python3 -B "$abs_srcdir/tests/live/$script.py"
	case $? in
	0)	ran=$((ran + 1)) ;;
	77)	;;		# it said why
	*)	failures=$((failures + 1)) ;;
	esac
done
[ "$failures" -eq 0 ] || exit 1
[ "$ran" -gt 0 ] || exit 77
