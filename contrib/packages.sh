# shellcheck shell=bash
# packages: what rpvd needs on Debian 12 and 13, and how to get it.
#
# Sourced by ./check and ./quickstart.  What is asked for is what must be there
# (a program, a pkg-config module, a file), not what dpkg has installed, so that
# other systems and hand-made installations pass too.

# KIND PACKAGE PROBE, one a line.  PROBE: a program, pkg:MODULE or an absolute path.
packages_table='
build gcc gcc
build libc6-dev /usr/include/stdio.h
build make make
build autoconf autoconf
build automake automake
build pkg-config pkg-config
build libevent-dev pkg:libevent_openssl
build libssl-dev pkg:openssl
build libcurl4-openssl-dev pkg:libcurl
build libhiredis-dev pkg:hiredis
build libmaxminddb-dev pkg:libmaxminddb
check check pkg:check
build libjansson-dev pkg:jansson
build libsodium-dev pkg:libsodium
build libconfuse-dev pkg:libconfuse
build zlib1g-dev pkg:zlib
build libsystemd-dev pkg:libsystemd
run redis-server redis-server
run redis-tools redis-cli
run python3 python3
check clang clang
check libclang-rt-dev clang:fuzzer
check nginx nginx
check systemd systemd-analyze
check mandoc mandoc
check curl curl
'

packages_has() {
	case $1 in
	pkg:*)	pkg-config --exists "${1#pkg:}" 2>/dev/null ;;
	clang:fuzzer)
		printf 'int LLVMFuzzerTestOneInput(const char *, long);\nint LLVMFuzzerTestOneInput(const char *d, long n) { return (0 * (d != 0) * (int)n); }\n' |
		    clang -x c -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null ;;
	/*)	[ -e "$1" ] ;;
	*)	PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# packages_missing KIND...: the Debian packages that are wanted and not there.
packages_missing() {
	local kind package probe

	while read -r kind package probe; do
		case " $* " in
		*" $kind "*) packages_has "$probe" || printf '%s\n' "$package" ;;
		esac
	done <<< "$packages_table"
}

# Runs a command as root, by sudo where it must.
packages_as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# apt starts the services of what it installs; nobody asked for a Redis or an nginx
# on this host.  policy-rc.d is Debian's way to say so; one that is there is kept, and
# ours goes however this ends: hence a shell, and traps, of its own.
packages_policy=/usr/sbin/policy-rc.d
packages_install() (
	ours=no
	# shellcheck disable=SC2317  # by the trap
	policy_away() {
		[ "$ours" = no ] || packages_as_root rm -f "$packages_policy"
	}
	trap policy_away EXIT
	trap 'exit 130' INT TERM HUP

	if [ ! -e "$packages_policy" ]; then
		ours=yes
		printf '#!/bin/sh\nexit 101\n' |
		    packages_as_root sh -c 'cat >"$0" && chmod 755 "$0"' "$packages_policy"
	fi
	packages_as_root apt-get update -qq &&
	    packages_as_root env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends "$@" >&2 || exit 1
)

# packages_need KIND...: returns 0 when all is there; says what it installs.
packages_need() {
	local missing

	missing=$(packages_missing "$@" | tr '\n' ' ')
	[ -z "$missing" ] && return 0
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "missing: ${missing}(names of Debian packages; apt-get is not here to install them)" >&2
		return 1
	fi
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
		echo "missing: ${missing}- as root: apt-get install ${missing% }" >&2
		return 1
	fi
	echo "Installing with apt (no service is started): ${missing% }" >&2
	# shellcheck disable=SC2086  # a list of words
	if ! packages_install $missing >&2; then
		echo "apt could not install: ${missing% }" >&2
		return 1
	fi
}

# tree_copy SOURCE DIR: brings the files of the checkout to DIR, and nothing that a
# build left in it.  Times are kept, so that make rebuilds only what has changed.
tree_copy() {
	local from=$1 to=$2

	mkdir -p "$to"
	# What autoreconf made there stays; all else goes, as files may have been removed.
	find "$to" -mindepth 1 -maxdepth 1 ! -name configure ! -name aclocal.m4 \
	    ! -name Makefile.in ! -name build-aux ! -name autom4te.cache \
	    -exec rm -rf {} +
	if [ -e "$from/.git" ] && command -v git >/dev/null 2>&1; then
		git -C "$from" -c safe.directory='*' ls-files -z -co --exclude-standard |
		    (cd "$from" && while IFS= read -r -d '' f; do
			[ ! -e "$f" ] || printf '%s\0' "$f"
		done) | tar -C "$from" --null -T - -cf - | tar -C "$to" -xf -
	else
		tar -C "$from" --exclude=./.git -cf - . | tar -C "$to" -xf -
	fi
}

# tree_configure TREE BUILD [CONFIGURE-ARGUMENT...]: leaves a configured BUILD.
tree_configure() {
	local tree=$1 build=$2

	shift 2
	if [ ! -e "$tree/configure" ] || [ "$tree/configure.ac" -nt "$tree/configure" ] ||
	    [ "$tree/m4/rpvd.m4" -nt "$tree/configure" ]; then
		(cd "$tree" && autoreconf -fi) || return 1
	fi
	mkdir -p "$build"
	if [ ! -e "$build/config.status" ] || [ "$tree/configure" -nt "$build/config.status" ] ||
	    [ "$*" != "$(cat "$build/configured-with" 2>/dev/null)" ]; then
		(cd "$build" && "$tree/configure" "$@") || return 1
		echo "$*" >"$build/configured-with"
	fi
}
