#!/usr/bin/env bash
# pair.sh -- two folders that `spnc build` or `emit` made, of one model or by two versions of spnc: their steps in turn, in one process.
# usage: bench/pair/pair.sh [--row NET] FIRST SECOND [THREADS [PAIRS]]
#   2 threads and 300 pairs of steps, if not given; prints what ratios.py says, with --row as a row of pairs.sh's table
# Each side is compiled in a copy of its folder, by its own Makefile; side.c says what the two must have in common.
# Exit codes: 0 fine, 1 the folders do not go together, 2 wrong usage, 74 no compiler, or no memory.
set -eu
usage() { sed -n '/^# usage: /,/^# [A-Z]/ { /^# [A-Z]/!s/^# //p }' "$0"; }
[ "${1:-}" != --help ] || { usage; exit 0; }
row=()
[ "${1:-}" != --row ] || { [ $# -ge 2 ] || { usage >&2; exit 2; }; row=(--row "$2"); shift 2; }
[ $# -ge 2 ] && [ $# -le 4 ] || { usage >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=${CC:-gcc}
for folder in "$1" "$2"; do
    grep -q '^# Made by spnc' "$folder/Makefile" 2>/dev/null || { echo "pair: $folder is no folder that spnc has made" >&2; exit 1; }
done

# of FOLDER VARIABLE: as its Makefile has it
of() { printf 'include Makefile\npair:\n\t@echo $(%s)\n' "$2" | make -s -C "$1" -f - pair; }
# library FOLDER NAME: compiles the folder and side.c to the shared library $work/NAME.so
library() {
    local copy=$work/$2 optimise flags libraries
    cp -r "$1" "$copy"
    find "$copy" -name '*.o' -delete
    optimise=$(of "$copy" CFLAGS) flags=$(of "$copy" FLAGS) libraries=$(of "$copy" LIBS)
    # shellcheck disable=SC2086
    (cd "$copy" && $compiler $optimise $flags -Werror=incompatible-pointer-types -Werror=implicit-function-declaration -fPIC -Iruntime -Itrainer \
        -c -o "$copy.o" "$here/side.c") || { echo "pair: $1 has not what side.c calls" >&2; exit 1; }
    make -s -C "$copy" -j "$(nproc)" CC="$compiler" FLAGS="$flags -fPIC" >"$copy.log" 2>&1 || { cat "$copy.log" >&2; exit 74; }
    # shellcheck disable=SC2046,SC2086
    (cd "$copy" && $compiler $optimise $flags -shared -o "$copy.so" "$copy.o" $(find . -name '*.o' ! -name main.o) $libraries -lpng -ljpeg -lz -lm) || exit 74
}
library "$1" first
library "$2" second
$compiler -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -fopenmp -o "$work/pair" "$here/pair.c" -ldl || exit 74
# threads wait as in a program of spnc's, which sets this for itself
[ -n "${OMP_WAIT_POLICY:-}" ] || export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-1000}"
"$work/pair" "${3:-2}" "${4:-300}" "$work/first.so" "$work/second.so" >"$work/times"
python3 "$here/ratios.py" ${row[@]+"${row[@]}"} "$work/times"
