#!/usr/bin/env bash
# golden.sh -- writes anew what the compiler is expected to write: generated/tiny/tiny.c and what lies in tests/golden.
# Read the diff afterwards: it is what a change of a stage or of a template does.
set -eu
cd "$(dirname "$0")/.."
export SPNC=$PWD/build/spnc
tests/golden.sh --update
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
"$SPNC" emit models/tiny.yaml --target avx2 -o "$new"
cp "$new/tiny.c" generated/tiny/
git --no-pager diff --stat -- generated tests/golden
