#!/usr/bin/env bash
#
# purity: the engine and the providers are plain functions, and stay so.
#
# No object of src/core, of src/provider, or of what they use of src/base may refer to a
# file, a socket, a clock, the environment, a library but the C library's pure part
# (providers: and jansson, the parts of libsodium and OpenSSL that check signatures,
# zlib's sum), or keep anything between calls.  Shown by what the sources include and by
# what the linker would have to resolve; the list says what is allowed, so that a function
# nobody thought of is found too.  Each exception of src/base has its name below.

set -u
export LC_ALL=C
src=${abs_srcdir:?}/src
obj=${abs_builddir:?}/src
nm=${NM:-nm}
cc=${CC:-gcc}
work=$(mktemp -d "${TMPDIR:-/tmp}/rpvd-purity-XXXXXX")
trap 'rm -rf "$work"' EXIT

# Headers of the C library that promise nothing but values, or of which the functions
# below are all that may be used: stdio for snprintf, time for timegm, arpa/inet and
# netinet/in for the text form of addresses.
headers='^(assert|ctype|errno|float|inttypes|limits|math|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings|time|endian|arpa/inet|netinet/in)\.h$'

# A function may come with FORTIFY's name (__memcpy_chk) or a C standard's (__isoc23_).
functions='mem(cpy|move|set|cmp|chr|rchr|mem|pcpy)|explicit_bzero|str(len|nlen|cmp|ncmp|casecmp|ncasecmp|chr|rchr|chrnul|str|spn|cspn|pbrk|cpy|ncpy|cat|dup|ndup)|stpcpy|v?snprintf|malloc|calloc|realloc|reallocarray|free|abort|qsort|qsort_r|bsearch|l?l?abs|strto(l|ll|ul|ull|imax|umax|d)|(sqrt|pow|exp|exp2|expm1|log|log2|log10|log1p|erfc?|lgamma|tgamma|ceil|floor|round|trunc|l?l?rint|l?l?round|nearbyint|fabs|fmin|fmax|fmod|ldexp|frexp|hypot)[fl]?|is(alnum|alpha|digit|xdigit|space|upper|lower|print|punct)|to(upper|lower)|timegm|gmtime_r|inet_(pton|ntop)|hton[ls]|ntoh[ls]'
# What the compiler adds by itself.
compiler='__stack_chk_fail|__errno_location|__ctype_(b|tolower|toupper)_loc|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|sanitizer|sancov|lsan)_.*|__(add|sub|mul|div|mod|u?div|u?mod|float|fix|popcount)[a-z0-9]*|_?_?dso_handle'
# Of libraries, for providers: values in, values out.  No json_load_file, no randombytes.
libraries='json_(loadb|stringn|dumps|dumpb|typeof|delete|incref|decref|(object|array|string|integer|real|number|boolean|null|true|false)(_[a-z_]+)?|unpack(_ex)?|pack)|crypto_(auth|sign|hash|verify|generichash|shorthash)_[a-z0-9_]+|sodium_(memcmp|memzero|hex2bin|bin2hex|base642bin|bin2base64|base64_encoded_len|memcmp|is_zero)|crc32_z|BIO_(new_mem_buf|free)|PEM_read_bio_X509|X509_(free|get0_pubkey|get0_notAfter|cmp_time)|EVP_(sha256|MD_CTX_(new|free)|DigestVerify(Init)?|PKEY_get_(base_id|bits))|ERR_clear_error'
libc="^($compiler|(__)?($functions)(_chk)?|__isoc[0-9]+_($functions))\$"

# What a part of base has beside that: a keyed hash of libsodium, the last words of one that
# ends, and instructions of the processor.
exceptions() {
	case $1 in
	base/slice.h)	echo '<emmintrin.h>' ;;
	base/hash.o)	echo 'crypto_shorthash' ;;
	base/hash.c)	echo '<sodium.h>' ;;
	base/mem.o)	echo 'log_line' ;;
	base/mem.c)	echo 'base/log.h' ;;
	esac
}

failures=0

fail() {
	echo "$*"
	failures=$((failures + 1))
}

defined() {
	"$nm" --defined-only "$@" 2>/dev/null | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }'
}

