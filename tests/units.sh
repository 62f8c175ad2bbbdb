#!/usr/bin/env bash
#
# units: systemd takes the units as they are, and their sandbox is as tight as said.

set -u
units=${abs_srcdir:?}/systemd
if ! command -v systemd-analyze >/dev/null 2>&1; then
	echo "systemd-analyze is not here"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-units-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

# verify wants each program to be there; where it is installed is not the question.
sed -e 's|@sbindir@/rpvd|/bin/true|; s|@sysconfdir@|/etc|' \
    "$units/rpvd.service.in" >"$work/rpvd.service"
sed -e 's|/usr/bin/redis-server|/bin/true|' \
    "$units/rpvd-redis.service" >"$work/rpvd-redis.service"
cp "$units/rpvd.socket" "$units/rpvd-syslog.socket" "$work/"

# Warnings do not change the exit status of verify, so that any word is a finding.
verify() {
	local said

	said=$(SYSTEMD_UNIT_PATH="$work:" systemd-analyze verify --man=no \
	    --recursive-errors=no "$work/$1" 2>&1 | grep -F "$1")
	if [ -n "$said" ]; then
		echo "$1: $said"
		failures=$((failures + 1))
	fi
}

# exposure UNIT TENTHS: systemd's own figure, 0 (none) to 100.
exposure() {
	if ! systemd-analyze security --offline=true --no-pager --threshold="$2" \
	    "$work/$1" >"$work/said" 2>&1; then
		grep -v '^✓' "$work/said"
		failures=$((failures + 1))
	fi
	tail -n 1 "$work/said"
}

if ! systemd-analyze security --offline=true --no-pager "$work/rpvd.service" >/dev/null 2>&1; then
	echo "this systemd-analyze cannot judge a file offline: $(systemd-analyze --version | head -n 1)"
	exit 77
fi
for unit in rpvd.service rpvd.socket rpvd-redis.service rpvd-syslog.socket; do
	verify "$unit"
done
# A test that cannot fail proves nothing.
printf '[Service]\nExecStart=/bin/true\nProtectSystm=strict\n' >"$work/bad.service"
before=$failures
{ verify bad.service; exposure bad.service 50; } >/dev/null
if [ $((failures - before)) -ne 2 ]; then
	echo "verify and security accept a bad unit"
	exit 1
fi
failures=$before

# holds UNIT LINE: what rpvd relies on, and no other test would miss.
holds() {
	if ! grep -qxF "$2" "$work/$1"; then
		echo "$1: there is no $2"
		failures=$((failures + 1))
	fi
}

holds rpvd.service Type=notify
holds rpvd.service WatchdogSec=30
holds rpvd.service Restart=on-failure
holds rpvd.service StartLimitIntervalSec=0
holds rpvd.service LimitCORE=0
holds rpvd.service StateDirectory=rpvd
holds rpvd.socket Backlog=4096
holds rpvd-syslog.socket Service=rpvd.service
if grep -q ^RuntimeDirectory= "$work/rpvd.service"; then
	echo "rpvd.service: with RuntimeDirectory= the socket goes whenever the service stops"
	failures=$((failures + 1))
fi
# A stop commits, and is given up by rpvd itself after four seconds.
if [ "$(sed -n 's/^TimeoutStopSec=//p' "$work/rpvd.service")" -lt 10 ]; then
	echo "rpvd.service: TimeoutStopSec= is too short"
	failures=$((failures + 1))
fi

# redis-server's own unit has 1.2.
exposure rpvd.service 12
exposure rpvd-redis.service 6
echo "$failures findings"
[ "$failures" -eq 0 ]
