#!/usr/bin/env bash
#
# packages: what contrib/packages.sh leaves behind when apt is done, fails, or is interrupted:
# nothing.  apt-get is a stub here, and the file that keeps services from being started
# lies in a directory of the test's own.

set -u
export LC_ALL=C
packages=${abs_srcdir:?}/contrib/packages.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-packages-XXXXXX")
trap 'rm -rf "$work"' EXIT
export work
failures=0

fail() {
	echo "$*"
	failures=$((failures + 1))
}

# It waits where the file `hold` says so, and fails where there is `fail`.
mkdir "$work/bin"
cat >"$work/bin/apt-get" <<'END'
#!/bin/sh
[ "$1" = install ] || exit 0
cp -p "$work/policy-rc.d" "$work/policy-then"
: >"$work/begun"
while [ -e "$work/hold" ]; do
	sleep 0.05
done
[ ! -e "$work/fail" ]
END
chmod 755 "$work/bin/apt-get"
cat >"$work/install" <<'END'
. "$1"
packages_policy=$work/policy-rc.d
packages_as_root() { "$@"; }
packages_install gcc
END

# In a session of its own, as at a terminal: a signal goes to all of it.
begin() {
	rm -f "$work/begun" "$work/policy-then"
	PATH=$work/bin:$PATH env --default-signal=INT,TERM,HUP setsid bash "$work/install" "$packages" 2>/dev/null &
	pid=$!
}

has_begun() {
	for _ in $(seq 200); do
		[ ! -e "$work/begun" ] || return 0
		sleep 0.05
	done
	fail "$1: apt-get is not called"
	return 1
}

# What a signal ended may be gone before the shell that cleans up.
ends() {
	wait "$pid" 2>/dev/null
	[ $? -eq "$2" ] || fail "$1: does not end with $2"
	for _ in $(seq 100); do
		[ -e "$work/policy-rc.d" ] || break
		sleep 0.05
	done
	[ ! -e "$work/policy-rc.d" ] || fail "$1: the policy stays behind"
	rm -f "$work/policy-rc.d" "$work/hold" "$work/fail"
}

begin
has_begun "apt" && [ "$("$work/policy-then"; echo $?)" = 101 ] || fail "no policy while apt is at work"
ends "apt" 0
: >"$work/fail"
begin
ends "apt fails" 1
for signal in INT:130 TERM:143 HUP:129; do
	: >"$work/hold"
	begin
	has_begun "$signal" && kill -s "${signal%:*}" -- "-$pid"
	ends "$signal" "${signal#*:}"
done

# The administrator's own stays, whatever happens.
echo "exit 0 # mine" >"$work/policy-rc.d"
: >"$work/hold"
begin
has_begun "a policy that was there" && kill -s TERM -- "-$pid"
wait "$pid" 2>/dev/null
[ "$(cat "$work/policy-rc.d" 2>/dev/null)" = "exit 0 # mine" ] || fail "a policy that was there is gone, or another"

echo "$failures findings"
[ "$failures" -eq 0 ]
