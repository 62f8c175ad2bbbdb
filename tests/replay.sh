#!/usr/bin/env bash
#
# replay: the sample shop, from its log to the published keys, through the real
# programs and a real Redis.
#
# The figures expected here were computed from the same files by another program that
# knows nothing of this one, slowly and in plain sight.  They hold to the last digit.

set -u
export LC_ALL=C
bin=${abs_builddir:?}/src
for program in redis-server redis-cli python3; do
	if ! command -v "$program" >/dev/null 2>&1; then
		echo "$program is not here"
		exit 77
	fi
done
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-replay-XXXXXX")
redis=
cleanup() {
	[ -z "$redis" ] || { kill "$redis" && wait "$redis"; } 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
failures=0

fail() {
	echo "$*"
	failures=$((failures + 1))
}

ask() {
	redis-cli -s "$work/redis.sock" "$@"
}

# expect KEY FIELD=VALUE...
expect() {
	local key=$1 want got

	shift
	for want in "$@"; do
		got=$(ask hget "rpv:shop:$key" "${want%%=*}")
		[ "$got" = "${want#*=}" ] || fail "$key: ${want%%=*} is '$got', expected ${want#*=}"
	done
}

redis-server --port 0 --unixsocket "$work/redis.sock" --save "" --appendonly no \
    --dir "$work" >"$work/redis.log" 2>&1 &
redis=$!
for _ in $(seq 100); do
	ask ping >/dev/null 2>&1 && break
	sleep 0.1
done

python3 "${abs_srcdir:?}/contrib/sample/make-sample.py" "$work/sample" || exit 1
gzip "$work/sample/access.log"
mkdir "$work/state"
cat >"$work/rpvd.conf" <<END
redis { url = 'unix:$work/redis.sock' }
state_dir = '$work/state'
site "shop" {
	hosts    = {"lamps.example"}
	currency = "EUR"
	rates    = '$work/sample/rates.csv'
	visitor  = {"ip_ua"}
	log '$work/sample/access.log.gz' { format = "combined" }
	orders '$work/sample/orders.ndjson' {}
	token "/checkout/thanks*" { param = "order" }
}
END
replay() {
	"$bin/rpvd" -c "$work/rpvd.conf" --replay 2>"$work/rpvd.log" ||
	    fail "rpvd --replay: exit $?: $(tail -n 3 "$work/rpvd.log")"
}

figures() {
	expect 30d:total visits=2039 orders=59.0000 revenue=4973.17 refunds=503.80 \
	    recurring=42.00 rpv=2.43902 conversion_rate=0.0289358 aov=84.291 \
	    sales=5119.01 sales_orders=67 unattributed=97.84 coverage=0.980887
	expect 7d:total visits=470 orders=16.0000 revenue=1182.76 rpv=2.51651
	expect 24h:total visits=61 revenue=170.10 coverage=1
	expect 30d:source:newsletter/email visits=142 orders=12.0000 revenue=732.08 rpv=5.15549
	expect 30d:source.linear:newsletter/email visits=142 orders=11.5000 revenue=683.13
	expect 30d:campaign:spring-light visits=147 revenue=395.95 refunds=34.65
	expect '30d:channel:AI Assistant' visits=90 orders=5.0000 revenue=340.38
	expect 30d:device:mobile visits=970 orders=32.0000 revenue=2557.36
	expect 30d:landing:/ visits=418 orders=9.0000 revenue=1171.10
	expect 30d:page:/p/brass-desk-lamp visits=312 revenue=1663.73 recurring=13.20
	expect status lines=7779 malformed=0
	[ "$(ask zrevrange rpv:shop:30d:source 0 0)" = "(direct)/(none)" ] ||
	    fail "the first source by revenue is $(ask zrevrange rpv:shop:30d:source 0 0)"
}

replay
figures
before=$failures
# A second run finds everything read, and counts none of it again.
replay
figures
[ "$failures" -eq "$before" ] || echo "... of these, $((failures - before)) after the second replay"

if ! "$bin/rpvctl" -c "$work/rpvd.conf" total --window 30d >"$work/total" 2>&1 ||
    ! grep -q 4973.17 "$work/total"; then
	fail "rpvctl total: $(cat "$work/total")"
fi
# The same shop with networks known: half of the addresses, all of IPv4, in one that hosts machines.
python3 - "$work/asn.mmdb" <<'END'
import sys
def text(s):
    return bytes([0x40 | len(s)]) + s.encode()
def number(n):
    return b"\xa1" + bytes([n])
data = b"\xe1" + text("autonomous_system_number") + b"\xc2" + (16509).to_bytes(2, "big")
meta = b"\xe9" + text("node_count") + b"\xc1\x01" + text("record_size") + number(24) + text("ip_version") + number(4) + \
    text("database_type") + text("x") + text("languages") + b"\0\x04" + text("binary_format_major_version") + number(2) + \
    text("binary_format_minor_version") + number(0) + text("build_epoch") + b"\x01\x02\x01" + text("description") + b"\xe0"
with open(sys.argv[1], "wb") as f:      # one node: 0.0.0.0/1 is nobody's, 128.0.0.0/1 that network's
    f.write(b"\0\0\x01" + b"\0\0\x11" + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + meta)
END
cp "$work/rpvd.conf" "$work/lenient.conf"
for bots in lenient strict; do
	ask flushall >/dev/null
	rm -rf "$work/state"/*
	{ echo "asn = '$work/asn.mmdb'"; sed "s/^site .*/&\n\tbots = \"$bots\"/" "$work/lenient.conf"; } >"$work/rpvd.conf"
	replay
	if [ $bots = lenient ]; then
		figures
		strict=$(ask hget rpv:shop:30d:total visits_strict)
		hosting=$(ask hget rpv:shop:30d:total evidence_hosting)
		[ "$strict" -lt 2039 ] && [ "$strict" -ge $((2039 - hosting)) ] && [ "$hosting" -gt 500 ] && [ "$hosting" -lt 2039 ] ||
		    fail "of 2039 visits $hosting are from a hoster, and $strict count where that is strict"
	else
		expect 30d:total visits="$strict" visits_strict="$strict" visits_lenient=2039 orders=59.0000 revenue=4973.17
		sum=$(ask zrange rpv:shop:30d:device@visits 0 -1 withscores | awk 'NR % 2 == 0 { n += $1 } END { print n }')
		[ "$sum" = "$strict" ] || fail "devices have $sum visits of $strict"
	fi
done

# Addresses and browsers are in no key, no value and no file of the state.
ask config set rdbcompression no >/dev/null
ask save >/dev/null
if ! grep -aqF rpv:shop:30d:total "$work/dump.rdb"; then
	fail "the dump of Redis cannot be searched"
fi
if grep -raqE '2001:db8|198\.1[89]\.|Mozilla|cus_[0-9]{5}' "$work/dump.rdb" "$work/state"; then
	fail "an address, a browser or a customer is stored"
fi

echo "$failures findings"
[ "$failures" -eq 0 ]
