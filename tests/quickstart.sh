#!/usr/bin/env bash
#
# quickstart: what a stranger's first command makes of his logs and orders.
#
# The build that it makes is the one under test: compilers are kept from it by a `make`
# that has nothing to do.  All else is real.

set -u
export LC_ALL=C
src=${abs_srcdir:?}
bin=${abs_builddir:?}/src
for program in redis-server redis-cli python3 gzip; do
	if ! command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
# shellcheck source=contrib/packages.sh
. "$src/contrib/packages.sh"
if [ -n "$(packages_missing build run)" ]; then
	echo "quickstart would install: $(packages_missing build run | tr '\n' ' ')"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-quickstart-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "$*"
	failures=$((failures + 1))
}

# Newer than what they are made of, so that neither autoreconf nor configure runs.
cache=$work/cache/rpvd
mkdir -p "$work/bin" "$cache/tree" "$cache/build" "$work/tmp"
printf '#!/bin/sh\nexit 0\n' >"$work/bin/make"
chmod 755 "$work/bin/make"
ln -s "$bin" "$cache/build/src"
touch -d '+1 minute' "$cache/tree/configure"
touch -d '+2 minutes' "$cache/build/config.status"
echo "--disable-tests" >"$cache/build/configured-with"

quickstart() {
	PATH=$work/bin:$PATH XDG_CACHE_HOME=$work/cache TMPDIR=$work/tmp "$src/quickstart" "$@" >"$work/said" 2>&1
}

# ends WITH ARGUMENT...
ends() {
	local want=$1 got

	shift
	quickstart "$@"
	got=$?
	[ "$got" -eq "$want" ] || fail "quickstart $*: ends with $got, expected $want: $(cat "$work/said")"
	[ -z "$(ls "$work/tmp")" ] || fail "quickstart $*: leaves $(ls "$work/tmp")"
}

says() {
	grep -qF -- "$1" "$work/said" || fail "does not say \"$1\": $(cat "$work/said")"
}

# hit ADDRESS TIME TARGET REFERRER
hit() {
	printf '%s - - [01/Mar/2026:%s +0000] "GET %s HTTP/1.1" 200 7 "%s" "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Firefox/130.0"\n' "$@"
}

logs=$work/logs
mkdir "$logs"
{
	hit 198.51.100.1 10:00:00 / https://www.bing.com/
	hit 198.51.100.1 10:00:01 /style.css https://shop.example/
	hit 198.51.100.1 10:01:00 /lamp https://www.shop.example/
} >"$logs/access.log.1"
{
	hit 198.51.100.2 09:00:00 / https://www.bing.com/
	hit 198.51.100.2 09:00:01 /style.css https://www.shop.example/
	hit 198.51.100.2 09:01:00 /lamp https://shop.example/
} | gzip >"$logs/access.log.2.gz"
: >"$logs/access.log"
: | gzip >"$logs/access.log.3.gz"
cat >"$work/orders.ndjson" <<'END'
{"id":"e1","time":"2026-03-01T10:02:00Z","type":"order.paid","order":{"id":"o1","total":"10.00","currency":"EUR"}}
broken
{"id":"e2","time":"yesterday","type":"order.paid","order":{"id":"o2","total":"10.00","currency":"EUR"}}
END

# The morning after a rotation; and one shop under both of its names: no visit begins anew.
ends 0 "$logs"/access.log*
says "Passed over, as there is nothing in it: $logs/access.log $logs/access.log.3.gz"
says "Own host names: shop.example www.shop.example"
says "No order yet"
grep -qE 'bing +organic|bing/organic' "$work/said" || fail "no source bing: $(cat "$work/said")"
grep -q 'shop.example/referral' "$work/said" && fail "the shop is a source of its own: $(cat "$work/said")"
[ "$(sed -n '/^How to go on:/,$p' "$work/said" | grep -c '^  ')" -eq 5 ] || fail "not five lines on how to go on: $(cat "$work/said")"

ends 0 "$logs/access.log.1" "$work/orders.ndjson"
says "Rejected lines of the orders: 2; the first: $work/orders.ndjson:2: not JSON"

ends 1 "$logs/access.log"
says "$logs/access.log: is empty"
printf 'no gzip' >"$work/broken.log.gz"
ends 1 "$work/broken.log.gz"
says "no line in it is of"
ends 1 "$work/none.log"
says "there is no such file"

echo "$failures findings"
[ "$failures" -eq 0 ]
