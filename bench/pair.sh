#!/usr/bin/env bash
# pair.sh -- two folders that `spnc build` or `emit` made, of one model or by two versions of spnc: their steps in turn, in one process.
# usage: bench/pair.sh FIRST SECOND [THREADS [PAIRS]]      2 threads, 300 pairs of steps, if not given; prints what pair.c says
# Exit codes: 0 fine, 1 the folders do not go together, 2 wrong usage, 74 no compiler.
set -eu
[ $# -ge 2 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for header in spn.h data.h; do
    cmp -s "$1/runtime/$header" "$2/runtime/$header" || { echo "pair: $1 and $2 have different runtime/$header: they cannot be asked alike" >&2; exit 1; }
done
number=0
for folder in "$1" "$2"; do
    number=$((number + 1))
    (
        cd "$folder"
        name=$(basename -s .map.json ./*.map.json)
        # the folder's own flags, without those of its Makefile that speak of a program
        flags=$(sed -n 's/^FLAGS = //p' Makefile)
        # shellcheck disable=SC2086
        ${CC:-gcc} ${CFLAGS:--O2} $flags -w -fPIC -shared -Iruntime -o "$work/$number.so" "$name.c" runtime/*.c -lpng -lz -lm || exit 74
        echo "$flags -I$PWD/runtime" >"$work/flags"
    )
done
# shellcheck disable=SC2046
${CC:-gcc} -O2 $(cat "$work/flags") -o "$work/pair" "$here/pair.c" -ldl || exit 74
"$work/pair" "${3:-2}" "${4:-300}" "$work/1.so" "$work/2.so"
