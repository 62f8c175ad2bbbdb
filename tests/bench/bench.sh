#!/usr/bin/env bash
# A replay of many lines into a real Redis, beside wc -l and GoAccess on the same file.
#
#	bench.sh [LINES]        2,000,000 where none is given
#
# Finds the programs in $abs_builddir (make bench sets it); needs redis-server and
# redis-cli.  Each figure is the median of three runs; quote the ratios, since the
# machine decides the rest.
set -euo pipefail

lines=${1:-2000000}
build=${abs_builddir:-$PWD}
rpvd=${RPVD:-$build/src/rpvd}
dir=$(mktemp -d)
redis_pid=
cleanup() {
	[ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || :
	rm -rf "$dir"
}
trap cleanup EXIT

for tool in redis-server redis-cli; do
	command -v $tool >/dev/null || { echo "bench: $tool is missing (Debian: redis-server, redis-tools)" >&2; exit 1; }
done

redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --appendonly no --dir "$dir" >"$dir/redis.log" &
redis_pid=$!
cli() { redis-cli -s "$dir/redis.sock" "$@"; }
until cli ping >/dev/null 2>&1; do sleep 0.05; done

"$build/tests/bench/make-log" "$lines" 1 "$dir/access.log" "$dir/orders.ndjson"
cat >"$dir/rpvd.conf" <<CONF
redis { url = "unix:$dir/redis.sock" }
state_dir = "$dir/state"
site "shop" {
  hosts = {"shop.example"}
  currency = "EUR"
  visitor = {"cookie:rpv", "ip_ua"}
  log "$dir/access.log" { format = '\$remote_addr - \$remote_user [\$time_local] "\$request" \$status \$body_bytes_sent "\$http_referer" "\$http_user_agent" \$msec "\$cookie_rpv"' }
  orders "$dir/orders.ndjson" {}
  token "/checkout/thanks*" { param = "order" }
}
CONF

# wall seconds and peak kilobytes of a command, as "S KB"
timed() {
	local out
	out=$( { TIMEFORMAT='%R'; time "$@" >/dev/null 2>"$dir/stderr" & p=$!; wait $p; } 2>&1 ) || { cat "$dir/stderr" >&2; exit 1; }
	echo "$out"
}
median() { sort -n | sed -n 2p; }

replay() {
	cli flushall >/dev/null
	rm -rf "$dir/state"
	"$rpvd" -c "$dir/rpvd.conf" --replay &
	local pid=$! peak=0 now
	while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
		peak=$now
		sleep 0.02
	done
	wait $pid
	echo "$peak" >"$dir/peak"
}

real=$(grep -c '' "$dir/access.log")
wc_s=$(for _ in 1 2 3; do timed wc -l "$dir/access.log"; done | median)
rpvd_s=$(for _ in 1 2 3; do timed replay; done | median)
cli dbsize >/dev/null
visits=$(cli hget rpv:shop:status visits)
orders=$(cli hget rpv:shop:30d:total sales_orders)
bytes=$(cli info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p')
cli flushall >/dev/null
empty=$(cli info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p')
if command -v goaccess >/dev/null; then
	goaccess_s=$(timed goaccess "$dir/access.log" --no-progress --log-format='%h - - [%d:%t %^] "%r" %s %b "%R" "%u" %^' \
	    --date-format=%d/%b/%Y --time-format=%T -o "$dir/report.json")
else
	goaccess_s=
fi

awk -v n="$real" -v wc="$wc_s" -v r="$rpvd_s" -v g="$goaccess_s" -v peak="$(cat "$dir/peak")" -v visits="$visits" \
    -v orders="$orders" -v bytes=$((bytes - empty)) 'BEGIN {
	printf "%-28s %10s %14s\n", "", "seconds", "lines/s"
	printf "%-28s %10.2f %14d\n", "wc -l", wc, (wc > 0 ? n / wc : 0)
	printf "%-28s %10.2f %14d\n", "rpvd --replay", r, n / r
	if (g != "") printf "%-28s %10.2f %14d\n", "goaccess (report)", g, n / g
	printf "\nrpvd: %d visits, %d orders; peak memory %.1f MB; Redis %.0f bytes a visit\n", visits, orders, peak / 1024, (visits > 0 ? bytes / visits : 0)
	printf "rpvd takes %.1f times as long as wc -l", (wc > 0 ? r / wc : 0)
	if (g != "") printf ", and is %.1f times as fast as goaccess", g / r
	printf "\n"
}'
