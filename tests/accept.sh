#!/usr/bin/env bash
# Simulated shops through `rpvd --replay`, every published number against an independent
# computation of the definitions.  Both lie outside of the tree, in $RPVD_SHARED/oracle;
# without them this is skipped.  RPVD_SEEDS: how many fresh seeds (4); they are printed.
set -euo pipefail

oracle=${RPVD_SHARED:-}/oracle
rpvd=${RPVD:-${abs_builddir:-$PWD}/src/rpvd}
if [ -z "${RPVD_SHARED:-}" ] || [ ! -f "$oracle/accept.py" ]; then
	echo "accept: RPVD_SHARED names no directory with oracle/accept.py: skipped"
	exit 77
fi
for tool in redis-server python3; do
	command -v $tool >/dev/null || { echo "accept: $tool is missing: skipped"; exit 77; }
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0 cases=0 accept="$oracle/accept.py" program=$rpvd

# Other windows than the usual ones, on both sides: rpvd through a program that adds them to the configuration.
cat >"$dir/windows.py" <<'END'
import sys
import oracle
MINUTE, HOUR = 60000, 3600000
oracle.WINDOWS = {"3h": (3 * HOUR, 5 * MINUTE), "25h": (25 * HOUR, 25 * MINUTE), "9d": (216 * HOUR, 27 * HOUR), "1w": (168 * HOUR, 168 * HOUR),
                  "90d": (2160 * HOUR, 5 * HOUR)}
import accept
sys.exit(accept.main())
END
cat >"$dir/rpvd" <<END
#!/bin/sh
sed -i 's|^site .*|&\n  windows = {"90d/5h", "3h/5m", "1w/7d", "25h/25m", "9d/27h"}|' "\$2" && exec '$rpvd' "\$@"
END
chmod +x "$dir/rpvd"

one() {		# seed, options of the simulator
	local seed=$1 out
	shift
	rm -rf "$dir/case"
	python3 -B "$oracle/simulate.py" "$dir/case" --seed "$seed" --visitors 500 --messy --rotate "$@" >/dev/null
	cases=$((cases + 1))
	out=$(cd "$dir" && PYTHONPATH=$oracle python3 -B "$accept" "$program" "$dir/case" 2>&1) && case $out in *"keys agree"*) return ;; esac
	bad=$((bad + 1))
	printf 'seed %s %s\n%s\n' "$seed" "$*" "$(printf '%s\n' "$out" | head -n 8)"
}

for ((i = 0; i < ${RPVD_SEEDS:-4}; i++)); do
	seed=$RANDOM
	one $seed --identity ip_ua
	for identity in cookie uid; do
		one $seed --identity $identity --servers 3
		one $seed --identity $identity --disorder 75
		one $seed --identity $identity --disorder 60 --reorder 20 --servers 2 --days 45
	done
done
accept=$dir/windows.py program=$dir/rpvd
one $RANDOM --identity cookie --servers 2 --days 45
echo "$cases cases, $bad of them with wrong numbers"
[ $bad -eq 0 ]
