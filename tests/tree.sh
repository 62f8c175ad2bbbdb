#!/usr/bin/env bash
#
# tree: what is in the tree is also built, run and shipped.
#
# Makefile.am lists files by hand, so that nothing gets into the daemon by accident;
# this test finds the ones that were forgotten: a module, a test that never runs.

set -u
export LC_ALL=C
cd "${abs_srcdir:?}" || exit 1
failures=0

# A program is listed without .c.
for file in src/*.c src/*/*.[ch] tests/*.[ch] tests/*.sh tests/fuzz/*.c tests/fuzz/*.seeds tests/e2e/*; do
	[ -e "$file" ] || continue
	if ! grep -qE "(^|[[:space:]])${file%.c}(\.c)?([[:space:]]|\$)" Makefile.am; then
		echo "$file: not in Makefile.am"
		failures=$((failures + 1))
	fi
done

# Each file says at its head what it is.
for file in src/*.c src/*/*.[ch] tests/*.c tests/fuzz/*.c; do
	[ -e "$file" ] || continue
	if [ "$(head -c 2 "$file")" != '/*' ]; then
		echo "$file: does not begin with a comment that says what it does"
		failures=$((failures + 1))
	fi
done

# A closed map: each file has its line in ARCHITECTURE.md.
for file in src/*.c src/*/*.[ch] tests/*.sh systemd/* man/*; do
	[ -e "$file" ] || continue
	name=$(basename "$file" .in)
	if ! grep -qF "\`$name\`" ARCHITECTURE.md && ! grep -qF "\`$file\`" ARCHITECTURE.md; then
		echo "$file: not in ARCHITECTURE.md"
		failures=$((failures + 1))
	fi
done
for name in .ci/run Makefile.am check configure.ac contrib/ data/ docs/ m4/ man/ quickstart systemd/; do
	if ! grep -qF "\`$name" ARCHITECTURE.md; then
		echo "$name: not in ARCHITECTURE.md"
		failures=$((failures + 1))
	fi
done
# ... and no line stands for a file that is gone.
for name in $(grep -oE '`[a-z_/-]+\.(c|h|sh|py|tsv|txt|sample|8|1|5|service|socket)`' ARCHITECTURE.md | tr -d '`' | sort -u); do
	[ "$name" != tables_builtin.c ] || continue
	if [ -z "$(find src tests data contrib systemd man -path "*/${name#*/}" -o -path "*/${name#*/}.in" | head -n 1)" ]; then
		echo "ARCHITECTURE.md: there is no $name"
		failures=$((failures + 1))
	fi
done

echo "$failures findings"
[ "$failures" -eq 0 ]
