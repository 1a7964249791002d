#!/bin/sh
# vmath_all.sh -- the largest errors of vmath.h's functions over all 2^32 floats (a quarter of an hour), or every STEP-th; fails beyond what vmath.h says.
# usage: tests/vmath_all.sh [STEP ["NAMES"]]
. "$(dirname "$0")/environment.sh"
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 74
trap 'rm -rf "$work"' EXIT
${CC:-cc} -std=c11 -D_DEFAULT_SOURCE -O2 -march=native -ffp-contract=off -Wall -Wextra -I"$here/../runtime" "$here/vmath_all.c" -o "$work/all" -lm || exit 1
failed=0
for name in ${2:-exp log tanh sigmoid expm1 log1p erf sin cos}; do "$work/all" "$name" "${1:-1}" || failed=1; done
exit $failed
