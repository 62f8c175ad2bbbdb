#!/usr/bin/env bash
#
# explain: what rpvctl says of lines on standard input.

set -u
export LC_ALL=C
rpvctl=${abs_builddir:?}/src/rpvctl
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-explain-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
cases=0

# answers WHY INPUT OUTPUT ARGUMENT...: bytes in by printf's escapes, lines out
answers() {
	local why=$1 input=$2 want=$3 got

	shift 3
	cases=$((cases + 1))
	got=$(printf "$input" | "$rpvctl" explain "$@" 2>&1)
	if [ "$got" != "$want" ]; then
		printf '%s:\n  got  %s\n  want %s\n' "$why" "$got" "$want"
		failures=$((failures + 1))
	fi
}

# refuses WHY SENTENCE ARGUMENT...
refuses() {
	local why=$1 want=$2 got rc

	shift 2
	cases=$((cases + 1))
	got=$("$rpvctl" "$@" 2>&1 </dev/null)
	rc=$?
	case $rc:$got in
	"2:$want"*) ;;
	*)	printf '%s:\n  got  %s: %s\n  want 2: %s\n' "$why" "$rc" "$got" "$want"
		failures=$((failures + 1)) ;;
	esac
}

line='192.0.2.7 - - [02/Mar/2026:10:00:00 +0000] "GET /lamp HTTP/1.1" 200 5 "-" "Mozilla/5.0"'
said='{"time_ms":1772445600000,"addr":"192.0.2.7","method":"GET","target":"/lamp","status":200,"bytes":5,"referrer":"","user_agent":"Mozilla/5.0","host":"","protocol":"HTTP/1.1","forwarded":""}'

