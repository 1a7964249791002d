#!/bin/sh
# vec_bits.sh -- builds vec_bits.c for every compiler, -O level and target, and fails if any prints other hashes.
# A target that this processor lacks is skipped; a precision's first build is what the others are compared with.  NEON is compiled by aarch64-linux-gnu-gcc
# and run by qemu-aarch64, at the first of the levels, where both are there.
# usage: tests/vec_bits.sh ["compilers" ["levels"]]      defaults: "gcc clang" "-O1 -O2 -O3"
. "$(dirname "$0")/environment.sh"
set -u
compilers=${1:-gcc clang} levels=${2:--O1 -O2 -O3}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 74
trap 'rm -rf "$work"' EXIT
warn="-std=c11 -D_DEFAULT_SOURCE -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Werror"
avx512="-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mfma -mavx2"
avx2="-mavx2 -mfma"
has() { grep -q -m1 -w "$1" /proc/cpuinfo 2>/dev/null; }

builds=0 failed=0
for precision in float double; do
    first=
    for compiler in $compilers; do
        command -v $compiler >/dev/null || { echo "skipped: no $compiler"; continue; }
        for target in generic avx2 avx512 "avx512 forced to plain C"; do
            case $target in
            generic) flags= ;;
            avx2) flags=$avx2; has avx2 && has fma || { echo "skipped: $target"; continue; } ;;
            *) flags=$avx512; has avx512bw && has avx512dq && has avx512vl || { echo "skipped: $target"; continue; } ;;
            esac
            case $target in *forced*) flags="$flags -DSPN_GENERIC" ;; esac
            [ $precision = double ] && flags="$flags -DSPN_DOUBLE"
            for level in $levels; do
                name="$precision $compiler $level $target"
                $compiler $warn $level $flags -I"$here/../runtime" "$here/vec_bits.c" -o "$work/run" -lm &&
                    "$work/run" >"$work/now" || { echo "FAILED: $name"; cat "$work/now"; failed=1; continue; }
                builds=$((builds + 1))
                [ -n "$first" ] || { first=$name; cp "$work/now" "$work/first"; cp "$work/now" "$work/$precision"; }
                cmp -s "$work/first" "$work/now" ||
                    { echo "DIFFERS: $name from $first"; diff "$work/first" "$work/now"; failed=1; }
            done
        done
    done
done
if [ $builds -gt 0 ] && command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    aarch64-linux-gnu-gcc $warn ${levels%% *} -static -I"$here/../runtime" "$here/vec_bits.c" -o "$work/run" -lm && qemu-aarch64 "$work/run" >"$work/now" &&
        cmp "$work/float" "$work/now" || { echo "DIFFERS or FAILED: neon"; diff "$work/float" "$work/now"; failed=1; }
    builds=$((builds + 1))
else
    echo "skipped: neon"
fi
[ $failed = 0 ] && echo "$builds builds, the same bits"
exit $failed