# includes DIR FILE...: quoted headers only of DIR's own side of the map.
includes() {
	local own=$1 file header

	shift
	for file in "$@"; do
		while IFS= read -r header; do
			[ "${header//\"/}" != "$(exceptions "${file##*/src/}")" ] || continue
			case $header in
			'<'*)	[[ ${header//[<>]/} =~ $headers ]] ||
				    [[ $own == provider && $header =~ ^.(jansson|sodium|zlib|openssl/(err|evp|pem|x509))\.h.$ ]] ||
				    fail "${file##*/src/}: includes $header" ;;
			*)	header=${header//\"/}
				[[ $header =~ ^(base|core)/ && $header != base/log.h && ($own != base || $header == base/*) ]] ||
				    [[ $own == provider && $header == provider/* ]] ||
				    fail "${file##*/src/}: includes \"$header\"" ;;
			esac
		done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"][^>"]*[>"]).*/\1/p' "$file")
	done
}

# refers OWN OBJECT...: undefined symbols that are neither in $work/known nor allowed.
refers() {
	local own=$1 object symbol allowed=$libc

	shift
	[ "$own" = provider ] && allowed="$libc|^($libraries)\$"
	for object in "$@"; do
		while IFS= read -r symbol; do
			[[ $symbol =~ $allowed || $symbol == "$(exceptions "${object##*/src/}")" ]] ||
			    fail "${object##*/src/}: refers to $symbol"
		done < <("$nm" -u "$object" | awk '{ print $NF }' | grep -vxF -f "$work/known")
	done
}

# keeps OBJECT...: a variable that can be written outlives the call.  Not under the
# sanitizers, which keep books of their own.
keeps() {
	local object found

	for object in "$@"; do
		"$nm" -u "$object" | grep -q '__asan_\|__sanitizer_' && continue
		found=$("$nm" -f sysv "$object" | awk -F'|' '{ gsub(/ /, "", $7); gsub(/ /, "", $1) }
		    $7 == ".data" || $7 ~ /^\.data\.[^r]/ || $7 ~ /^\.t?bss/ || $7 == ".tdata" || $7 == "*COM*" { printf "%s ", $1 }')
		[ -z "$found" ] || fail "${object##*/src/}: keeps $found"
	done
}

# A test that cannot fail proves nothing: each of these must be found.
must_find() {
	local why=$1 code=$2 own=${3:-core} name=${4:-sin} before=$failures file

	file=$work/src/$own/$name
	mkdir -p "$work/src/$own"
	printf '%s\n' "$code" >"$file.c"
	"$cc" -O1 -w -c "$file.c" -o "$file.o" || return
	includes "$own" "$file.c" >/dev/null
	refers "$own" "$file.o" >/dev/null
	keeps "$file.o" >/dev/null
	if [ "$failures" -eq "$before" ]; then
		echo "not found, though it is there: $why"
		unseen=$((unseen + 1))
	fi
	failures=$before
}

shopt -s nullglob
core=("$obj"/core/*.o)
provider=("$obj"/provider/*.o)
if [ ${#core[@]} -eq 0 ]; then
	echo "no objects in $obj/core: build first"
	exit 1
fi
# All may use base, but for the log; providers may use core, core no provider.
base=()
base_sources=("$src"/base/slice.h)
for object in "$obj"/base/*.o; do
	name=$(basename "$object" .o)
	[ "$name" != log ] || continue
	base+=("$object")
	base_sources+=("$src/base/$name.c" "$src/base/$name.h")
done
defined "${base[@]}" >"$work/known"
includes base "${base_sources[@]}"
refers base "${base[@]}"
keeps "${base[@]}"
defined "${core[@]}" >>"$work/known"

unseen=0
must_find "a clock" 'extern long time(long *); long f(void); long f(void) { return time(0); }'
must_find "a file" '#include <stdio.h>
void *f(void) { return fopen("/etc/passwd", "r"); }'
must_find "a library" 'extern void event_base_loop(void); void f(void) { event_base_loop(); }'
must_find "a library's header" '#include <stddef.h>
#if 0
#include <event2/event.h>
#endif
int f(void) { return 1; }'
must_find "a header of the shell" '#if 0
#include "io/tail.h"
#endif
int f(void) { return 1; }'
must_find "the log" 'extern void log_info(const char *); void f(void) { log_info(""); }'
must_find "a variable" 'static int n; int f(void) { return n++; }'
must_find "a clock in base" 'extern long time(long *); long f(void); long f(void) { return time(0); }' base glob
must_find "a file in base" 'extern int open(const char *, int); int f(void) { return open("/etc/passwd", 0); }' base glob
must_find "a variable of base" 'static int n; int f(void) { return n++; }' base glob
must_find "another than the exception" 'extern void log_lines(void); void f(void) { log_lines(); }' base mem
must_find "the exception of another" 'extern void log_line(void); void f(void) { log_line(); }' base map
must_find "a header of core in base" '#if 0
#include "core/page.h"
#endif
int f(void) { return 1; }' base glob

includes core "$src"/core/*.[ch]
refers core "${core[@]}"
keeps "${core[@]}"
if [ ${#provider[@]} -gt 0 ]; then
	defined "${provider[@]}" >>"$work/known"
	includes provider "$src"/provider/*.[ch]
	refers provider "${provider[@]}"
	keeps "${provider[@]}"
fi

echo "${#base[@]} objects of base, ${#core[@]} of core, ${#provider[@]} of provider: $failures findings, $unseen blind spots"
[ $((failures + unseen)) -eq 0 ]