answers "a line" "$line\\n" "$said" line --format combined
answers "the last line needs no newline" "$line" "$said" line --format combined
answers "line by line" "$line\\n\\nx\\n" "$said
{\"rejected\":\"empty\"}
{\"rejected\":\"malformed\"}" line --format combined
answers "no line" "" "" line --format combined
answers "bytes: UTF-8, what is none, and what JSON escapes" \
    '192.0.2.7 - - [02/Mar/2026:10:00:00 +0000] "GET /\\xC3\\xA9\\xE9 HTTP/1.1" 200 5 "-" "\\xF0\\x9F\\x98\\x80\\x22\\x5C\\x00\\xED\\xA0\\x80"\n' \
    '{"time_ms":1772445600000,"addr":"192.0.2.7","method":"GET","target":"/\u00e9\udce9","status":200,"bytes":5,"referrer":"","user_agent":"\ud83d\ude00\"\\\u0000\udced\udca0\udc80","host":"","protocol":"HTTP/1.1","forwarded":""}' \
    line --format combined

cases=$((cases + 1))
got=$({ head -c 70000 /dev/zero | tr '\0' x; printf '\n%s\n' "$line"; head -c 200000 /dev/zero | tr '\0' x; } |
    "$rpvctl" explain line --format combined)
if [ "$got" != "{\"rejected\":\"overlong\"}
$said
{\"rejected\":\"overlong\"}" ]; then
	echo "lines without an end: $got"
	failures=$((failures + 1))
fi

cat >"$work/rpvd.conf" <<'CONF'
site "shop" { currency = "EUR" log "/nowhere/access.log" { format = '$msec $status $request' } }
CONF
answers "the configuration's format" '1772445600.000 200 GET /lamp HTTP/1.1\n' \
    '{"time_ms":1772445600000,"addr":"","method":"GET","target":"/lamp","status":200,"bytes":0,"referrer":"","user_agent":"","host":"","protocol":"HTTP/1.1","forwarded":""}' \
    line -c "$work/rpvd.conf"

answers "every format is looked for where none is named" "$line\\n"'{"ts":1772445600.5,"request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/\\u00e9","headers":{"User-Agent":["x \\"y\\""]}},"status":200,"size":5}\n' \
    "$said"'
{"time_ms":1772445600500,"addr":"192.0.2.7","method":"GET","target":"/\u00e9","status":200,"bytes":5,"referrer":"","user_agent":"x \"y\"","host":"","protocol":"","forwarded":""}' line
answers "cookies that a format names, and the whole header" '1.5 200 GET /lamp HTTP/1.1|a|sid=b; rpv=c\n' \
    '{"time_ms":1500,"addr":"","method":"GET","target":"/lamp","status":200,"bytes":0,"referrer":"","user_agent":"","host":"","protocol":"HTTP/1.1","forwarded":"","cookie":"sid=b; rpv=c","cookie_rpv":"a"}' \
    line --format '$msec $status $request|$cookie_rpv|$http_cookie'
mkdir "$work/conf.d"
printf 'events {}\nhttp { include conf.d/*.conf; access_log /x.log own; }\n' >"$work/nginx.conf"
printf 'log_format own escape=json\n\t"{\\"t\\":\\"$time_iso8601\\","\n\t"\\"r\\":\\"$request\\",\\"s\\":$status}";\nlog_format short \x27$msec $status\x27;\n' >"$work/conf.d/log.conf"
answers "a log_format by its name in the configuration of nginx" '{"t":"2026-03-02T10:00:00+00:00","r":"GET /\\"a\\u001b HTTP/1.1","s":200}\n' \
    '{"time_ms":1772445600000,"addr":"","method":"GET","target":"/\"a\u001b","status":200,"bytes":0,"referrer":"","user_agent":"","host":"","protocol":"HTTP/1.1","forwarded":""}' \
    line --format "nginx:$work/nginx.conf:own"

printf 'events {}\nhttp { log_format c \x27$msec $status "$request" $cookie_sid $uid_got\x27; }\n' >"$work/cookie.conf"
cat >"$work/cookies.conf" <<CONF
site "shop" { currency = "EUR" visitor = {"cookie:rpv", "uid"} log "/nowhere/access.log" { format = "nginx:$work/cookie.conf:c" } }
CONF
answers "cookies of the site and of the format, and nginx's own" '1.5 200 "GET / HTTP/1.1" abc rpv=00FF\n' \
    '{"time_ms":1500,"addr":"","method":"GET","target":"/","status":200,"bytes":0,"referrer":"","user_agent":"","host":"","protocol":"HTTP/1.1","forwarded":"","cookie_rpv":"","cookie_sid":"abc","uid_got":"rpv=00FF"}' \
    line -c "$work/cookies.conf"

refuses "no such log_format" "rpvctl: log format: $work/nginx.conf and what it includes have no log_format main; there is combined, own, short" \
    explain line --format "nginx:$work/nginx.conf:main"
refuses "one that cannot be read: where it is" "rpvctl: log format: needs \$request, or \$request_method and \$request_uri (Apache: %r, or %m and %U%q) ($work/conf.d/log.conf:4: log_format short)" \
    explain line --format "nginx:$work/nginx.conf:short"
refuses "no such configuration" "rpvctl: log format: $work/none.conf: No such file or directory; it is read for nginx:main" \
    explain line --format "nginx:$work/none.conf:main"
# source WHY TARGET REFERRER SOURCE MEDIUM CAMPAIGN CHANNEL RULE: with shop.example as own host
source_is() {
	answers "$1" "$2\\t$3\\n" \
	    "{\"source\":\"$4\",\"medium\":\"$5\",\"campaign\":\"$6\",\"channel\":\"$7\",\"rule\":\"$8\"}" source --host shop.example
}

source_is "utm" '/?utm_source=News&utm_medium=email&utm_campaign=A' https://t.co/ news email a Email utm
source_is "a click id" '/?gclid=1' '' google cpc '(none)' 'Paid Search' click_id:gclid
source_is "a stale one" '/?gclid=1' https://t.co/ twitter social '(none)' 'Organic Social' 'known:t.co (social)'
source_is "an own host" /cart https://shop.example/ '(direct)' '(none)' '(none)' Direct own_host
source_is "a payment page" /thanks https://www.paypal.com/ '(direct)' '(none)' '(none)' Direct payment_page:paypal.com
source_is "a known host" / https://www.google.co.uk/ google organic '(none)' 'Organic Search' 'known:google.* (search)'
source_is "an ad network" / https://trc.taboola.com/ taboola cpc '(none)' 'Paid Other' 'known:taboola.com (ads)'
source_is "referrer spam" / https://semalt.com/ semalt.com referral '(none)' Referral spam:semalt.com
source_is "another host" / https://www.blog.example/a blog.example referral '(none)' Referral referrer
source_is "nothing" /?utm_campaign=A - '(direct)' '(none)' a Direct direct
direct='{"source":"(direct)","medium":"(none)","campaign":"(none)","channel":"Direct","rule":"'
answers "no tab is no referrer" '/\n\n' "${direct}direct\"}
${direct}direct\"}" source
answers "what is behind a second tab is the referrer's" '/\thttps://t.co/\thttps://x.example/\n' \
    '{"source":"twitter","medium":"social","campaign":"(none)","channel":"Organic Social","rule":"known:t.co (social)"}' source
answers "bytes that are no text" '/?utm_source=%%e9\t\n' \
    '{"source":"\udce9","medium":"(none)","campaign":"(none)","channel":"Unassigned","rule":"utm"}' source
answers "several own hosts" '/\thttps://a.example/\n/\thttps://b.example/\n/\thttps://C.example:80/\n' "${direct}own_host\"}
${direct}own_host\"}
${direct}own_host\"}" source --host a.example,B.EXAMPLE --host c.example

mkdir "$work/data"
cp "${abs_srcdir:?}/data/bots.txt" "$work/data"
printf 'pay.example\tpay\tpayment\nlamps.example\tlamps\tsocial\n' >"$work/data/sources.tsv"
cat >"$work/sites.conf" <<'CONF'
data_dir = "data"
site "shop" { currency = "EUR" hosts = {"shop.example"} ignore_referrers = {"bank.example"} log "/nowhere/a.log" {} }
site "other" { currency = "EUR" hosts = {"other.example"} log "/nowhere/b.log" {} provider "stripe" { secret_file = "none" } }
CONF
answers "the configuration's hosts and table" \
    '/\thttps://shop.example/\n/\thttps://eu.bank.example/\n/\thttps://pay.example/\n/\thttps://lamps.example/\n/\thttps://paypal.com/\n/\thttps://x.example/\n' \
    "${direct}own_host\"}
${direct}ignored:bank.example\"}
${direct}payment_page:pay.example\"}
{\"source\":\"lamps\",\"medium\":\"social\",\"campaign\":\"(none)\",\"channel\":\"Organic Social\",\"rule\":\"known:lamps.example (social)\"}
{\"source\":\"paypal.com\",\"medium\":\"referral\",\"campaign\":\"(none)\",\"channel\":\"Referral\",\"rule\":\"referrer\"}
${direct}own_host\"}" source -c "$work/sites.conf" --host x.example
answers "of another site" '/\thttps://other.example/\n/\thttps://shop.example/\n' "${direct}own_host\"}
{\"source\":\"shop.example\",\"medium\":\"referral\",\"campaign\":\"(none)\",\"channel\":\"Referral\",\"rule\":\"referrer\"}" \
    source -c "$work/sites.conf" -s other
answers "a payment page of a provider of the site" '/\thttps://checkout.stripe.com/c/pay\n' "${direct}ignored:checkout.stripe.com\"}" \
    source -c "$work/sites.conf" -s other
answers "... but not of another site's" '/\thttps://checkout.stripe.com/c/pay\n' \
    '{"source":"checkout.stripe.com","medium":"referral","campaign":"(none)","channel":"Referral","rule":"referrer"}' source -c "$work/sites.conf"
refuses "no such site" "rpvctl: $work/sites.conf has no site \"none\"" explain source -c "$work/sites.conf" -s none
refuses "a host with a path" 'rpvctl: --host "https://shop.example/": expected a host name' explain source --host https://shop.example/
refuses "a host with a port" 'rpvctl: --host "shop.example:80": expected a host name' explain source --host shop.example:80
refuses "no host" 'rpvctl: --host "": expected a host name' explain source --host ''
refuses "a host of another command" "rpvctl: top takes no --host" top --host shop.example
printf 'a.example\ta\tsearch\na.example\tb\tsocial\n' >"$work/data/sources.tsv"
refuses "a table that contradicts itself" "rpvctl: $work/data/sources.tsv:2: \"a.example\" stands here for the second time" \
    explain source -c "$work/sites.conf"
answers "user agents" 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0

Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot
SomeTool/1.0' \
    '{"class":"search","bot":true,"rule":"googlebot"}
{"class":"browser","bot":false,"rule":"gecko"}
{"class":"other","bot":true,"rule":"(empty)"}
{"class":"ai_assistant","bot":true,"rule":"chatgpt-user"}
{"class":"other","bot":true,"rule":"(no browser)"}' agent
mkdir "$work/own"
printf '[feed]\nsometool/\n' >"$work/own/bots.txt"
cp "${abs_srcdir:?}/data/sources.tsv" "$work/own"
printf 'data_dir = "%s"\nsite "shop" { currency = "EUR" log "/nowhere/access.log" {} }\n' "$work/own" >"$work/own.conf"
answers "under rules of one's own" 'SomeTool/1.0\n' '{"class":"feed","bot":true,"rule":"sometool/"}' agent -c "$work/own.conf"

refuses "what?" "rpvctl: explain needs line, source or agent" explain
refuses "no such kind" "rpvctl: explain page: there are only" explain page
refuses "a wrong format" "rpvctl: log format" explain line --format nonsense
refuses "of another command" "rpvctl: top takes no --format" top --format combined

echo "$cases cases, $failures failures"
[ "$failures" -eq 0 ]
