#!/usr/bin/env bash
# pair.sh -- two folders that `spnc build` or `emit` made, of one model or by two versions of spnc: their steps in turn, in one process.
# usage: bench/pair/pair.sh FIRST SECOND [THREADS [PAIRS]]      2 threads, 300 pairs of steps, if not given; prints what pair.c says
# Exit codes: 0 fine, 1 the folders do not go together, 2 wrong usage, 74 no compiler.
set -eu
[ $# -ge 2 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in "$1" "$2"; do
    [ -f "$folder/runtime/net.h" ] || { echo "pair: $folder is no folder that spnc has made" >&2; exit 1; }
done
for header in runtime/net.h trainer/run/data.h; do
    cmp -s "$1/$header" "$2/$header" || { echo "pair: $1 and $2 have different $header: they cannot be asked alike" >&2; exit 1; }
done
# of FOLDER VARIABLE: as its Makefile has it
of() { printf 'include Makefile\npair:\n\t@echo $(%s)\n' "$2" | make -s -C "$1" -f - pair; }
number=0
for folder in "$1" "$2"; do
    number=$((number + 1)) optimise=$(of "$folder" CFLAGS) flags=$(of "$folder" FLAGS) libraries=$(of "$folder" LIBS)
    map=("$folder"/*.map.json)
    # shellcheck disable=SC2086
    (cd "$folder" && ${CC:-gcc} $optimise $flags -w -fPIC -shared -Iruntime -Itrainer -o "$work/$number.so" "$(basename "${map[0]}" .map.json).c" $(of . SOURCES) $libraries -lpng -lz -lm) || exit 74
done
# shellcheck disable=SC2086
${CC:-gcc} -O2 $flags -I"$2/runtime" -I"$2/trainer" -o "$work/pair" "$here/pair.c" -ldl || exit 74
# threads wait as in a program of spnc's, which sets this for itself
[ -n "${OMP_WAIT_POLICY:-}" ] || export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-1000}"
"$work/pair" "${3:-2}" "${4:-300}" "$work/1.so" "$work/2.so"
