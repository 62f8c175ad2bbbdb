#!/usr/bin/env bash
#
# redis: a real Redis that is slow, strange, full, secured or gone in the middle of a word.
#
# Each script of tests/redis says at its head what it proves.

set -u
export LC_ALL=C
for program in python3 redis-server; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
export abs_srcdir=${abs_srcdir:?} abs_builddir=${abs_builddir:?}
failures=0 ran=0
for script in tls strange line; do
	echo "== $script"
	python3 -B "$abs_srcdir/tests/redis/$script.py"
	case $? in
	0)	ran=$((ran + 1)) ;;
	77)	;;		# it said why
	*)	failures=$((failures + 1)) ;;
	esac
done
[ "$failures" -eq 0 ] || exit 1
[ "$ran" -gt 0 ] || exit 77
