#!/usr/bin/env bash
#
# conf: the configuration that is installed as an example is one that rpvd takes, and
# the manual's nginx snippets are ones that nginx takes.

set -u
src=${abs_srcdir:?}
rpvd=${abs_builddir:?}/src/rpvd
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-conf-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "$*"
	failures=$((failures + 1))
}

if [ ! -x "$rpvd" ]; then
	echo "src/rpvd is not built"
	exit 77
fi

# Every commented-out option, too: the first # of "	#name = ..." is taken away.
sed -E 's/^([[:space:]]*)#([a-z}])/\1\2/' "$src/contrib/rpvd.conf.sample" >"$work/all.conf"
"$rpvd" -t -c "$src/contrib/rpvd.conf.sample" >"$work/said" 2>&1 ||
    fail "rpvd.conf.sample: $(cat "$work/said")"
# The files that the examples name are not here, and some options are of other providers than the
# example's; anything else is a mistake.
"$rpvd" -t -c "$work/all.conf" >"$work/said" 2>&1
if grep -vE ': (No such file or directory|fine|[a-z_]+ is an option of provider "[a-z]+" only)$' "$work/said"; then
	fail "rpvd.conf.sample with all of its examples: see above"
fi
sed 's/currency = "EUR"/currency = "EURO"/' "$src/contrib/rpvd.conf.sample" >"$work/bad.conf"
if "$rpvd" -t -c "$work/bad.conf" >"$work/said" 2>&1; then
	fail "a mistake is accepted"
elif ! grep -qF "bad.conf:$(sed -n '/EURO/=' "$work/bad.conf"):" "$work/said"; then
	fail "a mistake is reported without its line: $(cat "$work/said")"
fi

nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
if [ -n "$nginx" ]; then
	cat >"$work/nginx.conf" <<END
pid $work/pid;
error_log $work/error.log;
events {}
http {
	include $src/contrib/nginx/rpvd.conf;
	server {
		listen unix:$work/sock;
		userid on;
		userid_name rpv;
		access_log $work/access.log rpvd;
		include $src/contrib/nginx/hooks.conf;
	}
}
END
	"$nginx" -t -q -e "$work/error.log" -c "$work/nginx.conf" 2>"$work/said" ||
	    fail "nginx: $(cat "$work/said")"
else
	echo "nginx is not here: its snippets are not tested"
fi

echo "$failures findings"
[ "$failures" -eq 0 ]
