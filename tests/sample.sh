#!/usr/bin/env bash
#
# sample: the made-up shop is the same on every machine, and has what it promises.

set -u
export LC_ALL=C
make_sample=${abs_srcdir:?}/contrib/sample/make-sample.py
if ! command -v python3 >/dev/null 2>&1; then
	echo "python3 is not here"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-sample-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "$*"
	failures=$((failures + 1))
}

# has WHAT AT-LEAST PATTERN FILE
has() {
	local n

	n=$(grep -cE -- "$3" "$work/a/$4")
	[ "$n" -ge "$2" ] || fail "$1: $n lines of $4, expected $2 or more"
}

python3 "$make_sample" "$work/a" || exit 1
PYTHONHASHSEED=1 TZ=Asia/Tokyo python3 "$make_sample" "$work/b" || exit 1
python3 "$make_sample" --seed 2 "$work/c" || exit 1
diff -r "$work/a" "$work/b" >/dev/null || fail "two runs differ"
cmp -s "$work/a/access.log" "$work/c/access.log" && fail "another seed gives the same log"

has "a few thousand lines" 5000 . access.log
has "bots" 500 'bot' access.log
has "campaigns" 100 'utm_campaign=' access.log
has "thank-you pages" 40 '/checkout/thanks[?]order=L' access.log
has "paid orders" 50 '"order.paid"' orders.ndjson
has "orders in dollars" 3 '"USD"' orders.ndjson
has "refunds" 2 '"order.refunded"' orders.ndjson
has "disputes" 1 '"order.disputed"' orders.ndjson
has "disputes won" 1 '"order.dispute_won"' orders.ndjson
has "renewals" 2 '"recurring": true' orders.ndjson
has "days with rates" 20 '^2026-' rates.csv

# Every line is in the one format that the sample promises.
bad=$(grep -cvE '^[0-9a-f.:]+ - - \[[^]]+\] "(GET|HEAD|POST) /[^ ]* HTTP/2\.0" [0-9]{3} [0-9]+ "[^"]+" "[^"]+"$' "$work/a/access.log")
[ "$bad" -eq 0 ] || fail "$bad lines are not in the combined format"
# Addresses are from reserved networks only: nobody's.
bad=$(grep -cvE '^(198\.1[89]\.|2001:db8:)' "$work/a/access.log")
[ "$bad" -eq 0 ] || fail "$bad lines have an address that may be somebody's"

echo "$failures findings"
[ "$failures" -eq 0 ]
